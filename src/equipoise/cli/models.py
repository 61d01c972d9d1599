"""``equipoise models``: the models that come with Equipoise, and fetching them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.terminal import show

if TYPE_CHECKING:
    from equipoise.model.registry import PinnedModel

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the embedded models, or fetch one.

    They need neither an account nor a key. Wherever a model is named, a local
    folder or a Hugging Face Hub id such as owner/name does too.
    """
    if context.invoked_subcommand is not None:
        return
    from equipoise.model.registry import known_models

    for card in known_models():
        show(
            f"{card.name}\n"
            f"  {card.description}\n"
            f"  {card.parameters / 1e6:.0f} million parameters, licence: {card.licence}\n"
            f"  {_whereabouts(card)}"
        )


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an embedded model.")],
) -> None:
    """Fetch an embedded model, unless it is there; prints its folder.

    It is kept in the user's cache folder, or in EQUIPOISE_CACHE.
    """
    from equipoise.model import embedded

    with on_interrupt("Run the same command again to fetch it anew."):
        show(str(embedded.fetch(name)))


def _whereabouts(card: PinnedModel) -> str:
    """Whether the model is in the cache."""
    from equipoise.model.embedded import cache_folder, fault

    folder = cache_folder() / "models" / card.name
    size = f"{card.size_bytes / 1e6:.0f} MB to download"
    if not folder.is_dir():
        return f"not fetched yet, {size}"
    if problem := fault(folder, card):
        return f"to be fetched again ({problem}), {size}"
    return f"fetched: {folder}"
