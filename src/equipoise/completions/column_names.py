"""How people name the columns of completions, and what they write for "nothing"."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

TEXT_NAMES = (
    *("response", "completion", "generation", "generatedtext", "generated", "modeloutput"),
    *("modelresponse", "modelanswer", "llmoutput", "llmresponse", "responsetext"),
    *("completiontext", "generatedresponse", "generatedsentence", "rawresponse", "rawoutput"),
    *("assistantresponse", "output", "outputtext", "prediction", "pred"),
    *("continuation", "answer", "reply", "text", "sentence", "content", "sample", "message"),
)
"""The text, the most preferred name first; as `normal` writes names."""

TEXT_LIST_NAMES = (
    *("filteredresps", "resps", "responses", "completions", "generations", "generatedtexts"),
    *("outputs", "predictions", "continuations", "answers", "texts", "sentences", "samples"),
    *("choices", "candidates", "messages", "conversations", "conversation"),
)
"""Names under which JSON has several draws, or a conversation, in one record."""

SUBJECT_NAMES = (
    *("occupation", "subject", "profession", "job", "jobtitle", "jobname", "occupationtitle"),
    *("occupationname", "professionname", "subjectname", "career", "jobrole", "entity"),
    *("persona", "identity", "role"),
)
"""Who is described, likewise."""

METHOD_NAMES = (
    *("method", "methodname", "approach", "system", "systemname", "condition", "technique"),
    *("strategy", "treatment", "intervention", "variant", "model", "modelname", "modelid"),
    *("modelnameorpath", "modelpath", "modelused", "modelversion", "modeltag", "languagemodel"),
    *("aimodel", "hfmodel", "llm", "llmname", "llmmodel", "lm", "checkpoint"),
    *("engine", "deployment", "deploymentname", "chatbot"),
)
"""The method that made the text, likewise."""

ROLE_NAMES = {
    "text": (*TEXT_NAMES, *TEXT_LIST_NAMES),
    "subject": SUBJECT_NAMES,
    "method": METHOD_NAMES,
    "seed": ("seed", "randomseed", "rngseed", "seedid", "trainingseed", "samplingseed"),
    "split": ("split", "datasplit", "subset", "partition"),
    "run": (
        *("run", "runid", "runindex", "runidx", "runnumber", "draw", "drawid", "sampleid"),
        *("sampleindex", "sampleidx", "samplenumber", "sample", "generationid", "generationidx"),
        *("completionid", "completionidx", "repeat", "repetition", "replicate", "trial"),
        *("trialid", "epoch", "iteration", "iter", "index", "idx"),
    ),
    "finished": ("finished",),
    "tokens": ("tokens",),
}
"""What a column can be, and the names under which it is recognised, the preferred one first."""

PROMPT_NAMES = (
    *("prompt", "input", "question", "instruction", "query", "context", "request", "inputs"),
)
"""What the model was asked; a text below such a name in JSON is no completion."""

NUMBERING_NAMES = frozenset(
    {
        *ROLE_NAMES["run"],
        *("id", "uid", "uuid", "guid", "rowid", "requestid", "customid", "responseid", "docid"),
        *("timestamp", "time", "datetime", "date", "created", "createdat"),
    }
)
"""Names of columns that tell one draw from another."""

METHOD_WORDS = frozenset(
    {
        *("model", "models", "method", "system", "approach", "llm", "engine", "checkpoint"),
        *("variant", "condition", "strategy", "technique", "agent", "provider", "setup"),
        *("source", "prompt", "arm", "group", "config", "configuration", "setting", "version"),
        *("experiment", "template", "type", "kind", "mode", "stage", "phase", "baseline"),
    }
)
"""A column whose name has such a word, and which is not read, may be what methods differ in."""

_MISSING = frozenset(
    {"", "nan", "na", "n/a", "#n/a", "<na>", "none", "null", "nat", "#nv", "n.a.", "-", "--"}
)
_MISSING_LABELS = _MISSING - {"none"} | {"None"}


@lru_cache(maxsize=10_000)
def normal(name: str) -> str:
    """``name`` without case, spaces, hyphens, underscores and other marks.

    >>> normal("Model Name"), normal(" run_ID"), normal("\ufeffText")
    ('modelname', 'runid', 'text')
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name[:200]).casefold())


def leaf(name: str) -> str:
    """The last part of a name that leads into nested data: ``occupation`` of ``doc.occupation``."""
    return re.split(r"[./]", name.rstrip("./ "))[-1]


def asks(name: str) -> bool:
    """Whether a column's name, or one that it lies under, is that of what the model was asked."""
    return any(normal(part) in PROMPT_NAMES for part in re.split(r"[./]", name))


def rank(name: str, role: str) -> int | None:
    """How far down the list of its role a column's name stands; ``None`` if it is not in it.

    A name that leads into nested data counts by its last part, after all whole names.
    """
    names = ROLE_NAMES[role]
    whole = normal(name)
    if whole in names:
        return names.index(whole)
    parts = re.split(r"[./]", name)
    last = normal(parts[-1])
    if len(parts) > 1 and last in names and not (role == "text" and asks(name)):
        return len(names) + names.index(last)
    return None


def missing(value: str) -> bool:
    """Whether a value stands for none where a number or something optional is expected."""
    return value.strip().casefold() in _MISSING


def missing_label(value: str) -> bool:
    """The same of a method's name: ``none`` may be one, the method that does nothing."""
    value = value.strip()
    return value in _MISSING_LABELS or (value != "none" and value.casefold() in _MISSING_LABELS)
