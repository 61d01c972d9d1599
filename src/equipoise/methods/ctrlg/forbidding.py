"""Sampling with terms taken away: what a model says when it may not write given words.

Nothing is demanded of a text but that no forbidden term stands in it, however it is spelt and in
whatever tokens. So there is no lookahead: a token is possible where the text can still end without
such a term, and among the possible ones the model's own distribution decides.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.automaton import TokenAutomaton, over_tokens
from equipoise.methods.ctrlg.memory import MEMORY_GB, TooLargeError
from equipoise.methods.ctrlg.states import ACCEPT
from equipoise.methods.ctrlg.term_rule import Matching, TermRule
from equipoise.methods.ctrlg.text_automaton import automaton_of
from equipoise.methods.ctrlg.text_rules import WordRule
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.task.constraint import Constraint
from equipoise.task.lexicon import Lexicon

_NAME = "forbidden"


class _Forbidden(TermRule):
    """No forbidden term, also not as the last word of a text that ends without a mark."""

    def accepts(self, state: Matching) -> bool:
        """See `Rule`."""
        return self.step(state, "other") is not None


def forbidding(
    terms: Sequence[str],
    vocabulary: Vocabulary,
    prefixes: Sequence[str],
    memory_gb: float = MEMORY_GB,
) -> TokenAutomaton:
    """The automaton of all texts without ``terms``; any of them may stop anywhere else.

    As in constrained decoding, what a term could hide in is not written either: combining marks,
    characters nobody sees, marks of emphasis and of HTML.

    Args:
        terms: Words, phrases and stems.
        vocabulary: Of the model.
        prefixes: Texts that completions will continue, themselves without the terms.
        memory_gb: Budget.

    Raises:
        EquipoiseError: The automaton would take more than ``memory_gb``.
    """
    none_of = Constraint({_NAME: Lexicon(_NAME, tuple(terms))}, none_of=(f"{{{_NAME}}}",))
    try:
        text = automaton_of(
            [WordRule(0, None), _Forbidden(none_of)], vocabulary.characters, prefixes, memory_gb
        )
        return over_tokens(text, vocabulary, (), memory_gb)
    except TooLargeError:
        raise EquipoiseError(
            f"forbidding {len(terms):,} terms takes more than {memory_gb:g} GB",
            field="without_listed",
            hint="Set it to 0.",
        ) from None


class Forbidding:
    """A `Control` that excludes what leads to a forbidden term, and changes nothing else.

    Args:
        automaton: Of the texts that are left.
        prefixes: What each prompt's completion continues; it has read them.
        max_tokens: Most tokens of a completion. One that is cut there must not end in a term.
    """

    def __init__(self, automaton: TokenAutomaton, prefixes: Sequence[str], max_tokens: int) -> None:
        distances = torch.from_numpy(automaton.distances)[torch.from_numpy(automaton.table).long()]
        never = max_tokens + 1
        self._left = distances.where(
            distances >= 0, never
        )  # [S, C] tokens to the end, stop included
        self._table = torch.from_numpy(automaton.table)
        self._classes = torch.from_numpy(automaton.classes).long()
        self._starts = torch.tensor([automaton.starts[prefix] for prefix in prefixes])
        self._max_tokens = max_tokens
        self.allocate(0)

    def allocate(self, n_rows: int) -> None:
        """See `Control`."""
        self._states = torch.full((n_rows,), ACCEPT)
        self._remaining = torch.zeros(n_rows, dtype=torch.long)

    def start(self, rows: Sequence[int], prompts: Sequence[int]) -> None:
        """See `Control`."""
        self._states[rows] = self._starts[prompts].long()
        self._remaining[rows] = self._max_tokens

    def adjust(self, logits: Tensor, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """See `Control`: no token is left out, and what must not be drawn gets ``-inf``."""
        index = torch.tensor(rows)
        remaining = self._remaining[index]
        allowed = self._left[self._states[index]] <= remaining[:, None]
        allowed |= (remaining <= 0)[:, None]  # nobody reads what a row that has ended draws
        mask = allowed[:, self._classes].to(logits.device)
        tokens = torch.arange(logits.shape[1], device=logits.device)
        return logits.float().masked_fill(~mask, float("-inf")), tokens

    def accept(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """See `Control`."""
        index, drawn = torch.tensor(rows), torch.tensor(tokens)
        self._states[index] = self._table[self._states[index], self._classes[drawn]].long()
        self._remaining[index] -= 1

    def keep(self, rows: Sequence[int]) -> None:
        """See `Control`."""
        index = torch.tensor(rows)
        self._states, self._remaining = self._states[index], self._remaining[index]
