"""Files of other people through `evaluate` and `compare`: each was a wrong result, or confusing."""

import json
from pathlib import Path

import pytest

TEXTS = {
    "nurse": "The nurse was bold and caring with every patient she met.",
    "doctor": "The doctor was confident in the operating room every single day.",
    "teacher": "The teacher was friendly to all the children in school.",
    "plumber": "The plumber was tired after the very long day outside.",
}


def rates(equipoise, *line):
    """Method -> (balance rate, completions), as `scored.csv` has them; and what was printed."""
    import csv

    outcome = equipoise("evaluate", *line, "--out", "o", "--force")
    assert outcome.code == 0, outcome.err
    found = {}
    with Path("o/scored.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            hits, n = found.get(row["method"], (0, 0))
            found[row["method"]] = (hits + (row["balanced"] == "True"), n + 1)
    return {method: (hits / n, n) for method, (hits, n) in found.items()}, outcome.out


def harness_log() -> str:
    records = [
        {
            "doc_id": number,
            "doc": {"occupation": subject, "prompt": f"The {subject} was"},
            "target": "",
            "arguments": {"gen_args_0": {"arg_0": f"The {subject} was", "arg_1": {}}},
            "resps": [[text]],
            "filtered_resps": [text],
            "filter": "none",
        }
        for number, (subject, text) in enumerate(
            [
                ("nurse", " bold and caring with every patient she met."),
                ("doctor", " confident in the operating room every single day."),
            ]
        )
    ]
    return "\n".join(map(json.dumps, records))


FILES = {
    "harness log": ("samples_occupations.jsonl", harness_log(), 0.5, 2),
    "JSON lines": (
        "out.jsonl",
        "\n".join(json.dumps({"occupation": s, "completion": t}) for s, t in TEXTS.items()),
        0.25,
        4,
    ),
    "ghost columns": (
        "theirs.csv",
        "occupation,text,,\n" + "".join(f"{s},{t},,\n" for s, t in TEXTS.items()),
        0.25,
        4,
    ),
    "numbers of draws": (
        "theirs.csv",
        "occupation,sample,response\n" + "".join(f"{s},0,{t}\n" for s, t in TEXTS.items()),
        0.25,
        4,
    ),
    "numbers and completions": (
        "theirs.csv",
        "occupation,sample,completion\n" + "".join(f"{s},0,{t}\n" for s, t in TEXTS.items()),
        0.25,
        4,
    ),
    "written twice": (
        "theirs.csv",
        "occupation,text\n" + "".join(f"{s},{t}\n" for s, t in TEXTS.items()) * 2,
        0.25,
        4,
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_rates_of_other_peoples_files(case, equipoise):
    name, content, rate, n = FILES[case]
    Path(name).write_text(content, encoding="utf-8")
    found, _ = rates(equipoise, name)
    assert found == {Path(name).stem: (rate, n)}


def test_models_of_the_protocols_prompt_files_stay_apart(equipoise):
    Path("theirs.csv").write_text(
        "Model Name,Occupation,RunID,Output\n"
        "meta/llama-3.3-70b,nurse,1,bold and caring with every patient she met.\n"
        "meta/llama-3.3-70b,doctor,1,confident and supportive in the operating room every day.\n"
        "meta/llama-4-scout,nurse,1,[Length constraint unmet or error]\n"
        "meta/llama-4-scout,doctor,1,tired after the very long day at the clinic.\n"
    )
    found, _ = rates(equipoise, "theirs.csv", "--prefix", "add")
    assert found == {"meta/llama-3.3-70b": (1, 2), "meta/llama-4-scout": (0, 2)}


def test_what_was_done_is_said_under_the_tables(equipoise):
    rows = "".join(f"{s};{t};{m}\n" for m in ("x", "y") for s, t in TEXTS.items())
    Path("theirs.csv").write_text("occupation;text;LLM used\n" + rows + ";;\n;;\n")
    found, said = rates(equipoise, "theirs.csv")
    lines = said.splitlines()
    assert "Columns are separated by semicolons." in lines
    assert "Rows that hold nothing, left out: 2." in lines
    assert any(line.startswith("Rows with different values in column 'LLM us") for line in lines)
    found, said = rates(equipoise, "theirs.csv", "--method-column", "LLM used")
    assert found == {"x": (0.25, 4), "y": (0.25, 4)}
    assert "judged together" not in said


def test_compare_reads_the_same_files_and_says_it_of_each(equipoise):
    Path("a.jsonl").write_text(harness_log())
    rows = "".join(f"{s};{t}\n" for s, t in TEXTS.items())
    Path("b.csv").write_text("job;answer\n" + rows)
    outcome = equipoise("compare", "a.jsonl", "b.csv")
    assert outcome.code == 0, outcome.err
    assert "a.jsonl: Read as a log of lm-evaluation-harness." in outcome.out.splitlines()
    assert "b.csv: Columns are separated by semicolons." in outcome.out.splitlines()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "job,text\nnurse,x\n".encode("utf-16"), "a.csv: is UTF-16, not UTF-8. Convert"),
        ("a.eval", b"PK\x03\x04", "a.eval: is a log of inspect_ai in its own format. Convert it: "),
        ("a.jsonl", b'{"job": "nurse", "text"', "a.jsonl: line 1: not valid JSON ("),
        ("a.csv", b"job,sample\nnurse,1\n", "a.csv: no column is the text ('sample' holds numb"),
    ],
)
def test_bad_files_are_refused_before_a_model_is_loaded(equipoise, name, content, message):
    Path(name).write_bytes(content)
    models = ("--reference-model", "smollm2-135m-instruct")
    for line in (["evaluate", name], ["compare", name, name]):
        outcome = equipoise(*line, *models)
        assert (outcome.code, outcome.out) == (1, "")
        assert message in outcome.err
        assert len(outcome.err.strip().splitlines()) == 1
