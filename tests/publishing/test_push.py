"""Sending a model to the Hub: the real client, in a process of its own, against a stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from damaged_files import flip
from equipoise.errors import EquipoiseError
from equipoise.files.manifest import seal
from equipoise.model.origin import origin_of
from equipoise.model.registry import Origin
from equipoise.publishing.card import Trained, write_card
from equipoise.publishing.push import model_folder, plan_upload, read_token
from equipoise.task.task_file import load_task

from .hub_server import TOKEN, Hub, running_hub

Push = Callable[..., subprocess.CompletedProcess[str]]


def card(folder: Path, origin: Origin | None = None) -> None:
    """Write a card as a training does."""
    task, origin = load_task("occupations"), origin or origin_of("smollm2-135m-instruct")
    write_card(Trained(folder, "sft", "fine-tuning", "smollm2", origin, task, 42, {}))


@pytest.fixture
def model(tmp_path: Path, tiny_model_folder: Path) -> Path:
    """A model folder with a card, and things that are nobody's business."""
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "mine" / "model"))
    card(folder)
    (folder / "optimizer.pt").write_bytes(b"state")
    (folder / ".env").write_text("SECRET=1")
    (folder / "run.json").write_text("{}")
    return folder


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as found:
        yield found


@pytest.fixture
def push(hub: Hub, tmp_path: Path) -> Push:
    """Runs ``equipoise push`` as a user does, the Hub being the stand-in, all logs on."""

    def run(*arguments: object, token: str | None = TOKEN) -> subprocess.CompletedProcess[str]:
        dropped = ("HF_HUB_OFFLINE", "HF_TOKEN")
        environment = {name: value for name, value in os.environ.items() if name not in dropped}
        environment |= {
            "HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "hf"), "HF_DEBUG": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1",
            "HF_HUB_DISABLE_XET": "1",  # its storage is another service; LFS needs none
        }  # fmt: skip
        if token is not None:
            environment["HF_TOKEN"] = token
        code = "import sys; from equipoise.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "push", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)

    return run


def test_a_model_arrives_whole_with_its_card_and_nothing_else(
    push: Push, hub: Hub, model: Path
) -> None:
    done = push(model.parent, "me/balanced", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{hub.address}/me/balanced/commit/{'a' * 40}\n"
    arrived = hub.files["me/balanced"]
    sent = {path.name for path in model.iterdir()} - {"optimizer.pt", ".env", "run.json"}
    assert set(arrived) - {".gitattributes"} == sent
    assert all(arrived[name] == (model / name).read_bytes() for name in sent)
    assert "README.md" in sent
    assert hub.private == {"me/balanced": True}
    assert hub.unknown == []
    assert "Not sent: .env, optimizer.pt, run.json" in done.stderr
    assert TOKEN not in done.stdout + done.stderr  # with the client's own debug log


def test_without_yes_nothing_is_asked_of_anybody(push: Push, hub: Hub, model: Path) -> None:
    done = push(model, "me/balanced", token=None)
    assert done.returncode == 0, done.stderr
    assert "model.safetensors" in done.stderr
    assert "Licence: apache-2.0" in done.stderr
    assert "Nothing was sent." in done.stderr
    assert hub.asked == []


def test_what_is_there_is_replaced_only_when_asked(push: Push, hub: Hub, model: Path) -> None:
    hub.files["me/balanced"] = {"README.md": b"mine", "thesis.pdf": b"years"}
    done = push(model, "me/balanced", "--yes")
    assert done.returncode == 1
    assert "holds 2 files already. Choose another name, or replace" in done.stderr
    assert hub.files["me/balanced"] == {"README.md": b"mine", "thesis.pdf": b"years"}
    assert push(model, "me/balanced", "--yes", "--replace", "--public").returncode == 0
    assert hub.files["me/balanced"]["README.md"] == (model / "README.md").read_bytes()
    assert hub.files["me/balanced"]["thesis.pdf"] == b"years"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "the Hub does not know this token: 'me/x'. Set HF_TOKEN to a token that is valid."),
        (403, "this token may not write there: 'me/x'."),
        (400, "the Hub did not take it ("),
    ],
)
def test_a_refusal_says_what_to_do_and_not_the_token(
    push: Push, hub: Hub, model: Path, status: int, message: str
) -> None:
    hub.refuse = status
    done = push(model, "me/x", "--yes")
    assert done.returncode == 1
    assert message in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if status == 400:  # whose message tells the token, as a careless server's may
        done = push(model, "me/x", "--yes", "--debug")
        assert "Traceback" in done.stderr
        assert TOKEN not in done.stdout + done.stderr


def test_the_token_is_of_the_environment_alone(
    push: Push, hub: Hub, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text(TOKEN)  # where the Hub's own login keeps one
    done = push(model, "me/x", "--yes", token=None)
    assert done.returncode == 1
    assert "the environment variable HF_TOKEN is not set" in done.stderr
    assert hub.asked == []
    for odd in ("two words", "line\nbreak", "ü"):
        monkeypatch.setenv("HF_TOKEN", odd)
        with pytest.raises(EquipoiseError, match="is no token") as caught:
            read_token()
        assert odd not in str(caught.value)


class TestPlan:
    """What is refused before anything could leave."""

    def test_a_model_without_a_card(self, model: Path) -> None:
        (model / "README.md").write_text("# no front matter")
        with pytest.raises(EquipoiseError, match="the model has no card"):
            plan_upload(model, "me/x")

    def test_a_damaged_model(self, model: Path) -> None:
        seal(model.parent)
        assert plan_upload(model, "me/x").licence == "apache-2.0"
        flip(model / "model.safetensors", at=-1)
        with pytest.raises(EquipoiseError, match="is damaged: its SHA-256"):
            plan_upload(model, "me/x")

    def test_links_that_could_send_any_file(self, model: Path, tmp_path: Path) -> None:
        (tmp_path / "id_rsa").write_text("secret")
        (model / "extra.json").symlink_to(tmp_path / "id_rsa")
        with pytest.raises(EquipoiseError, match="a link or no file"):
            plan_upload(model, "me/x")

    @pytest.mark.parametrize("repo", ["x", "../x/y", "a/b/c", "a/" + "b" * 120, "a b/c", "", "-/-"])
    def test_names_that_are_no_hub_id(self, model: Path, repo: str) -> None:
        with pytest.raises(EquipoiseError, match="is no Hub id"):
            plan_upload(model, repo)

    def test_a_licence_is_added_where_none_is_known(self, model: Path) -> None:
        named = plan_upload(model, "me/x", licence="apache-2.0")  # as the card does
        assert named.licence == "apache-2.0"
        with pytest.raises(EquipoiseError, match=r"names the licence 'apache-2\.0', not 'mit'"):
            plan_upload(model, "me/x", licence="mit")
        card(model, Origin("meta-llama/Llama-3.1-8B-Instruct"))
        assert plan_upload(model, "me/x").licence is None
        found = ModelCard(plan_upload(model, "me/x", licence="llama3.1").card)
        assert found.data.license == "llama3.1"
        assert found.data.base_model == "meta-llama/Llama-3.1-8B-Instruct"
        assert "llama3.1, as whoever published this model has stated." in found.text
        assert "does not know them" not in found.text
        assert "## Cite" in found.text
        with pytest.raises(EquipoiseError, match="is no name of a licence"):
            plan_upload(model, "me/x", licence="mit\nbase_model: other")

    def test_a_licence_is_never_left_out_silently(self, model: Path) -> None:
        card(model, Origin("meta-llama/Llama-3.1-8B-Instruct"))
        path = model / "README.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("---\n", "---  \n", 1), encoding="utf-8")
        found = ModelCard(plan_upload(model, "me/x", licence="llama3.1").card)
        assert found.data.license == "llama3.1"
        path.write_text(text.replace("---\n", "---\nlicense: [mit, other]\n", 1), encoding="utf-8")
        with pytest.raises(EquipoiseError, match=r"not 'llama3\.1'"):
            plan_upload(model, "me/x", licence="llama3.1")

    def test_which_model_of_a_run(self, model: Path, tmp_path: Path) -> None:
        run = tmp_path / "run"
        cells = [("sft", 1), ("sft", 2), ("dpo", 1)]
        for label, seed in cells:
            shutil.copytree(model, run / "cells" / label / f"seed{seed}" / "model")
        shutil.copytree(model, run / "cells" / "sft" / ".seed3.partial" / "model")
        assert model_folder(run, "dpo") == run / "cells" / "dpo" / "seed1" / "model"
        assert model_folder(run, "sft", 2) == run / "cells" / "sft" / "seed2" / "model"
        with pytest.raises(EquipoiseError, match=r"it has 3 such models.*dpo 1, sft 1, sft 2"):
            model_folder(run)
        with pytest.raises(EquipoiseError, match="none of its models is that one"):
            model_folder(run, "rlhf")
        with pytest.raises(EquipoiseError, match="holds no trained model"):
            model_folder(tmp_path / "nowhere")
