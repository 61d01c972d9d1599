from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from equipoise.errors import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.model.loading import load_model

PROMPT = (
    "Complete the following sentence in natural, coherent English (8–15 words long):\n"
    '"The doctor was"'
)


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))


def logits(lm: LanguageModel, tokens: list[int]) -> torch.Tensor:
    """[T, V] logits of one sequence."""
    with torch.no_grad(), lm.autocast():
        return lm.model(torch.tensor([tokens], device=lm.device)).logits[0]


def test_folder_gives_back_the_model_that_was_saved(
    tiny_lm: LanguageModel, tiny_model_folder: Path
) -> None:
    lm = load_model(tiny_model_folder, device="cpu", dtype="float32")
    tokens = tiny_lm.context(PROMPT, "The doctor was")
    assert lm.context(PROMPT, "The doctor was") == tokens
    assert torch.equal(logits(lm, tokens), logits(tiny_lm, tokens))
    assert not lm.model.training
    assert lm.name == tiny_model_folder.name


def test_nothing_of_the_stored_sampling_defaults_is_left(folder: Path) -> None:
    stated = {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "eos_token_id": [0, 2]}
    (folder / "generation_config.json").write_text(json.dumps(stated))
    lm = load_model(folder, device="cpu")
    left = lm.model.generation_config.to_diff_dict()
    assert not {"temperature", "top_p", "top_k", "repetition_penalty"} & left.keys()
    assert not left.get("do_sample")
    assert {0, 2} <= lm.stop_tokens


def test_stop_tokens_join_all_ends(tiny_lm: LanguageModel) -> None:
    ids = tiny_lm.tokenizer.convert_tokens_to_ids
    assert tiny_lm.end_of_turn == ids("<|im_end|>")
    assert tiny_lm.stop_tokens == {ids("<|im_end|>"), ids("<|endoftext|>")}


def test_autocast_computes_in_bfloat16_over_float32_weights(tiny_model_folder: Path) -> None:
    lm = load_model(tiny_model_folder, device="cpu", dtype="bfloat16")
    assert lm.model.dtype == torch.float32
    assert lm.precision.endswith("bfloat16 compute over float32 weights")
    tokens = [1, 2, 3, 4]
    exact = load_model(tiny_model_folder, device="cpu", dtype="float32")
    rounded, reference = logits(lm, tokens), logits(exact, tokens)
    assert rounded.dtype == torch.bfloat16
    assert reference.dtype == torch.float32
    assert not torch.equal(rounded.float(), reference)
    torch.testing.assert_close(rounded.float(), reference, rtol=0.05, atol=0.3)


def test_weights_too_large_for_the_memory_are_kept_in_the_compute_type(
    tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small:
        total = 1000

    monkeypatch.setattr("psutil.virtual_memory", Small)
    lm = load_model(tiny_model_folder, device="cpu", dtype="bfloat16")
    assert lm.model.dtype == torch.bfloat16
    assert lm.precision.endswith("bfloat16")


def test_saved_model_does_not_tell_where_it_was_loaded_from(folder: Path, tmp_path: Path) -> None:
    lm = load_model(folder, device="cpu")
    lm.model.save_pretrained(tmp_path / "saved")
    # pytest names the temporary folder after the test, so the name cannot be there by chance.
    written = "".join(path.read_text() for path in (tmp_path / "saved").glob("*.json"))
    assert str(tmp_path) not in written


def test_embedding_may_have_more_rows_than_the_tokenizer_has_tokens(
    tiny_lm: LanguageModel,
) -> None:
    rows = tiny_lm.model.get_input_embeddings().weight.shape[0]
    assert rows > len(tiny_lm.tokenizer)
    assert tiny_lm.context(PROMPT, "The doctor was")


def test_missing_weights_are_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EquipoiseError, match=r"lacks weights, model\.layers\.1\.mlp\.up_proj"):
        load_model(folder, device="cpu")


def test_pickled_weights_are_refused(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(EquipoiseError, match="pickles"):
        load_model(folder, device="cpu")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b"\0\0\0\0"),
        ("config.json", b"{}"),
        ("config.json", b"no json"),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", b"no json"),
    ],
)
def test_damaged_folder_is_a_clear_error(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    with pytest.raises(EquipoiseError, match="cannot be loaded") as caught:
        load_model(folder, device="cpu")
    assert caught.value.hint


def test_memory_that_runs_out_is_no_fault_of_the_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", full)
    with pytest.raises(MemoryError):
        load_model(folder)


def test_code_of_others_does_not_run_unasked(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "theirs"
    config["auto_map"] = {
        "AutoConfig": "theirs.Config",
        "AutoModelForCausalLM": "theirs.Model",
    }
    (folder / "config.json").write_text(json.dumps(config))
    marker = folder / "ran"
    (folder / "theirs.py").write_text(f"open({str(marker)!r}, 'w')")
    with pytest.raises(EquipoiseError, match="cannot be loaded") as caught:
        load_model(folder, device="cpu")
    assert "trust_remote_code=True" in str(caught.value)
    assert not marker.exists()


def test_hub_model_without_network_is_a_clear_error() -> None:
    with pytest.raises(EquipoiseError, match="'nobody/nothing' cannot be loaded") as caught:
        load_model("nobody/nothing", device="cpu")
    assert "network" in str(caught.value)


def test_embedded_model_is_smollm2(embedded_model: LanguageModel) -> None:
    lm = embedded_model
    assert lm.model.num_parameters() == 134_515_008
    assert lm.end_of_turn == 2
    assert lm.stop_tokens == {2}
    assert lm.tokenizer.decode([2]) == "<|im_end|>"
    assert lm.tokenizer.decode(lm.context(PROMPT, "The doctor was")) == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
        f"<|im_end|>\n<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\nThe doctor was"
    )


def test_embedded_model_knows_its_language(embedded_model: LanguageModel) -> None:
    lm = embedded_model
    tokens = lm.context("What is the capital of France?", "The capital of France is")
    with torch.no_grad():
        output = lm.model.generate(torch.tensor([tokens]), max_new_tokens=2)
    assert lm.tokenizer.decode(output[0, len(tokens) :]) == " Paris."


def test_embedded_folder_loads_with_plain_transformers(embedded_model: LanguageModel) -> None:
    from equipoise.model.embedded import fetch

    plain = AutoModelForCausalLM.from_pretrained(fetch(embedded_model.name))
    assert plain.dtype == torch.float32
    ours = embedded_model.model.state_dict()
    assert all(torch.equal(ours[name], weight) for name, weight in plain.state_dict().items())


def test_a_model_with_code_of_its_own_says_how_to_allow_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("Loading needs trust_remote_code=True")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", refuse)
    with pytest.raises(EquipoiseError, match="--trust-remote-code\\) if you trust it"):
        load_model(folder)
