"""Reports: what a finished run says, for people, for papers and for machines.

    headline        the main table; answer: the question and the answer in sentences
    claims, slope_claims   what the comparisons carry, in words that say no more
    breakdown       rates by subject, terms, slopes: frames that figures draw
    figures, plots, labels   the figures, each drawn once: files in SVG, PDF and PNG
    page, sections, charts, passages   the page: one file that works offline; its charts are
                    those figures
    tables, latex   the tables as CSV and LaTeX
    paper           paragraphs for a paper; machine: everything as JSON
    write           all of it into one folder, whole or not at all

Nothing is measured here. ``runs.finished_run`` reads the folder of a run, and what is not there is
left out and said to be missing.
"""

from equipoise.report.write import write_report

__all__ = ["write_report"]
