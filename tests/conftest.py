"""Fixtures every test may use: fixed seeds, no network, and tiny models made on the spot."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when transformers is imported
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Read once, when torch is imported; the processes that tests start inherit it. Tests run in
# several workers (see the Makefile), and one thread each is fastest for models this small.
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np
import pytest
import torch
from hypothesis import settings

from endpoint_server import Proxy, proxy_of, serving
from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model
from equipoise.model.registry import DEFAULT_MODEL
from equipoise.progress import listening
from equipoise.task.task import Task
from equipoise.task.task_file import load_task
from heard import Heard
from real_browser import chromium, opened
from tiny_models import tiny_language_model
from tiny_task import MEASURED, NO_HELD_OUT_AGENTIC, Replacement, tiny_task

__all__ = ["chromium", "opened"]
"""One browser for all rooms: a process cannot start a second one."""

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

MARKS = {"_embedded_model": "embedded", "chromium": "browser", "server": "endpoint"}
"""Fixture -> the marker of every test that takes it, itself or through another fixture."""


LONG = {"slow", "embedded", "browser", "engines"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the costly things they take; among several workers, long tests come first.

    So no test forgets its marker, and no worker begins a long test when the others have ended.
    """
    for item in items:
        for name in MARKS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKS[name])
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: LONG.isdisjoint(mark.name for mark in item.iter_markers()))


@pytest.fixture(autouse=True)
def seeds() -> None:
    """The same random numbers in every test, whatever ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What work tells and says during the test."""
    ear = Heard()
    with listening(ear):
        yield ear


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The small task whose rates can be counted by hand."""
    return tiny_task(tmp_path_factory.mktemp("task"), *MEASURED)


@pytest.fixture(scope="session")
def task_without_held_out(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The same task, whose agentic set has no held-out terms."""
    return tiny_task(tmp_path_factory.mktemp("task"), *NO_HELD_OUT_AGENTIC)


@pytest.fixture
def make_task(tmp_path: Path) -> Callable[..., Task]:
    """Makes the small task, with pieces of its file replaced."""

    def make(*replacements: Replacement) -> Task:
        return tiny_task(tmp_path / "files", *replacements)

    return make


@pytest.fixture(scope="session")
def occupations() -> Task:
    """The built-in task."""
    return load_task("occupations")


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes text or bytes to a file and returns its path."""

    def write(content: str | bytes, name: str = "some.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a model fails the test."""

    def load(*_: object, **__: object) -> None:
        pytest.fail("a model was loaded before the input was checked")

    # In this order: importing the study must not pick up the replacement for good.
    for home in ("equipoise.study.computation", "equipoise.model.loading"):
        monkeypatch.setattr(f"{home}.load_model", load)


@pytest.fixture(scope="session")
def tiny_lm() -> LanguageModel:
    """A tiny model with a ChatML template. Shared: a test that changes it takes `fresh_tiny_lm`."""
    return tiny_language_model(chat=True)


@pytest.fixture(scope="session")
def tiny_plain_lm() -> LanguageModel:
    """A tiny model without a chat template. Shared, see `tiny_lm`."""
    return tiny_language_model(chat=False)


@pytest.fixture
def fresh_tiny_lm(tiny_lm: LanguageModel) -> Callable[[], LanguageModel]:
    """Makes copies of `tiny_lm` with the same weights, to be trained or changed."""

    def make() -> LanguageModel:
        model = copy.deepcopy(tiny_lm.model)
        return LanguageModel(model, tiny_lm.tokenizer, "tiny", tiny_lm.device, tiny_lm.dtype)

    return make


@pytest.fixture(scope="session")
def tiny_model_folder(tiny_lm: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny_lm` saved as a folder that `load_model` and `from_pretrained` read."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tiny_lm.model.save_pretrained(folder)
    tiny_lm.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def server(
    tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Address of a real server of the OpenAI protocol, and the tiny model's name there."""
    with serving(tiny_model_folder, tmp_path_factory.mktemp("serve")) as found:
        yield found


@pytest.fixture
def proxy(server: tuple[str, str]) -> Iterator[Proxy]:
    """Stands before the server: writes down what is asked, and fails where a test wants it."""
    with proxy_of(server[0]) as found:
        yield found


@pytest.fixture(scope="session")
def _embedded_model() -> LanguageModel:
    try:
        return load_model(DEFAULT_MODEL)
    except EquipoiseError as error:
        pytest.fail(
            f"The embedded model is needed and could not be had: {error} "
            "'make install' fetches it once; the tests need no network after that.",
            pytrace=False,
        )


@pytest.fixture
def embedded_model(_embedded_model: LanguageModel) -> Iterator[LanguageModel]:
    """The real default model, loaded once. A test that trains it copies its ``model`` first."""
    first = next(iter(_embedded_model.model.parameters())).detach()[:50].clone()
    yield _embedded_model
    now = next(iter(_embedded_model.model.parameters())).detach()[:50]
    assert torch.equal(first, now), "a test changed the shared embedded model"
