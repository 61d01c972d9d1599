"""Other models that read along while completions are drawn, and shift the logits.

One pass of each model a step: what a row has drawn is put into the others' caches when their logits
are asked for, for all rows at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from equipoise.decoding.cache import RowCache
from equipoise.decoding.prefill import prefill
from equipoise.decoding.sampler import step
from equipoise.model.draws import Prompt
from equipoise.model.language_model import LanguageModel


class Companion:
    """A model that reads what the rows of a batch hold, one token behind whoever draws.

    Args:
        lm: The model, weights in its compute type.
        prompts: What rows may begin with, in tokens that it shares with whoever draws.
    """

    def __init__(self, lm: LanguageModel, prompts: Sequence[Prompt]) -> None:
        self._lm = lm
        self._first, self._states = prefill(lm, prompts)

    def allocate(self, n_rows: int) -> None:
        """See ``Control.allocate``."""
        self._cache = RowCache(self._states, n_rows)
        self._logits = self._first[:1].repeat(n_rows, 1)
        self._pending = torch.zeros(n_rows, dtype=torch.long, device=self._lm.device)
        self._unread = torch.zeros(n_rows, dtype=torch.bool)

    def start(self, rows: Sequence[int], prompts: Sequence[int]) -> None:
        """See ``Control.start``."""
        device = self._lm.device
        index = torch.tensor(prompts, device=device)
        self._cache.start(torch.tensor(rows, device=device), index)
        self._logits[list(rows)] = self._first[index]
        self._unread[list(rows)] = False

    def accept(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """See ``Control.accept``: read when logits are asked for."""
        self._pending[list(rows)] = torch.tensor(tokens, device=self._lm.device)
        self._unread[list(rows)] = True

    def keep(self, rows: Sequence[int]) -> None:
        """See ``Control.keep``."""
        kept = torch.tensor(rows, device=self._lm.device)
        self._cache.keep(kept)
        self._logits, self._pending = self._logits[kept], self._pending[kept]
        self._unread = self._unread[list(rows)]

    def logits(self, rows: Sequence[int]) -> Tensor:
        """Logits [R, V] after all that ``rows`` hold; rows that have ended get any."""
        if bool(self._unread[list(rows)].any()):
            self._read()
        return self._logits[list(rows)]

    def _read(self) -> None:
        """Put the token drawn last into every row; rows to which none was added have ended."""
        self._cache.rest((~self._unread).nonzero()[:, 0].to(self._lm.device))
        self._logits = step(self._lm, self._cache, self._pending)
        self._unread[:] = False


class Experts:
    """Shifts logits z towards what an expert finds likelier than an anti-expert does.

    z + α (z⁺ − z⁻): DExperts (Liu et al. 2021, arXiv 2105.03023, equation 1). It is a
    ``decoding.control.Control``.

    Args:
        alpha: The weight α.
        expert: Gives z⁺.
        anti_expert: Gives z⁻; None for the model itself that draws.
    """

    def __init__(self, alpha: float, expert: Companion, anti_expert: Companion | None) -> None:
        self.alpha, self.expert, self.anti_expert = alpha, expert, anti_expert
        self._all = [expert] if anti_expert is None else [expert, anti_expert]

    def allocate(self, n_rows: int) -> None:
        """See ``Control.allocate``."""
        for one in self._all:
            one.allocate(n_rows)

    def start(self, rows: Sequence[int], prompts: Sequence[int]) -> None:
        """See ``Control.start``."""
        for one in self._all:
            one.start(rows, prompts)

    def adjust(self, logits: Tensor, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """See ``Control.adjust``: of the tokens that all models have."""
        liked = self.expert.logits(rows)
        disliked = logits if self.anti_expert is None else self.anti_expert.logits(rows)
        shared = min(logits.shape[-1], liked.shape[-1], disliked.shape[-1])
        base, liked, disliked = (z[:, :shared].float() for z in (logits, liked, disliked))
        return base + self.alpha * (liked - disliked), torch.arange(shared, device=logits.device)

    def accept(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """See ``Control.accept``."""
        for one in self._all:
            one.accept(rows, tokens)

    def keep(self, rows: Sequence[int]) -> None:
        """See ``Control.keep``."""
        for one in self._all:
            one.keep(rows)
