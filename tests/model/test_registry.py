from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import EquipoiseError
from equipoise.model.registry import (
    DEFAULT_MODEL,
    EMBEDDED,
    check_model_name,
    known_models,
    local_folder,
)


def test_known_models_lead_with_the_default_and_are_pinned() -> None:
    cards = known_models()
    assert [card.name for card in cards] == [DEFAULT_MODEL, "gemma-3-270m"]
    for card in cards:
        assert len(card.gguf_sha256) == 64
        assert card.licence
        # The wheels hold the GGUF file compressed, never larger than it by more than a hundredth.
        assert card.size_bytes < 1.01 * card.gguf_bytes


def test_gemma_is_joined_from_four_parts_in_order_and_names_its_terms() -> None:
    card = EMBEDDED["gemma-3-270m"]
    assert [wheel.member[-7:] for wheel in card.wheels] == [
        ".part00",
        ".part01",
        ".part02",
        ".part03",
    ]
    assert "ai.google.dev/gemma/terms" in card.notice


@pytest.mark.parametrize(
    "name",
    [
        "smollm2-135m-instruct",
        "gemma-3-270m",
        "meta-llama/Llama-3.1-8B-Instruct",
        "a/b",
        "o_o/x.y-z_1",
    ],
)
def test_names_that_are_accepted(name: str) -> None:
    check_model_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gpt2",
        "../model",
        "./model",
        "/no/such/folder",
        "~/no/such",
        "a/b/c",
        "a//b",
        "a/",
        "/b",
        "a b/c",
        "a/-b",
        "a/b.",
        "a/b--c",
        "a/b..c",
        "a/b.git",
        "ä/b",
        "a/b\n",
        "a/" + "b" * 95,
        "C:\\models",
    ],
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(EquipoiseError):
        check_model_name(name)


def test_longest_hub_id() -> None:
    check_model_name("a/" + "b" * 94)  # 96 characters, the Hub's limit


def test_misspelt_name_gets_the_nearest_one_with_file_and_field() -> None:
    with pytest.raises(EquipoiseError) as caught:
        check_model_name("smolm2-135m-instruct", file="study.toml", field="study.model")
    message = str(caught.value)
    assert message.startswith("study.toml: study.model: unknown model 'smolm2-135m-instruct'.")
    assert "Did you mean 'smollm2-135m-instruct'?" in message


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError, match=r"no config\.json"):
        check_model_name(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(EquipoiseError, match="LoRA adapter") as caught:
        check_model_name(tmp_path)
    assert "merge_and_unload" in str(caught.value)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EquipoiseError, match="no weights in safetensors"):
        check_model_name(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(EquipoiseError, match="pickles") as caught:
        check_model_name(tmp_path)
    assert "save_pretrained" in str(caught.value)
    (tmp_path / "model.safetensors").write_bytes(b"")
    check_model_name(tmp_path)
    check_model_name(str(tmp_path))
    with pytest.raises(EquipoiseError, match="is a file"):
        check_model_name(tmp_path / "config.json")


def test_a_folder_never_hides_an_embedded_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / DEFAULT_MODEL).mkdir()
    monkeypatch.chdir(tmp_path)
    assert local_folder(DEFAULT_MODEL) is None
    check_model_name(DEFAULT_MODEL)


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").mkdir()
    assert local_folder("~/mine") == tmp_path / "mine"
    assert local_folder("~/other") is None
