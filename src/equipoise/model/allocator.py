"""Keep freed memory in the process, so that large tensors do not fault their pages in anew.

glibc maps every block above 32 MB from the kernel and gives it back when it is freed. A training
step frees and allocates over half a gigabyte of gradients, and each of their pages is then zeroed
and faulted in again: an eighth of the step on the build machine (`make bench` measures it).
"""

from __future__ import annotations

import ctypes
import platform

# Numbers of mallopt(3) in glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_TOP_PAD_BYTES, _NEVER = 64 << 20, -1


def keep_freed_memory() -> bool:
    """Let malloc serve large blocks from its heap and keep them; whether it could be set.

    Only glibc has these switches; elsewhere nothing happens. The peak stays what it was within a
    few percent.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = {_MMAP_MAX: 0, _TRIM_THRESHOLD: _NEVER, _TOP_PAD: _TOP_PAD_BYTES}
    return all(libc.mallopt(option, value) == 1 for option, value in settings.items())
