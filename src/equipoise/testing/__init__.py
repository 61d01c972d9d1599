"""Laws that anybody's methods can be held against, and small things to try them on.

Nothing here needs pytest; all of it can be used from there.
"""

from equipoise.testing.law import BrokenLawError
from equipoise.testing.methods import METHOD_LAWS, check_method
from equipoise.testing.models import tiny_gendered_model, tiny_language_model
from equipoise.testing.tasks import small_task
from equipoise.testing.trial import MethodTrial

__all__ = [
    "METHOD_LAWS",
    "BrokenLawError",
    "MethodTrial",
    "check_method",
    "small_task",
    "tiny_gendered_model",
    "tiny_language_model",
]
