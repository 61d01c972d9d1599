"""The one definition of "balanced": which terms a sentence must and must not hold, how long.

The same ``Constraint`` validates training examples, filters and rewards completions, and scores
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from equipoise.errors import EquipoiseError, nearest
from equipoise.task.lexicon import (
    Lexicon,
    TermMatcher,
    Terms,
    count_words,
    is_stem,
    term_key,
)
from equipoise.task.lexicon import words as find_words
from equipoise.task.verdict import Clause, Explanation, Kind, Verdict

Accept = Literal["all", "any"]
"""How much of a constraint is demanded: all of it, or any one of its wanted entries."""

__all__ = [
    "Accept",
    "Clause",
    "Constraint",
    "Explanation",
    "Verdict",
    "bare",
    "is_set",
    "phrase_problem",
]


@dataclass(frozen=True)
class _Plan:
    """The matcher for one choice of terms, and what each of its terms stands for."""

    matcher: TermMatcher
    owners: Mapping[str, tuple[tuple[str, str], ...]]  # normal form -> (set, term as listed)
    entries: Mapping[str, tuple[str, ...]]  # normal form -> constraint entries it makes present
    no_hits: Mapping[str, tuple[str, ...]]
    wanted: tuple[tuple[str, str], ...]  # entries and their bare names


@dataclass(frozen=True)
class Constraint:
    """All of / any of / none of some term sets, words or phrases, and a range of words.

    An entry ``"{agentic}"`` names a term set, which is present when one of its terms is; any other
    entry is a word or phrase, present when it stands in the text as whole words.

    Args:
        lexicons: The task's term sets by name.
        all_of: Entries of which each must be present.
        any_of: Entries of which at least one must be present, if there are any.
        none_of: Entries of which none may be present.
        words: Fewest and most words of a sentence, both included.

    Raises:
        EquipoiseError: An entry names a missing set, stands twice or holds no word, or the range
            is empty.
    """

    lexicons: Mapping[str, Lexicon]
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    words: tuple[int, int] = (1, 1000)
    _plans: dict[Terms, _Plan] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for kind in ("all_of", "any_of", "none_of"):
            for entry in getattr(self, kind):
                _check_entry(entry, self.lexicons, f"constraint.{kind}")
        names = [bare(entry) for entry in (*self.all_of, *self.any_of, *self.none_of)]
        for name in names:
            if names.count(name) > 1:
                raise EquipoiseError(
                    f"'{name}' stands in it twice", field="constraint", hint="Keep one of the two."
                )
        if not 1 <= self.words[0] <= self.words[1]:
            raise EquipoiseError(
                f"no sentence has {self.words[0]} to {self.words[1]} words",
                field="constraint.words",
                hint="Write [fewest, most], with fewest at least 1 and most no smaller.",
            )

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of the ``all_of`` and ``any_of`` entries, sets without their braces."""
        return tuple(bare(entry) for entry in (*self.all_of, *self.any_of))

    @property
    def scored(self) -> tuple[str, ...]:
        """The listed terms of all wanted entries, each once: the words that are scored."""
        found: dict[str, str] = {}
        for entry in (*self.all_of, *self.any_of):
            for term in self.entry_terms(entry):
                found.setdefault(term_key(term), term)
        return tuple(found.values())

    def accepting(self, accept: Accept) -> Constraint:
        """The constraint itself, or the weaker one that any of its wanted entries satisfies."""
        if accept == "all":
            return self
        return replace(self, all_of=(), any_of=(*self.all_of, *self.any_of))

    def ensures_balance(self, other: Constraint) -> bool:
        """Whether whatever satisfies this constraint is balanced under ``other``.

        Both are of one task. It is decided by their entries, not by single terms: "no" may be too
        careful.
        """
        # What must be present: each of all_of, and any_of where it leaves no choice.
        present = {*self.all_of, *(self.any_of if len(self.any_of) == 1 else ())}
        one_of = (
            not other.any_of
            or not present.isdisjoint(other.any_of)
            or (bool(self.any_of) and set(self.any_of) <= set(other.any_of))
        )
        return one_of and present >= set(other.all_of) and {*self.none_of} >= {*other.none_of}

    def check(self, text: str, terms: Terms = "listed") -> Verdict:
        """Judge one sentence.

        Args:
            text: The judged sentence, response prefix included.
            terms: Which terms of the sets count.
        """
        plan = self._plans.get(terms) or self._plan(terms)
        found = plan.matcher.terms_in(text)
        count = count_words(text)
        entries: set[str] = set()
        hits = plan.no_hits
        if found:
            by_set: dict[str, list[str]] = {}
            for key in found:
                entries.update(plan.entries[key])
                for name, term in plan.owners[key]:
                    seen = by_set.setdefault(name, [])
                    if term not in seen:
                        seen.append(term)
            hits = {name: tuple(by_set.get(name, ())) for name in plan.no_hits}
        present = {name: entry in entries for entry, name in plan.wanted}
        forbidden = tuple([bare(entry) for entry in self.none_of if entry in entries])
        balanced = (
            not forbidden
            and entries.issuperset(self.all_of)
            and (not self.any_of or not entries.isdisjoint(self.any_of))
        )
        in_range = self.words[0] <= count <= self.words[1]
        return Verdict(balanced, in_range, count, present, hits, forbidden)

    def share_satisfied(self, text: str, terms: Terms = "listed") -> float:
        """The share (0-1) of clauses that ``text`` meets: a graded form of ``satisfied``.

        Each ``all_of`` and each ``none_of`` entry is a clause, all of ``any_of`` are one, and so is
        the word range.
        """
        clauses = self.explain(text, terms).clauses
        return sum(clause.passed for clause in clauses) / len(clauses)

    def explain(self, text: str, terms: Terms = "listed") -> Explanation:
        """Which clauses ``text`` meets and fails, and where their terms stand."""
        clauses = [
            self._explain_clause(kind, entries, text, terms) for kind, entries in self.clauses()
        ]
        count, (fewest, most) = count_words(text), self.words
        message = f"words: {count}, wanted {fewest} to {most}"
        return Explanation(text, (*clauses, Clause("words", fewest <= count <= most, message)))

    def clauses(self) -> list[tuple[Kind, tuple[str, ...]]]:
        """Its clauses in the order of ``explain``, each with its entries; not the word range."""
        found: list[tuple[Kind, tuple[str, ...]]] = [("all_of", (e,)) for e in self.all_of]
        if self.any_of:
            found.append(("any_of", self.any_of))
        return [*found, *(("none_of", (e,)) for e in self.none_of)]

    def _explain_clause(
        self, kind: Kind, entries: tuple[str, ...], text: str, terms: Terms
    ) -> Clause:
        matcher = TermMatcher(t for entry in entries for t in self.entry_terms(entry, terms))
        hits = tuple(matcher.find(text))
        places = ", ".join(f"{hit.term!r} at {hit.start}-{hit.end}" for hit in hits)
        asked = " or ".join(entries)
        return Clause(
            kind, bool(hits) != (kind == "none_of"), f"{kind} {asked}: {places or 'absent'}", hits
        )

    def entry_terms(self, entry: str, terms: Terms = "listed") -> tuple[str, ...]:
        """The terms that make a constraint entry present."""
        return self.lexicons[bare(entry)].terms(terms) if is_set(entry) else (entry,)

    def _plan(self, terms: Terms) -> _Plan:
        owners: dict[str, list[tuple[str, str]]] = {}
        entries: dict[str, list[str]] = {}
        for lexicon in self.lexicons.values():
            for term in lexicon.terms(terms):
                owners.setdefault(term_key(term), []).append((lexicon.name, term))
        for entry in dict.fromkeys((*self.all_of, *self.any_of, *self.none_of)):
            for term in self.entry_terms(entry, terms):
                entries.setdefault(term_key(term), []).append(entry)
        keys = dict.fromkeys((*owners, *entries))
        plan = _Plan(
            TermMatcher(keys),
            {key: tuple(owners.get(key, ())) for key in keys},
            {key: tuple(entries.get(key, ())) for key in keys},
            dict.fromkeys(self.lexicons, ()),
            tuple(zip((*self.all_of, *self.any_of), self.wanted, strict=True)),
        )
        self._plans[terms] = plan
        return plan


def is_set(entry: str) -> bool:
    """Whether a constraint entry names a term set: it is written in braces."""
    return entry.startswith("{") and entry.endswith("}")


def bare(entry: str) -> str:
    """A constraint entry without the braces that mark a term set."""
    return entry[1:-1] if is_set(entry) else entry


def phrase_problem(phrase: str) -> str | None:
    """Why ``phrase`` can never stand in a text as whole words, or ``None`` where it can."""
    if not any(map(str.isalpha, phrase)):
        return "has no letter"
    if phrase != " ".join(phrase.split()):
        return "has spaces at an end, or more than one in a row"
    if is_stem(phrase):
        return 'is a stem, which stands only in a task\'s term set with matching = "stems"'
    if phrase != " ".join(match.group() for match in find_words(phrase)):
        return "has other characters than letters, digits, and hyphens and apostrophes inside words"
    return None


def _check_entry(entry: str, lexicons: Iterable[str], field: str) -> None:
    names = list(lexicons)
    if is_set(entry):
        if bare(entry) not in names:
            raise EquipoiseError(
                f"there is no term set '{bare(entry)}'",
                field=field,
                hint=nearest(bare(entry), names),
            )
    elif entry in names:
        raise EquipoiseError(
            f"'{entry}' is the name of a term set",
            field=field,
            hint=f"Write '{{{entry}}}' for its terms.",
        )
    elif problem := phrase_problem(entry):
        raise EquipoiseError(f"'{entry}' {problem}", field=field, hint="Write a word or phrase.")
