"""Each completion of a run is judged exactly once, its report included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from equipoise.files.csv_file import read_rows
from equipoise.measures import judgement


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each text was judged."""
    counts: Counter[str] = Counter()
    judge = judgement._judge

    def counted(texts, *arguments):
        counts.update(texts)
        return judge(texts, *arguments)

    monkeypatch.setattr(judgement, "_judge", counted)
    return counts


def _texts(run: Path) -> Counter[str]:
    """In how many cells each text stands: among all draws where some are rejected."""
    counts: Counter[str] = Counter()
    for cell in run.glob("cells/*/seed*"):
        draws = cell / "draws.csv"
        path = draws if draws.is_file() else cell / "completions.csv"
        counts.update(set(read_rows(path).columns["text"]))
    return counts


def test_once_in_a_run_never_in_the_next_and_again_when_a_stranger_asks(
    equipoise, study_file: Path, judged: Counter[str]
) -> None:
    study_file.write_text(f"{study_file.read_text()}[methods.filter]\nmax_draws = 3\n")
    outcome = equipoise("run", study_file)
    assert outcome.code == 0, outcome.err
    run = Path("runs/small")
    page = (run / "report" / "index.html").read_bytes()
    assert len(list(run.glob("cells/filter/seed*/draws.csv"))) == 2
    assert judged == _texts(run)
    judged.clear()
    assert equipoise("run", study_file).code == 0
    assert judged == {}
    assert equipoise("report", run).code == 0
    delivered = [read_rows(path) for path in run.glob("cells/[ps]*/seed*/completions.csv")]
    assert judged == Counter({text for rows in delivered for text in rows.columns["text"]})
    assert (run / "report" / "index.html").read_bytes() == page
