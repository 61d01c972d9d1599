"""Projections fitted in one run of the model, each on the states that it will be applied to.

While the sentences run through the model, the first site's states are caught, its projection is
fitted on them and applied at once; so the states of the next site are those of a model in which the
earlier projections are at work (the "concept scrubbing" of arXiv 2306.03819, section 6). No state
is ever taken at one place and the projection applied at another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.methods.erasure.probe import Floats, Ints
from equipoise.methods.erasure.sentences import LabelledTree
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import node_states
from equipoise.model.projected import hook_states
from equipoise.model.projection import Projection
from equipoise.model.sites import Site


@dataclass(frozen=True)
class LabelledStates:
    """The states of N labelled tokens at one site.

    Attributes:
        states: [N, D].
        labels: [N], as the following see `LabelledTree`.
        values: [N].
        parts: [N].
        roles: [N].
    """

    states: Floats
    labels: Ints
    values: Floats
    parts: Ints
    roles: Ints

    def of(self, *roles: int) -> LabelledStates:
        """Those of pairs with one of ``roles``."""
        chosen = np.isin(self.roles, roles)
        return LabelledStates(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def projected(self, projection: Projection) -> LabelledStates:
        """The same tokens after ``projection``."""
        return replace(self, states=projection(torch.from_numpy(self.states)).numpy())


Visit = Callable[[Site, LabelledStates], Projection | None]
"""Receives a site's states; gives back the projection to be applied there, if any."""


@torch.inference_mode()
def visit_sites(
    lm: LanguageModel, labelled: LabelledTree, sites: Sequence[Site], visit: Visit
) -> None:
    """Run the sentences through the model once, calling ``visit`` at each site in passing.

    The model is as it was afterwards.

    Args:
        lm: The model; projections that it applies already are at work.
        labelled: The sentences.
        sites: In the order in which a state passes them.
        visit: What to do there.

    Raises:
        EquipoiseError: The model's states are no finite numbers.
    """
    tree = labelled.tree.to(lm.device)
    nodes = torch.from_numpy(labelled.nodes).to(lm.device)
    about = (labelled.labels, labelled.values, labelled.parts, labelled.roles)

    def change_at(site: Site) -> Callable[[Tensor], Tensor]:
        def change(states: Tensor) -> Tensor:
            found = states[0, nodes].cpu().double().numpy()
            if not np.isfinite(found).all():
                raise EquipoiseError(
                    f"states of '{lm.name}' at {site} are no finite numbers",
                    hint="Its weights are damaged, or its training has diverged.",
                )
            projection = visit(site, LabelledStates(found, *about))
            if projection is None:
                return states
            return projection.to(states.device, torch.float32)(states)

        return change

    handles = [hook_states(lm.model, site, change_at(site)) for site in sites]
    try:
        node_states(lm.model, tree)
    finally:
        for handle in handles:
            handle.remove()
