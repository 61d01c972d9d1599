from __future__ import annotations

import re
from pathlib import Path

import pytest

from equipoise.report.latex import MOST_ROWS, latex_table
from report.real_latex import compiled

HOSTILE = [
    r"\input{/etc/passwd}", r"\write18{id}", "^^5cinput", "%", "$x_1^2$", "a & b \\\\ c", "{", "}}",
    "#1", "~", "--", "---", "''", "``", "?`", "!`", "<<", ",,", '"quoted"', "[x]", "*", "café",
    "中文", "\u202ex", "\ud800", "a\nb\n\nc", "\\", "naïve coöperation", "½ ± – — … → ∞",
]  # fmt: skip


def test_a_table_that_no_page_holds_may_break() -> None:
    rows = [["a", "1"]] * (MOST_ROWS + 1)
    assert "longtable" in latex_table(["x", "y"], rows, "c", "tab:x")
    assert "longtable" not in latex_table(["x", "y"], rows[1:], "c", "tab:x")


@pytest.mark.parametrize("count", [1, 50])
def test_hostile_cells_compile(latex: str, tmp_path: Path, count: int) -> None:
    rows = [[text, text] for text in HOSTILE * count]
    table = latex_table(["a_b", "50 %"], rows, HOSTILE[0], "tab:x", [HOSTILE[4]])
    log = compiled(latex, tmp_path, table)
    assert "/etc/passwd" not in re.sub(r"\s", "", log)
    assert "Undefined" not in log
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


def test_every_table_of_a_report_compiles(latex: str, tmp_path: Path, run, folder) -> None:
    from equipoise.report.headline import headline
    from equipoise.report.tables import write_tables

    write_tables(run, headline(run), tmp_path / "tables")
    files = sorted((tmp_path / "tables").glob("*.tex"))
    assert [path.stem for path in files] == [
        "beside_balance", "comparisons", "cost", "main", "stereotype", "subjects", "terms",
    ]  # fmt: skip
    inputs = "\n".join(rf"\input{{tables/{path.stem}}}" for path in files)
    assert "Overfull" not in compiled(latex, tmp_path, inputs)


def test_a_table_of_many_columns_fits_a_line_of_text(latex: str, tmp_path: Path) -> None:
    header = ["method", "train subjects", "validation subjects", "held-out terms",
              "balanced and in range", "log-prob. a token", "slope", "tokens each"]  # fmt: skip
    row = ["prompt-balanced", ("100.0 %", "96.2 to 100.0"), ("100.0 %", "96.2 to 100.0"),
           "100.0 %", "100.0 %", "−2.28", "+2.18", "12,168"]  # fmt: skip
    table = latex_table(header, [row] * 9, "A caption.", "tab:x", ["A note."])
    assert "Overfull" not in compiled(latex, tmp_path, table)


def test_words_stand_left_and_numbers_right() -> None:
    table = latex_table(["a", "b", "c"], [["x", "not shown", "1"], ["y", "differs", "–"]], "", "t")
    assert r"\begin{tabular}{@{}llr@{}}" in table
