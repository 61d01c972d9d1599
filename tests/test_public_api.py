"""What ``import equipoise`` offers, and that it costs nothing until it is used."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import equipoise

PROMISED = {
    "BalancedExampleGenerator",
    "EquipoiseError",
    "Evaluation",
    "Study",
    "Task",
    "__version__",
    "evaluate",
    "load_model",
    "load_task",
}


def test_names() -> None:
    assert set(equipoise.__all__) == PROMISED
    assert dir(equipoise) == sorted(PROMISED)
    for name in PROMISED:
        assert getattr(equipoise, name) is not None


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'equipoise' has no attribute 'Studdy'"):
        equipoise.Studdy  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'transformers', 'pandas'}"
    code = f"import equipoise, sys; print(*sorted({heavy} & {{*sys.modules}}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_signatures_that_scripts_rely_on() -> None:
    assert list(inspect.signature(equipoise.Study.from_toml).parameters) == ["path", "overrides"]
    run = inspect.signature(equipoise.Study.run).parameters
    assert list(run) == ["self", "out", "quiet", "engine", "forecast"]
    assert run["out"].default is None
    assert run["quiet"].default is False
    assert run["engine"].default is None
