"""An estimate with the sources of its uncertainty: its interval, its test, its equivalence test.

The sources (seeds, subjects) are few and of unequal number, so that no single t distribution fits.
With shares w_i of the variance, source i having d_i degrees of freedom, the error is referred to
the mixture of t distributions

    P(|error| > x) = sum_i w_i P(|t(d_i)| > x / SE).

With one source that is Student's t. With two, 95 % intervals lie between Satterthwaite's
approximation, which is too narrow when the source of two degrees of freedom happens to look small,
and the conservative interval of Banerjee (1960, "Approximate confidence interval for linear
functions of means of k populations when the population variances are not equal"). The mixture is
this project's choice, for how it is calibrated: see docs/statistics.md, benchmarks/calibration.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An estimate, or many at once: the leading axes of all arrays are the same.

    Attributes:
        value: The estimate, shape (...).
        variances: Variance of the estimate that comes from each source, 0 or more, shape
            (..., sources); there may be no source.
        df: Degrees of freedom of each source, shape (..., sources), or broadcast to it.
        sampling: Variance that sampling of texts alone gives, shape (...). The interval is never
            narrower than the normal one of this variance; 0 where it is not to matter.
    """

    value: Floats
    variances: Floats
    df: Floats
    sampling: Floats

    @property
    def se(self) -> Floats:
        """Standard error, shape (...)."""
        se: Floats = np.sqrt(np.maximum(self.variances.sum(axis=-1), self.sampling))
        return se

    def exceeds(self, distance: Any) -> Floats:
        """P(error > ``distance``), one-sided, for any real distance; shape (...).

        NaN where nothing varies at all: there is no error to speak of, and no test.
        """
        from scipy.special import ndtr

        total = self.variances.sum(axis=-1)
        away = np.abs(np.asarray(distance, dtype=np.float64) + np.zeros_like(total))
        with np.errstate(divide="ignore", invalid="ignore"):
            mixed = np.where(total > 0, self.tail(away / np.sqrt(total)), 0.0)
            normal = np.where(self.sampling > 0, ndtr(-away / np.sqrt(self.sampling)), 0.0)
        tail = np.where(self.se > 0, np.maximum(mixed, normal), np.nan)
        return np.where(np.asarray(distance) >= 0, tail, 1 - tail)

    def p_value(self, null: float = 0.0) -> Floats:
        """Two-sided p-value of "the true value is ``null``", 0-1, shape (...)."""
        return 2 * self.exceeds(np.abs(self.value - null))

    def p_equivalent(self, margin: float) -> Floats:
        """p-value of two one-sided tests (Schuirmann 1987), 0-1, shape (...).

        Small when the true value lies between -``margin`` and ``margin`` for sure; then the
        interval of twice the error lies there too. A large one says nothing: the value may be
        outside, or the data may be too few.

        Args:
            margin: The largest value that does not matter, above 0.
        """
        return np.maximum(self.exceeds(self.value + margin), self.exceeds(margin - self.value))

    def interval(self, confidence: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper end, each of shape (...); both are the value where nothing varies.

        The true value is outside with p below 1 - ``confidence``, and the other way round.
        """
        half = self.half_width(confidence)
        return self.value - half, self.value + half

    def half_width(self, confidence: float = 0.95) -> Floats:
        """Half the width of the interval, 0 or more, shape (...)."""
        from scipy.special import ndtri

        tail = (1 - confidence) / 2
        sources = self.quantile(confidence) * np.sqrt(self.variances.sum(axis=-1))
        half: Floats = np.maximum(sources, -ndtri(tail) * np.sqrt(self.sampling))
        return half

    def quantile(self, confidence: float = 0.95) -> Floats:
        """Two-sided quantile of the mixture, in standard errors of the sources, shape (...).

        Normal where there is no source. Found by bisection: the quantile of a mixture lies between
        those of its parts.
        """
        from scipy.special import ndtri, stdtrit

        wanted = (1 - confidence) / 2
        total = self.variances.sum(axis=-1)
        if not self.variances.shape[-1]:
            return np.full_like(total, -ndtri(wanted))
        ends = -stdtrit(self.df, wanted) + np.zeros_like(self.variances)
        low, high = ends.min(axis=-1), ends.max(axis=-1)
        if (low < high).any():
            for _ in range(50):
                middle = (low + high) / 2
                above = self.tail(middle) > wanted
                low, high = np.where(above, middle, low), np.where(above, high, middle)
        quantile: Floats = high
        return quantile

    def tail(self, quantile: Floats) -> Floats:
        """P(error > ``quantile`` standard errors of the sources), one-sided, shape (...).

        Normal where there is no source, or none that varies.

        Args:
            quantile: 0 or more, shape (...).
        """
        from scipy.special import ndtr, stdtr

        total = self.variances.sum(axis=-1)
        shares = self.variances / np.where(total > 0, total, 1.0)[..., None]
        mixed = (shares * stdtr(self.df, -quantile[..., None])).sum(axis=-1)
        tail: Floats = np.where(total > 0, mixed, ndtr(-quantile))
        return tail
