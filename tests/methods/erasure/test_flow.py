"""States are those that a projection is applied to: checked against runs of the whole model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from equipoise.errors import EquipoiseError
from equipoise.methods.erasure.flow import LabelledStates, visit_sites
from equipoise.methods.erasure.sentences import PROBE, LabelledTree
from equipoise.model.language_model import LanguageModel
from equipoise.model.projected import Placed, hook_states, projecting
from equipoise.model.projection import Projection
from equipoise.model.sites import Site, select_sites
from model.test_projection import random_projection

ALL_SITES = ("attention", "mlp", "stream", "output")


def states_one_by_one(lm: LanguageModel, labelled: LabelledTree, site: Site) -> np.ndarray:
    """The slow, obvious twin: each sentence by itself, the site's states at its labelled tokens."""
    caught: list[torch.Tensor] = []
    found: dict[int, np.ndarray] = {}
    tree = labelled.tree

    def note(states: torch.Tensor) -> torch.Tensor:
        caught.append(states)
        return states

    handle = hook_states(lm.model, site, note)
    with torch.no_grad():
        for number, sequence in enumerate(tree.sequences):
            caught.clear()
            lm.model(torch.tensor([sequence.tokens]))
            path = tree.visible[tree.target_nodes[tree.paths[number]]].nonzero()[:, 0].tolist()
            found |= dict(zip(path, caught[0][0].double().numpy(), strict=True))
    handle.remove()
    return np.stack([found[node] for node in labelled.nodes.tolist()])


@pytest.mark.slow
def test_states_are_those_at_work_with_earlier_projections(
    make_planted: Callable[[], LanguageModel], labelled: LabelledTree
) -> None:
    lm = make_planted()
    sites = select_sites(lm.model, ALL_SITES, ())  # type: ignore[arg-type]
    seen: dict[Site, LabelledStates] = {}
    placed: list[Placed] = []

    def visit(site: Site, states: LabelledStates) -> Projection:
        seen[site] = states
        placed.append(Placed(site, random_projection(32, 2, oblique=True, seed=len(placed))))
        return placed[-1].projection

    visit_sites(lm, labelled, sites, visit)
    assert list(seen) == sites
    assert not any(m._forward_hooks for m in lm.model.modules())  # the model is as it was
    for number, site in enumerate(sites):
        with projecting(lm.model, placed[:number]):
            expected = states_one_by_one(lm, labelled, site)
        assert np.allclose(seen[site].states, expected, atol=2e-4), site


def test_an_error_in_a_visit_leaves_no_hooks(
    make_planted: Callable[[], LanguageModel], labelled: LabelledTree
) -> None:
    lm = make_planted()

    def fail(site: Site, states: LabelledStates) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        visit_sites(lm, labelled, [Site("mlp", 0)], fail)
    assert not any(m._forward_hooks for m in lm.model.modules())


def test_a_model_that_has_diverged(
    make_planted: Callable[[], LanguageModel], labelled: LabelledTree
) -> None:
    lm = make_planted()
    with torch.no_grad():
        lm.model.model.layers[0].mlp.down_proj.weight[3] = float("nan")
    with pytest.raises(EquipoiseError, match="at stream of layer 0 are no finite numbers"):
        visit_sites(lm, labelled, [Site("stream", 0)], lambda *_: None)


def test_states_of_roles(labelled: LabelledTree) -> None:
    states = np.arange(2.0 * len(labelled.nodes)).reshape(-1, 2)
    whole = LabelledStates(states, labelled.labels, labelled.values, labelled.parts, labelled.roles)
    probe = whole.of(PROBE)
    assert set(probe.roles) == {PROBE}
    assert np.array_equal(probe.states, states[labelled.roles == PROBE])
    assert np.array_equal(probe.labels, labelled.labels[labelled.roles == PROBE])
