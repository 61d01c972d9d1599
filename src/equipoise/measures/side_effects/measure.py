"""The measure of side effects: what an examination found, worst first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from equipoise.measures.column import SIGNED, WORDS, Column, Table, rate
from equipoise.measures.declaration import Evidence, Headline, Measure, Measured, Section
from equipoise.measures.side_effects.quantities import ALL, Quantity, quantity_of
from equipoise.measures.side_effects.table import BASE, paired_table, side_effects_table
from equipoise.wording.numbers import NONE

SIDE_EFFECTS = Table(
    "side_effects",
    "a method with a model of its own, seed, quantity and group, and one for all seeds",
    (
        Column("value", "value", "of the quantity, in its unit", form=SIGNED, needed=True),
        Column("low", "", "lower end of its interval over items and seeds", form=SIGNED,
               needed=True),
        Column("high", "", "upper end", form=SIGNED, needed=True),
        Column("n", "items", "requests, stories, sentences or questions", low=0, whole=True,
               needed=True),
        Column("base", "base model", "the base model's value", form=SIGNED, needed=True),
        Column("unit", "unit", text=True),
    ),
    keys=("method", "seed", "instrument", "group"),
    absent="what else changed",
)  # fmt: skip

TESTS = Table(
    "side_effect_tests",
    "a quantity, group and two models",
    (
        Column("n", "items", low=0, whole=True),
        Column("seeds", "pairs of seeds", low=0, whole=True),
        *(Column(name, form=SIGNED) for name in ("difference", "low", "high")),
        rate("p", "p", "of equal values"),
        rate("p_holm", "Holm's p", "corrected over all tests of a quantity"),
        Column("shown", "shown", text=True, needed=True),
    ),
    keys=("instrument", "group", "method_a", "method_b"),
    absent="tests of what else changed",
)  # fmt: skip

WORST = Column(
    "worst_side_effect",
    "worst side effect",
    "the largest harm that is shown, as a multiple of what is let pass",
    form=WORDS,
    text=True,
)

HARM = Column(
    "worst_harm",
    "worst side effect, × what is let pass",
    "how many times what is let pass that harm is; 0 where none is shown",
    low=0,
)

FEW_DEVIATIONS = 2.0
"""Standard errors from chance within which a base model is said to be near it."""


class Harm(NamedTuple):
    """What one method did to one quantity.

    Attributes:
        method: The method.
        quantity: The quantity.
        group: Its group.
        change: The method's value minus the base model's.
        multiple: The harm as a multiple of what is let pass.
    """

    method: str
    quantity: Quantity
    group: str
    change: float
    multiple: float

    @property
    def words(self) -> str:
        """In a few words, for a cell of a table."""
        group = "" if self.group == ALL else f", {self.group}"
        return f"{self.quantity.title}{group} {written(self.quantity, self.change, sign=True)}"


class SideEffects(Measure):
    """What methods that leave a model of their own have changed beside the task."""

    name = "side_effects"
    title = "What else changed"
    introduction = (
        "The same examination of the base model and of every model that a method made; the worst "
        "stands first. Methods that change no weights leave the model as it was."
    )
    tables = (SIDE_EFFECTS, TESTS)
    headlines = (Headline(WORST, main=True), Headline(HARM, summary=False, dosed=True))

    def measure(self, evidence: Evidence) -> Measured:
        """See `Measure.measure`."""
        items = evidence.by_model.side_effects
        if items is None or items.empty:
            return Measured()
        found = tables_of(items, evidence.settings.alpha)
        worst = self.summarise(found.tables)[WORST.name].items()
        told = [f"Worst side effect of {method}: {words}." for method, words in worst]
        return Measured(found.tables, [*told, *found.remarks])

    def summarise(self, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """See `Measure.summarise`."""
        worst: dict[str, Harm] = {}
        for harm in harms(tables):
            worst.setdefault(harm.method, harm)
        table = tables.get("side_effects")
        methods = [] if table is None else list(dict.fromkeys(table["method"]))
        index = pd.Index(methods, name="method", dtype="str")
        shown = [worst.get(method) for method in methods]
        said = ["none shown" if harm is None else harm.words for harm in shown]
        sizes = [0.0 if harm is None else harm.multiple for harm in shown]
        return pd.DataFrame(
            {
                WORST.name: pd.Series(said, index=index, dtype="str"),
                HARM.name: pd.Series(sizes, index=index, dtype="float64"),
            }
        )

    def section_of(
        self, tables: Mapping[str, pd.DataFrame], methods: Sequence[str]
    ) -> Section | None:
        """A row for each quantity and group, the worst first; a column a model."""
        table = tables.get("side_effects")
        if table is None or table.empty:
            return None
        pooled = table[table["seed"].isna()]
        own = [method for method in methods if method in set(pooled["method"])]
        order = {(harm.quantity.name, harm.group): None for harm in harms(tables)}
        order |= dict.fromkeys(zip(pooled["instrument"], pooled["group"], strict=True))
        cells = {
            (row["instrument"], row["group"], row["method"]): row
            for row in pooled.to_dict("records")
        }
        quantities = {
            (row["instrument"], row["group"]): one
            for row in pooled.to_dict("records")
            if (one := _quantity(row)) is not None
        }
        rows = [
            (_heading(quantities[key], key[1]), _cells(cells, quantities[key], key[1], own))
            for key in order
            if key in quantities
        ]
        if pooled["base"].isna().all():  # nobody has named the model that it was made of
            alone = tuple((name, own_cells[1:]) for name, own_cells in rows)
            return Section("what was examined", tuple(own), alone)
        return Section("what was examined", ("base model", *own), tuple(rows))


def tables_of(items: pd.DataFrame, alpha: float = 0.05) -> Measured:
    """Both tables of items of several models, and what a reader must know of them.

    Args:
        items: Items of all models, with ``method`` and ``seed``.
        alpha: Level of the tests; intervals are of ``1 - alpha``.
    """
    table = side_effects_table(items, alpha)
    tests = paired_table(items, alpha)
    return Measured({"side_effects": table, "side_effect_tests": tests}, chance_notes(table))


def harms(tables: Mapping[str, pd.DataFrame]) -> list[Harm]:
    """Harms of all methods that are shown, the worst first.

    Shown is a harm whose test against the base model is, or whose quantity is 0 for the base model
    by definition. Quantities at which the base model is near chance carry no claim.

    Args:
        tables: Tables of results, as measured or read from files.
    """
    table, tests = tables.get("side_effects"), tables.get("side_effect_tests")
    if table is None or tests is None:
        return []
    against = tests[(tests["method_b"] == BASE) & (tests["shown"] == "yes")]
    shown = set(zip(against["method_a"], against["instrument"], against["group"], strict=True))
    rows = table[table["seed"].isna()].to_dict("records")
    guessed = {(row["instrument"], row["group"]) for row in rows if near_chance(row)}
    found = []
    for row in rows:
        one = _quantity(row)
        if one is None or math.isinf(one.passes):
            continue
        if (one.needs or one.name, row["group"]) in guessed:
            continue
        key = row["method"], row["instrument"], row["group"]
        if key in shown or (one.by_definition is not None and row["low"] > one.by_definition):
            multiple = one.harm(row["value"], row["base"]) / one.passes
            change = row["value"] - row["base"]
            found.append(Harm(row["method"], one, row["group"], change, multiple))
    return sorted((one for one in found if one.multiple > 0), key=lambda one: -one.multiple)


def near_chance(row: Mapping[Any, Any]) -> bool:
    """Whether a model does on a row's quantity what one without any ability does.

    The base model is asked, or the method's own where nobody knows the base.
    """
    one = _quantity(row)
    if one is None or one.chance is None or not row["n"]:
        return False
    value = row["value"] if math.isnan(row["base"]) else row["base"]
    error = math.sqrt(one.chance * (1 - one.chance) / row["n"])
    return bool(abs(value - one.chance) < FEW_DEVIATIONS * error)


def chance_notes(table: pd.DataFrame) -> list[str]:
    """A sentence for each quantity at which the base model is near chance, with its groups."""
    rows = table[table["seed"].isna()].drop_duplicates(["instrument", "group"])
    near: dict[tuple[str, Quantity], list[str]] = {}
    for row in rows.to_dict("records"):
        one = _quantity(row)
        if one is not None and near_chance(row):
            alone = math.isnan(row["base"])
            who = row["method"] if alone else "The base model"
            told = f"{row['group']} {written(one, row['value' if alone else 'base'])}"
            near.setdefault((who, one), []).append(told)
    return [
        f"{who} is near chance, or has answered too little to tell, on {one.title} "
        f"({', '.join(groups)}; chance {written(one, one.chance or 0)}): "
        "no claim is built on it."
        for (who, one), groups in near.items()
    ]


def written(one: Quantity, value: float, *, sign: bool = False) -> str:
    """A value of a quantity as a reader reads it, with a sign where it is a change."""
    if math.isnan(value):
        return NONE
    text = one.form.page(abs(value) if sign else value)
    if not sign:
        return text
    return f"{'+' if value >= 0 else '−'}{text.replace(' %', ' points').lstrip('+−')}"


def _quantity(row: Mapping[Any, Any]) -> Quantity | None:
    """What a row of the table of side effects is of."""
    return quantity_of(row["instrument"], row.get("unit", ""))


def _heading(one: Quantity, group: str) -> str:
    return one.title + ("" if group == ALL else f": {group}")


def _cells(
    cells: Mapping[tuple[str, str, str], Mapping[Any, Any]],
    one: Quantity,
    group: str,
    methods: Sequence[str],
) -> tuple[str, ...]:
    """The base model's value, and each method's with its interval."""
    rows = [cells.get((one.name, group, method)) for method in methods]
    base = next((row["base"] for row in rows if row is not None), math.nan)
    return (written(one, base), *(_cell(one, row) for row in rows))


def _cell(one: Quantity, row: Mapping[Any, Any] | None) -> str:
    if row is None:
        return NONE
    text = written(one, row["value"])
    if math.isnan(row["low"]):
        return text
    return f"{text} ({written(one, row['low'])} to {written(one, row['high'])})"
