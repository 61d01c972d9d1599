from __future__ import annotations

import csv
import json
import resource
import sys
import time
from pathlib import Path
from types import MappingProxyType

import pytest

from equipoise.errors import EquipoiseError
from equipoise.task import (
    BalancedExampleGenerator,
    Example,
    Task,
    dataset_statistics,
    overview_lines,
    task_overview,
    write_examples,
)

TERMS = MappingProxyType({"agentic": ("bold", "ambitious"), "communal": ("kind",)})


def example(text: str, subject: str = "doctor", template: int = 0) -> Example:
    return Example(subject, "train", "plain", template, text, TERMS)


def test_csv_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "new" / "train.csv"
    rows = [example('The doctor was bold, "ambitious" and kind.'), example("Ä.")]
    assert write_examples(path, iter(rows)) == 2
    assert path.read_text(encoding="utf-8") == (
        "subject,split,family,template,text,agentic,communal\n"
        'doctor,train,plain,0,"The doctor was bold, ""ambitious"" and kind.",'
        "bold; ambitious,kind\n"
        "doctor,train,plain,0,Ä.,bold; ambitious,kind\n"
    )


def test_jsonl_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    assert write_examples(path, [example("Ä.")], "jsonl") == 1
    assert path.read_text(encoding="utf-8") == (
        '{"subject": "doctor", "split": "train", "family": "plain", "template": 0, "text": "Ä.", '
        '"agentic": ["bold", "ambitious"], "communal": ["kind"]}\n'
    )


def test_nothing_is_written_when_making_examples_fails(tmp_path: Path) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield example("x")
        raise EquipoiseError("no more")

    path = tmp_path / "train.csv"
    path.write_text("before")
    with pytest.raises(EquipoiseError, match="no more"):
        write_examples(path, broken())
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_no_examples_and_unknown_format(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    assert write_examples(path, []) == 0
    assert path.read_text() == "subject,split,family,template,text\n"
    with pytest.raises(EquipoiseError, match="Did you mean 'jsonl'"):
        write_examples(path, [], "json")  # type: ignore[arg-type]


def test_statistics_by_hand(small: Task) -> None:
    train = [
        example("The doctor was bold and kind with colleagues."),  # 8 words
        example("The doctor was bold, ambitious and honest, 100% so.", template=1),  # 9 words
        example("The pilot was bold.", "pilot"),  # 4 words, one-sided
        example("The doctor was bold and kind with colleagues."),
    ]
    result = dataset_statistics(iter(train), iter(train[:1]), small)
    assert json.loads(json.dumps(result)) == result
    part = result["train"]
    assert (part["sentences"], part["distinct"], result["overlap"]) == (4, 3, 1)
    assert (part["balance_rate"], part["in_range_rate"]) == (3 / 4, 3 / 4)
    assert part["term_frequency"] == {
        "agentic": {"bold": 4, "ambitious": 1, "self-reliant": 0},
        "communal": {"kind": 2, "honest": 1, "good with people": 0},
    }
    assert part["terms_per_subject"] == {
        "doctor": {"agentic": 2, "communal": 2},
        "pilot": {"agentic": 1, "communal": 0},
    }
    assert part["families"] == {"plain": 3, "several": 1, "natural": 0}
    assert [row["sentences"] for row in part["templates"]] == [3, 1, 0]
    assert part["templates"][1]["text"] == small.templates[1].text
    assert part["words"] == {
        "mean": (8 + 9 + 4 + 8) / 4,
        "min": 4,
        "max": 9,
        "histogram": {"4": 1, "8": 2, "9": 1},
    }


def test_statistics_without_sentences(small: Task) -> None:
    part = dataset_statistics([], [], small)["validation"]
    assert (part["sentences"], part["balance_rate"], part["words"]["mean"]) == (0, None, None)
    assert part["terms_per_subject"] == {"nurse": {"agentic": 0, "communal": 0}}


def test_statistics_of_the_protocol_data_set(occupations: Task) -> None:
    generator = BalancedExampleGenerator(occupations, 42)
    result = dataset_statistics(
        generator.generate(20), generator.generate(20, "validation"), occupations
    )
    for split, n in (("train", 300), ("validation", 100)):
        assert result[split]["sentences"] == result[split]["distinct"] == n
        assert result[split]["balance_rate"] == result[split]["in_range_rate"] == 1
        assert sum(row["sentences"] for row in result[split]["templates"]) == n
    assert result["overlap"] == 0
    assert min(result["train"]["term_frequency"]["agentic"].values()) > 0


def test_generating_and_writing_is_fast_and_streams(occupations: Task, tmp_path: Path) -> None:
    """500,000 sentences must take at most 60 s and 1 GB: 120 µs each. A tenth of them here."""
    generator = BalancedExampleGenerator(occupations, 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    n = write_examples(tmp_path / "train.csv", generator.generate(50_000 // 15 + 1))
    seconds = time.perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert n >= 50_000
    assert seconds / n < 120e-6
    assert grown / (1024 if sys.platform == "darwin" else 1) < 100_000  # kilobytes
    with (tmp_path / "train.csv").open(encoding="utf-8", newline="") as stream:
        assert len({row["text"] for row in csv.DictReader(stream)}) == n


def test_overview_of_the_small_task(small: Task) -> None:
    overview = task_overview(small)
    assert json.loads(json.dumps(overview)) == overview
    assert overview["capacity"] == {"doctor": 33, "pilot": 33, "nurse": 33}
    assert overview["subjects"] == {"train": ["doctor", "pilot"], "validation": ["nurse"]}
    assert overview["held_out_templates"] == 0
    assert overview["notes"] == [
        "3 templates, fewer than 10: none is held out, and sentences of unseen form are not "
        "measured",
        "terms.communal has no held-out terms: learning the list is not told from balance",
    ]
    for split in ("train", "validation"):
        assert len(overview["samples"][split]) == 3
        assert all(small.constraint.check(text).satisfied for text in overview["samples"][split])
    lines = overview_lines(overview)
    assert "  axis: gender, masculine to feminine; 1 shares of women" in lines
    assert lines[0] == "Task small"
    assert "  constraint: all of {agentic}, {communal}; 6 to 11 words" in lines
    assert "  distinct sentences: 99; fewest for doctor, 33" in lines


def test_overview_notes_listed_terms_in_contexts(write) -> None:  # type: ignore[no-untyped-def]
    from equipoise.task import load_task

    path = write(('people = ["patients"]', 'people = ["kind patients"]\nwork = ["x"]'))
    notes = "\n".join(task_overview(load_task(path))["notes"])
    assert "'kind patients' holds the listed term 'kind'" in notes
    assert "no template uses the contexts 'work'" in notes


def test_overview_without_templates(write) -> None:  # type: ignore[no-untyped-def]
    from equipoise.task import load_task

    path = write()
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("[templates]")], encoding="utf-8")
    overview = task_overview(load_task(path))
    assert overview["capacity"] == {}
    assert "  0 templates: none" in overview_lines(overview)
