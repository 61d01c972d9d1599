"""Which methods a run can be served of."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.serving.controlled import _method


def test_an_expert_of_a_folder_is_refused_by_name() -> None:
    settings = {"expert": "tuned", "alpha": 1.0, "expert_sha256": "0" * 64}
    with pytest.raises(EquipoiseError) as caught:
        _method({"use": "experts", "settings": settings}, Path("config.json"))
    assert str(caught.value) == (
        "config.json: settings.expert: it was a model's folder called 'tuned', and a run keeps no "
        "paths. Serve a method whose other models are methods of the study."
    )


def test_an_expert_of_the_study_is_a_method_to_be_had() -> None:
    method = _method({"use": "experts", "settings": {"expert": "sft"}}, Path("config.json"))
    assert method.needs["expert"] == ("sft",)
