"""What disks and networks do to files."""

from __future__ import annotations

from pathlib import Path


def flip(path: Path, at: int | None = None) -> None:
    """Flip the lowest bit of the byte at ``at``, by default of the one in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)


def truncate(path: Path, by: int = 1) -> None:
    """Take the last ``by`` bytes away."""
    path.write_bytes(path.read_bytes()[:-by])
