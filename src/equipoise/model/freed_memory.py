"""What the C library does with memory that is freed, where that is glibc.

By default it gives every large block back to the system at once, and the next tensor of that size
is new memory, which the system fills with zeros page by page. In training that took a fifth of the
time: gradients, casts and activations of the same sizes come and go with every update.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER = -1  # as an unsigned number, the largest there is


def keep_freed_memory() -> None:
    """Let this process use freed memory again before it asks the system for more.

    For processes that train or draw and then end; a library has no say in it, and a server gives
    back what it does not need. Elsewhere than with glibc it does nothing.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)


def give_freed_memory_back() -> None:
    """Give the system what is free, so that what is held is what is needed."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library of this process, if it is glibc."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
