"""The site is built strictly, and asks nobody else for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ELSEWHERE = re.compile(
    r"""<(?:script|link|img|iframe|source)[^>]+(?:src|href)=["']?(?:https?:)?//(?!localhost)"""
    r"""|@import\s+url\(["']?(?:https?:)?//|url\(["']?https?://"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    docs = ROOT / "docs"
    for page in docs.rglob("*.md"):
        assert (site / page.relative_to(docs).with_suffix(".html")).is_file(), page.name


def test_links_of_results_lead_to_the_stored_files(site: Path) -> None:
    stored = site / "repository/results/calibration.csv"
    assert stored.read_bytes() == (ROOT / "results/calibration.csv").read_bytes()
    page = (site / "results/calibration.html").read_text("utf-8")
    assert 'href="../repository/results/calibration.csv"' in page
    assert 'href="../statistics.html"' in page


def test_the_menu_goes_from_tutorial_to_results(site: Path) -> None:
    start = (site / "index.html").read_text("utf-8")
    parts = ("Tutorial", "How to", "Methods", "Reference", "Explanation", "Results")
    places = [start.index(f"\n    {part}\n") for part in parts]
    assert places == sorted(places)


def test_nothing_is_asked_of_others(site: Path) -> None:
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        found = ELSEWHERE.search(path.read_text("utf-8"))
        assert not found, (path, found and found[0])


def test_the_api_reference_has_the_public_names(site: Path) -> None:
    import equipoise

    text = (site / "api.html").read_text("utf-8")
    for name in equipoise.__all__:
        if name != "__version__":
            assert f'id="equipoise.{name}"' in text, name


def test_files_of_the_repository_that_pages_link_to_are_there(site: Path) -> None:
    copy = site / "repository/src/equipoise/task/tasks/age.toml.txt"
    original = ROOT / "src/equipoise/task/tasks/age.toml"
    assert copy.read_bytes() == original.read_bytes()
    assert "repository/src/equipoise/task/tasks/age.toml.txt" in (
        site / "your-own-task.html"
    ).read_text("utf-8")
