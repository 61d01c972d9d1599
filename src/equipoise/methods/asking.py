"""The prompting methods by name: those that only ask. A new one needs one line here."""

from __future__ import annotations

from typing import Any

from equipoise.methods.few_shot import FewShot
from equipoise.methods.method import Method
from equipoise.methods.prompt import BalancedPrompting, Prompting
from equipoise.methods.prompt_listed import ListedPrompting
from equipoise.methods.revise import Revise

ASKING: dict[str, type[Method[Any]]] = {
    method.name: method
    for method in (Prompting, BalancedPrompting, ListedPrompting, FewShot, Revise)
}


def default_asking(name: str) -> Method[Any] | None:
    """The prompting method called ``name`` with its default settings; None if there is none."""
    method = ASKING.get(name)
    return None if method is None else method(method.settings_model())
