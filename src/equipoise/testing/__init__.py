"""Laws that anybody's methods and measures can be held against, and small things to try them on.

Nothing here needs pytest; all of it can be used from there.
"""

from equipoise.testing.law import BrokenLawError
from equipoise.testing.measures import MEASURE_LAWS, check_measure, made_evidence
from equipoise.testing.methods import METHOD_LAWS, check_method
from equipoise.testing.models import tiny_gendered_model, tiny_language_model
from equipoise.testing.tasks import small_task
from equipoise.testing.trial import MethodTrial

__all__ = [
    "MEASURE_LAWS",
    "METHOD_LAWS",
    "BrokenLawError",
    "MethodTrial",
    "check_measure",
    "check_method",
    "made_evidence",
    "small_task",
    "tiny_gendered_model",
    "tiny_language_model",
]
