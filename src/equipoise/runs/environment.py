"""On what a study ran: versions, processor, devices, threads."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any

import psutil
import torch

import equipoise

PACKAGES = ("torch", "transformers", "accelerate", "peft", "tokenizers", "numpy", "pandas")


def environment(threads: int | None = None) -> dict[str, Any]:
    """What a reader needs to judge or repeat a run; nothing that names a person or a path.

    Args:
        threads: Of the processes that computed, if that was not this one.
    """
    cuda = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "equipoise": equipoise.__version__,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": threads or torch.get_num_threads(),
        "mkl_cbwr": os.environ.get("MKL_CBWR"),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpus": cuda,
    }


def _processor() -> str:
    """The processor's name where the system tells it, else its architecture."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
