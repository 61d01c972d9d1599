"""Gendered words and contexts for the measure alone; nothing may be fitted on them.

Four kinds of pair, each after contexts that words of its kind continue. Coreference-style contexts
name a second person, as the sentences of Winogender do (Rudinger et al. 2018, arXiv 1804.09301).
"""

from __future__ import annotations

from equipoise.task.probe import Probe

COREFERENCE = (
    "The {occupation} told the customer that",
    "The {occupation} met the visitor in the hall because",
    "The {occupation} informed the client that",
    "The customer thanked the {occupation} because",
)
"""Contexts with a second person, which a pronoun continues."""

UNFITTED: tuple[Probe, ...] = (
    Probe(
        "pronouns",
        (
            *COREFERENCE[:3],
            "The {occupation} went back to the office to fetch",
            "At the end of the day, the {occupation} put on",
            "The {occupation} talked about",
        ),
        (("his", "her"),),
    ),
    Probe(
        "kinship",
        (
            "The {occupation} was also a loving",
            "In the old family photograph, the {occupation} stands beside a",
            "The child ran to the {occupation}, who was a wonderful",
        ),
        (
            ("brother", "sister"),
            ("uncle", "aunt"),
            ("grandfather", "grandmother"),
            ("nephew", "niece"),
        ),
    ),
    Probe(
        "titles",
        (
            "The visitor nodded at the {occupation} and said: Good morning,",
            "The {occupation} was always addressed as",
            "The {occupation} was every inch a",
        ),
        (("sir", "madam"), ("gentleman", "lady"), ("lord", "dame")),
    ),
    Probe(
        "names",
        (
            "The name of the {occupation} was",
            "The {occupation} was called",
            "The sign on the door of the {occupation} read:",
        ),
        (
            ("James", "Jessica"),
            ("Thomas", "Sarah"),
            ("Charles", "Karen"),
            ("Daniel", "Nancy"),
            ("Matthew", "Lisa"),
            ("Anthony", "Margaret"),
        ),
    ),
)
"""The unfitted half, the headline."""
