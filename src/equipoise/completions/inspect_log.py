"""Logs of inspect_ai in JSON, through the fields that its documentation describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.completions.flatten import as_text, drawn_texts, flattened
from equipoise.completions.json_file import check_record
from equipoise.completions.source import RowsBuilder, Source
from equipoise.errors import EquipoiseError


def is_inspect_log(value: Any) -> bool:
    """Whether it has what every such log has: ``eval``, with a task or a model, and ``status``."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("eval"), Mapping)
        and bool({"model", "task"} & set(value["eval"]))
        and bool({"samples", "status", "version"} & set(value))
    )


def read_inspect_log(log: Mapping[str, Any], path: Path) -> Source:
    """A row for each sample and epoch (and choice, where a model gave several).

    The method is ``eval.model``, the run ``epoch``, the text that of ``output.choices``; fields of
    ``metadata`` stand in the row as ``metadata.NAME``.

    Raises:
        EquipoiseError: The log has no samples, or a sample is no object.
    """
    samples = log.get("samples")
    if not isinstance(samples, list) or not samples:
        raise EquipoiseError(
            "a log of inspect_ai without samples",
            file=path,
            hint="Convert the whole log: inspect log convert LOG --to json --output-dir DIR",
        )
    model = as_text(log["eval"].get("model"))
    builder, contexts, failed = RowsBuilder(path, "sample"), [], 0
    for place, value in enumerate(samples, 1):
        sample = check_record(value, f"sample {place}", path)
        texts = _texts(sample.get("output"))
        failed += not any(texts)
        metadata = sample.get("metadata")
        row = {
            "model": model,
            "id": as_text(sample.get("id")),
            "target": as_text(sample.get("target")),
            **{
                name: as_text(item)
                for name, item in flattened({"metadata": metadata or {}}).items()
                if name != "metadata"
            },
        }
        for number, text in enumerate(texts):
            numbers = {"epoch": as_text(sample.get("epoch")), "choice": str(number)}
            builder.add({**row, **numbers, "output": text}, place)
            contexts.append(_asked(sample.get("input")))
    remarks = ["Read as a log of inspect_ai."]
    if failed:
        remarks.append(f"Samples of the log without an answer: {failed:,} of {len(samples):,}.")
    if log.get("status") not in (None, "success"):
        remarks.append(f"The log's status is {as_text(log['status'])[:40]!r}: it may lack samples.")
    roles = {"text": "output", "method": "model", "run": "epoch"}
    return Source(builder.rows(), tuple(remarks), roles, contexts)


def _texts(output: Any) -> list[str]:
    """The text of each choice; one empty text where there is none."""
    if not isinstance(output, Mapping):
        return [""]
    choices = output.get("choices")
    found = drawn_texts(choices) if isinstance(choices, list) and choices else None
    return found or [as_text(output.get("completion"))]


def _asked(value: Any) -> str:
    """The prompt: a text, or the last message that is not of the system."""
    if isinstance(value, list):
        messages = [m for m in value if isinstance(m, Mapping) and m.get("role") != "system"]
        found = drawn_texts([{"content": messages[-1].get("content")}]) if messages else None
        return found[0] if found else ""
    return as_text(value)
