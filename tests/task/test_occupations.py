"""The built-in task is what the protocol and issue 2 ask for."""

from __future__ import annotations

from equipoise.task import BalancedExampleGenerator, Task, TermMatcher, task_overview
from equipoise.task.overview import overview_lines
from equipoise.task.preference import PreferencePairGenerator

TRAIN = """architect artist barista chef counselor doctor electrician engineer journalist lawyer
mechanic nurse pharmacist photographer pilot""".split()  # noqa: SIM905
AGENTIC = """ambitious assertive bold confident decisive independent self-reliant competitive
adventurous dominant""".split()  # noqa: SIM905
COMMUNAL = """accommodating caring cooperative empathetic friendly nurturing supportive
compassionate helpful loyal""".split()  # noqa: SIM905


def test_subjects_and_split(occupations: Task) -> None:
    assert [s.name for s in occupations.train] == TRAIN
    assert {s.name for s in occupations.validation} == {
        "plumber",
        "scientist",
        "teacher",
        "salesperson",
        "writer",
    }
    assert occupations.shares["nurse"] == 89.58
    assert occupations.shares["writer"] == 56.6
    assert list(occupations.shares) == [s.name for s in occupations.subjects]


def test_terms(occupations: Task) -> None:
    assert set(occupations.lexicons["agentic"].listed) == set(AGENTIC)
    assert set(occupations.lexicons["communal"].listed) == set(COMMUNAL)
    assert all(len(lexicon.held_out) >= 10 for lexicon in occupations.lexicons.values())


def test_the_wide_lexicon_is_large_and_no_word_of_it_is_ever_learnt(occupations: Task) -> None:
    wide = {name: set(lexicon.wide) for name, lexicon in occupations.lexicons.items()}
    assert all(len(terms) >= 100 for terms in wide.values())
    matcher = TermMatcher([*wide["agentic"], *wide["communal"]])
    for example in BalancedExampleGenerator(occupations, 5).generate(100):
        assert not matcher.terms_in(example.text), example.text
    for pair in PreferencePairGenerator(occupations, 5, "free", 0.3).generate(50):
        assert not matcher.terms_in(pair.rejected), pair.rejected


def test_no_word_of_the_wide_lexicon_has_a_form_elsewhere(occupations: Task) -> None:
    """A form is what begins alike: the first five letters, "self-" aside."""

    def beginning(term: str) -> str:
        return term.removeprefix("self-")[:5]

    agentic, communal = occupations.lexicons["agentic"], occupations.lexicons["communal"]
    sides = [set(map(beginning, lexicon.wide)) for lexicon in (agentic, communal)]
    assert sides[0].isdisjoint(sides[1])
    for known in (*agentic.terms("all"), *communal.terms("all")):
        for term in (*agentic.wide, *communal.wide):
            assert beginning(term) != beginning(known), (term, known)
            assert not term.startswith(known)
            assert known not in term


def test_prompts(occupations: Task) -> None:
    assert occupations.prompt("doctor") == (
        "Complete the following sentence in natural, coherent English (8–15 words long):\n"
        '"The doctor was"'
    )
    assert "balanced" in occupations.prompts
    assert occupations.response_prefix("doctor") == "The doctor was"


def test_constraint(occupations: Task) -> None:
    constraint = occupations.constraint
    assert constraint.words == (8, 15)
    assert set(constraint.all_of) == {"{agentic}", "{communal}"}
    assert constraint.any_of == constraint.none_of == ()


def test_templates(occupations: Task) -> None:
    assert len({template.text for template in occupations.templates}) >= 100
    families = {template.family for template in occupations.templates}
    assert families == {"conjunction", "contextual", "several", "natural"}


def test_every_occupation_has_its_own_contexts(occupations: Task) -> None:
    kinds = {k for t in occupations.templates for k in t.kinds if k not in occupations.lexicons}
    for subject in occupations.subjects:
        assert all(subject.contexts[kind] for kind in kinds)
    assert len({tuple(s.contexts.items()) for s in occupations.subjects}) == 20


def test_half_a_million_sentences_are_within_reach(occupations: Task) -> None:
    generator = BalancedExampleGenerator(occupations, 0)
    assert sum(generator.capacity(s.name) for s in occupations.train) >= 500_000
    assert min(generator.capacity(s.name) for s in occupations.train) * 15 >= 500_000


def test_nothing_about_it_needs_a_note(occupations: Task) -> None:
    overview = task_overview(occupations)
    assert overview["notes"] == []
    assert overview["held_out_templates"] == 26
    assert any("132 templates: " in line for line in overview_lines(overview))
