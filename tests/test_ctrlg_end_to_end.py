"""Ctrl-G on the embedded model: the guarantee, and the docs page's example as it stands."""

from __future__ import annotations

import ast
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from equipoise.decoding import Sampling
from equipoise.methods.ctrlg.automaton import TokenAutomaton, compile_constraint
from equipoise.methods.ctrlg.distillation import Distillation
from equipoise.methods.ctrlg.hmm_fit import DistillSettings
from equipoise.methods.ctrlg.hmm_store import load, save
from equipoise.methods.ctrlg.lookahead import Lookahead
from equipoise.methods.ctrlg.method import GuidedPolicy
from equipoise.methods.ctrlg.vocabulary import Vocabulary
from equipoise.model.language_model import LanguageModel
from equipoise.task.prose import is_prose
from equipoise.task.sentence import first_sentence
from equipoise.task.task_file import load_task

ROOT = Path(__file__).parent.parent
TASK = load_task("occupations")
SUBJECTS = [subject.name for subject in TASK.subjects]


@pytest.fixture(scope="module")
def lm(_embedded_model: LanguageModel) -> LanguageModel:
    return _embedded_model


@pytest.fixture(scope="module")
def hmm_folder(lm: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weak HMM: what is guaranteed does not depend on it."""
    settings = DistillSettings(hidden_states=8, n_samples=60, iterations=2)
    distillation = Distillation.of_task(lm, TASK, "neutral", Sampling(), settings)
    hmm, record = distillation.run()
    folder = tmp_path_factory.mktemp("hmm") / "my-hmm"
    save(folder, hmm, {"record": asdict(record)})
    return folder


@pytest.fixture(scope="module")
def automaton(lm: LanguageModel) -> TokenAutomaton:
    prefixes = [TASK.response_prefix(subject) for subject in SUBJECTS]
    vocabulary = Vocabulary.of_model(lm)
    return compile_constraint(TASK.constraint, vocabulary, prefixes, max_tokens=64)


def test_every_completion_satisfies_the_constraint(
    lm: LanguageModel, hmm_folder: Path, automaton: TokenAutomaton
) -> None:
    policy = GuidedPolicy(lm, TASK, lookahead=Lookahead(load(hmm_folder)[0], automaton, 64))
    frame = policy.deliver("ctrlg", SUBJECTS, 3, Sampling(), 42).completions
    assert len(frame) == 60
    assert frame["finished"].all()
    assert all(TASK.constraint.check(text).satisfied for text in frame["text"])
    assert all(is_prose(text) and 8 <= len(text.split()) <= 15 for text in frame["text"])
    assert frame["text"].nunique() > 54


def test_the_same_seed_draws_the_same(
    lm: LanguageModel, hmm_folder: Path, automaton: TokenAutomaton
) -> None:
    policy = GuidedPolicy(lm, TASK, lookahead=Lookahead(load(hmm_folder)[0], automaton, 64))
    first, again = (policy.deliver("c", ["nurse"], 3, Sampling(), 1).completions for _ in range(2))
    assert first.equals(again)


def test_the_example_of_the_docs_page(
    hmm_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "ctrlg.md").read_text("utf-8")
    match = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert match
    monkeypatch.chdir(hmm_folder.parent)
    names: dict[str, object] = {}
    exec(match[1], names)  # noqa: S102 - the page's own code
    (text,) = ast.literal_eval(capsys.readouterr().out)
    sentence = first_sentence(text.split("<|im_end|>")[0])
    assert sentence.text.startswith("The nurse was")
    assert sentence.finished
    assert TASK.constraint.check(sentence.text).satisfied
