"""What is asked, and when an answer counts: subjects, words, constraint, and training examples."""

from equipoise.task.axis import Axis
from equipoise.task.constraint import Constraint
from equipoise.task.dataset import dataset_statistics, write_examples
from equipoise.task.examples import BalancedExampleGenerator, Example
from equipoise.task.lexicon import Hit, Lexicon, TermMatcher, Terms, count_words, words
from equipoise.task.overview import overview_lines, task_overview
from equipoise.task.sentence import Sentence, first_sentence, sentence_is_complete
from equipoise.task.task import Split, Subject, Task
from equipoise.task.task_file import builtin_tasks, load_task
from equipoise.task.template import Template
from equipoise.task.verdict import Clause, Explanation, Verdict

__all__ = [
    "Axis",
    "BalancedExampleGenerator",
    "Clause",
    "Constraint",
    "Example",
    "Explanation",
    "Hit",
    "Lexicon",
    "Sentence",
    "Split",
    "Subject",
    "Task",
    "Template",
    "TermMatcher",
    "Terms",
    "Verdict",
    "builtin_tasks",
    "count_words",
    "dataset_statistics",
    "first_sentence",
    "load_task",
    "overview_lines",
    "sentence_is_complete",
    "task_overview",
    "words",
    "write_examples",
]
