"""What INLP and LEACE share: words, sites, probes, and what becomes of the projections."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder, write_json
from equipoise.files.csv_file import write_table
from equipoise.methods.erasure.erasure_settings import ErasureSettings
from equipoise.methods.erasure.flow import LabelledStates, visit_sites
from equipoise.methods.erasure.placement import place
from equipoise.methods.erasure.probe import chance
from equipoise.methods.erasure.report import SiteReport, probe_accuracy, probe_table, summarise
from equipoise.methods.erasure.sentences import PROBE, SUBJECT, LabelledTree, labelled_tree
from equipoise.methods.erasure.words import check_unseen, subject_contexts, word_pairs
from equipoise.methods.method import Control, Method, OnProgress, Policy, Workspace, check_prompt
from equipoise.model.language_model import LanguageModel
from equipoise.model.projected import Placed
from equipoise.model.projection import Projection
from equipoise.model.sites import Site, select_sites
from equipoise.task.task import Task
from equipoise.training.processes import is_first_process

ErasureT = TypeVar("ErasureT", bound=ErasureSettings)

N_CHECKED = 16
"""Sentences on which folded weights are compared with hooks."""


class Erasure(Method[ErasureT]):
    """A method that projects a concept out of hidden states.

    What is erased is fitted on pairs of words, and where a method can, on train subjects; never on
    validation subjects or terms.
    """

    control: ClassVar[Control] = "projection"
    changes_weights: ClassVar[bool] = True

    @abstractmethod
    def fit_projection(self, states: LabelledStates) -> tuple[Projection | None, dict[str, Any]]:
        """The projection for one site, None if there is nothing to erase; and what to report.

        Nothing in it may be random.

        Args:
            states: Of all tokens; those of pairs with the role `PROBE` must not be looked at.
        """

    def subjects(self, task: Task) -> Sequence[tuple[str, float]]:
        """Train subjects to be fitted on, each with its share in percent; by default none.

        Raises:
            EquipoiseError: They are asked for, and ``task`` has too few.
        """
        return ()

    def check(self, task: Task) -> None:
        """See ``Method.check``: words, contexts and places must be such as can be fitted on."""
        check_prompt(task, self.settings.prompt)
        if not self.settings.places:
            raise EquipoiseError(
                "no place is named", field="places", hint='Name some, such as ["attention", "mlp"].'
            )
        check_unseen(word_pairs(self.settings, task), task)
        self.subjects(task)

    def n_examples(self, task: Task) -> int:
        """See ``Method.n_examples``: words and subjects in contexts."""
        of_pairs = sum(2 * len(pair.contexts) for pair in word_pairs(self.settings, task))
        return of_pairs + len(self.subjects(task)) * len(subject_contexts(task))

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: any model may be given, also a tuned or an erased one.

        Writes ``probes.csv``, ``erasure.json`` and the changed model.
        """
        started, settings = time.perf_counter(), self.settings
        sites = select_sites(lm.model, settings.places, settings.layers)
        labelled = labelled_tree(
            lm.encoder.plain,
            word_pairs(settings, task),
            settings.held_out,
            seed,
            workspace.announce,
            self.subjects(task),
            subject_contexts(task),
        )
        untouched = self._probe(lm, labelled, sites, workspace.on_progress)
        placed, reports = self._erase(lm, labelled, sites, untouched, workspace)
        if not placed:
            raise EquipoiseError(
                f"at none of {len(sites)} sites a classifier learned anything that holds for other "
                "words, so there is nothing to erase",
                field="layers",
                hint="Name other layers or places, or give more pairs and contexts.",
            )
        folded = place(lm, placed, labelled.some_sentences(N_CHECKED), into_weights=settings.fold)
        summary = {
            **summarise(reports),
            "chance": chance(labelled.labels[labelled.roles == PROBE]),
            "folded": folded,
            "hooked": len(placed) - folded,
            "pairs": len(set(labelled.pairs[labelled.roles != SUBJECT].tolist())),
            "tokens": len(labelled.nodes),
            "seconds": round(time.perf_counter() - started, 3),
        }
        workspace.announce(_sentence(summary))
        if is_first_process():
            self._write(lm, seed, reports, summary, workspace)
            lm.save(workspace.model_folder)
        lm.use_compute_type()
        return Policy(lm, task, settings.prompt)

    def _probe(
        self,
        lm: LanguageModel,
        labelled: LabelledTree,
        sites: Sequence[Site],
        on_progress: OnProgress,
    ) -> dict[Site, float]:
        """Accuracy of a probe at each site of the model as it is."""
        found: dict[Site, float] = {}

        def visit(site: Site, states: LabelledStates) -> None:
            found[site] = probe_accuracy(states)
            on_progress("probing", len(found), len(sites))

        visit_sites(lm, labelled, sites, visit)
        return found

    def _erase(
        self,
        lm: LanguageModel,
        labelled: LabelledTree,
        sites: Sequence[Site],
        untouched: dict[Site, float],
        workspace: Workspace,
    ) -> tuple[list[Placed], list[SiteReport]]:
        """The projections, fitted one after the other, and a report of each site."""
        placed: list[Placed] = []
        reports: list[SiteReport] = []

        def visit(site: Site, states: LabelledStates) -> Projection | None:
            projection, details = self.fit_projection(states)
            before = after = probe_accuracy(states)
            if projection is not None:
                placed.append(Placed(site, projection))
                after = probe_accuracy(states.projected(projection))
            rank = projection.rank if projection else 0
            reports.append(SiteReport(site, rank, untouched[site], before, after, details))
            workspace.on_progress("erasing", len(reports), len(sites))
            return projection

        visit_sites(lm, labelled, sites, visit)
        return placed, reports

    def _write(
        self,
        lm: LanguageModel,
        seed: int,
        reports: Sequence[SiteReport],
        summary: dict[str, Any],
        workspace: Workspace,
    ) -> None:
        """Write ``probes.csv`` and ``erasure.json``."""
        folder = make_folder(workspace.folder)
        write_table(folder / "probes.csv", probe_table(reports))
        write_json(
            folder / "erasure.json",
            {
                "method": self.name,
                "model": lm.name,
                "seed": seed,
                "settings": self.describe(),
                **summary,
                "details": [{**report.row(), **report.details} for report in reports],
            },
        )


def _sentence(summary: dict[str, Any]) -> str:
    """What a user should know of the fit."""
    text = (
        f"{summary['directions']} directions at {summary['sites']} sites projected out; on "
        f"held-out words a linear probe reads {summary['probe_untouched']:.0%} before and "
        f"{summary['probe_after']:.0%} after (chance {summary['chance']:.0%})."
    )
    if nothing := summary["sites_without_direction"]:
        text += f" At {nothing} sites nothing was learned, so nothing was erased."
    if summary["hooked"]:
        text += f" {summary['hooked']} projections are hooks: only Equipoise loads the model whole."
    return text
