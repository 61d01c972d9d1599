"""``equipoise power``: how many seeds and samples show a difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from equipoise.cli.options import Force, Seed, naming_flags
from equipoise.cli.terminal import say_written, show, show_table

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.statistics.power import PowerSettings

EXAMPLES = """\b
Examples:
  equipoise power --baseline 0.9 --difference 0.05
  equipoise power --seed-sd 0.5 --seeds 3,6,12 --samples 25,50,100"""


def power(
    baseline: Annotated[
        float, typer.Option(metavar="RATE", help="Rate of the one method, 0 to 1.")
    ] = 0.5,
    difference: Annotated[
        float, typer.Option(metavar="D", help="How much higher the other's is; 0: false alarms.")
    ] = 0.1,
    seeds: Annotated[
        str, typer.Option(metavar="N,N", help="Numbers of seeds to try.")
    ] = "3,5,10,20",
    samples: Annotated[
        str, typer.Option(metavar="N,N", help="Completions of each subject and seed to try.")
    ] = "10,50,250",
    subjects: Annotated[int, typer.Option(metavar="N", help="Subjects, the same for both.")] = 20,
    seed_sd: Annotated[
        float, typer.Option("--seed-sd", metavar="SD", help="Of a method's seeds, in logits.")
    ] = 0.3,
    subject_sd: Annotated[
        float, typer.Option("--subject-sd", metavar="SD", help="Of subjects, in logits.")
    ] = 0.6,
    interaction_sd: Annotated[
        float,
        typer.Option(
            "--interaction-sd", metavar="SD", help="Of subjects, differing by method, in logits."
        ),
    ] = 0.2,
    about: Annotated[
        Literal["sampled", "fixed"],
        typer.Option(help="Conclude on subjects of this kind, or on these alone."),
    ] = "sampled",
    alpha: Annotated[float, typer.Option(metavar="P", help="Level of the test.")] = 0.05,
    target: Annotated[
        float, typer.Option("--power", metavar="P", help="How often it is to be found.")
    ] = 0.8,
    studies: Annotated[
        int, typer.Option(metavar="N", help="Simulated studies of each size.")
    ] = 1000,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write the table there.")
    ] = None,
    force: Force = False,
) -> None:
    """Say how many seeds and samples show a difference.

    Studies of two methods are simulated, with seed and subject effects, and
    tested as 'equipoise compare' does. An SD of 0.3 logits is 7 points at a
    rate of one half, 1 at 97 %. The spread of your own seeds is in by_seed.csv.
    """
    from equipoise.cli.files import new_file
    from equipoise.cli.statistics_tables import power_grid
    from equipoise.measures import write_table
    from equipoise.progress_bars import StageProgress
    from equipoise.settings import parse
    from equipoise.statistics.power import PowerSettings, power_table

    if out is not None:
        new_file(out, force=force)
    chosen: dict[str, Any] = {
        "baseline": baseline,
        "difference": difference,
        "seeds": _numbers(seeds, "--seeds"),
        "samples": _numbers(samples, "--samples"),
        "subjects": subjects,
        "seed_sd": seed_sd,
        "subject_sd": subject_sd,
        "interaction_sd": interaction_sd,
        "about": about,
        "alpha": alpha,
        "power": target,
        "studies": studies,
        "seed": seed,
    }
    with naming_flags():
        settings = parse(PowerSettings, chosen)
    with StageProgress():
        table = power_table(settings)
    show_table(power_grid(table))
    _explain(table, settings)
    if out is not None:
        write_table(out, table)
        say_written([out])


def _explain(table: pd.DataFrame, settings: PowerSettings) -> None:
    """Print what was simulated, and the smallest study that suffices."""
    from equipoise.statistics.power import enough

    low, high = 100 * settings.baseline, 100 * (settings.baseline + settings.difference)
    target, largest = 100 * settings.power, 100 * float(table["error"].max())
    show(
        f"{low:g} % against {high:g} %, {settings.subjects} subjects, "
        f"two-sided test at {settings.alpha:g}.\n"
        f"{settings.studies:,} simulated studies each; Monte-Carlo error at most {largest:.1f}."
    )
    reached = enough(table, settings.power)
    if reached.empty:
        show(f"None reaches {target:g} %: try more seeds.")
        return
    first = reached.iloc[0]
    show(
        f"Fewest completions that reach {target:g} %: {int(first['seeds'])} seeds with "
        f"{int(first['samples']):,} samples\n({int(first['completions']):,} of each method)."
    )


def _numbers(listed: str, flag: str) -> list[int]:
    """The whole numbers of ``3,5,10``."""
    from equipoise.errors import EquipoiseError

    parts = [part.strip() for part in listed.split(",")]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise EquipoiseError(
            f"{listed[:60]!r} is no list of numbers", field=flag, hint="Write such as 3,5,10."
        )
    return list(dict.fromkeys(int(part) for part in parts))
