"""Experts as a method: nothing of them is the base model; who they may be; what it costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise import EquipoiseError
from equipoise.methods.method import Policy, Workspace
from equipoise.methods.registry import build_method
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import model_size
from equipoise.study.specification import read_specification
from equipoise.task.task import Task
from equipoise.testing.models import tiny_gendered_model, tiny_llama
from study.conftest import study_file
from tiny_study import STUDY

__all__ = ["study_file"]

SUBJECTS = ("doctor", "pilot", "nurse")
FROM = STUDY[STUDY.index("[methods.prompt]") :]
PolicyOf = Callable[..., Policy]


@pytest.fixture
def expert_folder(tiny_lm: LanguageModel, tmp_path: Path) -> Path:
    """A model of the same vocabulary with other weights."""
    model = tiny_llama(tiny_lm.output_rows, seed=3)
    lm = LanguageModel(model, tiny_lm.tokenizer, "expert", tiny_lm.device, tiny_lm.dtype)
    lm.save(tmp_path / "expert")
    return tmp_path / "expert"


@pytest.fixture
def other_folder(tmp_path: Path) -> Path:
    """A model of another vocabulary."""
    tiny_gendered_model().save(tmp_path / "other")
    return tmp_path / "other"


@pytest.fixture
def policy_of(make_task: Callable[..., Task], tiny_lm: LanguageModel, tmp_path: Path) -> PolicyOf:
    def make(name: str, **settings: object) -> Policy:
        method, task = build_method(name, settings), make_task()
        method.check(task)
        return method.fit(tiny_lm, task, 1, Workspace(tmp_path / "w", tmp_path / "w" / "model"))

    return make


def said(policy: Policy) -> str:
    return str(
        policy.deliver("x", SUBJECTS, 30, Sampling(max_new_tokens=6), 7).completions.to_csv()
    )


def test_no_weight_is_the_base_model_to_the_letter(
    policy_of: PolicyOf, expert_folder: Path
) -> None:
    """Ninety rows: more than are adjusted at a time."""
    expert = str(expert_folder)
    assert said(policy_of("experts", expert=expert, alpha=0.0)) == said(policy_of("prompt"))
    assert said(policy_of("experts", expert=expert, alpha=1.0)) != said(policy_of("prompt"))


def test_experts_of_another_vocabulary_are_found_before_weights_are_read(
    tiny_model_folder: Path,
    other_folder: Path,
    policy_of: PolicyOf,
    study_file: Callable[..., Path],
    no_model: None,
) -> None:
    method = build_method("experts", {"expert": str(other_folder)})
    with pytest.raises(EquipoiseError, match="expert: 'other' has another vocabulary than 'tiny'"):
        method.check_model(model_size(tiny_model_folder))
    table = f'[methods.experts]\nanti_expert = "{other_folder}"\nexpert = "{tiny_model_folder}"\n'
    specification = read_specification(study_file((FROM, table)))
    with pytest.raises(
        EquipoiseError, match=r"study\.toml: methods\.experts\.anti_expert: 'other'"
    ):
        specification.check_model()


def test_fit_finds_another_vocabulary_too(policy_of: PolicyOf, other_folder: Path) -> None:
    with pytest.raises(EquipoiseError, match="expert: 'other' has another vocabulary than 'tiny'"):
        policy_of("experts", expert=str(other_folder))


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('expert = "stf"', r"methods\.experts\.expert: the study has no method 'stf'"),
        ('expert = "./nowhere"', r"methods\.experts\.expert: .*nowhere"),
        ('expert = "sft"\nanti_expert = "prompt"', "'prompt' trains nothing"),
        ("alpha = inf", r"methods\.experts\.alpha: input should be a finite number"),
    ],
)
def test_experts_that_cannot_be(table: str, message: str, study_file: Callable[..., Path]) -> None:
    path = study_file(("[methods.prompt]\n", f"[methods.prompt]\n\n[methods.experts]\n{table}\n"))
    with pytest.raises(EquipoiseError, match=message):
        read_specification(path)


def test_what_they_are_decides_what_a_cell_holds(expert_folder: Path) -> None:
    """By content and name, not by path; nobody is asked, loaded or planned where α is 0."""
    method = build_method("experts", {"expert": str(expert_folder), "anti_expert": "sft"})
    described = method.describe()
    assert described["expert"] == "expert"
    assert len(described["expert_sha256"]) == 64
    assert str(expert_folder) not in str(described)
    assert method.needs == {"anti_expert": ("sft",)}
    assert build_method("experts", {"alpha": 0.0}).needs == {}


def test_two_more_models_are_planned(
    make_task: Callable[..., Task], tiny_model_folder: Path
) -> None:
    task, size, sampling = make_task(), model_size(tiny_model_folder), Sampling()
    one, two = (build_method("experts", {"anti_expert": anti}) for anti in (None, "base"))
    assert [m.work(task, size, 1).passes for m in (one, two)] == [2, 3]
    held = [m.memory(task, size, sampling).drawing for m in (one, two)]
    assert held[1] == 2 * held[0] > 2 * 2 * size.parameters
