"""Boards: finished runs side by side. Does it hold on another model, and on another question?

    finished     a run as the board takes it: whole, unchanged, with its summary
    conditions   which runs can be compared, and why the others cannot
    shown        the headlines that a board shows, and which way they are better
    front        methods that no other method beats
    agreement    whether two runs rank their methods alike (Kendall's tau-b)
    board        all of that for some runs
    tables, figures, page, machine   how it is told
    write        all of it into one folder, whole or not at all

Nothing is measured here. Numbers are those of each run's ``results/summary.csv``, and what they
are called, how they are written and which way they are better the measures themselves declare.
"""

from equipoise.board.write import write_board

__all__ = ["write_board"]
