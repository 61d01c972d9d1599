"""A study asks one context, whatever the day on which a seed of it is computed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.runs.store import Store
from equipoise.study.pinned_context import day_of_model, pin_context
from equipoise.task import load_task
from equipoise.testing.models import tiny_language_model

DATED = (
    "{{ 'Today: ' + strftime_now('%d %b %Y') }}"
    "{% for m in messages %}{{ '<|im_start|>' + m['content'] }}{% endfor %}"
)


def dated(day: date, template: str = DATED) -> LanguageModel:
    """The tiny model as loaded on that day."""
    lm = tiny_language_model()
    lm.tokenizer.chat_template, lm.day = template, day
    return lm


def test_another_day_is_asked_as_the_first_was(tmp_path: Path) -> None:
    task, store = load_task("occupations"), Store(tmp_path)
    pin_context(dated(date(2026, 11, 26)), task, store)
    record = json.loads((tmp_path / "context.json").read_text(encoding="utf-8"))
    assert record["day"] == "2026-11-26"
    assert record["rendered"].startswith("Today: 26 Nov 2026<|im_start|>")
    later = dated(date(2027, 1, 2))
    pin_context(later, task, store)
    assert later.encoder.text("?", "The doctor was").startswith("Today: 26 Nov 2026")
    assert json.loads((tmp_path / "context.json").read_text(encoding="utf-8")) == record


def test_another_template_is_refused(tmp_path: Path) -> None:
    task, store = load_task("occupations"), Store(tmp_path)
    pin_context(dated(date(2026, 11, 26)), task, store)
    with pytest.raises(EquipoiseError, match=r"context\.json: sha256: .* other contexts"):
        pin_context(dated(date(2026, 11, 26), "Hello. " + DATED), task, store)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"day": "today", "sha256": ""}', '{"day": 3}'])
def test_a_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "context.json").write_text(text, encoding="utf-8")
    with pytest.raises(EquipoiseError, match=r"context\.json"):
        pin_context(dated(date(2026, 11, 26)), load_task("occupations"), Store(tmp_path))
    assert (tmp_path / "context.json").read_text(encoding="utf-8") == text


def test_a_model_is_asked_as_in_its_training(tmp_path: Path) -> None:
    training, cell = (
        tmp_path / "trained" / "model",
        tmp_path / "run" / "cells" / "sft" / "seed1" / "model",
    )
    for folder in (training, cell):
        folder.mkdir(parents=True)
        assert day_of_model(str(folder)) is None
    (training.parent / "run.json").write_text('{"day": "2026-11-26"}', encoding="utf-8")
    pin_context(dated(date(2026, 11, 27)), load_task("occupations"), Store(tmp_path / "run"))
    assert day_of_model(str(training)) == date(2026, 11, 26)
    assert day_of_model(str(cell)) == date(2026, 11, 27)
    assert day_of_model("smollm2-135m-instruct") is None


def test_a_damaged_day_of_a_training_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"day": "yesterday"}', encoding="utf-8")
    with pytest.raises(EquipoiseError, match=r"run\.json: day: 'yesterday' is no day"):
        day_of_model(str(tmp_path / "model"))
