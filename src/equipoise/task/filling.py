"""The sentences of one template about one subject, numbered 0, 1, 2, ... and counted by length."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from equipoise.task.lexicon import count_words
from equipoise.task.task import Subject, Task
from equipoise.task.template import OPEN_ARTICLE, SUBJECT, Template, kind_of, with_articles

Lengths = Mapping[int, int]
"""How many fill-ins, or ways to fill several slots, have so many words beyond the first."""

Texts = tuple[str, ...]

LITERAL = ""


def options(task: Task, subject: Subject, kind: str) -> tuple[str, ...]:
    """What fills a slot of ``kind`` in a sentence about ``subject``; empty where nothing does."""
    lexicon = task.lexicons.get(kind)
    return lexicon.writable if lexicon else subject.contexts.get(kind, ())


@lru_cache(maxsize=4096)
def _extra_words(fill_ins: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(count_words(fill_in) - 1 for fill_in in fill_ins)


@lru_cache(maxsize=4096)
def arrangements(fill_ins: tuple[str, ...], slots: int) -> Lengths:
    """Ways to put different ``fill_ins`` into ``slots`` slots, by their words beyond ``slots``."""
    chosen: dict[tuple[int, int], int] = {(0, 0): 1}  # (how many taken, extra words) -> ways
    for extra, available in Counter(_extra_words(fill_ins)).items():
        grown: Counter[tuple[int, int]] = Counter()
        for (taken, words), ways in chosen.items():
            for more in range(min(available, slots - taken) + 1):
                grown[taken + more, words + more * extra] += ways * math.comb(available, more)
        chosen = grown
    orders = math.factorial(slots)
    return {words: ways * orders for (taken, words), ways in chosen.items() if taken == slots}


def convolve(left: Lengths, right: Lengths) -> Lengths:
    """Ways to fill two groups of slots, by their extra words together."""
    total: Counter[int] = Counter()
    for left_words, left_ways in left.items():
        for right_words, right_ways in right.items():
            total[left_words + right_words] += left_ways * right_ways
    return total


def base_words(template: Template, subject: str) -> int:
    """Words of the sentence when every slot takes one word.

    Exact for any fill-in, also in a slot that touches a word, because fill-ins start and end with
    chunks that hold a letter or digit: k words in a slot make k - 1 words more.
    """
    single = dict.fromkeys(template.slots, "x")
    return count_words(template.fill({SUBJECT: subject, **single}))


def sentence_lengths(task: Task, template: Template, subject: Subject) -> Lengths:
    """How many fill-ins of ``template`` about ``subject`` make sentences of so many words."""
    repeats = Counter(template.pieces[1::2])
    total: Lengths = {base_words(template, subject.name): 1}
    for kind, slots in template.kinds.items():
        fill_ins = options(task, subject, kind)
        if all(repeats[slot] == 1 for slot in slots):
            total = convolve(total, arrangements(fill_ins, len(slots)))
        else:  # the same slot twice: rare, so counted by going through them
            extra = _extra_words(fill_ins)
            weights = [repeats[slot] for slot in slots]
            total = convolve(
                total,
                Counter(
                    sum(w * extra[c] for w, c in zip(weights, choice, strict=True))
                    for choice in _choices(len(fill_ins), len(slots))
                ),
            )
    return total


def _choices(fill_ins: int, slots: int) -> Iterator[list[int]]:
    return (unrank(i, fill_ins, slots) for i in range(math.perm(fill_ins, slots)))


def unrank(index: int, fill_ins: int, slots: int) -> list[int]:
    """The ``index``-th way to choose different fill-ins for ``slots`` slots, as their numbers."""
    if slots == 1:
        return [index]
    chosen: list[int] = []
    for taken in range(slots):
        index, choice = divmod(index, fill_ins - taken)
        for earlier in sorted(chosen):
            choice += choice >= earlier
        chosen.append(choice)
    return chosen


class Filling:
    """The numbered sentences of one template about one subject.

    Number ``i`` fixes every slot: ``i = terms * n_contexts + contexts``, each part in mixed radix
    over the kinds of fill-in. Terms are the leading part, so that they can be drawn apart.

    Attributes:
        size: How many numbers there are.
        in_range: How many of them make a sentence within the task's word range.
        pieces: The texts that can stand at each place of the sentence, from left to right.
    """

    def __init__(self, task: Task, template: Template, subject: Subject) -> None:
        self.template = template
        fewest, most = task.constraint.words
        lengths = sentence_lengths(task, template, subject)
        self.in_range = sum(ways for n, ways in lengths.items() if fewest <= n <= most)
        terms = [kind for kind in template.kinds if kind in task.lexicons]
        contexts = [kind for kind in template.kinds if kind not in task.lexicons]
        fill_ins = {kind: options(task, subject, kind) for kind in template.kinds}
        # Innermost first: the number's last digit is the last kind's.
        self._radix = [
            (len(fill_ins[kind]), len(slots), math.perm(len(fill_ins[kind]), len(slots)))
            for kind in (*contexts, *terms)
            for slots in [template.kinds[kind]]
        ]
        order = [slot for kind in (*contexts, *terms) for slot in template.kinds[kind]]
        self._fill_ins = [(slot, fill_ins[kind_of(slot)]) for slot in order]
        self.n_terms = math.prod(size for _, _, size in self._radix[len(contexts) :])
        self.n_contexts = math.prod(size for _, _, size in self._radix[: len(contexts)])
        self.size = self.n_terms * self.n_contexts
        pieces = _pieces(template, subject.name, fill_ins)
        self.pieces = [texts for _, texts in pieces]
        fixed = (LITERAL, SUBJECT)
        self._format = "".join(
            texts[0].replace("%", "%%") if slot in fixed else "%s" for slot, texts in pieces
        )
        self._places = [(order.index(slot), texts) for slot, texts in pieces if slot not in fixed]
        always = all(fewest <= n <= most for n in lengths)
        self._extra = [
            (position, _extra_words(fill_ins[kind_of(order[position])]))
            for position in (order.index(slot) for slot in template.pieces[1::2] if slot != SUBJECT)
        ]
        base = base_words(template, subject.name)
        self._limits = None if always else (fewest - base, most - base)

    def choose(self, index: int) -> list[int]:
        """For each slot, which of its fill-ins the ``index``-th sentence takes."""
        chosen: list[int] = []
        for fill_ins, slots, size in self._radix:
            index, rest = divmod(index, size)
            if slots == 1:
                chosen.append(rest)
            else:
                chosen += unrank(rest, fill_ins, slots)
        return chosen

    def fits(self, chosen: Sequence[int]) -> bool:
        """Whether the sentence with these fill-ins is within the word range."""
        if self._limits is None:
            return True
        extra = sum([words[chosen[position]] for position, words in self._extra])
        return self._limits[0] <= extra <= self._limits[1]

    def render(self, chosen: Sequence[int]) -> str:
        """The sentence with these fill-ins."""
        return self._format % tuple([texts[chosen[position]] for position, texts in self._places])

    def values(self, chosen: Sequence[int]) -> dict[str, str]:
        """What fills each slot of the template in the sentence with these fill-ins."""
        pairs = zip(self._fill_ins, chosen, strict=True)
        return {slot: fill_ins[number] for (slot, fill_ins), number in pairs}

    def valid(self) -> Iterator[int]:
        """The numbers of all sentences within the word range, in order."""
        if self._limits is None:
            return iter(range(self.size))
        return (index for index in range(self.size) if self.fits(self.choose(index)))

    def draw(self, below: Callable[[int], int]) -> list[int] | None:
        """One sentence's choices at random, or ``None`` where no try hit the word range.

        The terms are drawn first and kept while contexts are tried, so that a term of several
        words is not drawn less often than one that leaves more room.
        """
        terms = below(self.n_terms) * self.n_contexts
        for _ in range(100):
            chosen = self.choose(terms + below(self.n_contexts))
            if self._limits is None or self.fits(chosen):
                return chosen
        return None


def _pieces(
    template: Template, subject: str, fill_ins: Mapping[str, tuple[str, ...]]
) -> list[tuple[str, Texts]]:
    """Literals and slots in turn, each with the texts it can show; literals have one.

    An article right before a slot depends on the fill-in, so it moves into the slot's texts.
    """
    literals, slots = template.pieces[0::2], template.pieces[1::2]
    pieces: list[tuple[str, Texts]] = []
    for number, slot in enumerate(slots):
        texts = (subject,) if slot == SUBJECT else fill_ins[kind_of(slot)]
        literal, after = literals[number], literals[number + 1]
        if match := OPEN_ARTICLE.search(literal):
            literal = literal[: match.start()]
            glued = re.split(r"\s", after, maxsplit=1)[0]  # "{agentic}-minded": the word goes on
            texts = tuple(
                with_articles(match[0] + text + glued)[: -len(glued) or None] for text in texts
            )
        pieces += [(LITERAL, (with_articles(literal),)), (slot, texts)]
    return [*pieces, (LITERAL, (with_articles(literals[-1]),))]
