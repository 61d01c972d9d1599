"""Why a constraint cannot be compiled, and what could be instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.memory import TooLargeError
from equipoise.task.constraint import Constraint


def too_short(prefix: str, needed: int, max_tokens: int) -> EquipoiseError:
    """A completion of ``prefix`` needs more tokens than may be drawn."""
    return EquipoiseError(
        f"after {prefix!r} the constraint needs at least {needed} tokens, and max_new_tokens "
        f"is {max_tokens}",
        field="max_new_tokens",
        hint=f"Set it to {needed} or more.",
    )


def infeasible(
    constraint: Constraint, is_feasible: Callable[[Constraint], bool], prefix: str
) -> EquipoiseError:
    """No completion of ``prefix`` satisfies ``constraint``: which clauses are in the way.

    Args:
        constraint: The whole.
        is_feasible: Whether some completion satisfies a weaker one.
        prefix: What is completed.
    """
    culprits = [name for name, weaker in _weaker(constraint) if is_feasible(weaker)]
    named = " or ".join(culprits) or "several of its clauses together"
    return EquipoiseError(
        f"no completion of {prefix!r} satisfies the constraint: {named} cannot be met with the "
        "rest of it",
        field="constraint",
        hint="Drop or relax that clause.",
    )


def not_prose(prefix: str) -> EquipoiseError:
    """Some completion of ``prefix`` satisfies the constraint, but none that is prose."""
    return EquipoiseError(
        f"no completion of {prefix!r} is prose and satisfies the constraint",
        field="prose",
        hint="Write its beginning in words, with one space between them and marks where a writer "
        "puts them; or allow what is no prose.",
    )


def _weaker(constraint: Constraint) -> list[tuple[str, Constraint]]:
    """The constraint without one of its clauses, for each, with the clause's name."""
    found = [(f"words = {list(constraint.words)}", replace(constraint, words=(1, 10**6)))]
    for kind in ("none_of", "all_of", "any_of"):
        entries = getattr(constraint, kind)
        groups = [entries] if kind == "any_of" and entries else [(entry,) for entry in entries]
        for group in groups:
            rest = tuple(entry for entry in entries if entry not in group)
            change: dict[str, Any] = {kind: rest}
            found.append((f"{kind} {', '.join(group)}", replace(constraint, **change)))
    return found


def too_large(
    constraint: Constraint,
    build: Callable[[Constraint], object],
    most_words: int,
    memory_gb: float,
) -> EquipoiseError:
    """The automaton exceeds its budget: what would fit, as it grows with the words it counts.

    Args:
        constraint: The whole.
        build: Makes the automaton of another one, or raises `TooLargeError`.
        most_words: A text has no more, whatever the constraint says.
        memory_gb: The budget.
    """
    fewest, most = constraint.words
    most, hint = min(most, most_words), "Ask for fewer terms."
    while (most := most // 2) >= fewest:
        try:
            build(replace(constraint, words=(fewest, most)))
        except TooLargeError:
            continue
        hint = f"words = [{fewest}, {most}] would fit, or fewer terms."
        break
    return EquipoiseError(
        f"its automaton for this tokenizer takes more than the budget of {memory_gb:g} GB",
        field="constraint",
        hint=hint,
    )
