"""Shell completion, as a real bash asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys; from equipoise.cli import main; sys.exit(main())"


@pytest.fixture
def bash(tmp_path: Path) -> Path:
    """A folder with an ``equipoise`` that a shell can call."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    command = tmp_path / "equipoise"
    command.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{PROGRAM}' \"$@\"\n")
    command.chmod(0o755)
    return tmp_path


def complete(folder: Path, line: str) -> list[str]:
    """What Tab at the end of ``line`` offers."""
    words = line.split(" ")
    script = (
        'eval "$(_EQUIPOISE_COMPLETE=source_bash equipoise)"\n'
        f"COMP_WORDS=({' '.join(word or repr('') for word in words)})\n"
        f"COMP_CWORD={len(words) - 1}\n"
        "$(complete -p equipoise | sed 's/.*-F \\([^ ]*\\).*/\\1/') equipoise\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("equipoise ge", ["generate"]),
        ("equipoise task sh", ["show"]),
        ("equipoise run q", ["quickstart"]),
        ("equipoise generate --top", ["--top-p", "--top-k"]),
        ("equipoise data --task a", ["age"]),
        ("equipoise generate --model sm", ["smollm2-135m-instruct"]),
        ("equipoise data --split v", ["validation"]),
        ("equipoise nothing-like-that", []),
    ],
)
def test_tab_completes(line: str, expected: list[str], bash: Path) -> None:
    assert complete(bash, line) == expected


def test_completing_loads_nothing_heavy() -> None:
    program = (
        "import sys; from equipoise.cli import main; code = main(); "
        "assert not {'torch', 'pandas', 'transformers'} & set(sys.modules), sorted(sys.modules)"
    )
    environment = {
        **os.environ,
        "_EQUIPOISE_COMPLETE": "complete_bash",
        "COMP_WORDS": "equipoise generate --model sm",
        "COMP_CWORD": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.stdout.split(), done.returncode, done.stderr) == (
        ["smollm2-135m-instruct"],
        0,
        "",
    )
