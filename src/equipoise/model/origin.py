"""Where a model comes from: its Hub id and its licence, read from what is at hand.

Nothing is fetched for it. A folder says it in the front matter of its ``README.md``, as the folders
of trained models do, so that a model tuned from a tuned one still names its first base.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from equipoise.model.registry import EMBEDDED, HUB_ID, Origin, local_folder

CARD = "README.md"
"""The file of a model's card, in its folder."""

MOST_BYTES = 256_000
"""Of a card that are read; what is longer has no front matter that anybody wrote."""

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,39}")


def origin_of(name: str | Path) -> Origin:
    """The origin of an embedded model, a local folder or a Hub id.

    Of a Hub id nothing but the id itself is known; what a folder does not say is ``None``.
    """
    if str(name) in EMBEDDED:
        return EMBEDDED[str(name)].origin
    folder = local_folder(name)
    if folder is None:
        return Origin(str(name)) if HUB_ID.fullmatch(str(name)) else Origin()
    about = front_matter(folder / CARD)
    base, licence = about.get("base_model"), about.get("license")
    base = base[0] if isinstance(base, list) and len(base) == 1 else base
    return Origin(
        base if isinstance(base, str) and HUB_ID.fullmatch(base) else None,
        licence if isinstance(licence, str) and _LICENCE.fullmatch(licence) else None,
    )


def front_matter(card: Path) -> dict[str, Any]:
    """The YAML table at the head of a card; empty where there is none that can be read."""
    try:
        with card.open("rb") as stream:
            text = stream.read(MOST_BYTES).decode("utf-8", errors="replace")
        found = _FRONT.match(text)
        table = yaml.safe_load(found[1]) if found else None
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return table if isinstance(table, dict) else {}
