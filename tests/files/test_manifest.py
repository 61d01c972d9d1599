from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.files.manifest import MANIFEST, fault, seal, sha256
from heard import Heard


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A sealed folder with a file in it and one below."""
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"abc")
    (folder / "below" / "empty").write_bytes(b"")
    seal(folder, format=1)
    return folder


def test_manifest_holds_sizes_and_sums(sealed: Path) -> None:
    # The sums of "abc" and of nothing are the test vectors of FIPS 180-2.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert json.loads((sealed / MANIFEST).read_text()) == {
        "format": 1,
        "files": {
            "a.txt": {"bytes": 3, "sha256": abc},
            "below/empty": {"bytes": 0, "sha256": nothing},
        },
    }
    assert sha256(sealed / "a.txt") == abc
    assert fault(sealed) is None


def test_sealing_again_gives_the_same_manifest(sealed: Path) -> None:
    before = (sealed / MANIFEST).read_bytes()
    seal(sealed, format=1)
    assert (sealed / MANIFEST).read_bytes() == before


def test_files_added_later_are_no_fault(sealed: Path) -> None:
    (sealed / "later").write_text("x")
    assert fault(sealed) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"abC", "a.txt is damaged: its SHA-256 is not the recorded one"),
        (b"ab", "a.txt has 2 bytes instead of 3"),
        (b"", "a.txt has 0 bytes instead of 3"),
        (None, "a.txt has 0 bytes instead of 3"),
    ],
)
def test_damage_is_named(content: bytes | None, problem: str, sealed: Path) -> None:
    (sealed / "a.txt").unlink()
    if content is not None:
        (sealed / "a.txt").write_bytes(content)
    assert fault(sealed) == problem


def test_empty_file_that_is_gone(sealed: Path) -> None:
    (sealed / "below" / "empty").unlink()
    assert fault(sealed) == "below/empty cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"\xff", b'{"files": []}', b'{"files": {"a.txt": 3}}', b"[" * 10_000],
)
def test_damaged_manifest(content: bytes, sealed: Path) -> None:
    (sealed / MANIFEST).write_bytes(content)
    assert fault(sealed) == "its manifest.json is missing or damaged"


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    assert fault(tmp_path / "none") == "its manifest.json is missing or damaged"


def test_disk_that_fills_up(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EquipoiseError, match="The disk is full"):
        seal(sealed)


def test_a_large_file_is_summed_in_parts_with_a_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(bytes(range(256)) * 5)
    monkeypatch.setattr("equipoise.files.manifest.LARGE", 1000)
    monkeypatch.setattr("equipoise.files.manifest.CHUNK", 300)
    monkeypatch.setattr("equipoise.progress.PATIENCE", 0.0)
    monkeypatch.setattr("equipoise.progress.INTERVAL", 0.0)
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert heard.told == [("checking weights", done, 5) for done in range(6)]
