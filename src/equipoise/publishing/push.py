"""A trained model, sent to the Hub: only with its card, undamaged, and nothing but a model's files.

The client is huggingface_hub's own. The token is read from the environment and goes nowhere else:
neither into a log, nor a file, nor a message.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.artifacts import clear_read_errors
from equipoise.files.manifest import MANIFEST, fault
from equipoise.methods.method import TRAINING_INFO
from equipoise.model.origin import CARD, front_matter
from equipoise.model.registry import HUB_ID, MAX_HUB_ID_LENGTH
from equipoise.runs.layout import MODEL, finished_folders
from equipoise.study.training_run import RECORD

TOKEN = "HF_TOKEN"  # noqa: S105 - the variable's name
"""Environment variable of the token."""

FILES = re.compile(r"README\.md|[\w.-]+\.(json|safetensors|jinja|txt|model)", re.ASCII)
"""What a model folder may send; whatever else is in it stays here."""

NOT_SENT = frozenset({MANIFEST, RECORD, TRAINING_INFO, "dataset_stats.json"})
"""Records of a training that may stand beside a model, and are about this machine."""


@dataclass(frozen=True)
class Upload:
    """What would be sent, and where to.

    Attributes:
        folder: The model's folder.
        repo: Hub id of the repository.
        files: Names of files in the folder, the card first.
        left_out: Names of what is in the folder, too, and is not sent.
        licence: As the card names it; ``None`` where it names none.
        card: The text of the card that is sent.
    """

    folder: Path
    repo: str
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    licence: str | None
    card: str

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum((self.folder / name).stat().st_size for name in self.files)


def plan_upload(
    target: str | Path,
    repo: str,
    *,
    method: str | None = None,
    seed: int | None = None,
    licence: str | None = None,
) -> Upload:
    """What an upload would send; nothing leaves the machine.

    Args:
        target: A model's folder, the folder of a training or cell, or a run.
        repo: Hub id ``owner/name``.
        method: Label of the method, where a run has several trained models.
        seed: Its seed, likewise.
        licence: Put into the card that is sent, where it names none; another than the card names is
            refused.

    Raises:
        EquipoiseError: No such model, or several; it has no card, or is damaged; a file in it is a
            link; or ``repo`` is no Hub id.
    """
    if not HUB_ID.fullmatch(repo) or len(repo) > MAX_HUB_ID_LENGTH:
        raise EquipoiseError(f"{repo!r} is no Hub id", field="REPO", hint="Write it as owner/name.")
    folder = model_folder(Path(target), method, seed)
    if not (about := front_matter(folder / CARD)):
        raise EquipoiseError(
            f"the model has no card ({CARD})",
            file=folder,
            hint="Give the command that trained it once more: it writes the card.",
        )
    for place in (folder, folder.parent):
        if (place / MANIFEST).is_file() and (problem := fault(place)):
            raise EquipoiseError(problem, file=place, hint="Restore it, or train again.")
    there = sorted(path.name for path in folder.iterdir())
    files = [name for name in there if FILES.fullmatch(name) and name not in NOT_SENT]
    _refuse_links(folder, files)
    stated = about.get("license")
    if stated is not None and licence not in (None, stated):
        raise EquipoiseError(
            f"the card names the licence {stated!r}, not {licence!r}",
            file=folder / CARD,
            field="--license",
            hint="Leave the flag out; what a card names is not replaced.",
        )
    return Upload(
        folder=folder,
        repo=repo,
        files=(CARD, *(name for name in files if name != CARD)),
        left_out=tuple(name for name in there if name not in files),
        licence=stated if isinstance(stated, str) else licence,
        card=_card(folder / CARD, None if isinstance(stated, str) else licence),
    )


def model_folder(target: Path, method: str | None = None, seed: int | None = None) -> Path:
    """The one model in ``target``: the folder itself, its ``model``, or that of a run's cell.

    Raises:
        EquipoiseError: There is none, or several and they are not told apart.
    """
    for folder in (target, target / MODEL):
        if _is_model(folder):
            return folder
    found = {
        (cell.parent.name, cell.name.removeprefix("seed")): cell / MODEL
        for cell in finished_folders(target)
        if _is_model(cell / MODEL) and not cell.parent.name.startswith(".")
    }
    wanted = [
        path
        for (label, number), path in found.items()
        if method in (None, label) and str(seed) in ("None", number)
    ]
    if len(wanted) == 1:
        return wanted[0]
    if not found:
        raise EquipoiseError(
            "holds no trained model", file=target, hint="Name a run, a training or a model folder."
        )
    choices = ", ".join(f"{label} {number}" for label, number in found)
    raise EquipoiseError(
        "none of its models is that one" if not wanted else f"it has {len(wanted)} such models",
        file=target,
        hint=f"Say which with --method and --seed; there are: {choices}.",
    )


def upload(plan: Upload, *, public: bool = False, replace: bool = False) -> str:
    """Send a model to the Hub, in one commit; the address of the commit.

    Args:
        plan: What ``plan_upload`` found.
        public: Whether a repository that is made for it is public; else it is private.
        replace: Whether files of a repository that exists already may be replaced. Its history
            keeps them.

    Raises:
        EquipoiseError: There is no token, the repository holds something, or the Hub refuses or
            cannot be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    import equipoise

    token = read_token()
    api = HfApi(token=token, library_name="equipoise", library_version=equipoise.__version__)
    with _clear_errors(plan.repo, token):
        api.create_repo(plan.repo, private=not public, exist_ok=True)
        there = set(api.list_repo_files(plan.repo)) - {".gitattributes"}
        if there and not replace:
            raise EquipoiseError(
                f"repository '{plan.repo}' holds {len(there)} files already",
                hint="Choose another name, or replace what is there with --replace.",
            )
        operations = [CommitOperationAdd(CARD, plan.card.encode())] + [
            CommitOperationAdd(name, plan.folder / name) for name in plan.files if name != CARD
        ]
        commit = api.create_commit(plan.repo, operations, commit_message="Upload by Equipoise")
    return str(commit.commit_url)


def read_token() -> str:
    """The token in the environment.

    Raises:
        EquipoiseError: There is none, or it is none. The token itself is not told.
    """
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise EquipoiseError(
            f"no token: the environment variable {TOKEN} is not set",
            hint="Make a token that may write in the settings of your Hub account, and set it.",
        )
    if not re.fullmatch(r"[\x21-\x7e]+", token):  # the client would tell it in its complaint
        raise EquipoiseError(f"{TOKEN} is no token: it holds a space or an odd character")
    return token


@contextlib.contextmanager
def _clear_errors(repo: str, token: str) -> Iterator[None]:
    """Within it, failures of the Hub become errors that say what to do, without the token."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except EquipoiseError:
        raise
    except Exception as error:
        status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        other = f"the Hub did not take it ({reason.replace(token, '***')})"
        problem, hint = _REFUSALS.get(
            status, (other, "Check the connection, and run the same command again.")
        )
        raise EquipoiseError(f"{problem}: '{repo}'", hint=hint) from None


_REFUSALS: dict[int, tuple[str, str]] = {
    401: ("the Hub does not know this token", f"Set {TOKEN} to a token that is valid."),
    403: (
        "this token may not write there",
        "Use a token with the right to write, and an owner that is yours.",
    ),
    404: ("there is no such repository or owner", "Check the name; the owner must be yours."),
    413: ("the Hub finds a file too large", "Save the model in smaller shards."),
    429: ("the Hub has had too many requests", "Wait a while, and run the same command again."),
}


def _is_model(folder: Path) -> bool:
    return (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def _refuse_links(folder: Path, names: Sequence[str]) -> None:
    """Raise if a file is a link: it could send any other file of this machine."""
    for name in names:
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise EquipoiseError("a link or no file, so it is not sent", file=path)


def _card(path: Path, licence: str | None) -> str:
    """The card's text, with ``licence`` in it where one is given."""
    with clear_read_errors(path):
        text = path.read_text(encoding="utf-8")
    if licence is None:
        return text
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]{0,39}", licence):
        raise EquipoiseError(
            f"{licence!r} is no name of a licence",
            field="--license",
            hint="Write it as the Hub does, such as apache-2.0 or llama3.1.",
        )
    text = re.sub(r"\A(\ufeff?---)[ \t]*\n", rf"\1\nlicense: {licence}\n", text)
    said = f"{licence}, as whoever published this model has stated.\n\n"
    return re.sub(r"(?<=\n## Licence\n\n).*?(?=## |\Z)", said, text, count=1, flags=re.DOTALL)
