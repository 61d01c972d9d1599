from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.model.context import ContextEncoder
from equipoise.model.draws import Exchange, Question
from tiny_models import byte_level_tokenizer, metaspace_tokenizer, wrap_tokenizer

PROMPT = 'Complete the following sentence:\n"The doctor was"'
PREFIX = "The doctor was"
TEXT = "The doctor was bold and caring when treating patients."

MAKERS: dict[str, Callable[[], ContextEncoder]] = {
    "byte-level, chat": lambda: encoder(byte_level_tokenizer(), chat=True),
    "byte-level, plain": lambda: encoder(byte_level_tokenizer(), chat=False),
    "byte-level, plain, start": lambda: encoder(
        byte_level_tokenizer(), chat=False, starts_with="<s>"
    ),
    "metaspace always, chat": lambda: encoder(metaspace_tokenizer("always"), chat=True),
    "metaspace always, plain": lambda: encoder(metaspace_tokenizer("always"), chat=False),
    "metaspace first, chat": lambda: encoder(metaspace_tokenizer("first"), chat=True),
    "metaspace never, plain": lambda: encoder(metaspace_tokenizer("never"), chat=False),
}


def encoder(tokenizer: object, **how: object) -> ContextEncoder:
    wrapped = wrap_tokenizer(tokenizer, **how)  # type: ignore[arg-type]
    return ContextEncoder(wrapped, "tiny", rows=len(wrapped))


@pytest.fixture(scope="module")
def encoders() -> dict[str, ContextEncoder]:
    return {kind: make() for kind, make in MAKERS.items()}


def decode(encoder: ContextEncoder, tokens: list[int]) -> str:
    return encoder.tokenizer.decode(tokens, clean_up_tokenization_spaces=False)


def test_chat_context_is_one_user_turn_and_the_beginning_of_an_answer(
    encoders: dict[str, ContextEncoder],
) -> None:
    chat = encoders["byte-level, chat"]
    assert decode(chat, chat.context(PROMPT, PREFIX)) == (
        f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\nThe doctor was"
    )


def test_plain_context_is_prompt_line_break_prefix(encoders: dict[str, ContextEncoder]) -> None:
    plain = encoders["byte-level, plain"]
    assert decode(plain, plain.context(PROMPT, PREFIX)) == f"{PROMPT}\nThe doctor was"


EARLIER = (Exchange("First?", "The pilot was kind."), Exchange("And?", "The cook was bold."))


def test_what_was_said_before_stands_in_turns_before_the_question(
    encoders: dict[str, ContextEncoder],
) -> None:
    chat = encoders["byte-level, chat"]
    first, second = (
        f"<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n"
        for asked, answer in EARLIER
    )
    assert chat.text(PROMPT, PREFIX, EARLIER) == first + second + chat.text(PROMPT, PREFIX)
    assert decode(chat, chat.context(PROMPT, PREFIX, EARLIER)).endswith(chat.text(PROMPT, PREFIX))
    assert chat.text(PROMPT, PREFIX, EARLIER[:1]) == first + chat.text(PROMPT, PREFIX)


def test_what_was_said_before_is_plain_text_without_a_template(
    encoders: dict[str, ContextEncoder],
) -> None:
    plain = encoders["byte-level, plain"]
    assert plain.text(PROMPT, PREFIX, EARLIER) == (
        f"First?\nThe pilot was kind.\n\nAnd?\nThe cook was bold.\n\n{PROMPT}\nThe doctor was"
    )


ALTERNATING = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}[{{ m.role }}]{{ m.content }}"
    "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


def test_a_template_that_refuses_two_turns_of_one_role_gets_none() -> None:
    strict = encoder(byte_level_tokenizer(), chat=True)
    strict.tokenizer.chat_template = ALTERNATING
    assert strict.text("Q", "A", EARLIER) == (
        "[user]First?[assistant]The pilot was kind.[user]And?[assistant]The cook was bold."
        "[user]Q[assistant]A"
    )
    roles = [turn["role"] for turn in Question("Q", "A", earlier=EARLIER).turns]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_a_template_of_one_turn_alone_is_named() -> None:
    single = encoder(byte_level_tokenizer(), chat=True)
    single.tokenizer.chat_template = (
        "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}"
        "{{ messages[0].content }}"
    )
    assert single.text("Q", " A") == "Q A"
    with pytest.raises(EquipoiseError, match=r"one turn only.*accepts earlier turns"):
        single.text("Q", " A", EARLIER)


def test_start_token_is_put_first_only_where_the_tokenizer_does() -> None:
    start = encoder(byte_level_tokenizer(), chat=False, starts_with="<s>")
    without = encoder(byte_level_tokenizer(), chat=False)
    assert start.context(PROMPT, PREFIX) == [
        start.tokenizer.bos_token_id,
        *without.context(PROMPT, PREFIX),
    ]
    # A chat template writes its own.
    chat = encoder(byte_level_tokenizer(), chat=True, starts_with="<s>")
    assert chat.tokenizer.bos_token_id not in chat.context(PROMPT, PREFIX)


@pytest.mark.parametrize("kind", MAKERS)
def test_continuation_equals_the_joint_tokenisation(
    kind: str, encoders: dict[str, ContextEncoder]
) -> None:
    made = encoders[kind]
    context, rest = made.context(PROMPT, PREFIX), made.continuation(PROMPT, PREFIX, TEXT)
    whole = made._encode_with_start(made._question(PROMPT) + TEXT)
    assert context + rest[:-1] == whole
    assert rest[-1] == made.end_of_turn
    # The first word of the continuation is what the model would generate: with its space.
    assert decode(made, rest[:-1]).strip() == "bold and caring when treating patients."


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("The doctor was ", "The doctor was bold."),  # the space belongs to the next token
        ("The doc", "The doctor was bold."),  # inside a word
        ("The doctor", "The doctor's bold."),
        ("The doctor was", "The doctor wasn't bold."),
        ("The doctor was", "The doctor was"),  # nothing follows
        ("", "The doctor was bold."),
        ("The doctor was", "The doctor was\nbold."),
        ("The doctor was", "The doctor was  bold."),
    ],
)
def test_wherever_the_prefix_ends_the_text_comes_back(
    kind: str, prefix: str, text: str, encoders: dict[str, ContextEncoder]
) -> None:
    made = encoders[kind]
    context, rest = made.context(PROMPT, prefix), made.continuation(PROMPT, prefix, text)
    whole = made._encode_with_start(made._question(PROMPT) + text)
    assert decode(made, context + rest[:-1]) == decode(made, whole)


def test_prefix_inside_a_word_really_needs_the_fallback(
    encoders: dict[str, ContextEncoder],
) -> None:
    made = encoders["byte-level, chat"]
    context = made.context(PROMPT, "The doc")
    whole = made._encode_with_start(made._question(PROMPT) + "The doctor was bold.")
    assert whole[: len(context)] != context


@settings(max_examples=40, deadline=None)
@given(
    prefix=st.text("The doctr wasé–' \n", max_size=12),
    rest=st.text(st.characters(codec="utf-8", exclude_characters="<"), max_size=12),
)
def test_any_text_comes_back_from_bytes(prefix: str, rest: str) -> None:
    made = BYTES
    tokens = made.context("?", prefix) + made.continuation("?", prefix, prefix + rest)[:-1]
    assert decode(made, tokens).endswith("<|im_start|>assistant\n" + prefix + rest)


BYTES = MAKERS["byte-level, chat"]()


def test_text_must_start_with_the_prefix(encoders: dict[str, ContextEncoder]) -> None:
    with pytest.raises(EquipoiseError, match=r"does not start with 'The doctor was'"):
        encoders["byte-level, chat"].continuation(PROMPT, PREFIX, "A doctor was bold.")


def test_end_of_turn_is_the_templates(encoders: dict[str, ContextEncoder]) -> None:
    chat = encoders["byte-level, chat"]
    assert chat.end_of_turn == chat.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert chat.end_of_turn != chat.tokenizer.eos_token_id


def test_end_of_turn_without_a_template_is_the_end_of_the_sequence(
    encoders: dict[str, ContextEncoder],
) -> None:
    plain = encoders["byte-level, plain"]
    assert plain.end_of_turn == plain.tokenizer.convert_tokens_to_ids("<|endoftext|>")


def test_template_without_special_tokens_ends_with_the_sequence() -> None:
    made = encoder(byte_level_tokenizer(), chat=True)
    made.tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    )
    assert made.end_of_turn == made.tokenizer.eos_token_id


def test_template_that_puts_a_special_token_before_the_answer_is_not_fooled() -> None:
    made = encoder(byte_level_tokenizer(), chat=True)
    made.tokenizer.chat_template = (
        "{% for m in messages %}{{ '<|im_end|>' + m['content'] + '<s>\n' }}{% endfor %}"
    )
    assert made.end_of_turn == made.tokenizer.convert_tokens_to_ids("<s>")


def test_no_end_at_all_is_an_error() -> None:
    made = encoder(byte_level_tokenizer(), chat=False)
    made.tokenizer.eos_token = None
    with pytest.raises(EquipoiseError, match="no token that ends an answer"):
        _ = made.end_of_turn


def test_failing_template_is_named() -> None:
    made = encoder(byte_level_tokenizer(), chat=True)
    made.tokenizer.chat_template = "{{ raise_exception('a system turn is required.') }}"
    with pytest.raises(EquipoiseError, match="template of model 'tiny' fails: a system turn"):
        made.context(PROMPT, PREFIX)


def test_token_beyond_the_embedding_is_refused() -> None:
    made = encoder(byte_level_tokenizer(), chat=True)
    made.rows = 100
    with pytest.raises(EquipoiseError, match="beyond the 100 rows"):
        made.context(PROMPT, PREFIX)


def templated(template: str, **how: object) -> ContextEncoder:
    made = encoder(byte_level_tokenizer(), chat=True, **how)
    made.tokenizer.chat_template = template
    return made


TURNS = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + m['content'] }}{% endfor %}"
DATED = (
    "{% if strftime_now is defined %}{% set date_string = strftime_now('%Y-%m-%d %H:%M') %}"
    "{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}{{ 'Today: ' + date_string }}"
)


def test_a_template_that_writes_the_date_writes_that_of_the_day() -> None:
    made = templated(DATED + TURNS)
    made.day = date(2024, 2, 29)
    assert made.text(PROMPT, PREFIX).startswith("Today: 2024-02-29 00:00")
    assert decode(made, made.context(PROMPT, PREFIX)) == made.text(PROMPT, PREFIX)


def test_a_template_that_knows_the_switch_does_not_reason() -> None:
    switch = "{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}"
    assert "think" not in templated(TURNS + "A:" + switch).text("?", PREFIX)


@pytest.mark.parametrize(
    ("opening", "end"),
    [
        ("<think>\n", "<think>\n\n</think>\n\nThe doctor was"),
        ("[THINK]", "[THINK]\n\n[/THINK]\n\nThe doctor was"),
        ("<think>\n\n</think>\n\n", "<think>\n\n</think>\n\nThe doctor was"),
        ("◁think▷", "◁think▷\n\n◁/think▷\n\nThe doctor was"),
        ("<|START_THINKING|>", "<|START_THINKING|>\n\n<|END_THINKING|>\n\nThe doctor was"),
        ("<|begin_of_thought|>", "<|begin_of_thought|>\n\n<|end_of_thought|>\n\nThe doctor was"),
        ("<scratchpad>\n", "<scratchpad>\n\n</scratchpad>\n\nThe doctor was"),
    ],
)
def test_a_reasoning_block_is_closed(opening: str, end: str) -> None:
    assert templated(TURNS + "{{ 'A:" + opening + "' }}").text("?", PREFIX).endswith(f"A:{end}")


@pytest.mark.parametrize(
    ("opened", "answered"),
    [
        ("", "<|channel|>final<|message|>"),
        (
            "<|channel|>analysis<|message|>",
            "<|channel|>analysis<|message|><|end|><|start|>assistant<|channel|>final<|message|>",
        ),
    ],
)
def test_an_answer_stands_in_the_final_channel(opened: str, answered: str) -> None:
    """As of gpt-oss, whose template leaves the channel to the model."""
    mark = "{% if false %}<|channel|>{% endif %}"
    made = templated(f"{TURNS}{mark}<|start|>assistant{opened}")
    assert made.text("?", PREFIX).endswith(f"<|start|>assistant{answered}The doctor was")


def test_a_template_that_begins_to_reason_is_refused() -> None:
    made = templated(TURNS + "<think>Okay, so")
    with pytest.raises(EquipoiseError, match="begins to reason, 'Okay, so' after <think>"):
        made.context(PROMPT, PREFIX)


def test_a_prompt_that_speaks_of_reasoning_opens_no_block() -> None:
    assert templated(TURNS).text("Write <think> now", PREFIX).endswith("<think> nowThe doctor was")


def test_a_template_that_refuses_system_turns_is_sent_none() -> None:
    refusing = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    )
    assert templated(refusing + TURNS).text("?", PREFIX) == "<|im_start|>user?The doctor was"


@pytest.mark.parametrize("template", ["{{ bos_token }}" + TURNS, "<s><s>" + TURNS])
def test_the_start_token_stands_once(template: str) -> None:
    """The tokenizer puts one first as well."""
    made = templated(template, starts_with="<s>")
    start = made.tokenizer.bos_token_id
    assert made.context(PROMPT, PREFIX).count(start) == 1
    assert made.context(PROMPT, PREFIX)[0] == start
    assert start not in made.continuation(PROMPT, PREFIX, TEXT)


def test_an_answer_ends_though_its_end_is_the_padding() -> None:
    made = encoder(byte_level_tokenizer(), chat=False)
    made.tokenizer.pad_token = made.tokenizer.eos_token
    assert made.continuation(PROMPT, PREFIX, TEXT)[-1] == made.tokenizer.pad_token_id
