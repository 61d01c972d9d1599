"""``equipoise verify``: every file of a run compared with its recorded SHA-256."""

from __future__ import annotations

import typer

from equipoise.cli.options import Json, RunFolder
from equipoise.cli.terminal import show

EXAMPLES = """\b
Examples:
  equipoise verify runs/quickstart
  equipoise verify runs/quickstart --json"""


def verify(
    run: RunFolder,
    as_json: Json = False,
) -> None:
    """Compare the files of a run with their recorded SHA-256.

    Nothing is changed. Exit code 0: all is as it was written; 1: something is
    damaged; it is named, with what to do.
    """
    from equipoise.runs.verification import verify_run

    findings = verify_run(run)
    damaged = [finding for finding in findings if finding.problem]
    if as_json:
        import json
        from dataclasses import asdict

        show(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in damaged:
            show(f"{finding.path}: {finding.problem}. {finding.hint}")
        whole = len(findings) - len(damaged)
        show(f"{whole} of {len(findings)} sealed folders and files are as they were written.")
    raise typer.Exit(1 if damaged else 0)
