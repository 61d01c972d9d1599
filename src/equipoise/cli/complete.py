"""``equipoise complete``: sentences with the words one asks for, guaranteed."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.failures import on_interrupt
from equipoise.cli.options import (
    MaxNewTokens,
    ModelName,
    Quiet,
    Seed,
    Temperature,
    TopP,
    naming_flags,
    sampling_of,
)
from equipoise.cli.terminal import show_marked
from equipoise.cli.wanted import constraint_of

if TYPE_CHECKING:
    from equipoise.task.constraint import Constraint

STYLES = {"all_of": "bold dodger_blue1", "any_of": "bold underline orange1"}
"""How found terms are marked: blue and orange are told apart with any kind of colour vision, the
underline without colours too."""

SELDOM = 1e-3
"""A model writes badly in a length that it gives fewer of its sentences by itself."""

EXAMPLES = """\b
Examples:
  equipoise complete --all-of 'dog|dogs,frisbee' --any-of park,garden
  equipoise complete --prompt 'The dog' --none-of cat --words 8:15 -n 3"""


def complete(
    prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="How the sentence begins.", show_default="nothing")
    ] = "",
    all_of: Annotated[
        str | None,
        typer.Option(metavar="A|B,C", help="Each must be there: (A or B) and C."),
    ] = None,
    any_of: Annotated[
        str | None, typer.Option(metavar="A,B", help="At least one must be there.")
    ] = None,
    none_of: Annotated[
        str | None, typer.Option(metavar="A,B", help="None of them may be there.")
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(metavar="FEWEST:MOST", help="Words of the sentence.", show_default="any"),
    ] = None,
    n: Annotated[
        int, typer.Option("-n", metavar="N", min=1, max=10_000, help="Completions to print.")
    ] = 5,
    model: ModelName = "smollm2-135m-instruct",
    prose: Annotated[bool, typer.Option(help="Words and marks only as a writer puts them.")] = True,
    hmm: Annotated[
        str, typer.Option(metavar="DIR", help="From 'equipoise distill'; auto: make one now.")
    ] = "auto",
    hidden_states: Annotated[
        int, typer.Option(metavar="H", help="Hidden states, if it is made now.")
    ] = 64,
    hmm_samples: Annotated[
        int, typer.Option(metavar="N", help="Completions to learn it from.")
    ] = 2000,
    seed: Seed = 0,
    temperature: Temperature = 1.0,
    top_p: TopP = 0.95,
    max_new_tokens: MaxNewTokens = 64,
    quiet: Quiet = False,
) -> None:
    """Complete a sentence with certain words in it.

    Every sentence printed satisfies what was asked for: it comes to its
    end, holds the words and has the length. Inflections are alternatives:
    'dog|dogs'. What cannot be met is refused.
    """
    from equipoise.methods.ctrlg.completion import Completer, check_text
    from equipoise.methods.ctrlg.hmm_fit import DistillSettings
    from equipoise.methods.ctrlg.hmm_store import check_model, load
    from equipoise.model.loading import load_model
    from equipoise.model.registry import check_model_name
    from equipoise.progress_bars import StageProgress
    from equipoise.settings import parse

    text = unicodedata.normalize("NFC", " ".join(prompt.split()))
    constraint = constraint_of(all_of, any_of, none_of, words)
    sampling = sampling_of(temperature=temperature, top_p=top_p, max_new_tokens=max_new_tokens)
    with naming_flags(n_samples="--hmm-samples"):
        check_text(text)
        learning = {"hidden_states": hidden_states, "n_samples": hmm_samples}
        settings = parse(DistillSettings, learning)
    check_model_name(model, field="--model")
    looking_ahead = None if hmm == "auto" else load(Path(hmm))[0]
    with (
        on_interrupt("Run the same command to begin again."),
        naming_flags(n_samples="--hmm-samples", constraint="constraint"),
        StageProgress(quiet=quiet) as progress,
    ):
        lm = load_model(model, progress=not quiet)
        progress.say(f"{lm.name} on {lm.precision}")
        lm.use_compute_type()
        if looking_ahead is not None:
            check_model(Path(hmm), lm)
        completer = Completer.compiled(lm, text, constraint, sampling, prose=prose)
        if looking_ahead is None:
            looking_ahead, _ = completer.distillation(settings).remembered()
        if words and (chance := completer.chance_of_length(looking_ahead)) < SELDOM:
            progress.say(_too_long(lm.name, words, chance))
        sentences = completer.complete(looking_ahead, n, seed)
    for sentence in sentences:
        show_marked(sentence, _wanted(constraint, sentence))


def _too_long(model: str, words: str, chance: float) -> str:
    """What to expect of a length that a model seldom gives its sentences by itself."""
    often = f"once in {1 / chance:,.0f} times" if chance > 1e-9 else "never"
    return (
        f"By itself {model} ends a sentence here with {words} words about {often} (by its HMM): "
        "it is too small for such sentences, and they may not read like one."
    )


def _wanted(constraint: Constraint, sentence: str) -> list[tuple[int, int, str]]:
    """Where the wanted terms of a sentence stand, and how each is marked."""
    return [
        (hit.start, hit.end, STYLES[clause.kind])
        for clause in constraint.explain(sentence).clauses
        if clause.kind in STYLES
        for hit in clause.hits
    ]
