"""Whatever a file holds, it is read or refused in one sentence."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.measures.side_effects.choice_files import read_choices
from equipoise.measures.side_effects.instruments import read_instruments
from equipoise.measures.side_effects.pair_files import read_pairs

VALID = (
    b"sent_more,sent_less,bias_type\nOld men forget.,Young men forget.,age\n",
    b"sentid\tsentence\nnurse.guest.0.male.txt\tHe left.\nnurse.guest.0.female.txt\tShe left.\n",
    b"1 [The developer] left as [he] was late.\n",
    json.dumps(
        {"question": "Which?", "options": ["a", "b"], "label": 0, "group": "g"}
    ).encode(),
    json.dumps(
        {"context": "x", "question": "y", "ans0": "a", "ans1": "b", "ans2": "c", "label": 2,
         "answer_info": {"ans0": ["a", "old"], "ans1": ["b", "nonOld"], "ans2": ["c", "unknown"]},
         "additional_metadata": {"stereotyped_groups": ["old"]}, "category": "Age",
         "context_condition": "ambig", "question_polarity": "neg"}
    ).encode(),
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A valid file with a piece of it replaced."""
    content = draw(st.sampled_from(VALID))
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 12)))
    return content[:start] + draw(st.binary(max_size=12)) + content[end:]


@given(st.one_of(st.binary(max_size=60), spoilt()))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.file"
    path.write_bytes(content)
    for read in (lambda: read_pairs(path, {"nurse": 90.0}), lambda: read_choices(path)):
        with contextlib.suppress(EquipoiseError):
            _, items = read()
            assert items
            repr(items).encode()  # what names and sentences hold can be written


@pytest.mark.parametrize("field", ["question", "options", "group"])
def test_half_a_character_is_no_text(write_csv: Callable[..., Path], field: str) -> None:
    row = {"question": "Which?", "options": ["a", "b"], "label": 0, "group": "g"}
    row[field] = ["a", "\ud800"] if field == "options" else "\ud800"
    path = write_csv(json.dumps(row))
    if field == "group":
        assert read_choices(path)[1][0].group.encode()
        return
    with pytest.raises(EquipoiseError, match="is no text"):
        read_choices(path)


def test_files_of_one_kind_are_one_instrument(write_csv: Callable[..., Path]) -> None:
    row = json.loads(VALID[4])
    paths = [
        str(write_csv(json.dumps({**row, "category": name}), f"{name}.jsonl"))
        for name in ("Age", "Religion")
    ]
    [one] = read_instruments((), (), paths, {})
    [alone] = read_instruments((), (), paths[:1], {})
    assert one.name == alone.name == "bbq"
    assert one.question != alone.question
    [twice] = read_instruments((), (), [*paths, paths[0]], {})
    assert twice.question == one.question


def test_two_texts_have_two_names(write_csv: Callable[..., Path], tmp_path: Path) -> None:
    text = "Some words that are long enough to be read."
    (tmp_path / "other").mkdir()
    paths = [str(write_csv(text, name)) for name in ("a.txt", "b.txt", "other/a.txt")]
    assert [one.name for one in read_instruments(paths[:2], (), (), {})] == [
        "perplexity_a", "perplexity_b",
    ]  # fmt: skip
    with pytest.raises(EquipoiseError, match="another text has the same name"):
        read_instruments(paths, (), (), {})
    with pytest.raises(EquipoiseError, match="too short"):
        read_instruments([str(write_csv("Few words.", "c.txt"))], (), (), {})
