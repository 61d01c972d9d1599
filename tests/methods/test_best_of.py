"""Best of n: what is chosen and why, against a plain loop; with one draw it is prompting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
import torch

from equipoise.methods.method import Policy, Workspace
from equipoise.methods.registry import build_method
from equipoise.model.draws import Draw, Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.task import Task
from equipoise.testing.endpoint import MadeUpEndpoint

SUBJECTS = ("doctor", "pilot", "nurse")
SAMPLING = Sampling(max_new_tokens=8)


@pytest.fixture
def policy_of(
    make_task: Callable[..., Task], tiny_lm: LanguageModel, tmp_path: Path
) -> Callable[..., Policy]:
    """Makes a method's policy on the small task."""

    def make(name: str, **settings: object) -> Policy:
        method = build_method(name, settings)
        return method.fit(tiny_lm, make_task(), 1, Workspace(tmp_path / "w", tmp_path / "m"))

    return make


def plain_log_probability(lm: LanguageModel, context: Sequence[int], ids: Sequence[int]) -> float:
    """Mean log-probability a token, token by token, each from a pass of its own."""
    total = 0.0
    for length, token in enumerate(ids):
        logits = lm.model(torch.tensor([[*context, *ids[:length]]])).logits[0, -1]
        total += float(torch.log_softmax(logits.double(), -1)[token])
    return total / len(ids)


def test_one_draw_is_prompting_to_the_letter(policy_of: Callable[..., Policy]) -> None:
    found = [
        policy_of(name, **settings).deliver("x", SUBJECTS, 4, SAMPLING, 7)
        for name, settings in (("prompt", {}), ("best-of", {"draws": 1}))
    ]
    assert found[1].draws is None
    assert found[0].completions.to_csv() == found[1].completions.to_csv()
    assert policy_of("best-of", draws=1).told == policy_of("prompt").told == frozenset()


@torch.no_grad()
def test_the_chosen_are_those_of_a_plain_loop(policy_of: Callable[..., Policy]) -> None:
    policy, lm = policy_of("best-of", draws=3), policy_of("prompt").lm.weights
    assert lm is not None
    found = policy.draw(SUBJECTS, 6, SAMPLING, 7)
    wanted, by_likelihood = [], 0
    for subject, draws in zip(SUBJECTS, found, strict=True):
        [prompt] = lm.prompts(policy.questions([subject]))
        for start in (0, 3):
            scores = []
            for draw in draws[start : start + 3]:
                share = policy.task.constraint.share_satisfied(prompt.prefix + draw.text)
                scores.append((share, plain_log_probability(lm, prompt.context, draw.ids)))
            by_likelihood += scores.index(max(scores)) != [s for s, _ in scores].index(
                max(s for s, _ in scores)
            )
            wanted.append((subject, start + scores.index(max(scores))))
    assert by_likelihood > 0, "log-probabilities decide nothing here, so nothing is tested"
    delivery = policy.deliver("x", SUBJECTS, 2, SAMPLING, 7)
    chosen = delivery.completions[["subject", "run"]]
    assert list(chosen.itertuples(index=False, name=None)) == wanted
    assert delivery.draws is not None
    assert len(delivery.draws) == 18
    assert delivery.draws["accepted"].tolist() == delivery.draws["delivered"].tolist()


def drawn(policy: Policy, monkeypatch: pytest.MonkeyPatch, texts: Sequence[str]) -> pd.DataFrame:
    """What is delivered about the doctor where the sampler draws ``texts``."""

    def sample(_: object, prompts: Sequence[Prompt], *args: object, **_more: object) -> object:
        return [[Draw(t, 2, True, (9, 2), answered=bool(t)) for t in texts] for _ in prompts]

    monkeypatch.setattr("equipoise.methods.policy.sample", sample)
    count = len(texts) // policy.group  # type: ignore[attr-defined]
    return policy.deliver("x", ["doctor"], count, SAMPLING, 7).completions


def test_the_constraint_comes_first(
    policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three clauses: word range alone; one term and the range; all; all but the range."""
    texts = [
        " tall and walked home.",
        " bold to all colleagues there.",
        " bold and kind to all.",
        " bold and kind.",
    ]
    frame = drawn(policy_of("best-of", draws=4), monkeypatch, texts)
    assert frame["text"].tolist() == ["The doctor was bold and kind to all."]
    assert frame["run"].tolist() == [2]


def test_what_says_nothing_is_never_delivered(
    policy_of: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = drawn(policy_of("best-of", draws=2), monkeypatch, ["", " tall.", "", ""])
    assert frame["text"].tolist() == ["The doctor was tall."]


def test_an_endpoint_gives_the_first_of_equals(
    make_task: Callable[..., Task], tmp_path: Path
) -> None:
    method, task = build_method("best-of", {"draws": 3}), make_task()
    policy = method.start(MadeUpEndpoint(), task, 1, Workspace(tmp_path / "w", tmp_path / "m"))
    found = policy.draw(SUBJECTS, 6, SAMPLING, 7)
    wanted = []
    for draws in found:
        for start in (0, 3):
            group = [draw for draw in draws[start : start + 3] if draw.answered]
            shares = [
                task.constraint.share_satisfied(f"The doctor was{draw.text}") for draw in group
            ]
            if group:
                wanted.append(group[shares.index(max(shares))].text)
    texts = policy.deliver("x", SUBJECTS, 2, SAMPLING, 7).completions["text"]
    assert [text.partition(" was")[2] for text in texts] == wanted
