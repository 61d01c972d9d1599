"""What a run's record says of sweeps, read back from a file that may say anything."""

from __future__ import annotations

import json

import pytest

from equipoise.runs.sweep import Sweep, sweeps_of


def test_what_is_written_is_read_back() -> None:
    sweep = Sweep("v", "scale", {"v-minus-1": -1.0, "v-0": 0.0})
    record = {"methods": dict.fromkeys(sweep.values), "sweeps": {"v": sweep.record()}}
    assert sweeps_of(json.loads(json.dumps(record))) == [sweep]
    assert sweeps_of({"methods": {"v-0": {}}}) == []


@pytest.mark.parametrize(
    "told",
    [
        "null", "[]", '{"v": 1}', '{"v": {"methods": [1]}}',
        '{"v": {"setting": "s", "methods": {"v-1": "x", "w": 1}}}',
        '{"v": {"methods": {"v-1": Infinity}}}', '{"v": {"methods": {"v-1": NaN}}}',
        '{"v": {"methods": {"v-1": true}}}', '{"v": {"methods": {"v-1": 1%s}}}' % (400 * "0"),
    ],
)  # fmt: skip
def test_a_record_that_came_by_mail_may_say_anything(told: str) -> None:
    assert sweeps_of({"methods": {"v-1": {}}, "sweeps": json.loads(told)}) == []


def test_names_are_made_visible_and_what_is_good_is_kept() -> None:
    told = {"a\u202eb": {"setting": "\u202es", "methods": {"m": 2, "gone": 1}}}
    [sweep] = sweeps_of({"methods": {"m": {}}, "sweeps": told})
    assert sweep == Sweep("a\u27e8U+202E\u27e9b", "\u27e8U+202E\u27e9s", {"m": 2.0})
