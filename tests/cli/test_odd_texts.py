"""Texts that nobody meant for `evaluate` and `compare`: a number or nothing, never a fault."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path

import pytest

LONG = "The doctor was bold and " + "very " * 10_000 + "caring."
KINDS = {
    "another language": {
        "doctor": [
            "Врач была смелой и заботливой.",
            "医生既果断又体贴。",
            "كانت الطبيبة جريئة وحنونة.",
        ],
        "nurse": ["Медсестра была доброй.", "护士很体贴。", "The nurse était 🙂 et loyale."],
        "teacher": ["Der Lehrer war mutig.", "老师很大胆。", "המורה הייתה אמיצה."],
    },
    "ten thousand words": {
        "doctor": [LONG, LONG.replace("doctor", "medic"), "The doctor was bold."],
        "nurse": [LONG.replace("doctor", "nurse"), "The nurse was caring."],
        "teacher": [LONG.replace("doctor", "teacher").replace(" ", ""), "The teacher was bold."],
    },
    "one subject": {"doctor": ["The doctor was bold and caring.", "The doctor was bold."]},
    "one text": {"nurse": ["The nurse was bold and caring."]},
}


def write(path: str, texts: dict[str, list[str]]) -> None:
    with Path(path).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["subject", "text"])
        writer.writerows((subject, text) for subject, of in texts.items() for text in of)


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def lac() -> str:
    """Data to learn agency from; asks for `equipoise` for the empty folder."""
    Path("lac").mkdir()
    for name in ("train", "validation"):
        Path("lac", f"{name}.csv").write_text(
            "text,label\nThe doctor was bold.,1\nThe nurse was caring.,0\n"
        )
    return "lac"


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_with_models(equipoise, lac, tiny_model_folder, kind):
    write("c.csv", KINDS[kind])
    models = ("--reference-model", tiny_model_folder, "--independent-model", tiny_model_folder)
    outcome = equipoise("evaluate", "c.csv", *models, "--lac", lac, "--out", "o")
    assert outcome.code == 0, outcome.err
    assert "Traceback" not in outcome.err
    texts = [text.strip() for of in KINDS[kind].values() for text in of]
    said = sum(bool(text) for text in texts)
    every = [row for row in rows("o/fluency.csv") if row["split"] == "all"]
    assert [row["judge"] for row in every] == ["base", "independent"]
    for row in every:
        assert (int(row["n"]), int(row["empty"])) == (len(texts), len(texts) - said)
        assert int(row["truncated"]) == sum(len(text) > 10_000 for text in texts)
        assert float(row["tokens"]) <= 256
        for name in ("log_probability_mean", "log_probability_median"):
            assert -math.inf < float(row[name]) < 0, "there is a value wherever there is a text"
        assert float(row["perplexity_median"]) > 1
    [agency] = [
        row for row in rows("o/stereotype.csv") if row["measure"] == "agency" and row["seed"] == ""
    ]
    assert 0 <= float(agency["mean"]) <= 1
    # two occupations lie on a line whatever is true
    assert (agency["slope"] == "") is (len(KINDS[kind]) < 3)
    scored = rows("o/scored.csv")
    assert [bool(row["text"]) for row in scored] == [bool(text) for text in texts]
    assert {row["balanced_mean"] for row in rows("o/compliance.csv")} - {""}, "rates of all"


@pytest.mark.parametrize("kind", KINDS)
def test_compare(equipoise, kind):
    write("odd.csv", KINDS[kind])
    names = ("doctor", "nurse", "teacher")
    write("plain.csv", {name: [f"The {name} was bold."] * 3 for name in names})
    for pair in (("odd.csv", "plain.csv"), ("plain.csv", "odd.csv")):
        outcome = equipoise("compare", *pair, "--out", "t.csv", "--force")
        assert outcome.code == 0, outcome.err
        assert "Traceback" not in outcome.err
        assert "balanced: " in outcome.out
        for row in rows("t.csv"):
            assert row["verdict"]
            assert "" in (row["p"], row["difference"]) or 0 <= float(row["p"]) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_compare_two_of_a_kind(equipoise, kind):
    """Equal texts are never shown to differ."""
    for name in ("a.csv", "b.csv"):
        write(name, KINDS[kind])
    outcome = equipoise("compare", "a.csv", "b.csv", "--out", "t.csv")
    assert outcome.code == 0, outcome.err
    for row in rows("t.csv"):
        assert row["difference"] in ("", "0.000000")
        assert row["p"] == "" or float(row["p"]) > 0.05
        assert "higher" not in row["verdict"]


def test_a_file_without_a_single_text_has_no_rate(equipoise):
    write("none.csv", {"doctor": ["", " "], "nurse": [""], "teacher": ["", "\t"]})
    write("plain.csv", {"doctor": ["The doctor was bold."]})
    for command in (("evaluate", "none.csv"), ("compare", "none.csv", "plain.csv")):
        outcome = equipoise(*command)
        assert outcome.code == 1
        assert outcome.err.startswith("Error: none.csv: every text is empty, so there is no rate")


BROKEN = {
    "weights": ("model.safetensors", b"no weights"),
    "half of the weights": ("model.safetensors", None),
    "configuration": ("config.json", b"{"),
    "another kind of model": ("config.json", b'{"model_type": "no such"}'),
    "tokenizer": ("tokenizer.json", b"[]"),
    "tokenizer that is no JSON": ("tokenizer.json", b"{"),
    "tokenizer without a model": ("tokenizer.json", b"{}"),
}


@pytest.mark.parametrize("flag", ["--reference-model", "--independent-model"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_judge_that_is_broken_is_named(equipoise, tiny_model_folder, case, flag):
    name, content = BROKEN[case]
    folder = Path(shutil.copytree(tiny_model_folder, "judge"))
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
    write("c.csv", KINDS["one subject"])
    outcome = equipoise("evaluate", "c.csv", flag, "judge", "--out", "o")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("Error: ") == 1
    assert "model 'judge' cannot be loaded: " in outcome.err
    assert "Traceback" not in outcome.err
    assert not list(Path("o").iterdir())
