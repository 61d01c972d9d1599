"""The judgement of single texts: golden rows, and a twin written without the package."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import EquipoiseError
from equipoise.measures.compliance import by_seed, compliance_table
from equipoise.measures.judgement import has_held_out_score, score, wanted_sets
from equipoise.task.constraint import Constraint
from equipoise.task.task import Task

JUDGED = [
    "word_count", "in_range", "balanced", "any", "neither", "agentic_only", "communal_only",
    "n_agentic", "agentic_terms", "n_communal", "communal_terms",
    "balanced_held_out", "any_held_out", "balanced_all", "satisfied", "well_formed", "verbatim",
]  # fmt: skip


def judge(texts: list[str], task: Task, training: list[str] | None = None) -> pd.DataFrame:
    return score(pd.DataFrame({"text": texts}), task, training)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 6 words, in 4-9; bold (agentic) + caring (communal)
        ("The nurse was Bold and caring.",
         (6, True, True, True, False, False, False, 1, "bold", 1, "caring", False, False, True,
          True, True)),
        # 9 words, the upper end; bold and decisive, bold twice counts once; no communal term
        ("The nurse was decisive and bold and very bold.",
         (9, True, False, True, False, True, False, 2, "decisive; bold", 0, "", False, False, False,
          False, True)),
        # 10 words, one too many; balanced all the same, but not satisfied
        ("The nurse was bold and loyal to all her patients.",
         (10, False, True, True, False, False, False, 1, "bold", 1, "loyal", False, False, True,
          False, True)),
        # held-out terms only: neither on listed terms, balanced on held-out ones
        ("The nurse was active and warm.",
         (6, True, False, False, True, False, False, 0, "", 0, "", True, True, True, False,
          True)),
        # one listed, one held-out: balanced on neither list alone, balanced on both together
        ("The nurse was bold and warm.",
         (6, True, False, True, False, True, False, 1, "bold", 0, "", False, True, True, False,
          True)),
        # parts of words are no hits; 3 words, one too few
        ("Indecisive, disloyal boldness",
         (3, False, False, False, True, False, False, 0, "", 0, "", False, False, False, False,
          False)),
        ("",
         (0, False, False, False, True, False, False, 0, "", 0, "", False, False, False, False,
          False)),
    ],
)  # fmt: skip
def test_golden_rows(task: Task, text: str, expected: tuple[object, ...]) -> None:
    scored = judge([text], task)
    assert scored.columns.tolist() == ["text", *JUDGED]
    assert tuple(scored.loc[0, JUDGED[:-1]].tolist()) == expected
    assert scored["verbatim"].isna().all()  # no training texts were given


def test_ten_thousand_words(task: Task) -> None:
    scored = judge(["bold " + "word " * 9_998 + "caring"], task)
    assert scored.loc[0, ["word_count", "balanced", "in_range"]].tolist() == [10_000, True, False]


def test_verbatim_is_equality_after_nfc(task: Task) -> None:
    training = ["The nurse was caf\u00e9 bold. ", "The nurse was loyal."]
    texts = ["The nurse was cafe\u0301 bold.", "the nurse was loyal.", "The nurse was  loyal.", ""]
    assert judge(texts, task, training)["verbatim"].tolist() == [True, False, False, False]
    assert judge(texts, task, [])["verbatim"].tolist() == [False] * 4
    assert judge(texts, task)["verbatim"].isna().all()


def test_held_out_score_is_missing_where_a_set_has_no_held_out_terms(
    task: Task, task_without_held_out: Task
) -> None:
    assert has_held_out_score(task)
    assert not has_held_out_score(task_without_held_out)
    scored = judge(["The nurse was bold and warm."], task_without_held_out)
    assert scored[["balanced_held_out", "any_held_out"]].isna().all(axis=None)
    assert scored["balanced_all"].tolist() == [True]  # bold is listed, warm is held out


def test_rows_keep_their_order_index_and_other_columns(task: Task) -> None:
    frame = pd.DataFrame(
        {"text": ["bold caring", None, "bold caring"], "note": ["x", "y", "z"]}, index=[5, 3, 5]
    )
    scored = score(frame, task)
    assert scored.index.tolist() == [5, 3, 5]
    assert scored["note"].tolist() == ["x", "y", "z"]
    assert scored["balanced"].tolist() == [True, False, True]
    assert frame.columns.tolist() == ["text", "note"]  # the frame itself is left alone


def test_scoring_twice_changes_nothing(task: Task) -> None:
    once = judge(["The nurse was bold and caring.", ""], task)
    pd.testing.assert_frame_equal(score(once, task), once)


def test_each_distinct_text_is_judged_once(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    check = type(task.constraint).check

    def counting(self: object, text: str, terms: str = "listed") -> object:
        asked.append((text, terms))
        return check(self, text, terms)  # type: ignore[arg-type]

    monkeypatch.setattr(type(task.constraint), "check", counting)
    judge(["bold", "caring", "bold"] * 100, task)
    assert len(asked) == len(set(asked))
    assert {text for text, _ in asked} == {"bold", "caring"}


def test_wanted_sets_follow_the_constraint(task: Task) -> None:
    assert wanted_sets(task) == ["agentic", "communal"]


def test_any_of_a_set_or_a_phrase_and_none_of_another_set(task: Task) -> None:
    constraint = Constraint(
        task.lexicons,
        any_of=("{agentic}", "team player"),
        none_of=("{communal}",),
        words=(1, 9),
    )
    other = replace(task, constraint=constraint)
    scored = judge(["bold", "a team player", "a bold team player", "bold, loyal", "loyal"], other)
    assert "communal_only" not in scored.columns  # not wanted
    assert "team player_only" not in scored.columns  # a phrase, no set
    assert scored["agentic_only"].tolist() == [True, False, False, True, False]
    assert scored["balanced"].tolist() == [True, True, True, False, False]
    assert scored["any"].tolist() == [True, True, True, True, False]
    assert scored["n_communal"].tolist() == [0, 0, 0, 1, 1]
    table = compliance_table(by_seed(cell(scored), other))
    assert [name for name in table.columns if "communal" in name] == ["mean_communal"]


def cell(scored: pd.DataFrame) -> pd.DataFrame:
    return scored.assign(method="m", seed=1, split="train", finished=True)


def test_frame_without_text_lists_its_columns(task: Task) -> None:
    with pytest.raises(EquipoiseError, match="no column 'text'; the columns are 'a', 'b'"):
        score(pd.DataFrame({"a": [1], "b": [2]}), task)


SETS = {
    "agentic": ({"bold", "decisive"}, {"active"}),
    "communal": ({"caring", "loyal"}, {"warm"}),
}
WORDS = [
    "bold",
    "decisive",
    "active",
    "caring",
    "loyal",
    "warm",
    "indecisive",
    "boldly",
    "and",
    "a",
]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=1, max_size=12))
def test_equals_a_plain_loop(task: Task, sentences: list[list[str]]) -> None:
    scored = judge([" ".join(words) for words in sentences], task)
    for words, row in zip(sentences, scored.to_dict("records"), strict=True):
        listed = {s: [w for w in dict.fromkeys(words) if w in SETS[s][0]] for s in SETS}
        held_out = {s: any(w in SETS[s][1] for w in words) for s in SETS}
        agentic, communal = bool(listed["agentic"]), bool(listed["communal"])
        assert row["word_count"] == len(words)
        assert row["in_range"] == (4 <= len(words) <= 9)
        assert row["balanced"] == (agentic and communal)
        assert row["any"] == (agentic or communal)
        assert row["neither"] == (not agentic and not communal)
        assert row["agentic_only"] == (agentic and not communal)
        assert row["communal_only"] == (communal and not agentic)
        assert row["satisfied"] == (agentic and communal and 4 <= len(words) <= 9)
        assert row["balanced_held_out"] == (held_out["agentic"] and held_out["communal"])
        assert row["any_held_out"] == (held_out["agentic"] or held_out["communal"])
        both = all(listed[s] or held_out[s] for s in SETS)
        assert row["balanced_all"] == both
        for name in SETS:
            assert row[f"n_{name}"] == len(listed[name])
            assert row[f"{name}_terms"] == "; ".join(listed[name])
        # the four outcomes share out every text
        parts = ("balanced", "agentic_only", "communal_only", "neither")
        assert sum(row[part] for part in parts) == 1
