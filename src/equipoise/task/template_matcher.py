"""Does a sentence read like one of the task's templates with its slots filled?

A model can learn templates by heart and still write sentences that were in no training set: the
share of these says so, where the share of verbatim training sentences does not.

All templates are walked at once, token by token. What can stand at a place of a template is kept
as a trie, shared by all places of that kind, and the sets of places that a sentence can have
reached are remembered with what follows them: each set is worked out once, however many sentences
pass through it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from equipoise.task.lexicon import exact
from equipoise.task.task import Task
from equipoise.task.template import SUBJECT, Template, kind_of

_TOKEN = re.compile(r"\w+|[^\w\s]")
_ARTICLE = re.compile(r"(?<!\w)([Aa])\(n\)")
_MARK = "\0"
"""Stands for the subject's name."""

_Trie = dict[str | None, Any]
"""What may follow, by token; the key None says that a text may end here."""

_Place = tuple[int, int, int]
"""Number of a template, of a place in it, and of a node in that place's trie."""


@dataclass
class _State:
    """What a sentence can have reached after some tokens; ``following`` is filled as needed."""

    places: tuple[tuple[int, int, _Trie], ...]
    accepts: bool
    following: dict[str, _State] = field(default_factory=dict)


class TemplateMatcher:
    """Recognises sentences built like those of a task's templates.

    A sentence matches if it is a template with its subject's name in ``{subject}``, a term of the
    set, listed or held out, or a word that it writes for its stems, in the slot of a set, and in
    any other slot a fill-in of its kind that the task has for any subject. "a(n)" may read either
    way, and two slots may hold the same. Spaces do not count, case does. Every training sentence of
    the task matches; so may sentences about validation subjects.

    Args:
        task: Without templates, nothing matches.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._tries: dict[tuple[str, ...], _Trie] = {}
        self._templates = [self._places(template) for template in task.templates]
        self._states: dict[tuple[frozenset[_Place], bool], _State] = {}
        self._tokens = {t for trie in self._tries.values() for t in _tokens_of(trie)}
        begin = [(number, 0, places[0]) for number, places in enumerate(self._templates)]
        self._begin = self._state(begin, accepts=False)

    def matches(self, text: str, subject: str) -> bool:
        """Whether ``text``, a sentence about ``subject``, reads like a template."""
        text = unicodedata.normalize("NFC", text)
        name = rf"(?<!\w){re.escape(subject)}(?!\w)"
        state = self._begin
        for token in _TOKEN.findall(re.sub(name, _MARK, text) if subject else text):
            following = state.following.get(token)
            if following is None:
                if token not in self._tokens:
                    return False
                following = state.following[token] = self._step(state, token)
            state = following
            if not state.places and not state.accepts:
                return False
        return state.accepts

    def _step(self, state: _State, token: str) -> _State:
        """Where ``token`` leads from ``state``."""
        reached: list[tuple[int, int, _Trie]] = []
        accepts = False
        for template, place, node in state.places:
            child = node.get(token)
            if child is None:
                continue
            if len(child) > (None in child):
                reached.append((template, place, child))
            if None in child:
                if place + 1 < len(self._templates[template]):
                    reached.append((template, place + 1, self._templates[template][place + 1]))
                else:
                    accepts = True
        return self._state(reached, accepts=accepts)

    def _state(self, places: Iterable[tuple[int, int, _Trie]], *, accepts: bool) -> _State:
        """The one state of these places."""
        places = tuple(places)
        key = (frozenset((t, p, id(node)) for t, p, node in places), accepts)
        return self._states.setdefault(key, _State(places, accepts))

    def _places(self, template: Template) -> list[_Trie]:
        """The tries of a template's places, from left to right; places without a text are left out.

        Places whose texts touch, such as ``{agentic}ness``, are one place.
        """
        joined: list[tuple[str, ...]] = []
        for number, piece in enumerate(template.pieces):
            texts = self._fill_ins(piece) if number % 2 else _readings(piece)
            if joined and _touch(joined[-1], texts):
                joined[-1] = tuple(map("".join, product(joined[-1], texts)))
            elif texts != ("",):
                joined.append(texts)
        return [self._trie(texts) for texts in joined if any(map(str.strip, texts))]

    def _fill_ins(self, slot: str) -> tuple[str, ...]:
        """Everything that the task can put into ``slot``, whoever is described."""
        if slot == SUBJECT:
            return (_MARK,)
        kind = kind_of(slot)
        if kind in self._task.lexicons:
            lexicon = self._task.lexicons[kind]
            return *lexicon.writable, *exact(lexicon.terms("all"))
        found = (text for s in self._task.subjects for text in s.contexts.get(kind, ()))
        return tuple(dict.fromkeys(found))

    def _trie(self, texts: tuple[str, ...]) -> _Trie:
        """The trie of ``texts``; the same texts have the same one."""
        if texts not in self._tries:
            root: _Trie = {}
            for text in texts:
                node = root
                for token in _TOKEN.findall(unicodedata.normalize("NFC", text)):
                    node = node.setdefault(token, {})
                node[None] = None
            self._tries[texts] = root
        return self._tries[texts]


def _readings(literal: str) -> tuple[str, ...]:
    """``literal`` with each ``a(n)`` as "a" and as "an"."""
    parts = _ARTICLE.split(literal)  # every second one is an article's letter
    ways = [(p, p + "n") if number % 2 else (p,) for number, p in enumerate(parts)]
    return tuple(map("".join, product(*ways)))


def _touch(left: Iterable[str], right: Iterable[str]) -> bool:
    """Whether a text of ``left`` and one of ``right`` would make one word."""
    ends = any(re.search(r"\w\Z", text) for text in left)
    return ends and any(re.match(r"\w", text) for text in right)


def _tokens_of(trie: _Trie) -> set[str]:
    found: set[str] = set()
    for token, child in trie.items():
        if token is not None:
            found |= {token, *_tokens_of(child)}
    return found
