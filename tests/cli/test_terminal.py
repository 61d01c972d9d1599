import pytest
from rich.table import Table

from equipoise.cli.terminal import lines, show_table
from equipoise.errors import EquipoiseError, describe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – ümläut ’ 你好\nnext", "plain – ümläut ’ 你好\nnext"),
        ("\x1b[31mred\x07\r\t", "?[31mred???"),
        ("\x9b31m", "?31m"),  # the one-character form of ESC [
        ("abc\u202edcb", "abc?dcb"),
        ("\udcff", "?"),
        ("می\u200cروم", "می\u200cروم"),  # joiners belong to words
    ],
)
def test_each_line_is_printable(text, shown):
    assert lines(text) == shown


@pytest.mark.parametrize(
    ("error", "start"),
    [
        (EquipoiseError("wrong", file="f", hint="Mend it."), "f: wrong. Mend it."),
        (ModuleNotFoundError("no", name="torch"), "the Python package 'torch' is missing. Run 'm"),
        (MemoryError(), "out of memory. Ask for less at a time"),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied. "),
        (ValueError(""), "ValueError. This is not expected: run again with --debug"),
    ],
)
def test_describe(error, start):
    assert describe(error).startswith(start)


def test_a_table_in_a_pipe_breaks_no_name(capsys):
    table = Table("method", "note", title="Wide")
    table.add_row("a" * 70, "b" * 70)
    show_table(table)
    out = capsys.readouterr().out
    assert "a" * 70 in out
    assert "b" * 70 in out
