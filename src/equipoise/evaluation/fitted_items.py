"""Gendered words and contexts that a method may be fitted on. The measure's own are elsewhere.

Erasure needs words and sentences to learn from; a measure on the same ones would show what was
removed by construction (projecting out the difference of the output embeddings of "she" and "he"
makes ``log P(" she") - log P(" he")`` constant, whatever the model still knows). So the words here
are for methods, and for the measure's *fitted* half; those in ``unfitted_items`` are for the
measure alone. No word stands in both, and no method imports those: a test keeps it so.
"""

from __future__ import annotations

FITTED_PAIRS: tuple[tuple[str, str], ...] = (
    ("he", "she"),
    ("himself", "herself"),
    ("man", "woman"),
    ("men", "women"),
    ("boy", "girl"),
    ("boys", "girls"),
    ("male", "female"),
    ("father", "mother"),
    ("fathers", "mothers"),
    ("dad", "mom"),
    ("son", "daughter"),
    ("sons", "daughters"),
    ("husband", "wife"),
    ("husbands", "wives"),
    ("king", "queen"),
    ("prince", "princess"),
    ("Mr", "Mrs"),
    ("John", "Mary"),
    ("Michael", "Jennifer"),
    ("David", "Linda"),
    ("Robert", "Patricia"),
    ("William", "Elizabeth"),
    ("Richard", "Barbara"),
)
"""Masculine and feminine word: pronouns, kinship, titles, first names (the commonest of the US
Social Security Administration's lists of the last hundred years)."""

FITTED_CONTEXTS: tuple[str, ...] = (
    "The {occupation} said that",
    "The {occupation} was tired because",
    "The {occupation} mentioned that",
    "The {occupation} was late because",
)
"""Neutral beginnings that a pronoun continues."""
