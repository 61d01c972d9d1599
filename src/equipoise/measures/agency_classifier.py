"""Language agency beyond word lists: is a sentence agentic or communal?

A logistic regression on the states of the frozen base model, averaged over the sentence's tokens
at three layers, learnt from the Language Agency Classification data (LAC; Wan & Chang 2024,
arXiv 2404.10508) where the user has them. Nothing is stored but its coefficients, as safetensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import read_rows
from equipoise.measures.judging import TREE_NODES, pack
from equipoise.model.language_model import LanguageModel
from equipoise.model.prefix_tree import PrefixTree, TokenSequence, pooled_states
from equipoise.progress import tell

Array = np.ndarray

LONGEST = 256
"""Tokens of a text that are read; of a longer one the first ones."""

PENALTY = 0.01
"""Inverse strength of the ridge penalty on standardised states (scikit-learn's ``C``)."""


@dataclass(frozen=True)
class AgencyClassifier:
    """The probability that a sentence's language is agentic, from its mean states.

    Attributes:
        weights: [F] for F = layers x hidden size features.
        intercept: Its constant.
        layers: At which layers the states are taken; 0 is the embedding.
        accuracy: Share of the validation sentences it classifies rightly, 0-1.
        sentences: How many those are.
    """

    weights: Array
    intercept: float
    layers: tuple[int, ...]
    accuracy: float
    sentences: int

    def __call__(self, states: Array) -> Array:
        """Probability [N], 0-1, that each sentence is agentic; NaN where its states [N, F] are."""
        logits = states @ self.weights + self.intercept
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))

    def save(self, path: str | Path) -> None:
        """Write it as safetensors."""
        from safetensors.numpy import save_file

        numbers = [self.intercept, self.accuracy, self.sentences]
        save_file(
            {
                "weights": self.weights.astype(np.float64),
                "layers": np.array(self.layers, dtype=np.int64),
                "numbers": np.array(numbers, dtype=np.float64),
            },
            str(path),
        )

    @classmethod
    def load(cls, path: str | Path) -> AgencyClassifier:
        """Read what `save` wrote.

        Raises:
            EquipoiseError: The file is missing, damaged or something else.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            found = load_file(str(path))
            intercept, accuracy, sentences = found["numbers"].tolist()
            layers = tuple(found["layers"].tolist())
            return cls(found["weights"], intercept, layers, accuracy, int(sentences))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise EquipoiseError(
                f"holds no agency classifier ({error})", file=path, hint="Delete it."
            ) from None


def read_lac(path: str | Path) -> tuple[list[str], Array]:
    """Sentences and labels, 1 agentic and 0 communal, of a LAC file.

    Raises:
        EquipoiseError: It cannot be read, lacks ``text`` or ``label``, or a label is neither.
    """
    rows = read_rows(path)
    if "text" not in rows.columns or "label" not in rows.columns:
        raise EquipoiseError(
            "has no columns 'text' and 'label'", file=path, hint="Give a file of the LAC data."
        )
    labels = [label.strip() for label in rows.columns["label"]]
    for number, label in enumerate(labels):
        if label not in ("0", "1"):
            raise EquipoiseError(
                f"{rows.place(number)}: label {label[:40]!r} is neither 0 nor 1",
                file=path,
                hint="Write 1 for agentic, 0 for communal.",
            )
    if len(set(labels)) < 2:
        raise EquipoiseError(
            "all sentences have the same label", file=path, hint="Give sentences of both."
        )
    return rows.columns["text"], np.array(labels, dtype=int)


def check_lac(folder: str | Path) -> tuple[Path, Path]:
    """The training and validation file of a LAC folder, once both can be read.

    Raises:
        EquipoiseError: See `read_lac`.
    """
    files = Path(folder) / "train.csv", Path(folder) / "validation.csv"
    for path in files:
        read_lac(path)
    return files


def train_classifier(
    lm: LanguageModel,
    folder: str | Path,
) -> AgencyClassifier:
    """Learn from ``train.csv`` of ``folder``, and measure on its ``validation.csv``.

    Args:
        lm: The base model, untuned; it is not changed.
        folder: With the LAC files.

    Raises:
        EquipoiseError: See `check_lac`.
    """
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    train_file, validation_file = check_lac(folder)
    (texts, labels), (others, truth) = read_lac(train_file), read_lac(validation_file)
    layers = probe_layers(lm)
    states = sentence_states(lm, [*texts, *others], layers, "reading LAC")
    if np.isnan(states).any():
        raise EquipoiseError("a sentence is empty", file=folder, hint="Take it out.")
    train, validation = states[: len(texts)], states[len(texts) :]
    mean, scale = train.mean(0), train.std(0) + 1e-6
    fitted: Any = LogisticRegression(C=PENALTY, max_iter=5000)
    fitted.fit((train - mean) / scale, labels)
    weights = fitted.coef_[0] / scale  # the standardisation folded in
    intercept = float(fitted.intercept_[0] - mean @ weights)
    right = (validation @ weights + intercept > 0) == (truth == 1)
    return AgencyClassifier(weights, intercept, layers, float(right.mean()), len(truth))


def probe_layers(lm: LanguageModel) -> tuple[int, ...]:
    """The layers at a third, two thirds and the end: 10, 20 and 30 of 30."""
    layers = int(lm.model.config.get_text_config().num_hidden_layers)
    return tuple(sorted({max(1, layers // 3), max(1, 2 * layers // 3), layers}))


def sentence_states(
    lm: LanguageModel,
    texts: Iterable[str],
    layers: Sequence[int],
    stage: str = "reading",
) -> Array:
    """Mean state [N, layers x hidden size] of the tokens of each text, read by itself.

    The first token, which nothing predicts or which begins every text, is left out; a text of no
    other, such as an empty one, has NaN throughout. ``stage`` is what the work is called.
    """
    tokens = [lm.encoder.plain(text[: 20 * LONGEST])[: LONGEST + 1] for text in texts]
    there = [index for index, found in enumerate(tokens) if len(found) > 1]
    sequences = [TokenSequence(tuple(tokens[index]), 1) for index in there]
    size = int(lm.model.config.get_text_config().hidden_size)
    states = np.full((len(tokens), len(layers) * size), np.nan)
    done = len(tokens) - len(there)
    for chosen in pack(sequences, TREE_NODES):
        tree = PrefixTree.build(sequences[index] for index in chosen).to(lm.device)
        with torch.inference_mode(), lm.autocast():
            found = pooled_states(lm.model, tree, layers)
        states[[there[index] for index in chosen]] = found.double().cpu().numpy()
        done += len(chosen)
        tell(stage, done, len(tokens))
    return states
