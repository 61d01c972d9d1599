"""Least-squares concept erasure (Belrose et al. 2023, arXiv 2306.03819, section 4).

With W = Σ_xx^(-1/2), the whitening of the states x, and z the labels, the affine map

    r(x) = x - W⁺ U Uᵀ W (x - E x),    the columns of U an orthonormal basis of W Σ_xz

makes the cross-covariance of r(x) and z zero, so that no linear classifier of r(x) is better than
a constant one (their Theorem 3.1), and changes x least of all affine maps that do. The closed form
is computed by the authors' package ``concept-erasure``.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from equipoise.methods.erasure.probe import Floats, Ints
from equipoise.model.projection import Projection


def fit_eraser(states: Floats, concept: Floats, *, affine: bool, shrinkage: bool) -> Projection:
    """The projection that makes ``states`` and ``concept`` uncorrelated.

    Args:
        states: [N, D].
        concept: [N, Z], one number a label, or several.
        affine: Keep the mean state; otherwise the map is linear.
        shrinkage: Estimate Σ_xx with shrinkage towards a multiple of the identity (Bodnar et al.
            2014, arXiv 1308.2608), which few states need. It does not touch the guarantee, which
            holds for any W, only how much is changed.
    """
    fitter = _fitter().fit(
        torch.from_numpy(states),
        torch.from_numpy(concept),
        affine=affine,
        shrinkage=shrinkage,
        # The package's default mixes in another projection where the variance would grow, which
        # leaves correlations behind.
        constrain_cov_trace=False,
        svd_tol=1e-6,
    )
    eraser = fitter.eraser
    used = eraser.proj_left.norm(dim=0) > 0  # the package writes zeros for what it drops
    centre = fitter.mean_x if affine else torch.zeros(states.shape[1], dtype=torch.float64)
    return Projection(eraser.proj_left[:, used], eraser.proj_right.mT[:, used], centre)


def _fitter() -> Any:
    """The package's class; a part of the package that is not used here uses deprecated torch."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", DeprecationWarning)
        from concept_erasure import LeaceFitter
    return LeaceFitter


def concept_by_part(values: Floats, parts: Ints) -> Floats:
    """``values`` [N] as one column for each part, [N, Z]: zero outside of it.

    With values that are centred within each part, states that are uncorrelated with all columns
    are so within every part. For two classes of equal size that means equal means in every part.
    """
    return np.column_stack([values * (parts == part) for part in np.unique(parts)])
