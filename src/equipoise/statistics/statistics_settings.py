"""What a reader may set about tests and intervals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from equipoise.settings import Settings


class StatisticsSettings(Settings):
    """How methods are compared."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Level of every test; intervals are of 1 - alpha."""
    margin: Annotated[float, Field(gt=0, le=1)] = 0.05
    """"As good as": the largest difference of rates that does not matter, 0.05 = 5 points."""
    subjects: Literal["sampled", "fixed"] = "sampled"
    """Whether conclusions are about subjects of this kind (sampled) or about these (fixed)."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of permutations and resampling."""
