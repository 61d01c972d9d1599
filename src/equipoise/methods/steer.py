"""Steering by activation addition: directions added to the residual stream while a model runs.

A direction is a difference of means of states, as in contrastive activation addition (Rimsky et al.
2024, arXiv 2312.06681, equation 1): of balanced sentences and of the one-sided sentences that they
became by exchanging terms, nothing else, each the mean over a sentence's own tokens.

    v = mean over pairs (h(balanced) − h(one-sided)),   h ← h + s ‖h‖ v / ‖v‖

with the strength s, and ‖h‖ the mean length of a state at that layer, so that strengths of layers
and models can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder, write_json
from equipoise.methods.method import Method, Policy, Workspace, check_prompt
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, node_states, target_shares
from equipoise.model.projected import hook_states
from equipoise.model.sites import Site
from equipoise.model.steering import Shift
from equipoise.progress import tracked
from equipoise.settings import Settings
from equipoise.task.preference import PreferencePair, PreferencePairGenerator
from equipoise.task.task import Task

BATCH = 16
"""Pairs whose states are computed at a time."""


class SteerSettings(Settings):
    """Settings of steering.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        layer: The block after which directions are added, from 0, or -1, -2, ... from the last one;
            the middle one if it is not given.
        strength: Length of what is added for each direction, as a share of the mean length of a
            state there; 0 is the untuned model, negative values point the other way.
        contrast: What balanced sentences are compared with: ``one-sided`` ones, which differ in as
            few terms as possible, or ones with ``neither`` kind of term but neutral words.
        directions: ``one``: from all one-sided sentences; ``sets``: one a term set, from those
            sentences that have terms of that set only.
        positions: ``all``: every token gets the sum of all directions; ``alternating``: the
            directions of several sets take turns, token by token.
        n_per_subject: Pairs of sentences of each training subject that directions are fitted on.
        init_from: Label of a trained method of the same study whose model is steered; the base
            model if it is not given.
    """

    prompt: str = "neutral"
    layer: int | None = None
    strength: Annotated[float, Field(ge=-10, le=10)] = 0.02
    contrast: Literal["one-sided", "neither"] = "one-sided"
    directions: Literal["one", "sets"] = "one"
    positions: Literal["all", "alternating"] = "all"
    n_per_subject: Annotated[int, Field(ge=1)] = 20
    init_from: str | None = None


class Steer(Method[SteerSettings]):
    """A model steered by differences of means."""

    name = "steer"
    summary = "a direction from one-sided to balanced sentences added to the states while drawing"
    control = "steering"
    settings_model = SteerSettings
    changes_weights = True

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must yield pairs, and several directions to take turns."""
        settings = self.settings
        check_prompt(task, settings.prompt)
        if settings.positions == "alternating" and settings.directions == "one":
            raise EquipoiseError(
                "one direction has nothing to take turns with",
                field="positions",
                hint='Set directions = "sets".',
            )
        if settings.contrast == "neither" and settings.directions == "sets":
            raise EquipoiseError(
                "sentences without any term belong to no set",
                field="directions",
                hint='Set contrast = "one-sided".',
            )
        try:
            self._pairs(task, seed=0)
        except EquipoiseError as error:
            field = "contrast" if settings.contrast == "neither" else "n_per_subject"
            raise EquipoiseError(error.problem, field=field, hint=error.hint) from None

    def check_model(self, size: ModelSize) -> None:
        """See ``Method.check_model``: there must be such a layer."""
        self._layer(int(size.config.get_text_config().num_hidden_layers))

    def n_examples(self, task: Task) -> int:
        """See ``Method.n_examples``: both sides of every pair."""
        return 2 * self.settings.n_per_subject * len(task.train)

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``. Writes ``steering.json`` and the steered model."""
        settings, pairs = self.settings, self._pairs(task, seed)
        layer = self._layer(int(lm.model.config.get_text_config().num_hidden_layers))
        means, length = self._mean_differences(lm, task, pairs, layer)
        units = {kind: mean / mean.norm() for kind, mean in means.items()}
        added = settings.strength * length * torch.stack(list(units.values()))
        if settings.positions == "all":
            added = added.sum(0, keepdim=True)
        if settings.strength:
            lm.steer([Shift(layer, added)])
        record = {
            "model": lm.name,
            "seed": seed,
            "settings": self.describe(),
            "layer": layer,
            "length_of_a_state": length,
            "length_of_the_difference": {kind: float(m.norm()) for kind, m in means.items()},
            "cosines": _cosines(units),
            "pairs": len(pairs),
        }
        write_json(make_folder(workspace.folder) / "steering.json", record)
        lm.save(workspace.model_folder)
        lm.use_compute_type()
        given = {text for pair in pairs for text in (pair.chosen.text, pair.rejected)}
        return Policy(lm, task, settings.prompt, given=tuple(sorted(given)))

    def _pairs(self, task: Task, seed: int) -> list[PreferencePair]:
        if self.settings.contrast == "neither":
            generator = PreferencePairGenerator(task, seed, "free", neither=1.0)
        else:
            generator = PreferencePairGenerator(task, seed)
        return list(generator.generate(self.settings.n_per_subject, "train"))

    def _layer(self, count: int) -> int:
        """The block from 0, of ``count`` ones.

        Raises:
            EquipoiseError: There is no such block.
        """
        layer = count // 2 if self.settings.layer is None else self.settings.layer
        if not -count <= layer < count:
            raise EquipoiseError(
                f"there is no layer {layer}: the model has {count}",
                field="layer",
                hint=f"Name one from 0 to {count - 1}, or -1 for the last.",
            )
        return layer % count

    def _mean_differences(
        self, lm: LanguageModel, task: Task, pairs: Sequence[PreferencePair], layer: int
    ) -> tuple[dict[str, Tensor], float]:
        """Mean difference [D] of each direction by its kind, and the mean length of a state.

        Raises:
            EquipoiseError: Both sides have the same states, so that there is no direction.
        """
        differences: dict[str, list[Tensor]] = defaultdict(list)
        lengths = []
        for pair, (chosen, rejected) in zip(
            pairs, self._states(lm, task, pairs, layer), strict=True
        ):
            kind = pair.kind if self.settings.directions == "sets" else self.settings.contrast
            differences[f"away from {kind}"].append(chosen - rejected)
            lengths += [chosen.norm(), rejected.norm()]
        means = {kind: torch.stack(d).mean(0) for kind, d in sorted(differences.items())}
        if any(not bool(mean.norm() > 0) for mean in means.values()):
            raise EquipoiseError(
                f"after layer {layer} balanced and one-sided sentences have the same states",
                field="layer",
                hint="Name another layer.",
            )
        return means, float(torch.stack(lengths).mean())

    def _states(
        self, lm: LanguageModel, task: Task, pairs: Sequence[PreferencePair], layer: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The mean state [D] after ``layer`` over the tokens of both sides of each pair."""
        for start in tracked(range(0, len(pairs), BATCH), "steering", -(-len(pairs) // BATCH)):
            sides = [
                self._sequence(lm, task, pair.subject, text)
                for pair in pairs[start : start + BATCH]
                for text in (pair.chosen.text, pair.rejected)
            ]
            means = mean_states(lm, sides, layer)
            yield from zip(means[::2], means[1::2], strict=True)

    def _sequence(self, lm: LanguageModel, task: Task, subject: str, text: str) -> TokenSequence:
        prompt = task.prompt(subject, self.settings.prompt)
        return lm.answer(prompt, task.response_prefix(subject), text)


@torch.no_grad()
def mean_states(lm: LanguageModel, sequences: Sequence[TokenSequence], layer: int) -> Tensor:
    """The mean state [B, D] after block ``layer`` over each sequence's targets, float32 on the CPU.

    It is the state of the residual stream, before any norm.
    """
    tree, caught = PrefixTree.build(sequences).to(lm.device), []

    def catch(states: Tensor) -> Tensor:
        caught.append(states)
        return states

    handle = hook_states(lm.model, Site("stream", layer), catch)
    try:
        with lm.autocast():
            node_states(lm.model, tree)
    finally:
        handle.remove()
    states = caught[0][0, : len(tree.tokens)].float()
    return (target_shares(tree) @ states).cpu()


def _cosines(units: dict[str, Tensor]) -> dict[str, Any]:
    """Cosine of the angle between every two directions."""
    kinds = list(units)
    return {
        f"{one}, {other}": float(units[one] @ units[other])
        for number, one in enumerate(kinds)
        for other in kinds[number + 1 :]
    }
