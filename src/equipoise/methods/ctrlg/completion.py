"""Completions of one beginning of a sentence that are certain to satisfy a constraint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.methods.ctrlg.automaton import TokenAutomaton, compile_constraint
from equipoise.methods.ctrlg.distillation import Distillation, beginning
from equipoise.methods.ctrlg.guide import Beginning, Guide
from equipoise.methods.ctrlg.hmm import HMM
from equipoise.methods.ctrlg.hmm_fit import DistillSettings
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.memory import MEMORY_GB, check_lookahead
from equipoise.methods.ctrlg.term_rule import TermRule
from equipoise.methods.ctrlg.text_rules import DONE, SentenceRule, State
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.model.draws import Prompt, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.task.constraint import Constraint
from equipoise.task.prose import is_prose
from equipoise.task.sentence import first_sentence


def check_text(text: str) -> None:
    """Refuse a beginning that no finished sentence can have under the rules of Ctrl-G.

    Raises:
        EquipoiseError: It holds a whole sentence, a full stop after an abbreviation, or a
            character that is never written.
    """
    sentence, terms = SentenceRule(), TermRule(Constraint({}))
    state: State | None = sentence.start
    for position, character in enumerate(text + " "):  # completions go on with another word
        if not character.isprintable() or terms.symbol(character) is None:
            raise EquipoiseError(
                f"{character!a} is never written: it does not show, or joins its neighbours",
                field="prompt",
                hint="Leave it out.",
            )
        state = sentence.step(state, sentence.symbol(character))
        if state is None or state == DONE:
            read = text[: position + 1].rstrip()
            why = "is a whole sentence" if state else "has a full stop that ends no sentence"
            raise EquipoiseError(
                f"{read[-40:]!r} {why}",
                field="prompt",
                hint="Give the beginning of one sentence, and write abbreviations in full.",
            )


@dataclass(frozen=True)
class Completer:
    """A model, the beginning of a sentence, and what the whole sentence has to satisfy.

    Attributes:
        lm: The model, with weights in its compute type.
        prompt: What the model continues; the prefix is the sentence's beginning.
        start: The beginning, as the HMM reads it.
        constraint: What the sentence satisfies.
        vocabulary: The model's tokens that are written.
        automaton: The constraint, compiled for them.
        sampling: How completions are drawn.
        prose: The sentence is prose, too.
    """

    lm: LanguageModel
    prompt: Prompt
    start: Beginning
    constraint: Constraint
    vocabulary: Vocabulary
    automaton: TokenAutomaton
    sampling: Sampling
    prose: bool = True

    @classmethod
    def compiled(
        cls,
        lm: LanguageModel,
        text: str,
        constraint: Constraint,
        sampling: Sampling,
        *,
        prose: bool = True,
    ) -> Completer:
        """The completer of ``text``, which may be empty.

        Raises:
            EquipoiseError: No completion satisfies the constraint, or none that is prose; it names
                the clause.
        """
        vocabulary = Vocabulary.of_model(lm)
        # Terminals show nothing else as it is, and what is printed must be what was checked.
        visible = tuple(p if p and p.isprintable() else None for p in vocabulary.pieces)
        vocabulary = replace(vocabulary, pieces=visible)
        limit = sampling.max_new_tokens
        automaton = compile_constraint(
            constraint, vocabulary, [text], max_tokens=limit, prose=prose
        )
        question = f'Complete the following sentence: "{text}"' if text else "Write one sentence."
        prompt = Prompt(tuple(lm.context(question, text)), text)
        start = beginning(lm, question, prompt)
        return cls(lm, prompt, start, constraint, vocabulary, automaton, sampling, prose)

    def distillation(self, settings: DistillSettings) -> Distillation:
        """How to distil an HMM of what the model says after this very prompt.

        Raises:
            EquipoiseError: With so many hidden states the lookahead would take too much memory.
        """
        sizes = len(self.automaton.table), settings.hidden_states, self.sampling.max_new_tokens
        check_lookahead(*sizes, MEMORY_GB)
        return Distillation(self.lm, [self.prompt], [self.start], self.sampling, settings)

    def chance_of_length(self, hmm: HMM) -> float:
        """How likely the model by itself ends its sentence within the word range, 0-1.

        It is the HMM's probability. Of words that its samples lack an HMM knows nothing, of
        lengths it does.
        """
        words, limit = Constraint({}, words=self.constraint.words), self.sampling.max_new_tokens
        prefix = self.prompt.prefix
        automaton = compile_constraint(
            words, self.vocabulary, [prefix], max_tokens=limit, prose=self.prose
        )
        message, state = hmm.start(self.start.tokens), automaton.starts[prefix]
        return Lookahead(hmm, automaton, limit).probability(message, state, limit)

    def complete(
        self, hmm: HMM, n: int, seed: int, on_drawn: Callable[[int], None] | None = None
    ) -> list[str]:
        """``n`` sentences that begin with the text; each was checked as a text.

        Raises:
            RuntimeError: A sentence does not satisfy the constraint: a bug of this package.
        """
        lookahead = Lookahead(hmm, self.automaton, self.sampling.max_new_tokens)
        guide = Guide(lookahead, [self.start])
        [draws] = sample(
            self.lm, [self.prompt], [n], self.sampling, seed, control=guide, on_drawn=on_drawn
        )
        return [self._checked(draw.text) for draw in draws]

    def _checked(self, drawn: str) -> str:
        """The sentence, once the checker of texts, which knows of no automaton, agrees."""
        sentence = first_sentence(self.prompt.prefix + drawn)
        satisfied = sentence.finished and self.constraint.check(sentence.text).satisfied
        if not satisfied or (self.prose and not is_prose(sentence.text)):
            raise RuntimeError(f"{sentence.text!r} does not satisfy the constraint")
        return sentence.text
