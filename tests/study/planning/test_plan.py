"""What a study will need, against golden figures, a real forward pass, and measured peaks."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from equipoise import EquipoiseError
from equipoise.model.language_model import LanguageModel
from equipoise.model.model_size import WordEncoder, model_size
from equipoise.model.registry import DEFAULT_MODEL
from equipoise.study.planning.activations import saved_bytes
from equipoise.study.planning.memory import trained_parameters
from equipoise.study.planning.plan import MethodPlan, plan_study
from equipoise.study.specification import read_specification
from equipoise.task.task_file import load_task
from equipoise.training.training_settings import TrainingSettings

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
LORA = TrainingSettings(lora=True)

MATCHED = "batch_size = 16\ngrad_accum_steps = 1\n"
MEASURED = {  # resident memory (10⁹ bytes) of a process that computed this cell alone
    ("prompt", ""): 1.508,
    ("filter", 'prompt = "balanced"\nmax_draws = 30\n'): 2.222,
    ("ctrlg", "hidden_states = 128\nn_samples = 1000\n"): 1.929,
    ("leace", ""): 1.627,
    ("inlp", ""): 1.589,
    ("sft", MATCHED): 3.479,
    ("sft", "batch_size = 4\ngrad_accum_steps = 1\n"): 3.119,
    ("sft", f"lora = true\n{MATCHED}"): 2.433,
    ("dpo", MATCHED): 4.135,
    ("dpo", f'pairs = "free"\nneither = 0.2\n{MATCHED}'): 4.344,
    ("dpo", f"lora = true\n{MATCHED}"): 3.165,
    ("rlhf", f"iterations = 4\nrollout_batch_size = 24\n{MATCHED}"): 6.554,
}


def _plan(
    folder: Path, method: str, settings: str, model: str = DEFAULT_MODEL, **device: float | bool
) -> MethodPlan:
    path = folder / "study.toml"
    path.write_text(
        f'[study]\nname = "p"\nmodel = "{model}"\nseeds = [1, 2, 3]\nsamples_per_subject = 15\n'
        f"[methods.{method}]\n{settings}"
    )
    plan = plan_study(read_specification(path), tflops=1.0, **device)  # type: ignore[arg-type]
    return plan.methods[method]


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading weights fails the test."""

    def load(*_: object, **__: object) -> None:
        raise AssertionError("weights are read")

    monkeypatch.setattr("transformers.PreTrainedModel.from_pretrained", load)
    monkeypatch.setattr("safetensors.torch.load_file", load)


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize(("method", "settings"), MEASURED)
@pytest.mark.slow
def test_within_a_fifth_of_what_was_measured(method: str, settings: str, tmp_path: Path) -> None:
    planned = _plan(tmp_path, method, settings, memory_gb=25.3).memory.peak / 1e9
    assert planned == pytest.approx(MEASURED[method, settings], rel=0.2)


@pytest.mark.usefixtures("no_weights")
def test_what_is_chosen_among_is_drawn_and_scored(tmp_path: Path) -> None:
    """Eight draws for each completion; a pass over all of them costs less than drawing them."""
    alone, single, eight = (
        _plan(tmp_path, *method, model=LLAMA, memory_gb=80.0)
        for method in (("prompt", ""), ("best-of", "draws = 1"), ("best-of", "draws = 8"))
    )
    assert single.seconds == alone.seconds
    assert eight.drawn_tokens == 8 * alone.drawn_tokens
    assert 8 * alone.seconds < eight.seconds < 16 * alone.seconds


def test_llama_by_its_published_dimensions() -> None:
    size = model_size(LLAMA)
    assert size.parameters == 8_030_261_248
    # keys and values, 32 layers, 8 heads of 128, 2 bytes each
    assert size.kv_bytes_per_token == 2 * 32 * 8 * 128 * 2
    # A layer's q and o are 4096 x 4096, k and v 4096 x 1024, the MLP's three 4096 x 14,336.
    a_layer = 2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14_336)
    assert trained_parameters(size, 8) == 32 * 8 * a_layer == 20_971_520
    assert size.matrix_parameters == 8_030_261_248 - 2 * 128_256 * 4096


@pytest.mark.usefixtures("no_weights")
def test_llama_in_full_and_through_adapters(tmp_path: Path) -> None:
    gpu = {"memory_gb": 80.0, "on_gpu": True}
    full = _plan(tmp_path, "sft", "", LLAMA, **gpu)
    assert full.cells == 3
    assert full.updates == 57  # three epochs of 19 updates of 16 sentences
    assert full.parameters == 8_030_261_248
    # float32 weights and gradients, two moments of AdamW: 16 bytes a weight
    parts = full.memory
    assert parts.weights + parts.gradients + parts.optimizer == 16 * 8_030_261_248
    assert parts.process == parts.saving == 0
    assert "more than the 80 GB there: shard it (FSDP), or set lora = true" in full.remark
    adapters = _plan(tmp_path, "sft", "lora = true", LLAMA, **gpu)
    assert adapters.parameters == 20_971_520
    assert adapters.memory.optimizer == 8 * 20_971_520
    assert adapters.memory.weights == 4 * 8_030_261_248, "float32 fills less than half of 80 GB"
    assert adapters.remark == ""
    smaller = _plan(tmp_path, "sft", "lora = true", LLAMA, memory_gb=24.0, on_gpu=True)
    assert smaller.memory.weights == 2 * 8_030_261_248, "in 16 bits, as it is loaded then"


def _really_saved(lm: LanguageModel, nodes: int, rows: int) -> int:
    """Bytes that the backward pass of a real model would read, its weights left out."""
    model = copy.deepcopy(lm.model).train().requires_grad_(True)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        with torch.autocast("cpu", torch.bfloat16):
            output = model(
                input_ids=torch.zeros(1, nodes, dtype=torch.long),
                position_ids=torch.zeros(1, nodes, dtype=torch.long),
                attention_mask=torch.ones(1, 1, nodes, nodes, dtype=torch.bool),
                logits_to_keep=torch.zeros(rows, dtype=torch.long),
                use_cache=False,
            )
        torch.logsumexp(output.logits[0].float(), dim=-1).sum()
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize(("nodes", "rows"), [(37, 11), (101, 53)])
def test_activations_equal_those_of_a_real_pass(
    tiny_lm: LanguageModel, nodes: int, rows: int
) -> None:
    vocabulary = tiny_lm.model.config.vocab_size
    below, logits = saved_bytes(
        tiny_lm.model.config, nodes, rows, weights=torch.float32, lora_rank=None
    )
    assert logits == rows * vocabulary * 16
    assert below + rows * vocabulary * 6 == _really_saved(tiny_lm, nodes, rows)


def test_tokens_are_estimated_where_the_tokenizer_is_not_here() -> None:
    task, real, stand_in = load_task("occupations"), model_size(DEFAULT_MODEL), WordEncoder()
    assert real.has_tokenizer
    assert not model_size(LLAMA).has_tokenizer
    counts = {"real": 0, "stand-in": 0}
    for subject in task.subjects:
        prompt, prefix = task.prompt(subject.name), task.response_prefix(subject.name)
        text = f"{prefix} assertive in meetings and considerate toward every colleague on the team."
        for name, encoder in (("real", real.encoder), ("stand-in", stand_in)):
            counts[name] += len(encoder.context(prompt, prefix))
            counts[name] += len(encoder.continuation(prompt, prefix, text))
    assert counts["stand-in"] == pytest.approx(counts["real"], rel=0.2)


def test_more_samples_and_updates_take_more(tmp_path: Path) -> None:
    one, two = (_plan(tmp_path, "sft", f"max_steps = {n}") for n in (10, 20))
    assert two.trained_tokens == pytest.approx(2 * one.trained_tokens, abs=1)
    assert two.seconds > one.seconds
    prompt = _plan(tmp_path, "prompt", "")
    assert (prompt.updates, prompt.trained_tokens, prompt.parameters) == (0, 0, 0)
    assert prompt.drawn_tokens == 15 * 20 * 15  # samples, subjects, 1.3 tokens for 11.5 words
    assert one.drawn_tokens == prompt.drawn_tokens


def test_a_model_that_is_not_here(tmp_path: Path) -> None:
    with pytest.raises(EquipoiseError) as caught:
        _plan(tmp_path, "prompt", "", "some-one/unheard-of")
    assert str(caught.value) == (
        "study.model: the configuration of model 'some-one/unheard-of' is not on this machine. "
        "Fetch its config.json into a folder and name that, with --model."
    )
