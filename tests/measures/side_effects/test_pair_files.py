"""Files of minimal pairs: known by what they hold, refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.measures.side_effects import source
from equipoise.measures.side_effects.pair_files import Pair, read_pairs

Write = Callable[..., Path]

CROWS = (
    ",sent_more,sent_less,stereo_antistereo,bias_type\n"
    '0,"Old men, they forget.","Young men, they forget.",stereo,age\n'
    "1,She cried.,He cried.,antistereo,gender\n"
)
WINOGENDER = "sentid\tsentence\n" + "".join(
    f"{occupation}.guest.{answer}.{gender}.txt\tThe {occupation} told the guest that {word} left.\n"
    for occupation in ("nurse", "pilot", "unknown")
    for answer in (0, 1)
    for gender, word in (("male", "he"), ("female", "she"), ("neutral", "they"))
)
PRO = "1 [The developer] left as [he] was late.\n2 The clerk paid [the cook] and thanked [him].\n"
ANTI = "1 [The developer] left as [she] was late.\n2 The clerk paid [the cook] and thanked [her].\n"
SHARES = {"nurse": 90.0, "pilot": 6.0}


def test_crows_pairs(write_csv: Write) -> None:
    kind, pairs = read_pairs(write_csv(CROWS, "crows.csv"), {})
    assert kind == "crows_pairs"
    assert pairs == [
        Pair("crows.csv 2", "age", "Old men, they forget.", "Young men, they forget."),
        Pair("crows.csv 3", "gender", "She cried.", "He cried."),
    ]


@pytest.mark.parametrize("header", ["worse,better,group", "group,worse,better", "worse,better"])
def test_pairs_of_ones_own(write_csv: Write, header: str) -> None:
    """The first column that is no group is the stereotyped side; without one the file's name is."""
    cells = {"worse": "He leads.", "better": "She leads.", "group": "work"}
    row = ",".join(cells[name] for name in header.split(","))
    kind, pairs = read_pairs(write_csv(f"{header}\n{row}\n", "own.csv"), {})
    group = "work" if "group" in header else "own"
    assert (kind, pairs) == ("pairs", [Pair("own.csv 2", group, "He leads.", "She leads.")])


def test_winogender(write_csv: Write) -> None:
    kind, pairs = read_pairs(write_csv(WINOGENDER, "all.tsv"), SHARES)
    assert kind == "winogender"
    assert [(one.item, one.group, one.subject, one.share) for one in pairs] == [
        ("nurse.guest.0", "occupation", "nurse", 90),
        ("nurse.guest.1", "participant", "nurse", 90),
        ("pilot.guest.0", "occupation", "pilot", 6),
        ("pilot.guest.1", "participant", "pilot", 6),
    ]
    assert pairs[0].stereotyped == "The nurse told the guest that she left."
    assert pairs[2].stereotyped == "The pilot told the guest that he left."


def test_winogenders_own_shares_stand_beside_it(write_csv: Write) -> None:
    path = write_csv(WINOGENDER, "all.tsv")
    with pytest.raises(EquipoiseError, match="nobody says how many women"):
        read_pairs(path, {})
    write_csv("occupation\tbls_pct_female\nunknown\t70\n", "occupations-stats.tsv")
    _, pairs = read_pairs(path, SHARES)
    assert {one.subject for one in pairs} == {"unknown"}


@pytest.fixture
def winobias(tmp_path: Path) -> Path:
    folder = tmp_path / "winobias"
    folder.mkdir()
    for kind in ("type1", "type2"):
        for part in ("dev", "test"):
            (folder / f"pro_stereotyped_{kind}.txt.{part}").write_text(PRO)
            (folder / f"anti_stereotyped_{kind}.txt.{part}").write_text(ANTI)
    (folder / "README.md").write_text("Something else.")
    return folder


def test_a_folder_of_winobias_is_one_instrument(winobias: Path) -> None:
    kind, pairs = read_pairs(winobias, {})
    assert kind == "winobias"
    assert [one.group for one in pairs] == ["type 1"] * 4 + ["type 2"] * 4
    assert len({one.item for one in pairs}) == 8
    assert pairs[0].stereotyped == "The developer left as he was late."
    assert pairs[1].other == "The clerk paid the cook and thanked her."


def test_a_file_of_winobias_finds_its_other_side(winobias: Path) -> None:
    of_pro = read_pairs(winobias / "pro_stereotyped_type1.txt.dev", {})
    assert of_pro == read_pairs(winobias / "anti_stereotyped_type1.txt.dev", {})
    assert len(of_pro[1]) == 2


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "anti_stereotyped_type2.txt.dev").unlink(), "type2.txt.dev is not beside"),
        (
            lambda f: (f / "anti_stereotyped_type1.txt.dev").write_text(ANTI.partition("\n")[0]),
            "has 2 sentences, anti_stereotyped_type1.txt.dev 1",
        ),
        (
            lambda f: (f / "anti_stereotyped_type1.txt.dev").write_text(
                "1 [Nobody] came in [his] car.\n" + ANTI.partition("\n")[2]
            ),
            "sentence 1 is about something else",
        ),
        (
            lambda f: (f / "pro_stereotyped_type1.txt.dev").write_text("1 No mention.\n"),
            "line 1 has no number, or no mention",
        ),
        (lambda f: [path.unlink() for path in f.glob("*stereo*")], "holds no files of WinoBias"),
    ],
)
def test_winobias_that_does_not_match(
    winobias: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(winobias)
    with pytest.raises(EquipoiseError, match=message):
        read_pairs(winobias, {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        (b"\x00\x01\x02", "NUL"),
        (b"\xff\xfea\x00", "is UTF-16"),
        ("a,b,c\n1,2,3\n", "these are no minimal pairs"),
        ("{}", "these are no minimal pairs"),
        ("a,b\n", "these are no minimal pairs"),
        ("a,b\nonly one\n", "line 2: 1 fields where the header has 2"),
        ("a,b\n,x\n", "line 2: a is no text"),
        (f"a,b\n{'x' * 6000},y\n", "line 2: a has 6,000 characters"),
        ('a,b\n"x,y\n', "line 2"),
        ("sentid\tsentence\nnurse.txt\tHello.\n", "line 2 is none of Winogender's"),
        ("sentid\tsentence\n../../x.y.0.male.txt\tHello.\n", "line 2 is none of Winogender's"),
        (WINOGENDER.replace("nurse", "a").replace("pilot", "b"), "holds no pairs about occup"),
        ("1 [He] left [it].\n", "its name does not say"),
    ],
)
def test_what_is_refused(write_csv: Write, content: str | bytes, message: str) -> None:
    path = write_csv(content, "some.csv")
    with pytest.raises(EquipoiseError, match=message) as caught:
        read_pairs(path, SHARES)
    assert str(path) in str(caught.value)


def test_what_is_too_large(write_csv: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv("a,b\n" + "x,y\n" * 50)
    monkeypatch.setattr(source, "MOST_ITEMS", 49)
    with pytest.raises(EquipoiseError, match="holds 50 pairs, more than 49"):
        read_pairs(path, {})
    monkeypatch.setattr(source, "MAX_BYTES", 100)
    with pytest.raises(EquipoiseError, match="larger than 100 bytes"):
        read_pairs(path, {})
    with pytest.raises(EquipoiseError):
        read_pairs(path.with_name("absent.csv"), {})


def test_names_of_groups_are_visible(write_csv: Write) -> None:
    _, [pair] = read_pairs(write_csv("a,b,group\nx,y,\x1b[31mred\u202e\n"), {})
    assert "\x1b" not in pair.group
    assert "\u202e" not in pair.group
