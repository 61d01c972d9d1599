"""Answers of an endpoint, kept one by one, so that none is paid for twice."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from pathlib import Path

from equipoise.files.artifacts import clear_read_errors, clear_write_errors
from equipoise.model.answer import SILENCES, Answer


class AnswerLog:
    """Answers by the request they belong to, in a file of JSON lines, or only in memory.

    Every answer is on the disk before it counts as received. A line that a crash cut off is no
    answer: it is asked for again.

    Args:
        path: The file; it is created with the first answer. None keeps nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._answers = {} if path is None else _stored(path)
        self._begun = False

    def get(self, key: str) -> Answer | None:
        """The answer to a request, if it is there."""
        return self._answers.get(key)

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer. May be called from several threads.

        Raises:
            EquipoiseError: The file cannot be written.
        """
        with self._lock:
            if self.path is not None:
                self._append(self.path, {"key": key, **asdict(answer)})
            self._answers[key] = answer

    def _append(self, path: Path, line: dict[str, object]) -> None:
        with clear_write_errors(path), path.open("ab") as stream:
            if not self._begun and stream.tell():
                stream.write(b"\n")  # the line before may have been cut off
            stream.write(json.dumps(line).encode("ascii") + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
            self._begun = True


def _stored(path: Path) -> dict[str, Answer]:
    """The whole answers in a file; none where it is missing."""
    if not path.exists():
        return {}
    answers = {}
    with clear_read_errors(path):
        lines = path.read_bytes().split(b"\n")
    for line in lines:
        try:
            found = json.loads(line)
            key, answer = found.pop("key"), Answer(**found)
            answer.text.encode()  # lone surrogates could not be written again
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        if type(key) is str and _is_whole(answer):
            answers[key] = answer
    return answers


def _is_whole(answer: Answer) -> bool:
    """Whether each field of a stored answer is what it must be."""
    counts = (answer.prompt_tokens, answer.completion_tokens)
    return (
        type(answer.text) is str
        and all(count is None or type(count) is int for count in counts)
        and type(answer.ended) is bool
        and answer.silence in (None, *SILENCES)
    )
