"""The command line: thin commands over the package, one file a command.

``app`` knows the commands, ``failures`` turns errors into one line and an exit code, ``terminal``
and ``files`` are what the commands print to and write to. torch, pandas and pydantic are imported
inside the commands, so that ``equipoise --help`` answers at once.
"""

from equipoise.cli.app import main

__all__ = ["main"]
