"""The page about adding a method shows one that works: planned, run, in the tables, lawful.

Everything here goes through the method's file and one entry of the registry; nothing else of the
package is touched.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from equipoise import Study
from equipoise.cli import main
from equipoise.methods.registry import METHODS
from tiny_study import STUDY, write_study

PAGE = Path(__file__).parents[2] / "docs" / "new-method.md"
MODULE = "equipoise.methods.nearest"
OF_THE_STUDY = STUDY[STUDY.index("[methods.prompt]") :]


def block(start: str) -> str:
    """The Python block of the page that starts so."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    [found] = [text for text in blocks if text.startswith(start)]
    return str(found)


@pytest.fixture
def nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's method as a module, and in the registry."""
    path = tmp_path / "nearest.py"
    path.write_text(block('"""Nearest of several'), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, MODULE, module)
    spec.loader.exec_module(module)
    monkeypatch.setitem(METHODS, module.Nearest.name, module.Nearest)
    return module


def test_it_keeps_the_laws(nearest: ModuleType, tmp_path: Path) -> None:
    names = dict(vars(nearest))
    exec(block("from equipoise.testing"), names)  # noqa: S102 - the page's own lines
    names["test_the_laws"](tmp_path / "laws")


@pytest.mark.usefixtures("nearest")
def test_a_study_plans_it_runs_it_and_finds_it_in_its_tables(
    tmp_path: Path, tiny_model_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = "[methods.prompt]\n\n[methods.nearest]\ncandidates = 3\n"
    path = write_study(tmp_path / "files", tiny_model_folder, (OF_THE_STUDY, tables))

    assert main(["plan", str(path), "--tflops", "1", "--memory", "8", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)["methods"]
    assert planned["nearest"]["drawn_tokens"] == 3 * planned["prompt"]["drawn_tokens"]

    assert main(["methods"]) == 0
    assert "nearest: of several completions" in capsys.readouterr().out

    result = Study.from_toml(path).run(tmp_path / "run", quiet=True)
    assert not result.failed
    for name in ("summary", "compliance", "cost", "settings"):
        table = (tmp_path / "run" / "results" / f"{name}.csv").read_text("utf-8")
        assert "nearest" in table, f"{name} knows nothing of the new method"
    cell = json.loads((tmp_path / "run/cells/nearest/seed1/summary.json").read_text())
    assert cell["cost"]["delivered"] == 9
    assert cell["cost"]["draws"] == 27


def test_the_page_names_what_there_is() -> None:
    """The block about SFT is what stands in its file, without types and docstring."""
    text = (PAGE.parents[1] / "src/equipoise/methods/sft.py").read_text("utf-8")
    for line in block("def work").splitlines()[2:]:
        assert line.strip() in text
