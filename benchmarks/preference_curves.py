"""The figure of docs/dpo.md: how the log-probability of both sides moves while DPO learns.

Drawn from a finished run of the study 'preference': a panel a method, the mean over seeds as a
line, all seeds as a band.

    python benchmarks/preference_curves.py [--run runs/preference] [--out FILE.svg]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from sides import text

METHODS = {
    "dpo-paper": "DPO, the paper's setting (LoRA, 5e-5)",
    "dpo-free": "DPO, free pairs",
    "dpo-minimal": "DPO, minimal pairs",
    "dpo-free-sft": "DPO + SFT term, free pairs",
    "dpo-minimal-sft": "DPO + SFT term, minimal pairs",
    "sft-dpo": "SFT, then DPO",
}
SIDES = {
    "chosen_change": ("chosen", "#0072b2", "-"),
    "rejected_change": ("rejected", "#d55e00", "--"),
}
"""Line and colour of each side: colours that colour-blind readers can tell apart."""


def curves(run: Path, label: str, name: str) -> np.ndarray:
    """[seeds, updates] of one logged value."""
    found = []
    for path in sorted((run / "cells" / label).glob("seed*/training_info.json")):
        history: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["history"]
        found.append([row[name] for row in history if name in row])
    return np.array(found)


def draw(run: Path, out: Path) -> None:
    """Write the figure."""
    mpl.use("svg")
    mpl.rcParams.update(
        {
            "svg.hashsalt": "equipoise",
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": 9,
        }
    )
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(9, 5), sharex=True, layout="constrained")
    for axis, (label, title) in zip(axes.flat, METHODS.items(), strict=True):
        for name, (side, colour, style) in SIDES.items():
            values = curves(run, label, name)
            steps = np.arange(1, values.shape[1] + 1)
            axis.plot(steps, values.mean(axis=0), color=colour, linestyle=style, label=side)
            axis.fill_between(
                steps, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0
            )
        axis.axhline(0, color="#888888", linewidth=0.8)
        axis.set_title(title, fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(frameon=False)
    figure.supxlabel("update", fontsize=9)
    figure.supylabel("log p minus that of the model before, nats a sentence", fontsize=9)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(text("--run", "runs/preference")), Path(text("--out", "docs/figures/preference.svg")))
