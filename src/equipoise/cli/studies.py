"""``equipoise studies``: the studies that come with Equipoise, and their files to start from."""

from __future__ import annotations

from typing import Annotated

import typer

from equipoise.cli.options import builtin_study_names
from equipoise.cli.terminal import say, show

EXAMPLES = """\b
Examples:
  equipoise studies
  equipoise studies quickstart > my-study.toml"""


def studies(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            autocompletion=builtin_study_names,
            help="Print the file of this one.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List the studies that come with Equipoise, or print one.

    'equipoise run NAME' runs one. To change one, print its file into your own
    and run that.
    """
    from equipoise.errors import EquipoiseError, nearest
    from equipoise.files.toml_file import read_toml
    from equipoise.study.builtin import builtin_studies, study_path

    names = builtin_studies()
    if name is None:
        for each in names:
            show(f"{each}: {read_toml(study_path(each))['study']['description']}")
        say("Run one with: equipoise run NAME")
    elif name in names:
        show(study_path(name).read_text("utf-8").removesuffix("\n"))
    else:
        raise EquipoiseError(f"there is no built-in study '{name}'", hint=nearest(name, names))
