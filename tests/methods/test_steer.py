"""Steering: the direction and its addition by their definitions; stored; both ends; refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from equipoise import EquipoiseError, load_model
from equipoise.methods.method import Policy, Workspace
from equipoise.methods.registry import build_method
from equipoise.methods.steer import mean_states
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import model_size
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.projected import Placed
from equipoise.model.sites import Site
from equipoise.model.steering import STEERING, Shift
from equipoise.study.specification import read_specification
from equipoise.task.preference import PreferencePairGenerator
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from equipoise.testing.models import tiny_gendered_model
from equipoise.testing.tasks import TASK
from model.test_projection import random_projection
from study.conftest import study_file
from tiny_study import STUDY

__all__ = ["study_file"]

TOKENS = torch.tensor([[5, 9, 2, 7, 11, 3], [8, 8, 1, 30, 2, 4]])
FROM = STUDY[STUDY.index("[methods.prompt]") :]
Fit = Callable[..., Policy]


@torch.no_grad()
def logits(lm: LanguageModel) -> Tensor:
    found: Tensor = lm.model(TOKENS).logits
    return found


@pytest.fixture
def small(make_task: Callable[..., Task]) -> Task:
    return make_task()


@pytest.fixture
def fit(small: Task, fresh_tiny_lm: Callable[[], LanguageModel], tmp_path: Path) -> Fit:
    """Steers the tiny model; the result is saved in ``tmp_path / "model"``."""

    def make(**settings: object) -> Policy:
        method = build_method("steer", {"n_per_subject": 3, **settings})
        method.check(small)
        return method.fit(fresh_tiny_lm(), small, 7, Workspace(tmp_path / "w", tmp_path / "model"))

    return make


@torch.no_grad()
def differences(lm: LanguageModel, task: Task, layer: int) -> tuple[dict[str, Tensor], float]:
    """By kind of pair, mean difference of mean states, sentence by sentence; and a mean length."""
    sides, lengths = {}, []
    for pair in PreferencePairGenerator(task, 7).generate(3, "train"):
        means = []
        for text in (pair.chosen.text, pair.rejected):
            prompt = task.prompt(pair.subject, "neutral")
            tokens, start = lm.answer(prompt, task.response_prefix(pair.subject), text)
            caught: list[Tensor] = []
            block = lm.model.model.layers[layer]
            handle = block.register_forward_hook(lambda *args, kept=caught: kept.append(args[2]))
            lm.model(torch.tensor([tokens]))
            handle.remove()
            states = caught[0][0] if isinstance(caught[0], tuple) else caught[0]
            means.append(states.reshape(-1, states.shape[-1])[start:].mean(0))
        lengths += [float(mean.norm()) for mean in means]
        sides.setdefault(pair.kind, []).append(means[0] - means[1])
    return {k: torch.stack(d).mean(0) for k, d in sides.items()}, sum(lengths) / len(lengths)


def hooked(lm: LanguageModel, layer: int, at: Callable[[int], Tensor]) -> Tensor:
    """Logits where the token at position p gets ``at(p)`` after a block."""

    def add(_: object, __: object, output: Any) -> Any:
        states = output[0] if isinstance(output, tuple) else output
        return states + torch.stack([at(p) for p in range(states.shape[1])])

    handle = lm.model.model.layers[layer].register_forward_hook(add)
    try:
        return logits(lm)
    finally:
        handle.remove()


@pytest.mark.parametrize("layer", [0, 1])
def test_it_equals_a_hook_that_adds_the_difference_of_means(
    layer: int, fit: Fit, small: Task, tiny_lm: LanguageModel
) -> None:
    kinds, length = differences(tiny_lm, small, layer)
    together = sum(kinds.values())
    counts = [p.kind for p in PreferencePairGenerator(small, 7).generate(3, "train")]
    whole = sum(counts.count(k) * d for k, d in kinds.items()) / len(counts)
    assert len(kinds) == 2
    units = [kinds[kind] / kinds[kind].norm() for kind in sorted(kinds)]
    assert isinstance(together, Tensor)
    wanted = {
        ("one", "all"): lambda _: 0.3 * length * whole / whole.norm(),
        ("sets", "all"): lambda _: 0.3 * length * (units[0] + units[1]),
        ("sets", "alternating"): lambda p: 0.3 * length * units[p % 2],
    }
    for (directions, positions), at in wanted.items():
        policy = fit(layer=layer, strength=0.3, directions=directions, positions=positions)
        assert policy.lm.weights is not None
        found = logits(policy.lm.weights)
        torch.testing.assert_close(found, hooked(tiny_lm, layer, at), atol=1e-4, rtol=1e-4)
        assert (found - logits(tiny_lm)).abs().max() > 0.05


def test_turns_are_taken_while_drawing_too(fit: Fit) -> None:
    """What is drawn greedily is what whole sequences say, so positions are counted alike."""
    policy = fit(strength=0.5, directions="sets", positions="alternating")
    lm, subjects = policy.lm.weights, ("doctor", "pilot")
    assert lm is not None
    sampling = Sampling(max_new_tokens=6, temperature=0.0)
    for subject, [draw] in zip(subjects, policy.draw(subjects, 1, sampling, 7), strict=True):
        [prompt] = lm.prompts(policy.questions([subject]))
        held = list(prompt.context)
        for token in draw.ids:
            with torch.no_grad():
                assert token == int(lm.model(torch.tensor([held])).logits[0, -1].argmax())
            held.append(token)


def test_no_strength_is_the_untuned_model_bit_for_bit(
    fit: Fit, tiny_lm: LanguageModel, tmp_path: Path
) -> None:
    policy = fit(strength=0.0)
    assert policy.lm.weights is not None
    assert torch.equal(logits(policy.lm.weights), logits(tiny_lm))
    assert not (tmp_path / "model" / STEERING.name).exists()


def test_a_saved_model_is_steered_when_it_is_loaded(fit: Fit, tmp_path: Path) -> None:
    policy = fit(strength=0.4, directions="sets", positions="alternating")
    lm = policy.lm.weights
    assert lm is not None
    again = load_model(tmp_path / "model", dtype="float32")
    assert [shift.layer for shift in again.shifts] == [1]
    assert torch.equal(logits(again), logits(lm))
    again.steer([Shift(0, torch.ones(1, 32))])
    again.save(tmp_path / "more")
    assert torch.equal(logits(load_model(tmp_path / "more", dtype="float32")), logits(again))
    with pytest.raises(EquipoiseError, match="'model' is steered, so directions cannot be"):
        again.project([Placed(Site("output"), random_projection(32, 1, oblique=False, seed=1))])


def test_a_missing_or_foreign_file_is_noticed(fit: Fit, tmp_path: Path) -> None:
    fit()
    path = tmp_path / "model" / STEERING.name
    [(name, directions)] = load_file(path).items()
    assert name == "0.1"
    for tensors, message in (
        ({"0.7": directions}, "after layer 7 does not fit the model's 2 layers of 32"),
        ({"0.1": directions[:, :9].clone()}, "does not fit"),
        ({"x": directions}, "holds no steering that can be read"),
    ):
        save_file(tensors, path)
        with pytest.raises(EquipoiseError, match=message):
            load_model(tmp_path / "model")
    path.unlink()
    with pytest.raises(EquipoiseError, match="holds no steering that can be read"):
        load_model(tmp_path / "model")


def test_a_mean_state_is_that_of_its_tokens(tiny_lm: LanguageModel) -> None:
    sequences = [TokenSequence((5, 6, 7, 8), 2), TokenSequence((5, 6, 9), 1)]
    found = mean_states(tiny_lm, sequences, 0)
    for row, (tokens, start) in zip(found, sequences, strict=True):
        with torch.no_grad():
            states = tiny_lm.model(torch.tensor([tokens]), output_hidden_states=True).hidden_states
        torch.testing.assert_close(row, states[1][0, start:].mean(0), atol=1e-5, rtol=1e-5)


def test_sentences_without_any_term_are_another_contrast(tmp_path: Path) -> None:
    """The same shift in size, in another direction; what was shown is told."""
    text = TASK.replace('"busy"]', '"busy", "fond of cats"]')  # in place of three words
    (tmp_path / "task.toml").write_text(text)
    task, shifts = load_task(tmp_path / "task.toml"), {}
    for contrast in ("one-sided", "neither"):
        method = build_method("steer", {"contrast": contrast, "n_per_subject": 3})
        method.check(task)
        folder = tmp_path / contrast
        policy = method.fit(tiny_gendered_model(), task, 7, Workspace(folder, folder / "model"))
        [shift] = policy.lm.weights.shifts
        record = json.loads((folder / "steering.json").read_text())
        assert float(shift.directions.norm()) == pytest.approx(0.02 * record["length_of_a_state"])
        assert list(record["length_of_the_difference"]) == [f"away from {contrast}"]
        assert policy.told
        shifts[contrast] = shift.directions[0]
    cosine = torch.cosine_similarity(shifts["one-sided"], shifts["neither"], dim=0)
    assert cosine < 0.95


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strength": 11.0}, "strength: input should be less than or equal to 10"),
        ({"strength": float("nan")}, "strength: input should be a finite number"),
        ({"positions": "alternating"}, "positions: one direction has nothing to take turns with"),
        ({"contrast": "neither", "directions": "sets"}, "directions: sentences without any term"),
        ({"contrast": "neither"}, "contrast: task 'small' has no neutral words"),
        ({"n_per_subject": 500}, "n_per_subject: task 'small' yields 9 distinct sentences"),
    ],
)
def test_settings_that_are_none(settings: dict[str, object], message: str, small: Task) -> None:
    with pytest.raises(EquipoiseError, match=message):
        build_method("steer", settings).check(small)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("layer", [2, -3, 99])
def test_a_layer_that_is_none_is_found_before_weights_are_read(
    layer: int, tiny_model_folder: Path, study_file: Callable[..., Path]
) -> None:
    for good in (-2, 0, 1):
        build_method("steer", {"layer": good}).check_model(model_size(tiny_model_folder))
    path = study_file((FROM, f"[methods.steer]\nlayer = {layer}\nn_per_subject = 3\n"))
    with pytest.raises(EquipoiseError) as caught:
        read_specification(path).check_model()
    assert caught.value.field == "methods.steer.layer"
    assert caught.value.problem == f"there is no layer {layer}: the model has 2"
