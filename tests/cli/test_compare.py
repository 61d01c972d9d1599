"""`equipoise compare`: two files of anybody's against each other."""

import csv
from pathlib import Path

import pytest

BOTH = "The {} was bold and caring."
ONE = "The {} was bold and decisive."
NAMES = ("doctor", "nurse", "teacher")


def write(
    name: str, hits: dict[int, tuple[int, ...]], *, seeds: bool = True, more: str = ""
) -> None:
    """A file of 20 completions of each subject and seed; as many are balanced as is said."""
    lines = ["occupation,text" + (",seed" if seeds else "")]
    for seed, counts in hits.items():
        for subject, count in zip(NAMES, counts, strict=True):
            for i in range(20):
                text = (BOTH if i < count else ONE).format(subject)
                lines.append(f"{subject},{text}" + (f",{seed}" if seeds else ""))
    Path(name).write_text("\n".join(lines) + "\n" + more)


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def files(equipoise) -> tuple[str, str]:
    """Two methods with three seeds; asks for `equipoise` for the empty folder."""
    write("plain.csv", {1: (2, 1, 3), 2: (1, 3, 2), 3: (2, 2, 1)})
    write("tuned.csv", {1: (19, 18, 17), 2: (18, 18, 19), 3: (20, 17, 18)})
    return "tuned.csv", "plain.csv"


def test_says_who_is_higher_and_what_three_seeds_allow(equipoise, files):
    outcome = equipoise("compare", *files, "--out", "new/table.csv")
    assert outcome.code == 0, outcome.err
    assert outcome.err == "Written:\n  new/table.csv\n"
    lines = outcome.out.splitlines()
    assert max(map(len, [line for line in lines if "  " in line])) <= 80
    [row] = [line.split() for line in lines if line.startswith("balanced ") and "train" in line]
    # train subjects doctor and nurse: 110 and 11 of 120
    assert row[2:6] == ["91.7", "%", "9.2", "%"]
    assert row[6] == "+82.5"
    assert "A: tuned (180 completions, seeds: 3)" in lines
    assert "balanced: tuned is higher than plain. For new seeds and such subjects." in lines
    assert any(line.startswith("Three seeds: ") for line in lines)
    table = rows("new/table.csv")
    assert {row["outcome"] for row in table} == {
        "balanced",
        "satisfied",
        "any",
        "balanced_held_out",
    }
    [main] = [row for row in table if (row["outcome"], row["split"]) == ("balanced", "all")]
    assert (main["method_a"], main["method_b"], main["paired"]) == ("tuned", "plain", "True")
    assert float(main["difference"]) == pytest.approx((164 - 17) / 180, abs=1e-6)
    assert "exists already" in equipoise("compare", *files, "--out", "new/table.csv").err
    assert equipoise("compare", *files, "--out", "new/table.csv", "--force").code == 0
    assert rows("new/table.csv") == table


def test_scores_are_compared_where_models_judge(equipoise, files, tiny_model_folder):
    Path("lac").mkdir()
    for name in ("train", "validation"):
        Path("lac", f"{name}.csv").write_text(
            "text,label\nThe doctor was bold.,1\nNurses care.,0\n"
        )
    judges = ("--reference-model", tiny_model_folder, "--lac", "lac", "--out", "t.csv")
    outcome = equipoise("compare", *files, *judges)
    assert outcome.code == 0, outcome.err
    scores = [row for row in rows("t.csv") if row["split"] == "all" and row["cliffs_delta"]]
    assert [row["outcome"] for row in scores] == ["log_probability_base", "agency"]
    assert all(not row["cohens_h"] for row in scores)
    lines = outcome.out.splitlines()
    assert max(map(len, [line for line in lines if "  " in line])) <= 80
    [shown] = [line for line in lines if line.startswith("log p, base")]
    assert "%" not in shown
    assert f"{float(scores[0]['mean_a']):.2f}"[:2] in shown
    assert any(line.startswith("log_probability_base: ") for line in lines)
    assert "d is Cliff's delta, of scores." in outcome.out
    assert "right on 100.0 % of LAC's 2 validation sentences" in outcome.out
    wrong = equipoise("compare", *files, "--reference-model", "none")
    assert "--reference-model: unknown model 'none'" in wrong.err


def test_swapped_files_swap_signs(equipoise, files):
    there = equipoise("compare", *files).out
    back = equipoise("compare", *reversed(files)).out
    assert "+82.5" in there
    assert "-82.5" in back


def test_without_seeds_it_is_about_models(equipoise):
    write("a.csv", {0: (19, 18, 17)}, seeds=False)
    write("b.csv", {0: (2, 1, 3)}, seeds=False)
    outcome = equipoise("compare", "a.csv", "b.csv")
    assert "One seed: this is about these models, not about methods." in outcome.out
    assert "Three seeds" not in outcome.out


def test_options_reach_the_test(equipoise, files):
    wide = equipoise("compare", *files, "--subjects", "fixed", "--alpha", "0.01", "--margin", "1")
    assert "but by less than 100 points. For new seeds with these subjects." in wide.out
    assert "Intervals of 99 %" in wide.out


def test_subjects_that_one_file_lacks_are_counted_and_empty_texts_remarked(equipoise, files):
    write("more.csv", {1: (5, 5, 5), 2: (6, 5, 4)}, more="pilot,,1\npilot,,2\n")
    outcome = equipoise("compare", "more.csv", "plain.csv")
    assert outcome.code == 0, outcome.err
    assert "Subjects that not every seed of both has, left out: 1." in outcome.out
    assert "more: Empty texts, counted as neither: 2 of 122." in outcome.out


def test_same_names_are_told_apart_by_their_folders(equipoise, files):
    for folder in ("x", "y"):
        Path(folder).mkdir()
        Path(files[0]).rename(f"{folder}/c.csv") if folder == "x" else write(
            "y/c.csv", {1: (2, 1, 3), 2: (1, 3, 2), 3: (2, 2, 1)}
        )
    assert "x/c.csv is higher than y/c.csv" in equipoise("compare", "x/c.csv", "y/c.csv").out


def test_what_cannot_be_compared_is_refused(equipoise, files):
    same = equipoise("compare", files[0], files[0])
    assert (same.code, same.err) == (1, "Error: tuned.csv: stands on both sides. Name two files.\n")
    Path("two.csv").write_text("method,subject,text\na,doctor,x\nb,doctor,x\n")
    two = equipoise("compare", "two.csv", files[0])
    assert two.err == "Error: two.csv: holds 2 methods. Keep the rows of one of them.\n"
    Path("other.csv").write_text("subject,text\nwelder,x\n")
    other = equipoise("compare", "other.csv", files[0])
    assert "other.csv: no subject of it is in tuned.csv. Compare completions of the" in other.err
    Path("splits.csv").write_text("subject,text,split\ndoctor,x,validation\n")
    split = equipoise("compare", "splits.csv", files[0])
    assert (split.code, "Traceback" in split.err) == (1, False)
    assert "split: subject 'doctor' is in more than one split" in split.err


def test_hostile_names_are_disarmed(equipoise, files):
    Path("h.csv").write_text("method,subject,text\n\x1b[31m=evil,doctor,The doctor was bold.\n")
    outcome = equipoise("compare", "h.csv", files[0], "--out", "h_out.csv")
    assert outcome.code == 0, outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    assert "?[31m=evil" in outcome.out
