"""BibTeX entries for a paper that uses a report."""

from __future__ import annotations

import equipoise

PROTOCOL_TASK = "occupations"
"""The built-in task that follows the protocol of a paper, which is then cited too."""

PROTOCOL = """@misc{arxiv251022084,
  title         = {Compositional Bias Control in Large Language Models:
                   Preference Learning Fails, Supervision Succeeds},
  year          = {2025},
  eprint        = {2510.22084},
  archivePrefix = {arXiv}
}"""


def bibliography(task: str) -> str:
    """The entries: Equipoise in the version that wrote the report, and the protocol of a task.

    Args:
        task: Name of the task.
    """
    own = f"""@software{{equipoise,
  title   = {{Equipoise: Controlled Trials of Bias-Control Methods for Language Models}},
  author  = {{{{The Equipoise authors}}}},
  version = {{{equipoise.__version__}}},
  license = {{Apache-2.0}}
}}"""
    entries = [own, PROTOCOL] if task == PROTOCOL_TASK else [own]
    return "\n\n".join(entries)
