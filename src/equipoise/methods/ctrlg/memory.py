"""How much memory Ctrl-G's tables may take: what needs more is refused, not tried."""

from __future__ import annotations

from equipoise.errors import EquipoiseError

MEMORY_GB = 8.0
"""Budget of the automaton while it is compiled, and of the lookahead's tables, each."""


class TooLargeError(Exception):
    """An automaton outgrew its budget while it was built."""


def check_automaton(n_states: int, n_columns: int, memory_gb: float) -> None:
    """Stop building an automaton of [S, C] 32-bit numbers and the few copies that takes.

    Raises:
        TooLargeError: It would take more than ``memory_gb``.
    """
    if 3 * 4 * n_states * n_columns > 1e9 * memory_gb:
        raise TooLargeError


def check_lookahead(n_states: int, n_hidden: int, max_tokens: int, memory_gb: float) -> None:
    """Refuse tables [R, S, H] of float32 that take more than ``memory_gb``.

    Raises:
        EquipoiseError: It says how many hidden states or tokens would fit.
    """
    layer, budget = 4 * n_states * n_hidden, 1e9 * memory_gb
    if layer * max_tokens <= budget:
        return
    fitting = [
        f"{name} = {int(most)}"
        for name, most in (
            ("hidden_states", budget / (4 * n_states * max_tokens)),
            ("max_new_tokens", budget / layer),
        )
        if most >= 1
    ]
    raise EquipoiseError(
        f"looking {max_tokens} tokens ahead from {n_states:,} states of the automaton with "
        f"{n_hidden:,} hidden states takes {layer * max_tokens / 1e9:.1f} GB, and the budget is "
        f"{memory_gb:g} GB",
        field="hidden_states",
        hint=f"What would fit: {' or '.join([*fitting, 'fewer words and terms'])}.",
    )
