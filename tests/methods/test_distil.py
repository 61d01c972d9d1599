"""Distillation: which completions are learnt, where they come from, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
import torch

from equipoise import EquipoiseError
from equipoise.files.csv_file import read_rows, write_table
from equipoise.methods.distil import accepted_sentences, likeliest
from equipoise.methods.method import Workspace
from equipoise.methods.registry import build_method
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import ModelSize
from equipoise.task.task import Task
from training.twins import negative_log_likelihoods

GOOD = [
    "The doctor was bold and honest with colleagues.",
    "The doctor was ambitious and kind with colleagues.",
    "The doctor was self-reliant and honest with colleagues.",
]


def written(folder: Path, rows: Sequence[tuple[str, str]]) -> Path:
    path = folder / "theirs.csv"
    write_table(path, pd.DataFrame(rows, columns=["subject", "text"]))
    return path


def test_what_may_be_learnt(make_task: Callable[..., Task], tmp_path: Path) -> None:
    task = make_task()
    seen, unseen = task.train[0].name, task.validation[0].name
    good = [text.replace("doctor", seen) for text in GOOD]
    assert all(task.constraint.check(text).satisfied for text in good)
    path = written(
        tmp_path,
        [
            (seen, good[0]),
            (seen, good[0]),  # once is enough
            (unseen, good[1].replace(seen, unseen)),  # not of the train split
            (seen, good[1]),
            (seen, "The person was bold all day."),  # one kind of term
            (seen, good[2].rstrip(".")),  # not finished
            (seen, f"{good[2]} And so on."),  # the first sentence is judged
        ],
    )
    found = accepted_sentences(path, task)
    assert list(zip(found["subject"], found["text"], strict=True)) == [(seen, t) for t in good]


def test_the_likelier_ones_come_first() -> None:
    frame = pd.DataFrame(
        {"subject": list("aabab"), "log_probability": [-3.0, -1.0, -2.0, -1.0, -4.0]}
    )
    assert likeliest(frame, 1).index.tolist() == [1, 2], "of equal ones the first"
    assert likeliest(frame, 2).index.tolist() == [1, 2, 3, 4]
    assert likeliest(frame, 9).index.tolist() == [0, 1, 2, 3, 4]


def test_what_it_writes(
    fresh_tiny_lm: Callable[[], LanguageModel], make_task: Callable[..., Task], tmp_path: Path
) -> None:
    task, lm = make_task(), fresh_tiny_lm()
    name = task.train[0].name
    texts = [text.replace("doctor", name) for text in GOOD]
    path = written(tmp_path, [(name, text) for text in texts])
    method = build_method(
        "distil", {"learn_from": "theirs", "n_per_subject": 2, "max_steps": 2, "batch_size": 2}
    )
    answers = [lm.answer(task.prompt(name), task.response_prefix(name), text) for text in texts]
    with torch.no_grad():
        scores = [-float(negative_log_likelihoods(lm.model, one).mean()) for one in answers]
    workspace = Workspace(tmp_path / "run", tmp_path / "model", completions={"theirs": path})
    policy = method.fit(lm, task, 3, workspace)
    columns = read_rows(tmp_path / "run" / "train_examples.csv").columns
    best = sorted(sorted(range(3), key=lambda i: -scores[i])[:2])
    assert columns["text"] == list(policy.training_texts) == [texts[i] for i in best]
    assert columns["origin"] == ["theirs"] * 2
    found = [float(value) for value in columns["log_probability"]]
    assert found == pytest.approx([scores[i] for i in best], rel=1e-4)
    info = json.loads((tmp_path / "run" / "training_info.json").read_text())
    assert (info["n_train"], info["n_accepted"], info["learn_from"]) == (2, 3, "theirs")
    assert (tmp_path / "model" / "config.json").is_file()


def test_nothing_to_learn_from(
    tiny_lm: LanguageModel, make_task: Callable[..., Task], tmp_path: Path
) -> None:
    task = make_task()
    unseen = task.validation[0].name
    path = written(tmp_path, [(unseen, GOOD[0].replace("doctor", unseen))])
    workspace = Workspace(tmp_path / "run", tmp_path / "model", completions={"prompt": path})
    message = "learn_from: 'prompt' delivered nothing about a train subject that satisfies"
    with pytest.raises(EquipoiseError, match=message):
        build_method("distil", {"learn_from": "prompt"}).fit(tiny_lm, task, 1, workspace)
    assert not (tmp_path / "run").exists()


def test_what_it_needs(tiny_lm: LanguageModel, make_task: Callable[..., Task]) -> None:
    task = make_task()
    size = ModelSize(tiny_lm.name, tiny_lm.model.config, tiny_lm.encoder, has_tokenizer=True)
    method = build_method("distil", {"n_per_subject": 5})
    training = method.work(task, size, 1).training
    assert training is not None
    assert len(training.examples) == method.n_examples(task) == 5 * len(task.train)
    assert training.scorings == 1, "all are ranked"
