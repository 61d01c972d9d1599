"""Options that several commands share."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from equipoise.model.draws import Sampling
    from equipoise.statistics import StatisticsSettings


def _tasks(incomplete: str) -> list[str]:
    """Built-in tasks, for shells to complete."""
    from equipoise.task.task_file import builtin_tasks

    return [name for name in builtin_tasks() if name.startswith(incomplete)]


def _models(incomplete: str) -> list[str]:
    """Embedded models, likewise."""
    from equipoise.model.registry import EMBEDDED

    return [name for name in EMBEDDED if name.startswith(incomplete)]


def builtin_study_names(incomplete: str) -> list[str]:
    """Built-in studies, likewise."""
    from equipoise.study.builtin import builtin_studies

    return [name for name in builtin_studies() if name.startswith(incomplete)]


StudyName = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        autocompletion=builtin_study_names,
        help="A name that 'equipoise studies' lists, or a file.",
    ),
]
TaskName = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="TASK",
        autocompletion=_tasks,
        help="A built-in task, or a task file.",
    ),
]
ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="MODEL",
        autocompletion=_models,
        help="An embedded model, folder or Hub id.",
    ),
]
AnyModelName = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="MODEL",
        autocompletion=_models,
        help="An embedded model, folder, Hub id or openai:NAME.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Server of an openai:NAME; gets the key of OPENAI_API_KEY.",
        show_default="OPENAI_BASE_URL, else OpenAI's",
    ),
]


def _check_seed(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise typer.BadParameter(f"{seed} is not between 0 and {2**32 - 1:,}.")
    return seed


Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", callback=_check_seed, help="Fixes all that is random."),
]


def _warn_of_code(asked: bool) -> bool:
    if asked:
        import warnings

        from equipoise.cli.terminal import say

        say("Warning: the model may run Python code of its authors, with all your rights.")
        warnings.filterwarnings("ignore", "model .* runs Python code")  # it has been said
    return asked


TrustRemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        callback=_warn_of_code,
        help="Let the model's repository run its code here.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="TABLE.SETTING=VALUE",
        help="Replace a value of the file; may be repeated.",
    ),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
ExcelSafe = Annotated[
    bool,
    typer.Option("--excel-safe", help="Put ' before texts that a spreadsheet would run."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]

TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text-column",
        metavar="NAME",
        help="Column of the text.",
        show_default="response, text, ...",
    ),
]
SubjectColumn = Annotated[
    str | None,
    typer.Option(
        "--subject-column",
        metavar="NAME",
        help="Column of the subject.",
        show_default="occupation, ...",
    ),
]
MethodColumn = Annotated[
    str | None,
    typer.Option(
        "--method-column",
        metavar="NAME",
        help="Column of the method.",
        show_default="method, model, ...",
    ),
]
PrefixRule = Annotated[
    Literal["as-is", "add"],
    typer.Option("--prefix", help="'add' puts 'The doctor was' before texts that lack it."),
]

ReferenceModel = Annotated[
    str | None,
    typer.Option(
        "--reference-model", metavar="MODEL", help="Judges fluency, after the task's prompt."
    ),
]
IndependentModel = Annotated[
    str | None,
    typer.Option("--independent-model", metavar="MODEL", help="Judges it too, the text alone."),
]
Lac = Annotated[
    Path | None,
    typer.Option("--lac", metavar="DIR", help="LAC data, for a classifier of language agency."),
]

Margin = Annotated[
    float,
    typer.Option("--margin", metavar="D", help="'As good as': rates differ by less than that."),
]
Alpha = Annotated[
    float,
    typer.Option("--alpha", metavar="P", help="Level of the tests; intervals are of 1 - P."),
]
SubjectsAre = Annotated[
    Literal["sampled", "fixed"],
    typer.Option("--subjects", help="Conclude on subjects of this kind, or on these alone."),
]

Temperature = Annotated[
    float, typer.Option("--temperature", metavar="T", help="0 takes the likeliest token.")
]
TopP = Annotated[float, typer.Option("--top-p", metavar="P", help="Mass of the nucleus.")]
TopK = Annotated[int, typer.Option("--top-k", metavar="K", help="Likeliest tokens kept; 0: all.")]
MaxNewTokens = Annotated[
    int, typer.Option("--max-new-tokens", metavar="N", help="Tokens of the longest completion.")
]

_SETTING = re.compile(
    r"\b(all_of|any_of|none_of|hidden_states|n_samples|max_new_tokens|top_p|top_k)\b"
)


@contextlib.contextmanager
def naming_flags(**flags: str) -> Iterator[None]:
    """Within it, errors call a setting by its flag.

    Args:
        flags: The flags of settings whose flag is not just their name with hyphens.
    """
    from equipoise.errors import EquipoiseError

    def flag(name: str) -> str:
        return flags.get(name, "--" + name.replace("_", "-"))

    def in_text(text: str) -> str:
        return _SETTING.sub(lambda match: flag(match[0]), text)

    try:
        yield
    except EquipoiseError as error:
        if error.file is not None:
            raise
        raise EquipoiseError(
            in_text(error.problem),
            field=error.field and flag(error.field.replace("constraint.", "")),
            hint=error.hint and in_text(error.hint),
        ) from error


def statistics_of(**chosen: float | str) -> StatisticsSettings:
    """How methods are compared, checked; errors name the flag."""
    from equipoise.settings import parse
    from equipoise.statistics import StatisticsSettings

    with naming_flags():
        return parse(StatisticsSettings, chosen)


def sampling_of(
    *, temperature: float, top_p: float, max_new_tokens: int, top_k: int = 0
) -> Sampling:
    """The sampling settings, checked; errors name the flag."""
    from equipoise.model.draws import Sampling
    from equipoise.settings import parse

    with naming_flags():
        return parse(
            Sampling,
            {
                "temperature": temperature,
                "top_p": top_p,
                "top_k": top_k,
                "max_new_tokens": max_new_tokens,
            },
        )
