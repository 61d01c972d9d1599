"""INLP and LEACE as methods: what they do to a model, write, refuse, and how it is loaded again."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from equipoise import EquipoiseError, Study, load_task
from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.erasure.flow import LabelledStates, visit_sites
from equipoise.methods.erasure.probe import LinearProbe
from equipoise.methods.erasure.sentences import FIT, PROBE, STOP, SUBJECT, labelled_tree
from equipoise.methods.erasure.words import subject_contexts, subject_shares, word_pairs
from equipoise.methods.method import Policy, Workspace
from equipoise.methods.registry import build_method
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.projected import PROJECTIONS_FILE
from equipoise.model.sites import Site
from equipoise.progress import listening
from equipoise.task.task import Task
from gender_axis import gender_axis
from heard import Heard
from tiny_study import STUDY, write_study

TOKENS = torch.tensor([[5, 9, 2, 7, 11, 3]])
SEED = 5
MakePlanted = Callable[[], LanguageModel]
MakeTask = Callable[..., Task]
OCCUPATIONS = load_task("occupations")
PAIRS = word_pairs(ErasureSettings(), OCCUPATIONS)


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    found: torch.Tensor = model(TOKENS).logits
    return found


def fit(
    name: str,
    settings: dict[str, Any],
    lm: LanguageModel,
    task: Task,
    folder: Path,
    seed: int = SEED,
) -> tuple[Policy, list[str], list[tuple[str, int, int]]]:
    method = build_method(name, settings)
    method.check(task)
    ear = Heard()
    with listening(ear):
        policy = method.fit(lm, task, seed, Workspace(folder, folder / "model"))
    return policy, ear.said, ear.told


THOROUGH = {"inlp": {"margin": 0.0, "max_directions": 20}, "leace": {}}
"""INLP's default stops when words not fitted on are told a little better than by chance."""


def states_of(lm: LanguageModel, site: Site) -> LabelledStates:
    """The states at ``site`` of the sentences that a fit with `SEED` sees."""
    labelled = labelled_tree(lm.encoder.plain, PAIRS, 0.25, SEED)
    found: list[LabelledStates] = []
    visit_sites(lm, labelled, [site], lambda _, states: found.append(states))
    return found[0]


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("name", ["inlp", "leace"])
def test_a_probe_learns_nothing_afterwards_and_learned_before(
    name: str, fold: bool, make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    plain = make_planted()
    policy, said, stages = fit(
        name, {"fold": fold, **THOROUGH[name]}, make_planted(), make_task(), tmp_path
    )
    probes = pd.read_csv(tmp_path / "probes.csv")
    assert probes["place"].tolist() == ["attention", "mlp"] * 2
    assert probes["layer"].tolist() == [0, 0, 1, 1]
    # Before the first attention only the word itself has a gender, not what comes after it.
    assert probes["untouched"].iloc[1:].min() > 0.8
    # Where the words that stop it show nothing from the start, INLP erases nothing, and twelve
    # held-out words tell chance only roughly.
    assert probes["after"][probes["directions"] > 0].max() <= 0.6
    assert probes["after"].mean() <= 0.6
    info = json.loads((tmp_path / "erasure.json").read_text())
    assert info["chance"] == 0.5
    n = int((probes["directions"] > 0).sum())
    assert (info["folded"], info["hooked"]) == ((n, 0) if fold else (0, n))
    assert info["pairs"] == 23
    assert len(said) == 1
    assert "on held-out words a linear probe reads" in said[0]
    assert ("hooks" in said[0]) is not fold
    assert stages[-1] == ("erasing", 4, 4)
    change = (logits(policy.lm.model) - logits(plain.model)).norm() / logits(plain.model).norm()
    assert change > 0.01
    assert policy.training_texts == ()


@pytest.mark.parametrize("name", ["inlp", "leace"])
def test_probes_of_the_hooked_model_itself(
    name: str, make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    """Independent of the fit's own account: hooks that come after those of the policy."""
    settings = {"fold": False, **THOROUGH[name]}
    policy, _, _ = fit(name, settings, make_planted(), make_task(), tmp_path)
    for site, _ in policy.lm.projections:
        untouched, states = states_of(make_planted(), site), states_of(policy.lm, site)
        seen, held_out = states.of(FIT, STOP), states.of(PROBE)
        probe = LinearProbe(seen.states, seen.labels, "logistic", 1.0)
        assert probe.accuracy(held_out.states, held_out.labels) <= 0.6
        if name == "leace":
            for part in (0, 1):
                of_part = seen.states[seen.parts == part]
                labels = seen.labels[seen.parts == part]
                gap = of_part[labels == 1].mean(axis=0) - of_part[labels == 0].mean(axis=0)
                plain = untouched.of(FIT, STOP)
                there = plain.states[plain.parts == part]
                before = there[labels == 1].mean(axis=0) - there[labels == 0].mean(axis=0)
                assert np.linalg.norm(gap) < 1e-4 * max(1.0, np.linalg.norm(before))


def test_the_share_of_women_is_erased_from_train_subjects(
    make_planted: MakePlanted, tmp_path: Path
) -> None:
    """Their states are planted with it first, along a direction that has nothing to do with he and
    she."""
    task, lm = load_task("occupations"), make_planted()
    direction = torch.nn.functional.normalize(torch.randn(32), dim=0)
    shares = subject_shares(task)
    with torch.no_grad():
        for subject, share in shares:
            last = lm.tokenizer(" " + subject)["input_ids"][-1]
            lm.model.get_input_embeddings().weight[last] += (share - 40) / 10 * direction
    before = copy.deepcopy(lm)
    settings = {"fold": False, "subjects": True}
    policy, _, _ = fit("leace", settings, lm, task, tmp_path)
    site = policy.lm.projections[0][0]

    def correlation(model: LanguageModel) -> float:
        """Largest covariance with the share over all dimensions, in the states' own units."""
        tree = labelled_tree(
            model.encoder.plain,
            PAIRS,
            0.25,
            SEED,
            subjects=shares,
            subject_contexts=subject_contexts(OCCUPATIONS),
        )
        found: list[LabelledStates] = []
        visit_sites(model, tree, [site], lambda _, states: found.append(states))
        about = found[0].of(SUBJECT)
        there = about.parts == 2
        states = about.states[there] - about.states[there].mean(axis=0)
        return float(np.linalg.norm(states.T @ about.values[there]) / there.sum())

    assert correlation(policy.lm) < 1e-3 * correlation(before)
    assert build_method("leace", settings).n_examples(task) == build_method("leace", {}).n_examples(
        task
    ) + 15 * len(subject_contexts(task))


@pytest.mark.parametrize("places", [["attention", "mlp"], ["stream"], ["output"]])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("name", ["inlp", "leace"])
def test_folded_hooked_and_loaded_again_give_the_same_logits(
    name: str,
    affine: bool,
    places: list[str],
    make_planted: MakePlanted,
    make_task: MakeTask,
    tmp_path: Path,
) -> None:
    settings = {"places": places, "affine": affine}
    task = make_task()
    found = {}
    for fold in (True, False):
        folder = tmp_path / f"fold{fold}"
        policy, _, _ = fit(name, settings | {"fold": fold}, make_planted(), task, folder)
        found[fold] = logits(policy.lm.model)
        again = load_model(folder / "model", dtype="float32")
        assert torch.equal(logits(again.model), found[fold])
    assert torch.allclose(found[True], found[False], atol=1e-3, rtol=1e-3)
    foldable = places == ["attention", "mlp"] or (places == ["output"] and not affine)
    assert (tmp_path / "foldTrue" / "model" / PROJECTIONS_FILE).exists() is not foldable
    assert (tmp_path / "foldFalse" / "model" / PROJECTIONS_FILE).exists()


def test_another_seed_holds_out_other_words(
    make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    def held_out(seed: int) -> set[int]:
        words = PAIRS
        labelled = labelled_tree(make_planted().encoder.plain, words, 0.25, seed)
        return set(labelled.pairs[labelled.roles == PROBE].tolist())

    assert held_out(SEED) == held_out(SEED)
    assert held_out(SEED) != held_out(SEED + 1)
    task, files = make_task(), ("probes.csv", "model/model.safetensors")
    for name in ("inlp", "leace"):
        made = []
        for seed in (SEED, SEED + 1):
            folder = tmp_path / f"{name}{seed}"
            fit(name, {}, make_planted(), task, folder, seed)
            made.append([(folder / file).read_bytes() for file in files])
        assert all(one != another for one, another in zip(*made, strict=True))


def test_an_erased_model_can_be_erased_again(
    make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    task, settings = make_task(), {"places": ["stream"], "layers": [0]}
    first, _, _ = fit("leace", settings, make_planted(), task, tmp_path / "1")
    once = logits(first.lm.model)
    second, _, _ = fit("leace", {"affine": False}, first.lm, task, tmp_path / "2")
    assert [str(site) for site, _ in second.lm.projections] == ["stream of layer 0"]  # others fold
    again = load_model(tmp_path / "2" / "model", dtype="float32")
    assert torch.equal(logits(again.model), logits(second.lm.model))
    assert not torch.equal(logits(second.lm.model), once)


def test_completions_are_drawn_from_a_hooked_model(
    make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    settings = {"places": ["stream", "output"], "affine": True}
    policy, _, _ = fit("leace", settings, make_planted(), make_task(), tmp_path)
    greedy = Sampling(max_new_tokens=8, temperature=0.0)
    frame = policy.deliver("x", ["doctor", "pilot"], 2, greedy, 1).completions
    for subject in ("doctor", "pilot"):
        prompt = policy.lm.prompts(policy.questions([subject]))[0]
        tokens = torch.tensor([prompt.context])
        with torch.no_grad():  # the whole sequence anew for each token: no cache is involved
            for _ in range(8):
                following = policy.lm.model(tokens).logits[0, -1].argmax()
                tokens = torch.cat([tokens, following[None, None]], dim=1)
        expected = policy.lm.tokenizer.decode(tokens[0, len(prompt.context) :])
        drawn = frame[frame["subject"] == subject]["text"].iloc[0]
        assert expected.startswith(drawn.removeprefix(prompt.prefix)[:4])


def test_a_classifier_that_learns_nothing_says_so(
    make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    """All words look alike: what tells them apart is taken from the embedding."""
    lm = make_planted()
    with torch.no_grad():
        weight = lm.model.get_input_embeddings().weight
        words = [word for pair in PAIRS for word in pair.words]
        tokens = [lm.tokenizer(" " + word)["input_ids"][0] for word in words]
        weight[tokens] = weight[tokens].mean(dim=0)
    with pytest.raises(EquipoiseError) as caught:
        fit("inlp", {}, lm, make_task(), tmp_path)
    assert caught.value.field == "layers"
    assert caught.value.problem.startswith("at none of 4 sites a classifier learned anything")


def test_sites_at_which_nothing_is_learned_are_counted(
    make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    """After the first site nothing is left for the second to learn, where no path leads around."""
    settings = {"places": ["stream"], "max_directions": 20}
    _, said, _ = fit("inlp", settings, make_planted(), make_task(), tmp_path)
    nothing = json.loads((tmp_path / "erasure.json").read_text())["sites_without_direction"]
    assert (f"At {nothing} sites nothing was learned" in said[0]) is (nothing > 0)


@pytest.mark.parametrize("name", ["inlp", "leace"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"places": []}, 'places: no place is named. Name some, such as ["attention", "mlp"].'),
        ({"prompt": "kind"}, "prompt: task 'small' has no prompt 'kind'"),
        (
            {"pairs": [["he", "she"]], "contexts": ["A {word} is"]},
            "pairs: 1 pairs of words are too",
        ),
    ],
)
def test_what_is_found_before_a_model_is_loaded(
    name: str, settings: dict[str, Any], message: str, make_task: MakeTask
) -> None:
    method = build_method(name, settings)
    with pytest.raises(EquipoiseError) as caught:
        method.check(make_task())
    assert str(caught.value).startswith(message)


def test_subjects_without_a_share_of_women(make_task: MakeTask) -> None:
    with pytest.raises(EquipoiseError) as caught:
        build_method("leace", {"subjects": True}).check(make_task())
    assert str(caught.value).startswith(
        "subjects: of the train subjects of task 'small', 0 have a share on its axis, or all have"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"places": ["roof"]}, "methods.x.places.0: input should be 'attention', 'mlp', 'stream'"),
        ({"subjects": True}, "methods.x.subjects: unknown setting."),
        ({"layers": [1.5]}, "methods.x.layers.0: input should be a valid integer"),
        ({"held_out": 0.5}, "methods.x.held_out: input should be less than or equal to 0.34"),
        ({"pairs": [["he"]]}, "methods.x.pairs.0.1: missing"),
        ({"max_directions": 0}, "methods.x.max_directions: input should be greater than or equal"),
        ({"classifier": "tree"}, "methods.x.classifier: input should be 'logistic' or 'svm'"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(EquipoiseError) as caught:
        build_method("inlp", settings, field="methods.x")
    assert str(caught.value).startswith(message)


def test_layers_that_the_model_does_not_have(
    make_planted: MakePlanted, make_task: MakeTask, tmp_path: Path
) -> None:
    with pytest.raises(EquipoiseError) as caught:
        fit("leace", {"layers": [0, 2]}, make_planted(), make_task(), tmp_path)
    assert caught.value.field == "layers"
    assert caught.value.problem == "there is no layer 2: the model has 2"


def test_folding_that_changes_the_model_is_refused(
    make_planted: MakePlanted,
    make_task: MakeTask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An architecture in which more than the known maps read a state."""

    def fold_half(model: Any, placed: Any) -> tuple[Any, ...]:
        return ()

    monkeypatch.setattr("equipoise.methods.erasure.placement.fold", fold_half)
    with pytest.raises(EquipoiseError, match=r"change its logits by .* against hooks") as caught:
        fit("leace", {}, make_planted(), make_task(), tmp_path)
    assert caught.value.field == "fold"


@pytest.mark.slow
def test_a_study_with_erasure_also_of_a_tuned_model(
    make_planted: MakePlanted, tmp_path: Path
) -> None:
    model = tmp_path / "planted"
    make_planted().save(model)
    methods = """
[methods.sft]
n_per_subject = 4
max_steps = 2
learning_rate = 1e-3
[methods.inlp]
init_from = "sft"
places = ["stream"]
[methods.leace]
init_from = "inlp"
"""
    study = STUDY[STUDY.index("[methods.prompt]") :]
    axis = ("[templates]", f"{gender_axis()}\n[templates]")
    seeds = ("seeds = [1, 2]", "seeds = [1]")
    path = write_study(tmp_path / "s", model, (study, methods), seeds, task=(axis,))
    result = Study.from_toml(path).run(tmp_path / "run", quiet=True)
    assert [cell.label for cell in result.computed] == ["sft", "inlp", "leace"]
    cells = tmp_path / "run" / "cells"
    folders = {name: cells / name / "seed1" / "model" for name in ("sft", "inlp", "leace")}
    tuned, erased, twice = (load_model(f, dtype="float32") for f in folders.values())
    assert tuned.projections == ()
    assert {site.place for site, _ in erased.projections} == {"stream"}
    assert [site for site, _ in twice.projections] == [site for site, _ in erased.projections]
    # What LEACE makes of the erased model, made again by hand.
    task = Study.from_toml(path).specification.task
    by_hand, _, _ = fit("leace", {}, erased, task, tmp_path / "by-hand", 1)
    assert torch.equal(logits(by_hand.lm.model), logits(twice.model))
    assert result.evaluation.completions["method"].value_counts().to_dict() == dict.fromkeys(
        folders, 9
    )
