"""The agency classifier: its states, what it learns, and its file."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from equipoise.errors import EquipoiseError
from equipoise.measures.agency_classifier import (
    LONGEST,
    AgencyClassifier,
    check_lac,
    probe_layers,
    read_lac,
    sentence_states,
    train_classifier,
)
from equipoise.model.language_model import LanguageModel

LAC = Path(__file__).parents[3] / "shared" / "data" / "lac"


def test_states_equal_one_sentence_at_a_time(tiny_lm: LanguageModel) -> None:
    texts = ["The nurse was bold.", "The nurse was bold and caring.", "", "A pilot", "The nurse"]
    assert len(tiny_lm.encoder.plain(texts[4])) > 1
    found = sentence_states(tiny_lm, texts, (1, 2))
    assert found.shape == (5, 2 * 32)
    assert np.isnan(found[2]).all()
    for text, row in zip(texts, found, strict=True):
        tokens = tiny_lm.encoder.plain(text)
        if len(tokens) > 1:
            with torch.inference_mode():
                states = tiny_lm.model(
                    torch.tensor([tokens]), output_hidden_states=True
                ).hidden_states
            # nothing predicts the first token, so it is context
            expected = torch.cat([states[layer][0, 1:].mean(0) for layer in (1, 2)])
            np.testing.assert_allclose(row, expected.numpy(), rtol=2e-4, atol=2e-5)


def test_long_texts_are_read_at_their_beginning(tiny_lm: LanguageModel) -> None:
    seen: list[tuple[int, int]] = []
    long = "bold and caring " * 5000
    found = sentence_states(
        tiny_lm, [long, long[: 16 * LONGEST]], (2,), lambda done, n: seen.append((done, n))
    )
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3, atol=1e-4)
    assert seen[-1] == (2, 2)


def test_layers_are_at_thirds(tiny_lm: LanguageModel, embedded_model: LanguageModel) -> None:
    assert probe_layers(embedded_model) == (10, 20, 30)
    assert probe_layers(tiny_lm) == (1, 2)


def write_lac(
    folder: Path, train: list[tuple[str, object]], validation: list[tuple[str, object]]
) -> Path:
    for name, rows in (("train", train), ("validation", validation)):
        lines = ["text,label", *(f'"{text}",{label}' for text, label in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


AGENTIC, COMMUNAL = "The doctor was assertive {}.", "The nurse was caring {}."
FILLING = ["at work", "on board", "with technical skills", "when treating patients", "long"]


def examples(words: list[str]) -> list[tuple[str, object]]:
    return [(t.format(w), label) for w in words for t, label in ((AGENTIC, 1), (COMMUNAL, 0))]


def test_learns_what_can_be_learnt_and_keeps_it(tiny_lm: LanguageModel, tmp_path: Path) -> None:
    folder = write_lac(tmp_path, examples(FILLING[:4]), examples(FILLING[4:]))
    classifier = train_classifier(tiny_lm, folder)
    assert (classifier.accuracy, classifier.sentences, classifier.layers) == (1.0, 2, (1, 2))
    texts = [AGENTIC.format("ever"), COMMUNAL.format("ever"), ""]
    said = classifier(sentence_states(tiny_lm, texts, classifier.layers))
    assert said[0] > 0.5 > said[1]
    assert math.isnan(said[2])
    assert ((said[:2] > 0) & (said[:2] < 1)).all()
    classifier.save(tmp_path / "agency.safetensors")
    again = AgencyClassifier.load(tmp_path / "agency.safetensors")
    np.testing.assert_array_equal(again.weights, classifier.weights)
    assert (again.intercept, again.layers) == (classifier.intercept, classifier.layers)
    assert (again.accuracy, again.sentences) == (1.0, 2)


def test_labels_that_are_turned_round_turn_it_round(tiny_lm: LanguageModel, tmp_path: Path) -> None:
    """What it says comes from the labels, not from the states alone."""
    folder = write_lac(tmp_path, examples(FILLING[:4]), examples(FILLING[4:]))
    straight = train_classifier(tiny_lm, folder)
    turned = [(text, 1 - int(str(label))) for text, label in examples(FILLING[:4])]
    write_lac(tmp_path, [*turned], examples(FILLING[4:]))
    other = train_classifier(tiny_lm, tmp_path)
    np.testing.assert_allclose(other.weights, -straight.weights, rtol=1e-2, atol=1e-4)
    assert other.accuracy == 0


def test_probabilities_of_extreme_states() -> None:
    classifier = AgencyClassifier(np.array([1.0, 0.0]), 0.0, (1,), 1.0, 1)
    states = np.array([[0.0, 5.0], [1e9, 0.0], [-1e9, 0.0]])
    assert classifier(states).tolist() == pytest.approx([0.5, 1, 0], abs=1e-100)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("sentence,label\na,1\n", "has no columns 'text' and 'label'"),
        ("text,label\na,1\nb,2\n", "line 3: label '2' is neither 0 nor 1"),
        ("text,label\na,1\nb,1\n", "all sentences have the same label"),
    ],
)
def test_files_that_are_no_lac(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "train.csv"
    path.write_text(content)
    with pytest.raises(EquipoiseError, match=re.escape(f"{path}: {message}")):
        read_lac(path)


def test_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError, match=r"train\.csv: no such file"):
        check_lac(tmp_path)


def test_empty_sentences_are_refused(tiny_lm: LanguageModel, tmp_path: Path) -> None:
    folder = write_lac(tmp_path, [("", 1), ("b", 0)], [("a", 1), ("b", 0)])
    with pytest.raises(EquipoiseError, match="a sentence is empty"):
        train_classifier(tiny_lm, folder)


def test_damaged_file_is_no_classifier(tmp_path: Path) -> None:
    path = tmp_path / "agency.safetensors"
    path.write_bytes(b"no")
    for place in (path, tmp_path / "none"):
        with pytest.raises(EquipoiseError, match="holds no agency classifier"):
            AgencyClassifier.load(place)


@pytest.mark.skipif(not LAC.is_dir(), reason="the LAC data is not here")
def test_accuracy_on_lac(embedded_model: LanguageModel) -> None:
    assert train_classifier(embedded_model, LAC).accuracy >= 0.86
