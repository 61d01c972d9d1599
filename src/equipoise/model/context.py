"""How prompts and answers become tokens.

Every method continues the same context: the chat template with the prompt as the user's turn and
the response prefix as the beginning of the answer. A model without a chat template reads the prompt
as plain text, a line break, and the prefix. Where something was said before, it stands before that:
turns of the user's and the assistant's, or as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property

from jinja2 import TemplateError
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from equipoise.completions.markup import OPENED_THOUGHT, end_of_thought
from equipoise.errors import EquipoiseError
from equipoise.model.draws import Exchange, Question

_STRFTIME_NOW = """{% macro strftime_now(format) -%}
{%- set written = namespace(text=format) -%}
{%- for code, value in date_codes.items() -%}
{%- set written.text = written.text.replace(code, value) -%}
{%- endfor -%}
{{- written.text -}}
{%- endmacro %}
"""

_CHANNEL = re.compile(r"<\|start\|>assistant(?P<analysis><\|channel\|>analysis<\|message\|>)?\Z")
_FINAL = "<|channel|>final<|message|>"
"""How gpt-oss begins a message of any channel, or of reasoning, and what begins the answer."""

_CODES = "aAbBcdDeFGHIjmMnpSTuUVwWxXyYZ"
_SHORT_CODES = "dmHIMSjy"
"""Those with a form without leading zeros, ``%-d``."""


def _date_codes(day: date) -> dict[str, str]:
    """What each code of ``strftime`` stands for at midnight of ``day``."""
    midnight = datetime.combine(day, time())
    codes = {f"%{code}": midnight.strftime(f"%{code}") for code in _CODES}
    short = {f"%-{code}": codes[f"%{code}"].lstrip("0") or "0" for code in _SHORT_CODES}
    return codes | short


@dataclass
class ContextEncoder:
    """Prompts and answers as tokens of one model.

    Attributes:
        tokenizer: The model's tokenizer, with or without a chat template.
        name: The model's name, for errors.
        rows: Rows of the model's input embedding. There may be more than the tokenizer has tokens.
        day: What a chat template that writes the date takes for today.
    """

    tokenizer: PreTrainedTokenizerBase
    name: str
    rows: int
    day: date = field(default_factory=date.today)
    _rendered: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def has_chat_template(self) -> bool:
        """Whether prompts are put into a chat template."""
        return self.tokenizer.chat_template is not None

    def tokens(self, question: Question) -> list[int]:
        """Tokens that the answer to a question continues; errors are those of `context`.

        Questions of a task are remembered, and no others: a server is asked any number of them.
        """
        if question.bare:
            return self.plain(question.prompt + question.prefix)
        if question.subject and not question.system:
            return self.context(question.prompt, question.prefix, question.earlier)
        return self._encode_with_start(self._rendering(question) + question.prefix)

    def context(self, prompt: str, prefix: str, earlier: tuple[Exchange, ...] = ()) -> list[int]:
        """Tokens that a completion continues: the prompt, then the beginning of the answer.

        Args:
            prompt: The user's turn.
            prefix: Beginning of the answer.
            earlier: What was said before.

        Raises:
            EquipoiseError: The chat template cannot hold a user's turn, or what was said before it,
                or the tokenizer gives a token that the model has no embedding for.
        """
        return self._encode_with_start(self.text(prompt, prefix, earlier))

    def text(self, prompt: str, prefix: str, earlier: tuple[Exchange, ...] = ()) -> str:
        """``context`` as text, before it becomes tokens."""
        if earlier:
            return self._rendering(Question(prompt, prefix, earlier=earlier)) + prefix
        return self._question(prompt) + prefix

    def continuation(self, prompt: str, prefix: str, text: str) -> list[int]:
        """Tokens of ``text`` beyond ``context(prompt, prefix)``, and the end of the turn.

        Context and continuation decode to what the whole decodes to. Where the tokenizer joins
        characters across the end of the prefix, the rest is tokenised by itself.

        Args:
            prompt: The user's turn.
            prefix: Beginning of the answer, already in the context.
            text: The whole answer; it starts with ``prefix``.

        Raises:
            EquipoiseError: ``text`` does not start with ``prefix``, or no tokenisation of the
                rest gives the text back.
        """
        if not text.startswith(prefix):
            raise EquipoiseError(
                f"the text {text[:60]!r} does not start with {prefix!r}",
                hint="Every training text must begin with the task's response prefix.",
            )
        question = self._question(prompt)
        context = self._encode_with_start(question + prefix)
        whole = self._encode_with_start(question + text)
        if whole[: len(context)] == context:
            return [*whole[len(context) :], self.end_of_turn]
        wanted = self._decode(whole)
        for candidate in self._apart(text[len(prefix) :]):
            if self._decode(context + candidate) == wanted:
                return [*candidate, self.end_of_turn]
        raise EquipoiseError(
            f"the tokenizer of '{self.name}' cannot continue {prefix!r} with "
            f"{text[len(prefix) :][:40]!r}",
            hint="End the task's prefix at the end of a word, without a space.",
        )

    def plain(self, text: str) -> list[int]:
        """Tokens of ``text`` by itself, without prompt or chat template.

        The start token stands first where the tokenizer itself puts one; where it puts none,
        nothing predicts the first token.

        Raises:
            EquipoiseError: See `context`.
        """
        start = [int(self.tokenizer.bos_token_id)] if self._adds_start else []
        return self._checked([*start, *self._encode(text)])

    @cached_property
    def end_of_turn(self) -> int:
        """The token that ends an answer: the chat template's, else the end of the sequence.

        Raises:
            EquipoiseError: The model has neither.
        """
        if self.has_chat_template:
            mark = "Equipoise"
            turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": mark}]
            _, _, tail = self._render(turns, add_generation_prompt=False).rpartition(mark)
            special = {*self.tokenizer.all_special_ids, *self.tokenizer.added_tokens_decoder}
            for token in self._encode(tail):
                if token in special:
                    return token
        if self.tokenizer.eos_token_id is None:
            raise EquipoiseError(
                f"model '{self.name}' has no token that ends an answer",
                hint="Set eos_token in its tokenizer_config.json.",
            )
        return int(self.tokenizer.eos_token_id)

    def _question(self, prompt: str) -> str:
        """The text before the answer; remembered, as a task has few prompts and many answers."""
        if prompt not in self._rendered:
            self._rendered[prompt] = self._rendering(Question(prompt, ""))
        return self._rendered[prompt]

    def _rendering(self, question: Question) -> str:
        """All turns as the model reads them, up to where its answer begins."""
        if not self.has_chat_template:
            return question.plain
        rendered = self._render(question.turns, add_generation_prompt=True)
        return self._without_reasoning(rendered, question.prompt)

    def _render(self, turns: list[dict[str, str]], *, add_generation_prompt: bool) -> str:
        """The chat template filled in, as of ``day`` and without reasoning where it can do so."""
        try:
            rendered = self.tokenizer.apply_chat_template(
                turns,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                enable_thinking=False,
                chat_template=self._template,
                date_codes=_date_codes(self.day),
            )
        except (TemplateError, ValueError, TypeError) as error:
            raise EquipoiseError(
                f"the chat template of model '{self.name}' fails: {str(error).rstrip('.')}",
                hint="Choose a model whose template accepts a single user's turn."
                if len(turns) < 3
                else "Choose a model whose template accepts earlier turns, or another method.",
            ) from error
        return str(rendered)

    @property
    def _template(self) -> str:
        """The chat template; where it asks for the date, with our answer above it.

        transformers lets callers pass data to a template but no function, so the answer is a macro.
        """
        template = str(self.tokenizer.get_chat_template())
        return _STRFTIME_NOW + template if "strftime_now" in template else template

    def _without_reasoning(self, rendered: str, prompt: str) -> str:
        """``rendered`` with a reasoning block closed that its template opens for the answer.

        Where each message names its channel, and the template leaves it to the model, it is the
        final one.

        Raises:
            EquipoiseError: The template begins the reasoning itself, so that closing the block
                would leave a thought in it.
        """
        if (begun := _CHANNEL.search(rendered)) and "<|channel|>" in self._template:
            return f"{rendered}{'<|end|><|start|>assistant' if begun['analysis'] else ''}{_FINAL}"
        tail = rendered.rpartition(prompt.strip())[2]
        opened = [*OPENED_THOUGHT.finditer(tail)]
        if not opened:
            return rendered
        close = end_of_thought(opened[-1][0])
        thought = tail[opened[-1].end() :]
        if close in thought:
            return rendered
        if thought.strip():
            raise EquipoiseError(
                f"the chat template of model '{self.name}' begins to reason, "
                f"{thought.strip()[:40]!r} after {opened[-1][0]}, and does not know "
                "enable_thinking = false",
                hint="Choose a model that answers without reasoning, or mend its template.",
            )
        return f"{rendered.rstrip()}\n\n{close}\n\n"

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _encode_with_start(self, text: str) -> list[int]:
        """Tokens of ``text``, after the start token where the tokenizer itself would put it.

        A chat template writes its own start token, and one is enough.
        """
        tokens = self._encode(text)
        start = self.tokenizer.bos_token_id
        while start is not None and tokens[:2] == [start, start]:
            del tokens[0]
        if not self.has_chat_template and self._adds_start:
            tokens.insert(0, int(self.tokenizer.bos_token_id))
        return self._checked(tokens)

    def _checked(self, tokens: list[int]) -> list[int]:
        """``tokens`` themselves, once the model has an embedding for each."""
        if tokens and max(tokens) >= self.rows:
            raise EquipoiseError(
                f"token {max(tokens)} of the tokenizer of '{self.name}' is beyond the "
                f"{self.rows:,} rows of its embedding",
                hint="Model and tokenizer do not belong together: check the folder.",
            )
        return tokens

    @cached_property
    def _adds_start(self) -> bool:
        start = self.tokenizer.bos_token_id
        return start is not None and self.tokenizer("a")["input_ids"][:1] == [start]

    def _apart(self, rest: str) -> Iterable[list[int]]:
        """Ways to tokenise ``rest`` by itself, without a space that the tokenizer may put first."""
        yield self._encode(rest)
        for anchor in ("\n", "a"):  # swallows the inserted space; cut off again
            start, whole = self._encode(anchor), self._encode(anchor + rest)
            if whole[: len(start)] == start:
                yield whole[len(start) :]
        for end in range(len(rest) - 1, 0, -1):
            yield self._encode(rest[:end]) + self._encode(rest[end:])

    def _decode(self, tokens: list[int]) -> str:
        return str(self.tokenizer.decode(tokens, clean_up_tokenization_spaces=False))
