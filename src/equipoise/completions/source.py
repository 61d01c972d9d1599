"""What a reader gives: a stranger's rows, and what is to be said of how they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.files.csv_file import Rows

MOST_COLUMNS = 1_000
"""Of more different fields a file of JSON is refused."""

MOST_CELLS = 100_000_000
"""Of more values too: each record may bring fields of its own."""


@dataclass(frozen=True)
class Source:
    """A stranger's table.

    Attributes:
        rows: The table.
        remarks: What was found and left out while it was read, one sentence each.
        roles: Columns whose role the format itself says, as a log's does: role -> column.
        contexts: What each row's text continues, where the format says it; else empty.
        grid: It may come from a spreadsheet, where merged cells leave all rows but the first blank.
    """

    rows: Rows
    remarks: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    contexts: Sequence[str] = ()
    grid: bool = False


class RowsBuilder:
    """Rows from records that need not have the same fields.

    Args:
        file: The file, for errors; ``None`` for a frame in memory.
        unit: What its places count; see ``Rows``.
    """

    def __init__(self, file: Path | None, unit: str) -> None:
        self._file, self._unit = file, unit
        self._columns: dict[str, list[str]] = {}
        self._places: list[int] = []

    def add(self, record: Mapping[str, str], place: int) -> None:
        """One row more; fields that it lacks are empty.

        Raises:
            EquipoiseError: The records have too many different fields.
        """
        before = len(self._places)
        for name in record:
            if name not in self._columns:
                self._columns[name] = [""] * before
        self._places.append(place)
        width = len(self._columns)
        if width > MOST_COLUMNS or width * len(self._places) > MOST_CELLS:
            raise EquipoiseError(
                f"{self._unit} {place}: the records have {width:,} different fields",
                file=self._file,
                hint="Write the same fields in every record.",
            )
        for name, values in self._columns.items():
            values.append(record.get(name, ""))

    def rows(self) -> Rows:
        """All of them.

        Raises:
            EquipoiseError: There is none.
        """
        if not self._places:
            raise EquipoiseError("holds no records", file=self._file, hint="Add completions.")
        return Rows(self._columns, self._file, self._places, self._unit)
