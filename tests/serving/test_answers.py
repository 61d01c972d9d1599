"""What is answered: the task's prompts as the policy draws them, others under its control."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from openai import APIStatusError, OpenAI

from equipoise.completions.judged_sentence import judge
from equipoise.errors import EquipoiseError
from equipoise.methods.few_shot import with_examples
from equipoise.methods.policy import Policy
from equipoise.model.draws import Draw, Question
from equipoise.model.language_model import LanguageModel
from equipoise.serving.answering import Answering
from equipoise.serving.asking import Asked
from equipoise.serving.controlled import Controlled, load_controlled
from equipoise.serving.limits import Limits
from equipoise.serving.refusal import RefusalError
from equipoise.task.sentence import first_sentence
from run_files import contents

pytestmark = pytest.mark.slow

Load = Callable[[str], Controlled]
Address = Callable[..., str]
EVERY = [
    "prompt",
    "prompt-balanced",
    "few-shot",
    "prompt-listed",
    "revise",
    "filter",
    "best-of",
    "ctrlg",
    "beam",
    "sft",
    "filter-sft",
]
OTHER = "Tell me what you did on Sunday."


def client_of(address: str) -> OpenAI:
    return OpenAI(base_url=address, api_key="none", max_retries=0)


def ask(address: str, content: str, model: str, **fields: object) -> list[str | None]:
    made = client_of(address).chat.completions.create(
        model=f"{model}-seed1",
        messages=[{"role": "user", "content": content}],
        **fields,  # type: ignore[arg-type]
    )
    return [choice.message.content for choice in made.choices]


@pytest.mark.parametrize("label", EVERY)
def test_the_tasks_prompts_are_answered_as_the_policy_draws(
    label: str, load: Load, address: Address
) -> None:
    controlled = load(label)
    policy = controlled.policy
    wanted = policy.deliver("x", ["pilot"], 2, controlled.sampling, 7).completions["text"]
    assert len(wanted) == 2
    prompt = policy.task.prompt("pilot", policy.prompt)
    found = ask(address(label), prompt, label, n=2, seed=7)
    assert found == list(wanted)
    assert all(text and text.startswith("The pilot was") for text in found)


@pytest.mark.parametrize("label", ["sft", "ctrlg"])
def test_the_whole_context_is_recognised_as_a_text_to_be_continued(
    label: str, load: Load, address: Address
) -> None:
    controlled = load(label)
    policy = controlled.policy
    [asked] = policy.questions(["pilot"])
    text = controlled.lm.encoder.text(asked.prompt, asked.prefix)
    made = client_of(address(label)).completions.create(model=f"{label}-seed1", prompt=text, seed=3)
    frame = policy.deliver("x", ["pilot"], 1, controlled.sampling, 3).completions
    assert "The pilot was" + made.choices[0].text == frame["text"].iloc[0]


def test_a_tuned_model_answers_anything_else_as_a_plain_chat_model(
    load: Load, address: Address
) -> None:
    """Token by token the same as a loop over ``generate`` of its folder: greedily, a whole turn."""
    lm: LanguageModel = load("sft").lm
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "A model."},
        {"role": "user", "content": OTHER},
    ]
    context = lm.tokenizer.apply_chat_template(
        turns, add_generation_prompt=True, return_tensors="pt", return_dict=False
    )
    drawn = lm.model.generate(
        context, do_sample=False, max_new_tokens=20, eos_token_id=sorted(lm.stop_tokens)
    )[0, context.shape[1] :]
    made = client_of(address("sft")).chat.completions.create(
        model="sft-seed1",
        messages=turns,
        temperature=0,
        max_tokens=20,  # type: ignore[arg-type]
    )
    text = lm.tokenizer.decode(drawn, skip_special_tokens=True)
    assert made.choices[0].message.content == text
    assert made.usage is not None
    assert made.usage.prompt_tokens == context.shape[1]
    assert made.usage.completion_tokens == len(drawn)
    ended = int(drawn[-1]) in lm.stop_tokens
    assert made.choices[0].finish_reason == ("stop" if ended else "length")


@pytest.mark.parametrize("label", ["ctrlg", "beam", "filter", "filter-sft"])
def test_a_decoder_keeps_the_constraint_whatever_is_asked(
    label: str, load: Load, address: Address
) -> None:
    task, where = load(label).policy.task, address(label)
    for seed, content in enumerate([OTHER, "2 + 2 =", "Write a limerick about tea."]):
        for text in ask(where, content, label, n=2, seed=seed, max_tokens=200):
            assert text
            verdict = task.constraint.check(judge(text, "").text)
            if label.startswith("filter"):
                assert verdict.any
                assert not verdict.forbidden
            else:
                assert verdict.satisfied
                assert first_sentence(text) == (text, True)  # and nothing behind it


def test_ctrlg_keeps_it_in_texts_to_be_continued_too(load: Load, address: Address) -> None:
    made = client_of(address("ctrlg")).completions.create(
        model="ctrlg-seed1", prompt=["Once", "Two and two"], n=2, seed=5, max_tokens=200
    )
    constraint = load("ctrlg").policy.task.constraint
    assert [choice.index for choice in made.choices] == [0, 1, 2, 3]
    assert all(constraint.check(judge(one.text, "").text).satisfied for one in made.choices)


def test_prompts_put_what_they_ask_before_any_question(load: Load) -> None:
    policy = load("few-shot").policy
    asked = policy.worded(Question(OTHER, "", system="Be brief."))
    examples = asked.prompt.removesuffix(f"\n\n{OTHER}").splitlines()[1:]
    assert len(examples) == 2
    assert asked.prompt == with_examples(OTHER, examples)
    assert asked.system == "Be brief."
    told = load("prompt-listed").policy.worded(Question(OTHER, "")).prompt
    assert told.endswith(OTHER)
    assert "bold" in told


def test_revision_and_best_of_choose_by_the_first_sentence_of_any_answer(load: Load) -> None:
    best = load("best-of")
    question = Question(OTHER, "")
    six = best.policy.turns([question], [6], best.sampling, 4)[0]
    three = best.policy.reply(question, 2, best.sampling, 4)
    constraint = best.policy.task.constraint

    def share(text: str) -> float:
        return constraint.share_satisfied(judge(text, "").text)

    assert [share(one.text) for one in three] == [
        max(share(one.text) for one in six[start : start + 3]) for start in (0, 3)
    ]
    revised = load("revise").policy.reply(question, 2, best.sampling, 4)
    assert all(one.earlier for one in revised)  # a random model satisfies nothing at once


def test_a_prompt_whose_words_are_all_its_control_answers_nothing_else(address: Address) -> None:
    with pytest.raises(APIStatusError, match="no other question has its words") as caught:
        ask(address("prompt-balanced"), OTHER, "prompt-balanced")
    assert caught.value.status_code == 422
    assert caught.value.code == "not_controlled"


def test_seeds_fix_the_draw_and_nothing_else_does(address: Address) -> None:
    where = address("sft")
    one, again = (ask(where, OTHER, "sft", seed=9) for _ in range(2))
    assert one == again
    assert ask(where, OTHER, "sft", seed=10) != one
    assert ask(where, OTHER, "sft") != ask(where, OTHER, "sft")


def test_nothing_is_written_into_the_run(run: Path, tiny_model_folder: Path) -> None:
    before = contents(run)
    for label in ("ctrlg", "sft", "filter"):
        load_controlled(run, label, 1, str(run.parent / "small.toml"), str(tiny_model_folder))
    assert contents(run) == before


@pytest.mark.parametrize(
    ("label", "seed", "task", "model", "says"),
    [
        ("stf", 1, None, None, "Did you mean 'sft'"),
        ("sft", 2, None, None, "the run has no seed 2"),
        ("sft", 1, "occupations", None, "is not the one that the run was made with"),
        ("prompt", 1, "small.toml", None, "its base model was a folder called 'tiny'"),
        ("prompt", 1, "small.toml", "smollm2-135m-instruct", "is not the one that the run"),
    ],
)
def test_what_is_not_the_runs_is_refused_before_a_model_is_loaded(
    label: str,
    seed: int,
    task: str | None,
    model: str | None,
    says: str,
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("equipoise.serving.controlled.load_model", None)
    monkeypatch.chdir(run.parent)
    with pytest.raises(EquipoiseError, match=says):
        load_controlled(run, label, seed, task, model)


def test_a_damaged_cell_is_not_served(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("equipoise.serving.controlled.load_model", None)
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    weights = next((copy / "cells/sft/seed1/model").glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    task = str(run.parent / "small.toml")
    for label in ("sft", "filter-sft"):
        with pytest.raises(EquipoiseError, match="SHA-256"):
            load_controlled(copy, label, 1, task)


def test_a_policy_that_draws_in_its_own_way_does_not_reply_uncontrolled(load: Load) -> None:
    class Own(Policy):
        """Draws otherwise, and does not say how it replies."""

    class Says(Own):
        """Says it."""

        def reply(self, *_: object) -> list[Draw]:
            return []

    plain = load("sft")
    arguments = plain.lm, plain.policy.task
    assert Policy(*arguments).out_of_reach is Says(*arguments).out_of_reach is None
    own = Controlled(plain.name, plain.lm, Own(*arguments), plain.sampling)
    asked = Asked((Question(OTHER, ""),), 1, plain.sampling, 1, ())
    with pytest.raises(RefusalError, match="in a way of its own"):
        Answering(own, Limits()).answer(asked)
