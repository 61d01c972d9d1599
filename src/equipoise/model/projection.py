"""An affine projection of hidden states, in the factors that make it cheap."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Projection:
    """``x - left @ right.T @ (x - centre)``: what lies in the k columns of ``left`` goes.

    It is a projection, which changes nothing when applied again, if ``right.T @ left`` is the
    identity; an orthogonal one if ``left`` equals ``right``.

    Attributes:
        left: [D, k], float64 on the CPU: the directions that are taken away.
        right: [D, k]: how much of each a state has.
        centre: [D]: the state that stays what it is; zeros make the projection linear.
    """

    left: Tensor
    right: Tensor
    centre: Tensor

    @property
    def rank(self) -> int:
        """Number of directions k that are taken away."""
        return int(self.left.shape[1])

    @property
    def matrix(self) -> Tensor:
        """[D, D], the linear part P of ``x -> P x + offset``."""
        eye = torch.eye(len(self.left), dtype=self.left.dtype, device=self.left.device)
        return eye - self.left @ self.right.mT

    @property
    def offset(self) -> Tensor:
        """[D], what is added after multiplying by ``matrix``."""
        return self.left @ (self.right.mT @ self.centre)

    def to(self, device: torch.device, dtype: torch.dtype) -> Projection:
        """The projection with its tensors on ``device`` in ``dtype``."""
        factors = (self.left, self.right, self.centre)
        # Laid out alike wherever they come from, so that products round alike.
        return Projection(*(factor.to(device, dtype).contiguous() for factor in factors))

    def __call__(self, states: Tensor) -> Tensor:
        """``states`` [..., D] projected, in their own type.

        Computed in the projection's type, also under autocast: what bfloat16 leaves of an erased
        direction would be a hundredth of it.
        """
        with torch.autocast(states.device.type, enabled=False):
            exact = states.to(self.left.dtype)
            removed = ((exact - self.centre) @ self.right) @ self.left.mT
            return (exact - removed).to(states.dtype)
