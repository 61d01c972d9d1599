"""A real LaTeX, to see whether what is written compiles."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def latex() -> str:
    """The path of a LaTeX that has booktabs."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex is installed (Debian: texlive-latex-recommended)")
    found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, text=True)
    if not found.stdout.strip():
        pytest.skip("this LaTeX has no booktabs (Debian: texlive-latex-recommended)")
    return program


def compiled(latex: str, folder: Path, body: str) -> str:
    """What LaTeX says of a document of ``body``; a failure fails the test."""
    (folder / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs,longtable}\n\\begin{document}\n"
        f"{body}\n\\end{{document}}\n",
        encoding="ascii",
    )
    command = [latex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout
