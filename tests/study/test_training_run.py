import signal
from pathlib import Path

import pytest
from filelock import FileLock
from safetensors.torch import load_file

from damaged_files import flip
from equipoise.errors import EquipoiseError
from equipoise.methods.prompt import Prompting, PromptSettings
from equipoise.methods.sft import SFT, SFTSettings
from equipoise.progress_bars import StageProgress
from equipoise.study.training_run import TrainingRun
from equipoise.task.task_file import load_task


@pytest.fixture
def run(tmp_path, tiny_model_folder):
    """Makes training runs of four updates."""

    def make(name: str = "out", **settings) -> TrainingRun:
        method = SFT(SFTSettings(**{"n_per_subject": 1, "max_steps": 4} | settings))
        folder, task = tmp_path / name, load_task("occupations")
        return TrainingRun(folder, folder, method, task, str(tiny_model_folder), 42)

    return make


def test_stopped_run_resumes_to_the_same_weights(run, monkeypatch):
    assert run("whole").run(quiet=True) == "new"

    def stop_after_two(self: StageProgress, stage: str, done: int, total: int) -> None:
        if (stage, done) == ("training", 2):
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(StageProgress, "report", stop_after_two)
        with pytest.raises(KeyboardInterrupt):
            run("stopped").run(quiet=True)
    stopped = run("stopped")
    assert stopped.state() == "unfinished"
    # The signal came when the second update was over, so the third was completed.
    assert [p.name for p in (stopped.folder / "checkpoints").glob("checkpoint-*")] == [
        "checkpoint-2"  # the end of an epoch, where it is noticed after the evaluation
    ]
    with pytest.raises(EquipoiseError, match=r"made with settings.max_steps = 4, now 5 is asked"):
        run("stopped", max_steps=5).run(quiet=True)

    steps = []
    monkeypatch.setattr(
        StageProgress, "report", lambda self, stage, done, total: steps.append(done)
    )
    assert stopped.run(quiet=True) == "unfinished"
    assert steps == [2, 3, 4], "it did not resume"
    whole, resumed = (
        load_file(run(name).folder / "model.safetensors") for name in ("whole", "stopped")
    )
    assert whole.keys() == resumed.keys()
    assert all((whole[name] == resumed[name]).all() for name in whole)


def test_finished_run_is_left_alone_and_damage_is_noticed(run, monkeypatch):
    run().run(quiet=True)
    weights = run().folder / "model.safetensors"
    written = weights.stat().st_mtime_ns
    assert run().run(quiet=True) == "done"
    assert weights.stat().st_mtime_ns == written

    flip(weights, at=-1)
    with pytest.raises(EquipoiseError, match=r"model.safetensors is damaged.*Delete the folder"):
        run().run(quiet=True)


def test_refuses_what_is_not_its_own_before_a_model_is_loaded(run, monkeypatch):
    def load(*arguments: object, **options: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("equipoise.model.loading.load_model", load)
    folder = run().folder
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(EquipoiseError, match=r"not empty and holds no run.json"):
        run().run()
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    (folder / "run.json").write_text("[]")
    with pytest.raises(EquipoiseError, match="the folder was made with"):
        run().run()
    run("busy").folder.mkdir()
    with FileLock(run("busy").folder / ".lock"), pytest.raises(EquipoiseError, match="another run"):
        run("busy").run()
    untrained = Prompting(PromptSettings())
    with pytest.raises(EquipoiseError, match="method 'prompt' trains nothing"):
        TrainingRun(Path("x"), Path("x"), untrained, load_task("occupations"), "x", 1).run()
