"""A real LaTeX, as for reports."""

from __future__ import annotations

from report.real_latex import latex

__all__ = ["latex"]
