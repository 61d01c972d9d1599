"""A real browser and a real LaTeX, as for reports."""

from __future__ import annotations

from real_browser import chromium, opened
from report.real_latex import latex

__all__ = ["chromium", "latex", "opened"]
