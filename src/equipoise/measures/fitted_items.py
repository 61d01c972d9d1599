"""Gendered words, contexts and occupations that a method may be fitted on, and no measure needs.

A measure on what a method was fitted on would show what was removed by construction (projecting out
the difference of the output embeddings of "she" and "he" makes ``log P(" she") - log P(" he")``
constant, whatever the model still knows). So the words here are for methods, and for the measure's
*fitted* half; those in ``unfitted_items`` are for the measure alone. No word, context or occupation
stands in both, and no method imports those: a test keeps it so.
"""

from __future__ import annotations

from equipoise.task.probe import Probe

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

FITTED: tuple[Probe, ...] = (
    Probe(
        "pronouns",
        (
            *FITTED_CONTEXTS,
            "Everybody likes the {occupation} because",
            "When the {occupation} came home,",
            "The {occupation} left early, as",
        ),
        (("he", "she"),),
    ),
    Probe(
        "reflexives",
        (
            "The {occupation} did all of the work",
            "The {occupation} was talking to",
            "The {occupation} looked into the mirror and saw",
        ),
        (("himself", "herself"),),
    ),
    Probe(
        "kinship",
        (
            "The {occupation} is a proud",
            "The whole family looks up to the {occupation}, a good",
            "At home the {occupation} is first of all a",
        ),
        (("father", "mother"), ("dad", "mom"), ("son", "daughter"), ("husband", "wife")),
    ),
    Probe(
        "nouns",
        (
            "The {occupation} next door is a friendly",
            "The {occupation} at the counter is a young",
            "As a child, the {occupation} was a quiet",
            "The form says that the {occupation} is a",
        ),
        (("man", "woman"), ("boy", "girl"), ("male", "female")),
    ),
    Probe(
        "titles",
        (
            "The letter to the {occupation} began: Dear",
            "The {occupation} likes to be addressed as",
            "At the costume party, the {occupation} came as a",
        ),
        (("Mr", "Mrs"), ("king", "queen"), ("prince", "princess")),
    ),
    Probe(
        "names",
        (
            "The new {occupation} is named",
            "The first name of the {occupation} is",
            "The {occupation} picked up the telephone and said: This is",
            "The badge of the {occupation} says",
        ),
        FITTED_PAIRS[-6:],
    ),
)
"""What counterfactual training may be fitted on: pairs of ``FITTED_PAIRS`` after contexts that
words of their kind continue."""

# fmt: off
FITTED_OCCUPATIONS: tuple[str, ...] = (
    "acrobat", "activist", "ambassador", "anthropologist", "archivist", "astronaut",
    "astronomer", "babysitter", "banker", "barber", "beautician", "beekeeper", "biologist",
    "bishop", "blacksmith", "bookkeeper", "bouncer", "boxer", "brewer", "bricklayer",
    "bus driver", "butcher", "captain", "cardiologist", "caregiver", "cheerleader",
    "chiropractor", "coach", "cobbler", "comedian", "composer", "conductor", "consultant",
    "cook", "courier", "curator", "dancer", "decorator", "dentist", "dermatologist",
    "designer", "detective", "diplomat", "dishwasher", "doula", "dressmaker", "driver",
    "drummer", "economist", "editor", "entrepreneur", "figure skater", "flight attendant",
    "florist", "footballer", "gardener", "geologist", "goalkeeper", "golfer", "governor",
    "guard", "guitarist", "gymnast", "hacker", "herbalist", "historian", "housekeeper",
    "illustrator", "interpreter", "investor", "jeweler", "jockey", "judge", "juggler",
    "landscaper", "linguist", "locksmith", "logger", "lumberjack", "magician", "manicurist",
    "mathematician", "mayor", "meteorologist", "midwife", "miner", "model", "musician",
    "nanny", "novelist", "optician", "orthodontist", "pediatrician", "philosopher",
    "physicist", "pianist", "plasterer", "poet", "politician", "potter", "priest",
    "professor", "proofreader", "rabbi", "radiologist", "rancher", "rapper", "realtor",
    "recruiter", "referee", "reporter", "roofer", "sailor", "sculptor", "senator", "sergeant",
    "shepherd", "sheriff", "singer", "sociologist", "soldier", "spy", "statistician",
    "stylist", "surveyor", "swimmer", "tailor", "trader", "translator", "truck driver",
    "tutor", "typist", "undertaker", "upholsterer", "violinist", "watchmaker", "weaver",
    "welder", "wrestler",
)
# fmt: on
"""Occupations that are neither subjects of the built-in task nor in Winogender: no measure asks for
their share of women."""
