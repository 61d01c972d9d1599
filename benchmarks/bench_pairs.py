"""Minimal pairs: Equipoise's prefix trees against one sentence a row.

All sentences of a file of pairs, such as the 1,508 pairs of CrowS-Pairs, are scored on the embedded
model in float32. Two peers: 32 sentences a batch in the file's order, padded, all logits, a
log-softmax over them; and the same one sentence at a time. Seconds are those of the processor, all
threads together, so that a busy machine tells the same. Goal: at least 4 times faster, with equal
values.

    python benchmarks/bench_pairs.py --file crows_pairs_anonymized.csv [--most N]
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sides import main, number, report, run_side, skip, text


def the_pairs() -> tuple[Any, list[Any]]:
    """The model and the pairs; the same for all sides."""
    from equipoise import load_model
    from equipoise.measures.side_effects.pair_files import read_pairs

    lm = load_model("smollm2-135m-instruct", dtype="float32")
    lm.use_compute_type()
    return lm, read_pairs(Path(text("--file", "")), {})[1][: number("--most", 1_000_000)]


def ours() -> None:
    """Prefix trees."""
    from equipoise.measures.side_effects.pairs import preferences

    lm, pairs = the_pairs()
    preferences(lm, pairs[:4])
    started = time.process_time()
    values = preferences(lm, pairs)
    report({"seconds": time.process_time() - started, "values": values})


def one_a_row() -> None:
    """Padded batches of whole sentences."""
    import torch

    from equipoise.measures.side_effects.pairs import opened

    lm, pairs = the_pairs()
    batch = number("--batch", 32)

    def score(sentences: list[str]) -> list[float]:
        whole = [opened(lm, sentence) for sentence in sentences]
        ids = torch.zeros(len(whole), max(map(len, whole)), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(whole):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        with torch.inference_mode():
            logits = lm.model(input_ids=ids, attention_mask=mask).logits
            found = logits[:, :-1].float().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
        values: list[float] = (found * mask[:, 1:]).sum(dim=-1).tolist()
        return values

    sentences = [side for pair in pairs for side in (pair.stereotyped, pair.other)]
    score(sentences[:4])
    started = time.process_time()
    found: list[float] = []
    for start in range(0, len(sentences), batch):
        found += score(sentences[start : start + batch])
    seconds = time.process_time() - started
    values = [one - other for one, other in zip(found[::2], found[1::2], strict=True)]
    report({"seconds": seconds, "values": values})


def compare() -> None:
    """Run all sides and print the ratios, and how far their values are apart."""
    if not text("--file", ""):
        skip("name a file of minimal pairs: --file crows_pairs_anonymized.csv")
    asked = ("--file", text("--file", ""), "--most", str(number("--most", 1_000_000)))
    own = run_side(__file__, "ours", *asked)
    print(f"Equipoise: {own['seconds']:.1f} s, {len(own['values']):,} pairs")
    for batch in (32, 1):
        peer = run_side(__file__, "row", *asked, "--batch", str(batch))
        apart = max(abs(a - b) for a, b in zip(own["values"], peer["values"], strict=True))
        print(
            f"{batch} sentences a batch: {peer['seconds']:.1f} s, ratio "
            f"{peer['seconds'] / own['seconds']:.1f} (goal 4); values differ by {apart:.1e} at most"
        )


if __name__ == "__main__":
    main(__file__, {"ours": ours, "row": one_a_row}, compare)
