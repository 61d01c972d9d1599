"""What each occupation is given a value of, for the slope over the share of an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.task.axis import Axis, Probe
from equipoise.task.task import Task


@dataclass(frozen=True)
class Quantity:
    """What each occupation is given a value of; the outcome is the slope over the axis' share.

    Attributes:
        name: In files, there the column ``measure``.
        title: Of its chart; empty where it has none.
        meaning: The value of an occupation.
        unit: Of that value.
        compared: Methods are tested for different slopes.
    """

    name: str
    title: str
    meaning: str
    unit: str
    compared: bool = False


HEADLINE = "association_unfitted"
"""The quantity that stands in the summary."""


def quantities(task: Task) -> list[Quantity]:
    """All quantities of a task with an axis, in the table's order; none of one without.

    ``stereotype_values`` computes them.
    """
    axis = task.axis
    if axis is None:
        return []
    one, other = axis.poles
    found = []
    if axis.terms is not None:
        low, high = axis.terms
        meaning = (
            f"completions with a {high} term minus completions with a {low} one, listed and "
            "held-out terms"
        )
        title = f"{high} minus {low} terms"
        found.append(Quantity("terms", title, meaning, "share, −1 to 1", compared=True))
    for kind, (first, second) in axis.words.items():
        meaning = f"completions with {_some(second)} minus those with {_some(first)}"
        title = f"{other} minus {one} {kind}"
        found.append(Quantity(kind, title, meaning, "share, −1 to 1", compared=True))
        found.append(Quantity(f"{other}_{kind}", "", "the first of these shares", "share, 0–1"))
        found.append(Quantity(f"{one}_{kind}", "", "the second of these shares", "share, 0–1"))
    return [*found, _AGENCY, *_ASSOCIATIONS, *_parts(axis)]


_AGENCY = Quantity(
    "agency",
    "agentic language",
    "mean probability that the language is agentic; only with the LAC data, see below",
    "0–1",
    compared=True,
)

_ASSOCIATIONS = (
    Quantity(
        "association_fitted",
        "association, fitted words",
        "log P(second pole's word) − log P(first pole's) after \"The {subject} said that\" and "
        "other contexts: on these, methods may be fitted",
        "nats",
        compared=True,
    ),
    Quantity(
        "association_contexts",
        "association, fitted words in other contexts",
        "the same words after contexts that no method was fitted on",
        "nats",
    ),
    Quantity(
        HEADLINE,
        "association, unfitted words",
        "words **and** contexts that no method was fitted on: the headline",
        "nats",
        compared=True,
    ),
)


def _parts(axis: Axis) -> list[Quantity]:
    """The parts of the headline: one for each kind of unfitted word."""
    return [
        Quantity(f"association_{probe.kind}", "", f"its part {_pairs(probe)}", "nats")
        for probe in axis.unfitted.probes
    ]


def _pairs(probe: Probe) -> str:
    shown = ", ".join("/".join(pair) for pair in probe.pairs[:2])
    return shown + (", ..." if len(probe.pairs) > 2 else "")


def _some(words: Sequence[str], most: int = 4) -> str:
    return "/".join(words[:most])


def titles(task: Task) -> dict[str, str]:
    """Titles of the quantities that have a chart: what models associate first, unfitted words."""
    charted = [one for one in quantities(task) if one.title]
    order = sorted(
        charted,
        key=lambda one: (one.name != HEADLINE, not one.name.startswith("association_")),
    )
    return {one.name: one.title for one in order}
