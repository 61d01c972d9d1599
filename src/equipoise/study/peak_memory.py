"""The most memory this process has held while something was done."""

from __future__ import annotations

import contextlib
import re
import resource
import sys
from pathlib import Path

from equipoise.model.freed_memory import give_freed_memory_back

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """Peak resident memory since it was made, or since it was last read.

    On Linux the system's own high-water mark is set back. Elsewhere that cannot be done, and the
    peak is that of the process since it began.
    """

    def __init__(self) -> None:
        self._reset()

    def read(self) -> float:
        """The peak in 10⁹ bytes; the next one starts from here."""
        peak = _high_water_mark()
        self._reset()
        return round(peak / 1e9, 3)

    def _reset(self) -> None:
        give_freed_memory_back()  # else what earlier work left would count
        with contextlib.suppress(OSError):  # not there, or not allowed in a container
            _CLEAR.write_text("5")


def _high_water_mark() -> float:
    """Peak resident memory in bytes."""
    with contextlib.suppress(OSError):
        if match := re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(), re.MULTILINE):
            return 1024.0 * int(match[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return float(unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
