"""What a study cannot do with a model whose weights are elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.methods.method import Method
from equipoise.model.endpoint import WEIGHTLESS, endpoint_refusal
from equipoise.study.measures_table import MeasuresTable


def check_weightless(
    methods: Mapping[str, Method[Any]], measures: MeasuresTable, model: str, path: Path
) -> None:
    """Refuse methods and measures that need the weights of an endpoint's model.

    Fluency under it is not measured, and nothing is associated with occupations; both are left out
    of the tables.

    Args:
        methods: The study's methods by label.
        measures: Its ``[measures]`` table.
        model: The endpoint, ``openai:NAME``.
        path: The study file.

    Raises:
        EquipoiseError: It names the method or the measure.
    """
    for label, method in methods.items():
        if method.needs_weights:
            raise EquipoiseError(
                f"method '{method.name}' needs weights, and {endpoint_refusal(model)}",
                file=path,
                field=f"methods.{label}",
                hint=WEIGHTLESS,
            )
    if measures.lac is not None and measures.reference_model is None:
        raise EquipoiseError(
            f"agency is read from a model's states, and {endpoint_refusal(model)}",
            file=path,
            field="measures.lac",
            hint="Name a reference_model, such as smollm2-135m-instruct.",
        )
