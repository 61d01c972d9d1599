"""Ctrl-C and SIGTERM: exit code 130, a word on how to go on, nothing lost."""

import signal
import threading

import pytest

from equipoise.runs.cell_locks import Claims

ENDLESS = """
[study]
name = "endless"
model = "MODEL"
seeds = [1]
samples_per_subject = 100000
[methods.prompt]
"""


def _stop(process, number) -> str:
    """Send the signal once the model is loaded; what the process says after it."""
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    for line in process.stderr:
        if " on CPU" in line:
            break
    process.send_signal(number)
    _, rest = process.communicate()
    watchdog.cancel()
    return rest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_study_says_how_to_go_on(number, start, tmp_path, tiny_model_folder):
    (tmp_path / "s.toml").write_text(ENDLESS.replace("MODEL", str(tiny_model_folder)))
    process = start("run", "s.toml")
    rest = _stop(process, number)
    assert process.returncode == 130
    assert rest == (
        "\nStopped. runs/endless: finished cells and checkpoints are kept. "
        "Run the same command again to go on.\n"
    )


def test_stopped_workers_stop_too(start, tmp_path, tiny_model_folder):
    (tmp_path / "s.toml").write_text(ENDLESS.replace("MODEL", str(tiny_model_folder)))
    process = start("run", "s.toml", "--jobs", "2")
    rest = _stop(process, signal.SIGINT)
    assert process.returncode == 130
    assert rest == (
        "\nStopped. runs/endless: finished cells and checkpoints are kept. "
        "Run the same command again to go on.\n"
    )
    assert not Claims(tmp_path / "runs" / "endless").anyone_present()


def test_stopped_generation_leaves_no_file(start, tmp_path, tiny_model_folder):
    process = start("generate", "--model", tiny_model_folder, "-n", "100000", "--out", "o.csv")
    rest = _stop(process, signal.SIGINT)
    assert process.returncode == 130
    assert rest == "\nStopped. Nothing was written. Run the same command to begin again.\n"
    assert list(tmp_path.iterdir()) == []


def test_exit_codes_of_real_processes(start):
    for arguments, code in ((["--version"], 0), (["task", "show", "nope"], 1), (["nope"], 2)):
        process = start(*arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == code
        assert bool(out) == (code == 0)
        assert bool(err) == (code != 0)
