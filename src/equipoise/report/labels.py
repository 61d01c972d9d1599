"""Labels of dots in a chart, placed where they cover neither each other nor a dot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HALF = 7.0
"""Half the height of a label, in pixels of the page: what all lengths here are in."""

NEAR = 12.0
"""Distance of a label above or below its dot, where that place is free."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class Dot:
    """What a label belongs to.

    Attributes:
        extent: Width of its label.
        x: Where the dot stands, from the left.
        y: Likewise, from the top.
        box: What must not be covered: the dot and its interval.
    """

    extent: float
    x: float
    y: float
    box: Box


@dataclass(frozen=True)
class Label:
    """Where a label stands.

    Attributes:
        x: Where it starts, or ends where ``anchor`` is ``end``.
        y: Its base line.
        anchor: ``start`` or ``end``, as SVG has it.
        leader: Both ends of a line to the dot (x, y, x, y), where it is not beside it.
    """

    x: float
    y: float
    anchor: str
    leader: Box | None = None


def place_labels(dots: Sequence[Dot], area: Box) -> list[Label]:
    """A label for each dot, as near to it as what is placed before it allows.

    Args:
        dots: In the order in which they are labelled.
        area: Where labels may be. One that fits nowhere stands above its dot.
    """
    taken = [dot.box for dot in dots]
    labels = []
    for dot in dots:
        places = sorted(_places(dot, area), key=lambda place: place[0])
        free = (place for place in places if _is_free(place[1], taken, area))
        _, box, label = next(free, places[0])
        taken.append(box)
        labels.append(label)
    return labels


def _places(dot: Dot, area: Box) -> Iterator[tuple[float, Box, Label]]:
    """Places for a label, each with its cost: near ones and those above or below cost less."""
    left, _, right, _ = dot.box
    turned = dot.x - 4 + dot.extent > area[2]
    above = (dot.x + 5, "end") if turned else (dot.x - 4, "start")
    sides = ((right + 5, "start", dot.x + 5), (left - 5, "end", dot.x - 5))
    for step in range(0, 160, 4):
        for shift in (-step, step):
            height = dot.y + shift
            if step >= NEAR:
                end = height + (HALF if shift < 0 else -HALF)
                leader = (dot.x, dot.y, dot.x, end) if step > 16 else None
                yield _place(step, *above, dot.extent, height, leader)
            for x, anchor, near in sides:
                line = (near, dot.y, x - 3 if anchor == "start" else x + 3, height)
                tie = line if step > 6 else None
                yield _place(13 + 1.5 * step, x, anchor, dot.extent, height, tie)


def _place(
    cost: float, x: float, anchor: str, extent: float, height: float, leader: Box | None
) -> tuple[float, Box, Label]:
    left = x if anchor == "start" else x - extent
    box = (left, height - HALF, left + extent, height + HALF)
    return cost, box, Label(round(x, 1), round(height + 4, 1), anchor, leader)


def _is_free(box: Box, taken: Sequence[Box], area: Box) -> bool:
    inside = box[0] >= area[0] and box[1] >= area[1] and box[2] <= area[2] and box[3] <= area[3]
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
