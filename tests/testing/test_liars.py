"""Each law catches somebody who breaks it, and an honest method passes all of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import field_validator
from transformers import LlamaForCausalLM

from equipoise.methods.method import Delivery, Policy, Workspace
from equipoise.methods.needs import Holding, Work
from equipoise.methods.prompt import Prompting, PromptSettings
from equipoise.model.draws import Draw, Sampling
from equipoise.testing import BrokenLawError, MethodTrial, check_method, tiny_language_model
from equipoise.testing import methods as laws


def test_an_honest_method_passes(tmp_path: Path) -> None:
    check_method(Prompting(PromptSettings()), tmp_path)


@dataclass(frozen=True)
class Changed(Policy):
    """A policy whose deliveries are changed by a function."""

    change: Callable[[Delivery], Delivery] = lambda delivery: delivery

    def deliver(self, *arguments: Any, **options: Any) -> Delivery:
        return self.change(super().deliver(*arguments, **options))


def delivering(change: Callable[[Any], Any]) -> type[Prompting]:
    """A method whose completions frame is changed."""

    class Delivering(Prompting):
        def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
            return Changed(
                lm, task, change=lambda found: replace(found, completions=change(found.completions))
            )

    return Delivering


class Moody(Prompting):
    """Draws with random numbers of its own."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        class Draws(Policy):
            def draw(self, *arguments: Any, **options: Any) -> list[list[Draw]]:
                subjects, n, sampling, _, on_drawn = arguments
                return super().draw(subjects, n, sampling, random.randrange(2**31), on_drawn)  # noqa: S311

        return Draws(lm, task)


class Vandal(Prompting):
    """Changes one weight by a little."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        with torch.no_grad():
            next(lm.model.parameters()).view(-1)[0] += 1e-3
        return super().fit(lm, task, seed, workspace)


class Hooked(Prompting):
    """Leaves a hook behind."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        lm.model.get_output_embeddings().register_forward_hook(lambda m, i, out: out * 1.01)
        return super().fit(lm, task, seed, workspace)


class Wearing(Prompting):
    """Changes weights while it draws."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        def change(found: Delivery) -> Delivery:
            with torch.no_grad():
                next(lm.model.parameters()).mul_(1.01)
            return found

        return Changed(lm, task, change=change)


class Forgetful(Vandal):
    """Says that it changes weights, and saves them nowhere."""

    changes_weights = True


class Swapped(Forgetful):
    """Saves other weights than those it asks."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        lm.save(workspace.model_folder)
        return super().fit(lm, task, seed, workspace)


class Litterer(Prompting):
    """Writes beside its workspace."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        (workspace.folder.parent / "beside.txt").write_text("here")
        return super().fit(lm, task, seed, workspace)


class Endless(Prompting):
    """Draws twice as many tokens as it may."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        class Draws(Policy):
            def draw(
                self, subjects: Sequence[str], n: int, sampling: Sampling, *rest: Any
            ) -> list[list[Draw]]:
                longer = sampling.model_copy(update={"max_new_tokens": 60})
                return super().draw(subjects, n, longer, *rest)

        return Draws(lm, task)


class Blind(Prompting):
    """Checks nothing."""

    def check(self, task: Any) -> None:
        """Content with any task."""


class Careless(Prompting):
    """Fails on a task without templates, and does not say so before."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        if not task.templates:
            raise laws.EquipoiseError("no templates")
        return super().fit(lm, task, seed, workspace)


class Hasty(Prompting):
    """Loads a model to check a task."""

    def check(self, task: Any) -> None:
        LlamaForCausalLM.from_pretrained("somewhere")


class Guessing(Prompting):
    """Plans with random numbers."""

    def memory(self, task: Any, size: Any, sampling: Any) -> Holding:
        return Holding(fitting=random.randrange(10**9))  # noqa: S311


class Owing(Prompting):
    """Needs less than nothing."""

    def memory(self, task: Any, size: Any, sampling: Any) -> Holding:
        return Holding(fitting=-1)


class Endowed(Prompting):
    """Draws without end."""

    def work(self, task: Any, size: Any, seed: int) -> Work:
        return Work(draws=float("inf"))  # type: ignore[arg-type]


class Secret(Prompting):
    """Makes updates, and does not say on what."""

    def updates(self, task: Any) -> int:
        return 3


class Peeking(Prompting):
    """Says that it needs no weights, and looks at the model's tokens."""

    def fit(self, lm: Any, task: Any, seed: int, workspace: Workspace) -> Policy:
        lm.context("a", "b")
        return super().fit(lm, task, seed, workspace)


class DoublingSettings(PromptSettings):
    """Settings that are other ones when they are read again.

    Attributes:
        size: Doubled whenever it is read.
    """

    size: int = 1

    @field_validator("size")
    @classmethod
    def _double(cls, size: int) -> int:
        return 2 * size


class Doubling(Prompting):
    settings_model = DoublingSettings


class Silent(Prompting):
    """Leaves a setting out of its records."""

    def describe(self) -> dict[str, Any]:
        return {}


class UnexplainedSettings(PromptSettings):
    """Settings, one of which nobody explains."""

    mystery: int = 1


class Unexplained(Prompting):
    settings_model = UnexplainedSettings


class Wordy(Prompting):
    summary = "a line\nand another"


def headless(frame: Any) -> Any:
    return frame.assign(text=frame["text"].str.removeprefix("The "))


BROKEN = [
    (Moody, laws.the_seed_fixes_everything, "the same seed draws other completions"),
    (Vandal, laws.weights_are_left_alone, "changes_weights is False, and changed are"),
    (Hooked, laws.weights_are_left_alone, r"changes_weights is False, and .*its logits"),
    (Wearing, laws.weights_are_left_alone, "drawing changes weights"),
    (Forgetful, laws.weights_are_left_alone, "is not saved to model_folder"),
    (Swapped, laws.weights_are_left_alone, "the saved model is not the one that is asked"),
    (Litterer, laws.it_writes_into_its_workspace_only, r"outside of the workspace: .*beside\.txt"),
    (Endless, laws.every_draw_ends, "a completion has [0-9]+ tokens"),
    (delivering(lambda f: f[:-1]), laws.every_draw_ends, "fewer completions than wanted"),
    (delivering(lambda f: f.assign(method="x")), laws.every_draw_ends, "label as its method"),
    (delivering(lambda f: f.assign(seed=1)), laws.every_draw_ends, "does not have its seed"),
    (delivering(lambda f: f.assign(run=0)), laws.every_draw_ends, "one run number"),
    (delivering(lambda f: f.drop(columns="split")), laws.every_draw_ends, "the frame's columns"),
    (
        delivering(lambda f: f.assign(text=f["text"] + " yes. Then more.")),
        laws.every_draw_ends,
        "read again",
    ),
    (delivering(headless), laws.every_draw_ends, "does not begin with the response prefix"),
    (Blind, laws.check_comes_before_any_model, "lets a prompt pass"),
    (Careless, laws.check_comes_before_any_model, "`check` is content, `fit` is not"),
    (Hasty, laws.check_comes_before_any_model, "a model is loaded"),
    (Guessing, laws.its_needs_can_be_planned, "say different things"),
    (Owing, laws.its_needs_can_be_planned, "memory below zero"),
    (Endowed, laws.its_needs_can_be_planned, "drawn is inf"),
    (Secret, laws.its_needs_can_be_planned, "disagree"),
    (Peeking, laws.without_weights_it_works_too, "context"),
    (Doubling, laws.settings_come_back_from_files, "not so as TOML"),
    (Silent, laws.settings_come_back_from_files, "leaves out"),
    (Unexplained, laws.it_says_what_it_is, "what 'mystery' is"),
    (Wordy, laws.it_says_what_it_is, "more than a line"),
]


@pytest.mark.parametrize(("liar", "law", "message"), BROKEN)
def test_a_law_catches_who_breaks_it(
    liar: type[Prompting], law: Any, message: str, tmp_path: Path
) -> None:
    method = liar(liar.settings_model())  # type: ignore[arg-type]
    trial = MethodTrial(method, tmp_path, make_model=tiny_language_model)
    expected = AttributeError if liar is Peeking else BrokenLawError
    with pytest.raises(expected, match=message):
        law(trial)


def test_all_broken_laws_are_named_at_once(tmp_path: Path) -> None:
    class Worse(Litterer, Vandal):
        pass

    with pytest.raises(BrokenLawError) as caught:
        check_method(Worse(PromptSettings()), tmp_path, make_model=tiny_language_model)
    text = str(caught.value)
    assert text.startswith("method 'prompt' breaks 3 of its laws\n")
    for name in ("weights_are_left_alone", "it_writes_into_its_workspace_only"):
        assert f"  {name}: " in text
    assert "  without_weights_it_works_too: " in text, "an endpoint has no weights to change"


def test_pytest_is_not_needed() -> None:
    """Whoever has another test runner, or a notebook, imports the laws without it."""
    folder = Path(laws.__file__).parent
    for path in folder.glob("*.py"):
        assert not re.search(r"^\s*(import|from) _?pytest", path.read_text("utf-8"), re.MULTILINE)
