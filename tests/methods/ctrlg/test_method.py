"""Ctrl-G as a method with particles: what it refuses, needs, delivers, and how it is without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.distillation import beginnings
from equipoise.methods.ctrlg.guide import Guide
from equipoise.methods.ctrlg.method import GuidedPolicy
from equipoise.methods.registry import build_method
from equipoise.model.draws import Sampling
from equipoise.testing import METHOD_LAWS, MethodTrial

SMALL: dict[str, Any] = {"hidden_states": 4, "n_samples": 20}


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> MethodTrial:
    """With three particles a completion."""
    method = build_method("ctrlg", {**SMALL, "particles": 3})
    return MethodTrial(method, tmp_path_factory.mktemp("particles"))


@pytest.mark.parametrize("law", METHOD_LAWS, ids=lambda law: law.__name__)
def test_particles_keep_the_laws(law: Callable[[MethodTrial], None], trial: MethodTrial) -> None:
    law(trial)


def test_all_particles_count_as_drawn(trial: MethodTrial) -> None:
    delivery, task = trial.first.delivery, trial.the_task
    assert delivery.draws is not None
    assert len(delivery.draws) == 3 * len(delivery.completions) == 6 * len(task.subjects)
    assert delivery.draws["delivered"].sum() == len(delivery.completions)
    assert all(task.constraint.check(text).satisfied for text in delivery.draws["text"])
    work = trial.method.work(task, trial.size, 1)
    assert (work.draws_each, work.training) == (3, None)


def test_one_particle_is_plain_decoding(tmp_path: Path) -> None:
    trial = MethodTrial(build_method("ctrlg", SMALL), tmp_path)
    policy, task = trial.first.policy, trial.the_task
    assert isinstance(policy, GuidedPolicy)
    names = [subject.name for subject in task.subjects]
    prompts = policy.lm.prompts(policy.questions(names))
    starts = beginnings(policy.lm, task, policy.prompt, names, prompts)
    guide = Guide(policy.lookahead, starts)
    expected = sample(policy.lm, prompts, [3] * len(names), trial.sampling, 5, control=guide)
    assert policy.draw(names, 3, trial.sampling, 5) == expected


def test_more_particles_than_a_batch_need_more_memory(tmp_path: Path) -> None:
    sampling = Sampling(batch_size=8)
    few, enough, many = (
        MethodTrial(build_method("ctrlg", {**SMALL, "particles": n}), tmp_path) for n in (1, 8, 80)
    )
    held = [
        trial.method.memory(trial.the_task, trial.size, sampling).drawing
        for trial in (few, enough, many)
    ]
    assert held[0] == held[1] < held[2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"particles": 0}, "particles: input should be greater than or equal to 1"),
        ({"particles": 1001}, "particles: input should be less than or equal to 1000"),
        ({"particles": 2, "decoding": "beam"}, "particles have no meaning with decoding = 'beam'"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(EquipoiseError, match=message):
        build_method("ctrlg", settings)


def test_particles_need_chance(tmp_path: Path) -> None:
    method = build_method("ctrlg", {**SMALL, "particles": 2})
    trial = MethodTrial(method, tmp_path, sampling=Sampling(temperature=0))
    with pytest.raises(EquipoiseError, match=r"particles: at temperature 0 all particles"):
        method.fit(trial.make_model(), trial.the_task, 1, trial.workspace("cold"))
