"""How text is drawn: batched sampling, exact nucleus, stopping at the end of the sentence."""

from equipoise.decoding.nucleus import sample_tokens
from equipoise.decoding.sampler import sample
from equipoise.model.draws import Draw, Sampling

__all__ = ["Draw", "Sampling", "sample", "sample_tokens"]
