"""What erasure did at each site: directions, and what a linear probe reads before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from equipoise.methods.erasure.flow import LabelledStates
from equipoise.methods.erasure.probe import Classifier, LinearProbe
from equipoise.methods.erasure.sentences import FIT, PROBE, STOP
from equipoise.model.sites import Site


def probe_accuracy(states: LabelledStates, kind: Classifier = "logistic") -> float:
    """Accuracy (0-1) of a linear probe on the held-out words, trained on all others."""
    seen, held_out = states.of(FIT, STOP), states.of(PROBE)
    probe = LinearProbe(seen.states, seen.labels, kind, strength=1.0)
    return probe.accuracy(held_out.states, held_out.labels)


@dataclass(frozen=True)
class SiteReport:
    """One site.

    Attributes:
        site: Which.
        directions: How many were projected out.
        untouched: Accuracy (0-1) of a probe on held-out words in the model as it was.
        before: The same with the projections of all earlier sites at work.
        after: The same with this site's projection as well.
        details: What the method says about its fit.
    """

    site: Site
    directions: int
    untouched: float
    before: float
    after: float
    details: dict[str, Any] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """A row of ``probes.csv``."""
        return {
            "place": self.site.place,
            "layer": self.site.layer,
            "directions": self.directions,
            "untouched": self.untouched,
            "before": self.before,
            "after": self.after,
        }


def probe_table(reports: Sequence[SiteReport]) -> pd.DataFrame:
    """One row a site: place, layer (empty for ``output``), directions, and three accuracies."""
    table = pd.DataFrame([report.row() for report in reports])
    return table.astype({"layer": "Int64"})


def summarise(reports: Sequence[SiteReport]) -> dict[str, Any]:
    """Totals, and means over the sites, as plain data."""
    return {
        "sites": len(reports),
        "directions": sum(report.directions for report in reports),
        "sites_without_direction": sum(report.directions == 0 for report in reports),
        "probe_untouched": float(np.mean([report.untouched for report in reports])),
        "probe_before": float(np.mean([report.before for report in reports])),
        "probe_after": float(np.mean([report.after for report in reports])),
    }
