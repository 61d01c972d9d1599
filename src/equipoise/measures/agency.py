"""Language agency: how agentic each completion's language is, by a classifier learnt from LAC.

The classifier is in ``agency_classifier``; as it needs a model, it is asked apart.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from equipoise.measures.declaration import Evidence, Measure, Measured, Outcome


class Agency(Measure):
    """The probability that a completion's language is agentic, 0-1.

    It is missing where the text is empty or of one token. Over occupations it is a quantity of
    ``stereotype``.
    """

    name = "agency"
    title = "Language agency"
    tables = ()
    outcomes = (Outcome("agency", "probability of agentic language (0–1)", unit="",
                        better="neither"),)  # fmt: skip

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`: no table, but how good the classifier is."""
        agency, scored = evidence.by_model.agency, evidence.scored
        if agency is None:
            return Measured()
        found = [
            f"Language agency: its classifier is right on {100 * agency.accuracy:.1f} % of LAC's "
            f"{agency.sentences:,} validation sentences."
        ]
        if missing := int(scored["agency"].isna().sum()):
            found.append(
                f"Texts that are empty or of one token, without an agency: {missing:,} of "
                f"{len(scored):,}."
            )
        return Measured(remarks=found)

    def of_completions(self, evidence: Evidence) -> dict[str, pd.Series[Any]]:
        """See `Measure.of_completions`."""
        agency = evidence.by_model.agency
        if agency is None:
            return {}
        return {"agency": evidence.scored["text"].map(agency.values).astype("float64")}
