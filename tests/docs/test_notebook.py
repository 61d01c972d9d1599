"""The notebook runs from its first cell to its last, on a tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "first-look.ipynb"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.slow
def test_the_notebook_runs(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("EQUIPOISE_NOTEBOOK_MODEL", str(tiny_model_folder))
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1] / "src"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # nothing stale is committed
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [
        str(output.get("data", {}).get("text/plain", output.get("text", "")))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]
    assert any("balanced_mean" in text for text in shown)
    assert any("neutral" in text and "balanced" in text for text in shown)
