"""Fluency: how likely a language model finds each sentence.

Two judges: the untuned base model, after the task's neutral prompt, and a model of another family,
which reads the sentence as plain text. What is judged is what follows the response prefix, for
every method and file alike; of a text that does not begin with the prefix, all of it. No value is
dropped or cut off: a hopeless sentence counts with the log-probability that it has.

Each distinct sentence is scored once, in prefix trees that compute what sentences share once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import pandas as pd

from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import TokenSequence
from equipoise.model.scoring import shared_length, tree_log_probabilities
from equipoise.progress import counting
from equipoise.task.task import Task

LONGEST = 256
"""Tokens of a text that are scored; of a longer one the first ones."""

_LONGEST_CHARACTERS = 20 * LONGEST
"""Characters that are tokenised at all: a text may have ten thousand words."""

TREE_NODES = 512
"""Most nodes of a tree on which sentences are scored, unless one sentence alone has more."""

Context = Literal["prompt", "plain"]
"""What a judge reads before a sentence: the task's neutral prompt, or nothing."""

SCORE_COLUMNS = ("subject", "text", "tokens", "log_probability", "prefixed", "truncated")
"""Columns of the frame of scores."""


def score_fluency(
    lm: LanguageModel,
    task: Task,
    sentences: Iterable[tuple[str, str]],
    context: Context,
) -> pd.DataFrame:
    """One row for each of ``sentences``, in their order.

    Columns: ``subject``, ``text``, ``tokens`` (scored ones, 0 to `LONGEST`), ``log_probability``
    (their sum in nats, to six decimals; 0 where there are none), ``prefixed`` (the text begins with
    the response prefix, so that only what follows was scored), ``truncated`` (it is longer than
    `LONGEST` tokens, of which the first were scored).

    Args:
        lm: The judge.
        task: Gives prefix and prompt.
        sentences: Subject and judged sentence; each should stand there once.
        context: What the judge reads first.

    Raises:
        EquipoiseError: Prompt and text exceed the model's context.
    """
    pairs = list(sentences)
    parts = [_Part.of(lm, task, subject, text, context) for subject, text in pairs]
    values = log_probabilities(lm, [part.sequence for part in parts], f"fluency under {lm.name}")
    rows = [
        (subject, text, part.tokens, round(value, 6), part.prefixed, part.truncated)
        for (subject, text), part, value in zip(pairs, parts, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


class _Part:
    """What is scored of one sentence."""

    def __init__(self, sequence: TokenSequence | None, *, prefixed: bool, truncated: bool) -> None:
        self.sequence, self.prefixed, self.truncated = sequence, prefixed, truncated
        self.tokens = len(sequence.tokens) - sequence.start if sequence else 0

    @classmethod
    def of(cls, lm: LanguageModel, task: Task, subject: str, text: str, context: Context) -> _Part:
        """``text`` after its context, tokenised in one piece.

        Where the tokenizer joins characters across the end of the prefix, scoring begins at the
        joint.
        """
        prefix = task.prefix.replace("{subject}", subject)
        there = text[: len(prefix)]
        prefixed = there.casefold() == prefix.casefold()
        shown = text[: len(prefix) + _LONGEST_CHARACTERS]

        def tokens(answer: str) -> list[int]:
            if context == "plain":
                return lm.encoder.plain(answer)
            return lm.context(task.prompts["neutral"].replace("{subject}", subject), answer)

        before, whole = tokens(there if prefixed else ""), tokens(shown)
        start = max(1, shared_length(before, whole))
        truncated = len(shown) < len(text) or len(whole) - start > LONGEST
        kept = whole[: start + LONGEST]
        sequence = TokenSequence(tuple(kept), start) if start < len(kept) else None
        return cls(sequence, prefixed=prefixed, truncated=truncated)


def log_probabilities(
    lm: LanguageModel,
    sequences: Sequence[TokenSequence | None],
    stage: str,
    nodes: int = TREE_NODES,
) -> list[float]:
    """Log-probability in nats of the predicted part of each of ``sequences``, in their order.

    They are scored tree by tree.

    Args:
        lm: In evaluation mode, in any precision.
        sequences: In any order; those that begin alike share a tree. None is one of which nothing
            is predicted: its value is 0.
        stage: What the work is, in a few words: who listens is told how far it is.
        nodes: Most nodes of a tree, unless one sequence alone has more.
    """
    values = [0.0] * len(sequences)
    more = counting(stage, len(sequences))
    there = [(index, one) for index, one in enumerate(sequences) if one is not None]
    for chosen in pack([one for _, one in there], nodes):
        found = tree_log_probabilities(lm, [there[place][1] for place in chosen])
        for place, value in zip(chosen, found.tolist(), strict=True):
            values[there[place][0]] = value
        more(len(chosen))
    more(len(sequences) - len(there))
    return values


def pack(sequences: Sequence[TokenSequence], nodes: int) -> Iterator[list[int]]:
    """The sequences in batches whose prefix trees have at most ``nodes`` nodes, or one sequence.

    Sorted by their tokens, so that neighbours share the most; then the nodes that one adds to its
    tree are those beyond what it shares with the one before.
    """
    batch: list[int] = []
    size = 0
    for index in sorted(range(len(sequences)), key=lambda i: (sequences[i].tokens, i)):
        tokens = sequences[index].tokens
        new = len(tokens)
        if batch:
            new -= shared_length(sequences[batch[-1]].tokens, tokens)
            if size + new > nodes:
                yield batch
                batch, size, new = [], 0, len(tokens)
        batch.append(index)
        size += new
    if batch:
        yield batch
