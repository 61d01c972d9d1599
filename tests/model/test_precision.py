from __future__ import annotations

import pytest
import torch

from equipoise.errors import EquipoiseError
from equipoise.model import precision

CPU = torch.device("cpu")


def capabilities(monkeypatch: pytest.MonkeyPatch, **found: object) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)


def test_device_is_the_cpu_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert precision.pick_device() == CPU
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert precision.pick_device() == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert precision.pick_device() == torch.device("cuda:3")


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps"])
def test_absent_device_is_refused(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(EquipoiseError, match=f"'{device}' is not available") as caught:
        precision.pick_device(device)
    assert "'cpu' is chosen" in str(caught.value)


@pytest.mark.parametrize("device", ["gpu", "xpu", "", "cudda"])
def test_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(EquipoiseError, match="unknown device"):
        precision.pick_device(device)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_x86_is_asked_for_its_instructions(
    found: dict[str, bool], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    capabilities(monkeypatch, architecture="x86_64", **found)
    monkeypatch.setattr(precision, "_bfloat16_speedup", lambda: pytest.fail("not to be measured"))
    assert precision.pick_compute_dtype(CPU) == expected


@pytest.mark.parametrize(
    ("bf16", "speedup", "expected"),
    [
        (True, 2.0, torch.bfloat16),
        (True, 1.1, torch.float32),
        (False, 9.0, torch.float32),
    ],
)
def test_arm_is_asked_and_measured(
    bf16: bool, speedup: float, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    capabilities(monkeypatch, architecture="arm64", bf16=bf16)
    monkeypatch.setattr(precision, "_bfloat16_speedup", lambda: speedup)
    assert precision.pick_compute_dtype(CPU) == expected


def test_older_torch_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(precision, "_bfloat16_speedup", lambda: 4.8)
    assert precision.pick_compute_dtype(CPU) == torch.bfloat16


def test_measurement_gives_a_ratio() -> None:
    ratio = precision._bfloat16_speedup.__wrapped__(size=64, repeats=2)
    assert 0.001 < ratio < 1000


@pytest.mark.parametrize("dtype", ["bfloat16", torch.bfloat16])
def test_override(dtype: str | torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    capabilities(monkeypatch, architecture="x86_64")
    assert precision.pick_compute_dtype(CPU) == torch.float32
    assert precision.pick_compute_dtype(CPU, dtype) == torch.bfloat16


def test_bad_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EquipoiseError, match=r"Did you mean 'bfloat16'\?"):
        precision.pick_compute_dtype(CPU, "bfloat61")
    with pytest.raises(EquipoiseError, match=r"unknown dtype 'torch\.int8'"):
        precision.pick_compute_dtype(CPU, torch.int8)
    with pytest.raises(EquipoiseError, match="not for the CPU"):
        precision.pick_compute_dtype(CPU, "float16")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    with pytest.raises(EquipoiseError, match="cannot compute in bfloat16"):
        precision.pick_compute_dtype(torch.device("cuda:0"), "bfloat16")
    assert precision.pick_compute_dtype(torch.device("cuda:0")) == torch.float32
    assert precision.pick_compute_dtype(torch.device("cuda:0"), "float16") == torch.float16


def test_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert (
        precision.describe_precision(CPU, torch.bfloat16)
        == "CPU, 2 threads, bfloat16 compute over float32 weights"
    )
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert precision.describe_precision(CPU, torch.float32) == "CPU, 1 thread, float32"
