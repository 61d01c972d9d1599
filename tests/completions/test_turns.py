"""Whole conversations: what was asked is no answer, and is given back."""

from __future__ import annotations

import pytest

from equipoise.completions.turns import without_tokens, without_turns

ASKED = "Complete: The nurse was"
SAID = "bold and caring."

CONVERSATIONS = {
    "chatml": f"<|im_start|>user\n{ASKED}<|im_end|>\n<|im_start|>assistant\n{SAID}<|im_end|>",
    "llama 2": f"<s>[INST] {ASKED} [/INST] {SAID}</s>",
    "llama 3": (
        f"<|start_header_id|>user<|end_header_id|>\n\n{ASKED}<|eot_id|>"
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{SAID}<|eot_id|>"
    ),
    "gemma": f"<start_of_turn>user\n{ASKED}<end_of_turn>\n<start_of_turn>model\n{SAID}",
    "phi": f"<|user|>\n{ASKED}<|end|>\n<|assistant|>\n{SAID}<|end|>",
    "deepseek": f"<｜User｜>{ASKED}<｜Assistant｜>{SAID}<｜end▁of▁sentence｜>",
    "vicuna": f"USER: {ASKED} ASSISTANT: {SAID}</s>",
    "alpaca": f"### Instruction:\n{ASKED}\n\n### Response:\n{SAID}",
    "names": f"User: {ASKED}\nAssistant: {SAID}",
    "bare": f"user\n{ASKED}\nassistant\n{SAID}",
    "glued": f"user\n\n{ASKED}assistant\n\n{SAID}",
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_only_the_answer_is_left(name: str) -> None:
    answer, question = without_turns(CONVERSATIONS[name])
    assert without_tokens(answer).strip() == SAID
    assert question == ASKED


@pytest.mark.parametrize(
    "text",
    ["A plain answer.", "The user was bold.", "He is an assistant", "The nurse was USER: bold."],
)
def test_a_text_without_turns_is_as_it_was(text: str) -> None:
    assert without_turns(text) == (text, "")


def test_a_question_alone_may_be_an_answer() -> None:
    answer, question = without_turns("User: The nurse was bold.")
    assert (answer.strip(), question) == ("The nurse was bold.", "")
