from __future__ import annotations

import equipoise
from equipoise.wording.bibliography import bibliography


def test_the_protocol_is_cited_for_its_own_task_only() -> None:
    assert "2510.22084" in bibliography("occupations")
    assert "2510.22084" not in bibliography("age")


def test_the_version_that_wrote_it_is_named() -> None:
    assert f"version = {{{equipoise.__version__}}}" in bibliography("age")
