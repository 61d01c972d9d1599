"""``equipoise complete``: what it prints holds what was asked for, and what it refuses."""

import re
from pathlib import Path

import pytest
import torch

from equipoise.cli.terminal import show_marked
from equipoise.cli.wanted import constraint_of
from equipoise.files.artifacts import read_json
from equipoise.methods.ctrlg.completion import Completer
from equipoise.methods.ctrlg.hmm import HMM, from_counts
from equipoise.methods.ctrlg.hmm_store import RECORD, WEIGHTS, model_identity, save
from equipoise.model.draws import Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.task.sentence import first_sentence
from tiny_models import byte_level_tokenizer, metaspace_tokenizer, tiny_llama, wrap_tokenizer

SMALL = ("--hidden-states", "2", "--hmm-samples", "20", "--max-new-tokens", "40")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of its own, outside the folder that commands run in."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EQUIPOISE_CACHE", str(folder))
    return folder


def random_hmm(folder: Path, tokens: int) -> Path:
    """A folder with an HMM of 2 states over ``tokens`` tokens, as 'equipoise distill' writes it."""
    hmm = from_counts(torch.rand(2), torch.rand(2, 2), torch.rand(2, tokens), 1.0)
    record = {"tokens": 1, "train": [-1.0], "held_out": [-1.0], "chosen": 0}
    save(folder, hmm, {"record": record})
    return folder


def words_of(sentence: str) -> set[str]:
    """The words in lower case; a hyphen or apostrophe is part of one only between its letters."""
    return set(re.findall(r"\w+(?:['’‐‑-]\w+)*", sentence.lower()))


@pytest.mark.slow
def test_every_sentence_holds_what_was_asked_for(equipoise, tiny_model_folder, cache):
    asked = ("--all-of", "bold|caring,nurse", "--any-of", "loyal,friendly", "--none-of", "doctor")
    line = ("complete", "--model", tiny_model_folder, "--prompt", " The\n pilot ", *asked)
    line = (*line, "--words", "6:9", "-n", "12", *SMALL)
    outcome = equipoise(*line)
    assert outcome.code == 0, outcome.err
    sentences = outcome.out.splitlines()
    assert len(sentences) == 12
    assert len(set(sentences)) > 6
    for sentence in sentences:
        found = words_of(sentence)
        assert sentence.startswith("The pilot")
        assert found & {"bold", "caring"}
        assert found & {"loyal", "friendly"}
        assert "nurse" in found
        assert "doctor" not in found
        assert first_sentence(sentence) == (sentence, True)
        assert 6 <= sum(any(map(str.isalnum, chunk)) for chunk in sentence.split()) <= 9
    assert "tiny on CPU" in outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    assert len(list((cache / "hmms").glob("*/hmm.safetensors"))) == 1

    assert equipoise(*line, "--quiet").out == outcome.out, "the cached HMM gives the same"
    other = equipoise(*line, "--seed", "1", "--quiet")
    assert (other.code, other.err) == (0, "")
    assert other.out != outcome.out


def test_without_a_prompt_and_with_an_hmm_of_its_own(equipoise, tiny_lm, tiny_model_folder, cache):
    rows = tiny_lm.model.get_output_embeddings().weight.shape[0]
    hmm = random_hmm(Path("hmm").absolute(), rows)
    options = ("--hmm", hmm, "--all-of", "nurse|nurses", "-n", "3", "--max-new-tokens", "30")
    outcome = equipoise("complete", "--model", tiny_model_folder, *options)
    assert outcome.code == 0, outcome.err
    sentences = outcome.out.splitlines()
    assert len(sentences) == 3
    assert all(words_of(sentence) & {"nurse", "nurses"} for sentence in sentences)
    assert not (cache / "hmms").exists(), "an HMM was distilled although one was given"


def test_words_as_this_file_reads_them():
    assert words_of("A s'-bold, well-known nurse's '3b'.") == {
        *("a", "s", "bold", "well-known", "nurse's", "3b")
    }


def test_terms_are_marked_on_a_terminal_only(capsys, monkeypatch):
    spans = [(4, 7, "bold dodger_blue1"), (15, 19, "bold underline orange1")]
    show_marked("The dog in the park\x1b.", spans)
    assert capsys.readouterr().out == "The dog in the park?.\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    show_marked("The dog in the park\x1b.", spans)
    shown = capsys.readouterr().out
    assert re.search(
        r"The \x1b\[1;[\d;]+mdog\x1b\[0m in the \x1b\[1;4;[\d;]+mpark\x1b\[0m\?", shown
    )


def test_the_command_marks_the_wanted_terms(equipoise, tiny_model_folder, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    options = ("--all-of", "nurse", "--any-of", "bold,caring", "-n", "2", "--quiet", *SMALL)
    outcome = equipoise("complete", "--model", tiny_model_folder, *options)
    assert outcome.code == 0, outcome.err
    for line in outcome.out.splitlines():
        marked = {m.lower() for m in re.findall(r"\x1b\[1;[\d;]+m(.+?)\x1b\[0m", line)}
        assert "nurse" in marked
        assert marked <= {"nurse", "bold", "caring"}
        assert len(marked) > 1


def test_a_length_that_the_model_seldom_writes_is_said(equipoise, tiny_model_folder):
    """Of a random model the HMM has no sentence that ends after just 17 words."""
    options = ("--words", "17:17", "-n", "1", "--no-prose", *SMALL)
    outcome = equipoise("complete", "--model", tiny_model_folder, *options)
    assert outcome.code == 0, outcome.err
    assert "ends a sentence here with 17:17 words about" in " ".join(outcome.err.split())


def test_the_chance_of_a_length_is_that_of_the_hmm():
    """Of an HMM that draws every token alike, wider ranges are likelier."""
    tokenizer = wrap_tokenizer(byte_level_tokenizer(), chat=True)
    model = tiny_llama(len(tokenizer))
    lm = LanguageModel(model, tokenizer, "tiny", torch.device("cpu"), torch.float32)
    hmm = from_counts(torch.ones(2), torch.ones(2, 2), torch.ones(2, len(tokenizer)), 1e-3)
    chances = []
    for words in ("3:9", "4:9", "4:4"):
        constraint = constraint_of("bold", None, None, words)
        completer = Completer.compiled(lm, "The pilot", constraint, Sampling(max_new_tokens=8))
        chances.append(completer.chance_of_length(hmm))
    assert 1 > chances[0] > chances[1] > chances[2] > 0


@pytest.mark.parametrize("prepend", ["always", "first", "never"])
def test_tokenizers_that_drop_the_first_space(prepend):
    tokenizer = wrap_tokenizer(metaspace_tokenizer(prepend), chat=True)
    model = tiny_llama(len(tokenizer) + 3)
    lm = LanguageModel(model, tokenizer, "tiny", torch.device("cpu"), torch.float32)
    constraint = constraint_of("bold|caring,nurse", None, "doctor", "4:9")
    completer = Completer.compiled(lm, "The pilot", constraint, Sampling(max_new_tokens=40))
    hmm = from_counts(torch.rand(2), torch.rand(2, 2), torch.rand(2, len(tokenizer) + 3), 1.0)
    for sentence in completer.complete(hmm, 50, 0):
        words = words_of(sentence)
        assert "nurse" in words, sentence
        assert words & {"bold", "caring"}, sentence
        assert "doctor" not in words, sentence


def test_an_hmm_of_another_vocabulary_is_refused(equipoise, tiny_model_folder):
    hmm = random_hmm(Path("hmm").absolute(), 7)
    outcome = equipoise("complete", "--model", tiny_model_folder, "--hmm", hmm)
    assert (outcome.code, outcome.out) == (1, "")
    assert "Error: --hmm: its HMM is over 7 tokens, and model 'tiny' has " in outcome.err


def test_an_hmm_of_another_model_is_refused(equipoise, tiny_lm, tiny_model_folder):
    folder = random_hmm(Path("hmm").absolute(), tiny_lm.output_rows)
    about = read_json(folder / RECORD) | {"model": "twin", "weights_sha256": "0" * 64}
    save(folder, HMM.load(folder / WEIGHTS), about)
    outcome = equipoise("complete", "--model", tiny_model_folder, "--hmm", folder)
    assert (outcome.code, outcome.out) == (1, "")
    assert "Error: --hmm: its HMM was distilled from model 'twin', whose weights" in outcome.err


def test_an_identity_does_not_depend_on_the_type_of_the_weights(tiny_model_folder):
    lm = load_model(tiny_model_folder)
    found = model_identity(lm)
    lm.model.to(torch.bfloat16)
    assert model_identity(lm) == found
    with torch.no_grad():
        next(lm.model.parameters())[0, 0] += 1
    assert model_identity(lm) != found


def test_a_sentence_that_fails_the_checker_is_never_printed(
    equipoise, tiny_model_folder, monkeypatch
):
    monkeypatch.setattr(
        "equipoise.methods.ctrlg.completion.first_sentence",
        lambda text: first_sentence("Something else."),
    )
    options = ("--all-of", "nurse", *SMALL)
    outcome = equipoise("complete", "--model", tiny_model_folder, *options)
    assert (outcome.code, outcome.out) == (1, "")
    message = (
        "RuntimeError: 'Something else.' does not satisfy the constraint. This is not expected"
    )
    assert message in outcome.err


def test_usage_errors_exit_with_two(equipoise):
    for line in (["-n", "0"], ["--seed", "-1"], ["--wrds", "1:2"]):
        outcome = equipoise("complete", *line)
        assert (outcome.code, outcome.out) == (2, "")
        assert "Usage: equipoise complete" in outcome.err
