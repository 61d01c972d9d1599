"""What a model was asked, where a file says it: whom the text is about, and what it continues."""

from __future__ import annotations

import re
from collections.abc import Sequence

from equipoise.task.task import Task

_LOOKED_AT = 4_000
"""Characters at the end of a prompt that are looked at."""

_CLOSERS = " \t\r\n\"'”’*_`"


def subjects_asked(prompts: Sequence[str], task: Task) -> list[str]:
    """The subject of each prompt; empty where it cannot be told.

    It stands in the response prefix that the prompt ends with ("The nurse was"), else in the last
    such prefix in it, else it is the only subject of the task that the prompt names.
    """
    prefix, named = _patterns(task)
    known: dict[str, str] = {}
    for prompt in prompts:
        if prompt not in known:
            known[prompt] = _subject_of(prompt[-_LOOKED_AT:].rstrip(_CLOSERS), prefix, named)
    return [known[prompt] for prompt in prompts]


def subjects_begun(texts: Sequence[str], task: Task) -> list[str]:
    """The subject of the first response prefix in each text; empty where it is none of the task."""
    prefix, named = _patterns(task)
    found = []
    for text in texts:
        subjects = (match["subject"] for match in prefix.finditer(text[:_LOOKED_AT]))
        found.append(next((str(name) for name in subjects if named.fullmatch(name)), ""))
    return found


def continues(text: str, prompt: str, prefix: str) -> bool:
    """Whether ``text`` goes on where ``prompt``, which ends with ``prefix``, stops.

    A text that has the prefix near its start says it again; one that starts with a capital and no
    space is a sentence of its own.
    """
    if not text.strip() or not _ends_with(prompt, prefix):
        return False
    if prefix.casefold() in text[: 200 + len(prefix)].casefold():
        return False
    first = text.lstrip()[0]
    return text[0] == " " or not first.isupper() or bool(re.match(r"I\b", text))


def _ends_with(prompt: str, prefix: str) -> bool:
    end = prompt[-len(prefix) - 20 :].rstrip(_CLOSERS)
    return end.casefold().endswith(prefix.casefold())


def _patterns(task: Task) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The response prefix with any subject in it, and any subject of the task."""
    names = sorted((subject.name for subject in task.subjects), key=len, reverse=True)
    named = rf"(?<![^\W_])({'|'.join(map(re.escape, names))})s?(?![^\W_])"
    prefix = re.compile(_pattern(str(task.prefix)), re.IGNORECASE)
    return prefix, re.compile(named, re.IGNORECASE)


def _pattern(prefix: str) -> str:
    """A pattern of the prefix with any subject in it."""
    words = [re.escape(word) for word in prefix.split()]
    pattern = r"\s+".join(words).replace(r"\{subject\}", r"(?P<subject>[^.!?:;\"\n]{1,60}?)")
    return rf"(?<!\w)(?=(?P<whole>{pattern})(?!\w))"  # matches may overlap: the last one counts


def _subject_of(prompt: str, prefix: re.Pattern[str], named: re.Pattern[str]) -> str:
    found = list(prefix.finditer(prompt))
    known = [match for match in found if named.fullmatch(match["subject"])]
    if found and found[-1].end("whole") == len(prompt):
        return str(found[-1]["subject"])
    if known:
        return str(known[-1]["subject"])
    names = {match[1].casefold() for match in named.finditer(prompt)}
    return names.pop() if len(names) == 1 else ""
