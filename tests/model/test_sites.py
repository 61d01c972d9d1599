"""Sites in models of several families: that states are taken where they are read."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Olmo2Config, Olmo2ForCausalLM

from equipoise.errors import EquipoiseError
from equipoise.model.sites import ORDER, Site, select_sites, site_module, site_readers
from tiny_architectures import ARCHITECTURES

TOKENS = torch.tensor([[5, 9, 2, 7, 11, 3]])


def watch(modules: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Receives what goes into and comes out of modules."""
    seen: dict[str, Any] = {}

    def hook(name: str) -> Any:
        def note(module: Any, args: Any, kwargs: Any, output: Any) -> None:
            first = args[0] if args else kwargs.get("hidden_states")
            seen[name] = (first, output[0] if isinstance(output, tuple) else output)

        return note

    return seen, [m.register_forward_hook(hook(n), with_kwargs=True) for n, m in modules.items()]


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_readers_read_exactly_the_states_of_their_site(family: str) -> None:
    model = ARCHITECTURES[family](20)
    sites = [s for s in select_sites(model, ORDER, ()) if s.place != "stream"]
    assert len(sites) == 5
    modules: dict[str, Any] = {}
    for site in sites:
        modules[str(site)] = site_module(model, site)
        readers = site_readers(model, site)
        assert readers is not None
        modules |= {f"{site} {number}": reader for number, reader in enumerate(readers)}
    seen, _ = watch(modules)
    with torch.no_grad():
        model(TOKENS)
    for site in sites:
        states = seen[str(site)][1]
        n_readers = {"attention": 3, "mlp": 2, "output": 1}[site.place]
        for number in range(n_readers):
            assert torch.equal(seen[f"{site} {number}"][0], states), (site, number)


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_the_stream_is_what_the_next_block_gets(family: str) -> None:
    model = ARCHITECTURES[family](20)
    first = site_module(model, Site("stream", 0))
    seen, _ = watch({"first": first, "second": site_module(model, Site("stream", 1))})
    with torch.no_grad():
        model(TOKENS)
    assert torch.equal(seen["second"][0], seen["first"][1])
    assert site_readers(model, Site("stream", 0)) is None


def test_sites_come_in_the_order_in_which_a_state_passes_them() -> None:
    model = ARCHITECTURES["llama"](20)
    assert [str(site) for site in select_sites(model, ("output", "mlp", "attention"), ())] == [
        "attention of layer 0",
        "mlp of layer 0",
        "attention of layer 1",
        "mlp of layer 1",
        "output",
    ]
    assert select_sites(model, ("stream",), (-1, 0, 1)) == [Site("stream", 0), Site("stream", 1)]
    assert select_sites(model, ("output",), (1,)) == [Site("output")]


@pytest.mark.parametrize("layer", [2, -3])
def test_layers_that_are_not_there(layer: int) -> None:
    with pytest.raises(EquipoiseError) as caught:
        select_sites(ARCHITECTURES["llama"](20), ("mlp",), (0, layer))
    assert str(caught.value) == (
        f"layers: there is no layer {layer}: the model has 2. "
        "Name layers from 0 to 1, or -1 for the last."
    )


def test_architectures_without_such_modules() -> None:
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2))
    with pytest.raises(EquipoiseError) as caught:
        select_sites(gpt2, ("mlp",), ())
    assert str(caught.value) == (
        "places: models of type 'gpt2' have no module 'layers', which is needed for 'layers'. "
        "Choose other places, or a Llama-like model."
    )
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "pad_token_id": 0}
    olmo = Olmo2ForCausalLM(Olmo2Config(vocab_size=20, **sizes, **heads))
    with pytest.raises(EquipoiseError, match="'olmo2' have no module 'input_layernorm'"):
        select_sites(olmo, ("attention",), ())
    assert select_sites(olmo, ("stream", "output"), ()) == [Site("stream", 0), Site("output")]
