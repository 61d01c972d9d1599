import re
import subprocess
import sys

import pytest
import typer

import equipoise as package
from equipoise.cli.app import app
from equipoise.methods.registry import METHODS
from equipoise.methods.sft import SFTSettings
from equipoise.model.draws import Sampling

COMMANDS = [
    [],
    ["run"],
    ["studies"],
    ["plan"],
    ["status"],
    ["verify"],
    ["report"],
    ["board"],
    ["train"],
    ["generate"],
    ["complete"],
    ["distill"],
    ["evaluate"],
    ["examine"],
    ["serve"],
    ["compare"],
    ["power"],
    ["data"],
    ["push"],
    ["task"],
    ["task", "check"],
    ["task", "show"],
    ["task", "list"],
    ["task", "explain"],
    ["models"],
    ["models", "fetch"],
    ["methods"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_fits_eighty_columns_and_says_something_of_everything(command, equipoise):
    outcome = equipoise(*command, "--help")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(" ".join(["Usage: equipoise", *command]))
    assert not any(line.endswith("...") for line in lines[1:]), "a summary is cut off"
    for number, line in enumerate(lines):
        if re.match(r"  (-|[A-Z.a-z]+ <)", line):  # an option or argument, perhaps on two lines
            explained = re.search(r"\S {2,}\S", line) or lines[number + 1].startswith(" " * 10)
            assert explained, line


def test_every_command_is_in_the_table_above():
    group = typer.main.get_command(app)
    named = {tuple(command) for command in COMMANDS}
    for name, command in group.commands.items():
        assert (name,) in named
        for inner in getattr(command, "commands", {}):
            assert (name, inner) in named


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from equipoise.cli import main; main(['--help']); "
        "heavy = {'torch', 'pandas', 'transformers', 'pydantic', 'numpy', 'rich.progress'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_version(equipoise):
    assert equipoise("--version").out == f"equipoise {package.__version__}\n"


def test_generate_samples_by_default_as_studies_do():
    command = typer.main.get_command(app).commands["generate"]
    defaults = {parameter.name: parameter.default for parameter in command.params}
    for name in ("temperature", "top_p", "top_k", "max_new_tokens"):
        assert defaults[name] == Sampling.model_fields[name].default, name


def test_methods_lists_every_setting_with_default_and_meaning(equipoise):
    outcome = equipoise("methods")
    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) <= 80
    for name, method in METHODS.items():
        assert f"{name}: {method.summary}" in outcome.out.replace("\n  ", " ")
    sft = outcome.out[outcome.out.index("\nsft:") : outcome.out.index("\ndistil:")].splitlines()
    for name, field in SFTSettings.model_fields.items():
        [row] = [i for i, line in enumerate(sft) if line.startswith(f"  {name} = ")]
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert float(sft[row].split("=")[1]) == field.default
        assert sft[row + 1].startswith("      "), f"nothing is said of {name}"
    assert "  learning_rate = 2e-05" in sft
    assert "  lora = false" in sft
    assert '  prompt = "neutral"' in sft
