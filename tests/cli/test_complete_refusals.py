"""What ``equipoise complete`` refuses, and when: before loading a model, or before distilling."""

import pytest

from equipoise.methods.ctrlg.completion import check_text

# (arguments, what the error starts with, what it says)
LINES = {
    "words: no colon": (["--words", "8-15"], "--words: '8-15' is no range of words. Write FEWEST"),
    "words: reversed": (["--words", "15:8"], "--words: '15:8' is no range of words."),
    "words: none": (["--words", "0:8"], "--words: '0:8' is no range of words."),
    "words: too many": (["--words", "8:99999999999"], "--words: '8:99999999999' is no range"),
    "empty item": (["--all-of", "dog,,park"], "--all-of: an item of 'dog,,park' is empty. Write"),
    "empty list": (["--any-of", ""], "--any-of: an item of '' is empty."),
    "empty alternative": (["--none-of", "dog|"], "--none-of: an item of 'dog|' is empty."),
    "no word": (["--all-of", "dog!"], "--all-of: 'dog!' has other characters than letters"),
    "twice in one flag": (
        ["--all-of", "dog,dog|dogs"],
        "--all-of, --any-of, --none-of: 'dog' stands in it twice. Keep one of the two.",
    ),
    "wanted and banned": (
        ["--all-of", "dog", "--none-of", "dog|cat"],
        "--all-of, --any-of, --none-of: 'dog' stands in it twice.",
    ),
    "twice in one item": (["--all-of", "dog|dog"], "--all-of: 'dog' stands twice in 'dog|dog'."),
    "whole sentence": (["--prompt", "It ran. Then"], "--prompt: 'It ran.' is a whole sentence."),
    "sentence at the end": (["--prompt", "It ran."], "--prompt: 'It ran.' is a whole sentence."),
    "control character": (["--prompt", "a\x1bb"], r"--prompt: '\x1b' is never written"),
    "abbreviation": (["--prompt", "Dr. Lee was"], "--prompt: 'Dr.' has a full stop that ends no"),
    "mark": (["--prompt", "a\u0335b"], r"--prompt: '\u0335' is never written"),
    "states": (["--hidden-states", "0"], "--hidden-states: input should be greater than"),
    "samples": (["--hmm-samples", "1"], "--hmm-samples: input should be greater than"),
    "temperature": (["--temperature", "-1"], "--temperature: input should be greater than"),
    "model": (["--model", "gemma-3"], "--model: unknown model 'gemma-3'."),
    "hmm is missing": (["--hmm", "no"], "no: no whole HMM is there: its manifest.json is missing"),
}


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize("case", LINES)
def test_bad_input_is_found_before_a_model_is_loaded(case, equipoise):
    arguments, message = LINES[case]
    outcome = equipoise("complete", *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"Error: {message}"), outcome.err


def test_an_unfinished_beginning_is_fine():
    for text in ("", "The dog", "1. The dog costs 3.5", 'He said "yes', "Ms Lee, 40, was"):
        check_text(text)


INFEASIBLE = {
    "banned in the prompt": (
        ["--prompt", "The nurse was", "--none-of", "nurse"],
        "of 'The nurse was' satisfies the constraint: --none-of {nurse} cannot be met with",
    ),
    "wanted and banned": (
        ["--all-of", "bold", "--none-of", "loyal|bold"],
        "--none-of {loyal} or --all-of {bold} cannot be met with the rest of it.",
    ),
    "too few words": (
        ["--prompt", "The nurse was bold", "--words", "1:3"],
        "words = [1, 3] cannot be met with the rest of it. Drop or relax that clause.",
    ),
    "too few tokens": (
        ["--all-of", "nurse,bold,loyal", "--max-new-tokens", "2"],
        "--max-new-tokens: after '' the constraint needs at least",
    ),
}


@pytest.mark.parametrize("case", INFEASIBLE)
def test_what_cannot_be_met_is_refused_before_distilling(
    case, equipoise, tiny_model_folder, monkeypatch
):
    def distil(*arguments: object) -> None:
        raise AssertionError("an HMM was distilled for nothing")

    monkeypatch.setattr("equipoise.methods.ctrlg.distillation.distill", distil)
    arguments, message = INFEASIBLE[case]
    outcome = equipoise("complete", "--model", tiny_model_folder, *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err
