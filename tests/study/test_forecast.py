"""In how many processes a study runs, and how long it is said to take: by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.model.model_size import model_size
from equipoise.runs.cell import Cell
from equipoise.study import forecast as module
from equipoise.study.forecast import Forecast
from equipoise.study.planning.memory import Memory
from equipoise.study.planning.plan import MethodPlan, StudyPlan, drawing_seconds, plan_study
from equipoise.study.planning.rates import Rates
from equipoise.study.specification import Specification, read_specification

from .conftest import WriteStudy

GB = 10**9


MANY = 10**9
"""Tokens: whatever the model, a study of so many is no matter of seconds."""


def _method(label: str, seconds: float, once: float = 0, drawn: int = MANY) -> MethodPlan:
    return MethodPlan(label, 2, 0, 0, 0, drawn, Memory(process=2 * GB), seconds, once)


@pytest.fixture
def study(study_file: WriteStudy) -> Specification:
    return read_specification(study_file())


def _forecast(study: Specification, gb: float = 16, **methods: MethodPlan) -> Forecast:
    plan = plan_study(study, tflops=1.0, memory_gb=gb)
    found = {label: _method(label, 100) for label in study.methods} | methods
    return Forecast(study, replace(plan, methods=found, device="cpu", tables_seconds=30))


def test_one_process_takes_the_sum(study: Specification) -> None:
    forecast = _forecast(study, prompt=_method("prompt", 10, once=7))
    cells = study.computing_order()
    # Seeds 1 and 2: twice 10 and 7 once, three other methods of 100 each; and the tables.
    assert forecast.seconds(cells) == 2 * 10 + 7 + 6 * 100 + 30
    assert forecast.seconds([]) == 0
    assert forecast.line(cells) == "This will take some 11 min on this machine, in one process."


def test_two_processes_take_the_next_cell_when_free(
    study: Specification, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PARALLEL_GAIN", 1.0)  # each then takes twice as long
    forecast = replace(_forecast(study, sft=_method("sft", 250)), jobs=2)
    cells = [Cell(label, 1) for label in ("prompt", "sft", "prompt-balanced", "sft-fast")]
    # The first has 0-200, 200-400 and 400-600 while the second one trains, 0-500.
    assert forecast.seconds(cells) == 600 + 15, "half of the cells, so half of the tables' work"
    assert forecast.line(cells).endswith("in 2 processes.")


def test_as_many_processes_as_threads_and_memory_carry(
    study: Specification, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    assert _forecast(study, gb=16).best_jobs() == (4, "")  # 8 cells
    few, why = _forecast(study, gb=6).best_jobs()  # 80 % of it are two times 2 GB
    assert few == 2
    assert why == "4 processes would need 8 GB of memory, of 6 GB; the study runs in 2."
    assert _forecast(study, gb=1).best_jobs()[0] == 1, "what is too large is tried all the same"


def test_a_study_of_seconds_has_one_process(study: Specification) -> None:
    short = {label: _method(label, 1, drawn=1000) for label in study.methods}
    assert _forecast(study, **short).best_jobs() == (1, "")


def test_nobody_knows_how_long_an_endpoint_or_an_absent_model_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "never sent")
    text = '[study]\nname = "x"\nmodel = "MODEL"\nseeds = [1]\n[methods.prompt]\n'
    for model in ("openai:gpt", "somebody/not-here"):
        path = tmp_path / "study.toml"
        path.write_text(text.replace("MODEL", model), encoding="utf-8")
        assert Forecast.of(read_specification(path)) is None


def test_the_check_is_quick_and_its_rates_are_rates(study: Specification) -> None:
    forecast = Forecast.of(study)
    assert forecast is not None
    plan: StudyPlan = forecast.plan
    assert plan.rates.flops > 1e8
    assert plan.rates.drawing_flops > 1e8
    assert plan.rates.bandwidth > 1e7
    assert Rates.said(150) == Rates(150e12, 150e12, 1e12)


def test_drawing_takes_products_and_memory_traffic_by_hand() -> None:
    size = model_size("meta-llama/Llama-3.1-8B")
    products = 2 * (size.matrix_parameters + size.vocabulary * 4096) / (0.6 * 2e12)
    traffic = 640 * 32 * 4096 / 1e9
    seconds = drawing_seconds(size, 1000, Rates(flops=9e99, drawing_flops=2e12, bandwidth=1e9))
    assert seconds == pytest.approx(1000 * (products + traffic))
