"""What a reader may set about tests and intervals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from equipoise.settings import Settings


class StatisticsSettings(Settings):
    """How methods are compared."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level of every test; intervals are of 1 - alpha."""
    margin: float = Field(default=0.05, gt=0, le=1)
    """"As good as": the largest difference of rates that does not matter, 0.05 = 5 points."""
    subjects: Literal["sampled", "fixed"] = "sampled"
    """Whether conclusions are about subjects of this kind (sampled) or about these (fixed)."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Of permutations and resampling."""
