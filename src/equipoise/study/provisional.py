"""A first look: the table of all methods as soon as the first seed is done."""

from __future__ import annotations

from equipoise.errors import EquipoiseError
from equipoise.measures.terminal import plain_lines
from equipoise.runs.store import Store
from equipoise.study.progress import StudyProgress
from equipoise.study.results import first_look
from equipoise.study.specification import Specification


class Provisional:
    """Shows balance of the first seed once, if other seeds are still to come.

    Args:
        specification: The study.
        store: Where its cells are.
        progress: Where the table is said; not among the results, which it does not replace.
    """

    def __init__(self, specification: Specification, store: Store, progress: StudyProgress) -> None:
        self._specification, self._store, self._progress = specification, store, progress
        seed = specification.study.seeds[0]
        self._waits_for = [cell for cell in specification.cells() if cell.seed == seed]
        self._over = len(specification.study.seeds) == 1 or self._is_there()

    def look(self) -> None:
        """To be asked when a cell has ended: the table is shown if it was the last one needed."""
        if self._over or self._progress.quiet or not self._is_there():
            return
        self._over = True
        try:
            table = first_look(self._specification, self._store, self._waits_for)
        except EquipoiseError:
            return  # nothing was delivered; the tables at the end say so
        seeds = self._specification.study.seeds
        self._progress.say(
            f"Provisional, seed {seeds[0]} of {len(seeds)} seeds; no interval and no test as yet:"
        )
        for line in plain_lines([table]):
            self._progress.say(line)

    def _is_there(self) -> bool:
        return all(self._store.cell_folder(cell).is_dir() for cell in self._waits_for)
