"""Ctrl-G (Zhang et al. 2024, arXiv 2406.13892): every completion satisfies the constraint.

The task's constraint becomes an automaton over tokens; an HMM distilled from the model says how
likely each next token is to lead to its acceptance; the model's own distribution is weighted by
that. The guarantee is the automaton's and holds whatever the HMM is; the HMM makes it fluent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from equipoise.decoding.beam import beam_search
from equipoise.decoding.particles import sample_particles
from equipoise.decoding.sampler import sample
from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import make_folder, write_json
from equipoise.methods.ctrlg.automaton import TokenAutomaton, compile_constraint
from equipoise.methods.ctrlg.distillation import Distillation, beginnings
from equipoise.methods.ctrlg.guide import Beginning, Guide, TwistedGuide
from equipoise.methods.ctrlg.hmm_fit import DistillSettings
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.memory import MEMORY_GB, check_lookahead
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.methods.method import Method, Policy, Workspace, check_prompt
from equipoise.methods.needs import Holding, Work, drawing_bytes
from equipoise.model.draws import Draw, Prompt, Question, Sampling
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.progress import counting
from equipoise.task.constraint import Accept
from equipoise.task.sentence import first_sentence
from equipoise.task.task import Task

if TYPE_CHECKING:
    from equipoise.methods.ctrlg.hmm_fit import DistillRecord


Decoding = Literal["sample", "beam"]


class CtrlGSettings(DistillSettings):
    """Settings of Ctrl-G: those of distilling, and what to ask and to demand.

    Attributes:
        prompt: Kind of prompt: a key of the task file's ``[prompts]``.
        accept: ``all`` demands the task's whole constraint; ``any`` just one of its wanted
            entries, beside the word range and what is forbidden.
        decoding: ``sample`` draws at random; ``beam`` searches for the most probable completions
            with as many beams as completions are wanted. Nothing is random in that, so all seeds
            give the same, and temperature, top_p and top_k have no meaning.
        particles: Texts drawn together for each completion, weighted by how much likelier the model
            finds them than the HMM promised, and resampled; one of them is delivered. The more, the
            nearer to what the model itself would say under the constraint.
        prose: Completions are prose besides: words with one space between them, commas, quotes and
            the like only where a writer puts them, and one full stop.
        memory_gb: Most memory for the automaton, and for the lookahead's tables; a constraint that
            takes more is refused.
        init_from: Label of a trained method of the same study whose model is asked; the base model
            if it is not given.
    """

    prompt: str = "neutral"
    accept: Accept = "all"
    decoding: Decoding = "sample"
    particles: Annotated[int, Field(ge=1, le=1000)] = 1
    prose: bool = True
    memory_gb: Annotated[float, Field(gt=0)] = MEMORY_GB
    init_from: str | None = None

    @model_validator(mode="after")
    def _particles_are_drawn(self) -> CtrlGSettings:
        if self.particles > 1 and self.decoding == "beam":
            raise ValueError("particles have no meaning with decoding = 'beam': nothing is drawn")
        return self


@dataclass(frozen=True)
class GuidedPolicy(Policy):
    """A model whose completions satisfy a constraint.

    Attributes:
        lm: The model, whose logits are adjusted.
        lookahead: For the constraint and the model; its tables take seconds to make.
        settings: What is demanded, and how it is decoded.
    """

    lm: LanguageModel
    lookahead: Lookahead = field(kw_only=True)
    settings: CtrlGSettings = field(default_factory=CtrlGSettings, kw_only=True)

    def draw(
        self,
        subjects: Sequence[str],
        n: int,
        sampling: Sampling,
        seed: int,
        on_drawn: Callable[[int], None] | None = None,
    ) -> list[list[Draw]]:
        """See ``Policy.draw``; each completion is one finished sentence that satisfies it."""
        prompts = self.lm.prompts(self.questions(subjects))
        lookahead, longest = self.lookahead, sampling.max_new_tokens
        if longest > lookahead.max_tokens:
            lookahead = Lookahead(lookahead.hmm, lookahead.automaton, longest)
        elif longest < lookahead.max_tokens:
            lookahead = lookahead.within(longest)
        starts = beginnings(self.lm, self.task, self.prompt, subjects, prompts)
        return self._guided(prompts, n, lookahead, starts, sampling, seed, on_drawn)

    def reply(self, question: Question, n: int, sampling: Sampling, seed: int) -> list[Draw]:
        """See ``Policy.reply``; each answer is one finished sentence that satisfies it."""
        prompts = self.lm.prompts([question])
        lookahead, starts = self._anywhere.within(sampling.max_new_tokens), [Beginning("", ())]
        on_drawn = counting("answering", n)
        [draws] = self._guided(prompts, n, lookahead, starts, sampling, seed, on_drawn)
        # That a sentence is over may be known only by the word behind it.
        return [replace(draw, text=first_sentence(draw.text).text) for draw in draws]

    @property
    def longest_reply(self) -> int:
        """See ``Policy.longest_reply``: as far as the tables of the lookahead go."""
        return self.lookahead.max_tokens

    @cached_property
    def _anywhere(self) -> Lookahead:
        """The lookahead for sentences that begin in any way."""
        longest, settings = self.lookahead.max_tokens, self.settings
        automaton = compile_constraint(
            self.task.constraint.accepting(settings.accept),
            Vocabulary.of_model(self.lm),
            [""],
            max_tokens=longest,
            memory_gb=settings.memory_gb,
            prose=settings.prose,
        )
        return Lookahead(self.lookahead.hmm, automaton, longest, settings.memory_gb)

    def _guided(
        self,
        prompts: Sequence[Prompt],
        n: int,
        lookahead: Lookahead,
        starts: Sequence[Beginning],
        sampling: Sampling,
        seed: int,
        on_drawn: Callable[[int], None] | None,
    ) -> list[list[Draw]]:
        """``n`` completions of each of ``prompts``, whose sentences begin as ``starts`` say."""
        lm, counts, settings = self.lm, [n] * len(prompts), self.settings
        if settings.particles > 1:
            twist, among = TwistedGuide(lookahead, starts), settings.particles
            return sample_particles(lm, prompts, counts, sampling, seed, among, twist, on_drawn)
        guide = Guide(lookahead, starts)
        if settings.decoding == "beam":
            longest = sampling.max_new_tokens
            return beam_search(lm, prompts, n, longest, control=guide, on_drawn=on_drawn)
        return sample(lm, prompts, counts, sampling, seed, control=guide, on_drawn=on_drawn)


class CtrlG(Method[CtrlGSettings]):
    """Constrained decoding with a guarantee on the text."""

    name = "ctrlg"
    summary = "constrained decoding: every completion satisfies the task's constraint"
    control = "structural"
    settings_model: ClassVar[type[CtrlGSettings]] = CtrlGSettings
    guides_drawing = True

    def check(self, task: Task) -> None:
        """See ``Method.check``: the task must have such a prompt."""
        check_prompt(task, self.settings.prompt)

    def by_construction(self, task: Task) -> bool:
        """See ``Method.by_construction``: what is demanded is kept."""
        return task.constraint.accepting(self.settings.accept).ensures_balance(task.constraint)

    def memory(self, task: Task, size: ModelSize, sampling: Sampling) -> Holding:
        """See ``Method.memory``: the HMM; the automaton is as large as the constraint has it.

        The particles of a completion are decoded together, however many a batch has.
        """
        settings = self.settings
        states = settings.hidden_states
        tables = 4 * states * (states + size.vocabulary)
        asked = self.questions(task, [subject.name for subject in task.subjects], seed=0)
        rows = max(settings.particles, sampling.batch_size)
        more = drawing_bytes(asked, size, sampling, rows) - drawing_bytes(asked, size, sampling)
        return Holding(fitting=tables, drawing=tables + more)

    def work(self, task: Task, size: ModelSize, seed: int) -> Work:
        """See ``Method.work``: completions for the HMM to learn from, and every particle."""
        return Work(draws_each=self.settings.particles, drawn_once=self.settings.n_samples)

    def fit(self, lm: LanguageModel, task: Task, seed: int, workspace: Workspace) -> Policy:
        """See ``Method.fit``: compiles the constraint and distils the HMM, once for all seeds."""
        sampling, settings = workspace.sampling, self.settings
        if settings.particles > 1 and sampling.temperature == 0:
            raise EquipoiseError(
                "at temperature 0 all particles are the same text",
                field="particles",
                hint="Set sampling.temperature above 0, or particles = 1.",
            )
        started = time.perf_counter()
        automaton = compile_constraint(
            task.constraint.accepting(settings.accept),
            Vocabulary.of_model(lm),
            [task.response_prefix(subject.name) for subject in task.subjects],
            max_tokens=sampling.max_new_tokens,
            memory_gb=settings.memory_gb,
            prose=settings.prose,
        )
        sizes = len(automaton.table), settings.hidden_states, sampling.max_new_tokens
        check_lookahead(*sizes, settings.memory_gb)  # before minutes go into distilling
        compiled = time.perf_counter()
        distillation = Distillation.of_task(lm, task, settings.prompt, sampling, settings)
        hmm, record = distillation.remembered()
        distilled = time.perf_counter()
        self._write(workspace, automaton, record, compiled - started, distilled - compiled)
        lookahead = Lookahead(hmm, automaton, sampling.max_new_tokens, settings.memory_gb)
        return GuidedPolicy(
            lm,
            task,
            settings.prompt,
            knows_constraint=True,
            lookahead=lookahead,
            settings=settings,
        )

    def _write(
        self,
        workspace: Workspace,
        automaton: TokenAutomaton,
        record: DistillRecord,
        compiling: float,
        distilling: float,
    ) -> None:
        """Write ``ctrlg.json``: sizes, the HMM's log-likelihoods, seconds."""
        info: dict[str, Any] = {
            "states": automaton.table.shape[0],
            "classes": automaton.table.shape[1],
            "compile_seconds": round(compiling, 3),
            "distill_seconds": round(distilling, 3),
            "hmm": asdict(record),
        }
        write_json(make_folder(workspace.folder) / "ctrlg.json", info)


class CtrlGAnySettings(CtrlGSettings):
    """Settings of Ctrl-G with one term: those of Ctrl-G, with another default.

    Attributes:
        accept: ``all`` demands the task's whole constraint; ``any`` just one of its wanted
            entries, beside the word range and what is forbidden.
    """

    accept: Accept = "any"


class CtrlGAny(CtrlG):
    """Constrained decoding that any wanted term satisfies (OR), as the paper's baseline had it."""

    name = "ctrlg-any"
    summary = "constrained decoding: every completion has at least one wanted term"
    settings_model = CtrlGAnySettings
