"""The check of a machine's speed."""

from __future__ import annotations

import time
from itertools import count

from equipoise.study.planning.rates import fastest


def test_being_put_off_for_a_while_is_not_taken_for_slowness() -> None:
    """The first eight products are each held up for 10 ms by something else."""
    done = count()

    def product() -> None:
        if next(done) < 8:
            time.sleep(0.01)

    assert fastest(product) < 0.005


def test_slow_work_is_not_done_more_often_than_asked() -> None:
    done = count()
    fastest(lambda: (next(done), time.sleep(0.02)), repeats=2, spread=0.0)
    assert next(done) == 3, "once to set up, twice timed"
