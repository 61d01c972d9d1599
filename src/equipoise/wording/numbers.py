"""Numbers as a reader reads them: percent, points, p-values, amounts; "–" where there is none."""

from __future__ import annotations

import math

NONE = "–"
"""Stands where nothing was measured."""


def percent(rate: float, decimals: int = 1) -> str:
    """A rate (0-1) as ``97.3 %``.

    A rate that is not 0 or 1 is never shown as 0 or 100.

    >>> percent(0.9730), percent(0.99996), percent(0.0001), percent(0.0), percent(float("nan"))
    ('97.3 %', '> 99.9 %', '< 0.1 %', '0.0 %', '–')
    """
    if math.isnan(rate):
        return NONE
    text = f"{100 * rate:.{decimals}f}"
    step = 10**-decimals
    if rate < 1 and float(text) >= 100:
        return f"> {100 - step:.{decimals}f} %"
    if rate > 0 and float(text) == 0:
        return f"< {step:.{decimals}f} %"
    return f"{text} %"


def percent_spread(rate: float, sd: float) -> str:
    """A rate (0-1) with its spread for a column of a terminal.

    >>> percent_spread(0.973, 0.0123), percent_spread(0.973, float("nan"))
    ('97.3 ± 1.2 %', '97.3 %')
    """
    text = narrow(percent(rate))
    return text if math.isnan(sd) else f"{text.removesuffix(' %')} ± {100 * sd:.1f} %"


def cell(rate: float, decimals: int = 1) -> str:
    """A rate (0-1) in percent for a cell of a large table: no sign, 0 as ``0``, ``<0.1`` below.

    >>> cell(0.237), cell(0), cell(0.0001), cell(0.97, 0)
    ('23.7', '0', '<0.1', '97')
    """
    text = narrow(percent(rate, decimals)).removesuffix(" %")
    return "0" if rate == 0 else text


def interval(low: float, high: float) -> str:
    """Ends of an interval of rates (0-1) in percent, ``95.1 to 98.0``; empty where one is NaN."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{100 * low:.1f} to {100 * high:.1f}".replace("-", "−")


def plain(value: float, decimals: int = 2, *, sign: bool = False) -> str:
    """A number as a terminal shows it and a program reads it back: its minus is a hyphen.

    >>> plain(-0.451), plain(3.38, 1, sign=True), plain(float("nan"))
    ('-0.45', '+3.4', '–')
    """
    return NONE if math.isnan(value) else f"{value:{'+' if sign else ''}.{decimals}f}"


def plain_interval(low: float, high: float, decimals: int = 2) -> str:
    """Both ends as ``plain`` writes them, ``-8.0 to -2.0``; "–" where one is NaN."""
    if math.isnan(low) or math.isnan(high):
        return NONE
    return f"{plain(low, decimals)} to {plain(high, decimals)}"


def narrow(text: str) -> str:
    """``text`` without the blank after ``<`` or ``>``, for columns of which a terminal has few.

    >>> narrow("< 0.001"), narrow("> 99.9 %")
    ('<0.001', '>99.9 %')
    """
    return text.replace("< ", "<").replace("> ", ">")


def points(difference: float) -> str:
    """A difference of rates (-1 to 1) in percentage points, with its sign: ``+3.4``."""
    return NONE if math.isnan(difference) else signed(100 * difference, 1)


def signed(value: float, decimals: int = 2) -> str:
    """A number with its sign, minus as a minus; 0 has none."""
    if math.isnan(value):
        return NONE
    text = f"{value:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def p_value(p: float) -> str:
    """A p-value: three decimals, ``< 0.001`` below, ``> 0.999`` above.

    >>> p_value(0.0400), p_value(0.0001), p_value(1.0)
    ('0.040', '< 0.001', '1.000')
    """
    if math.isnan(p):
        return NONE
    if p < 0.001:
        return "< 0.001"
    return "> 0.999" if 0.9995 <= p < 1 else f"{p:.3f}"


def p_clause(p: float) -> str:
    """A p-value as it stands in a sentence.

    >>> p_clause(0.0400), p_clause(0.0001)
    ('p = 0.040', 'p < 0.001')
    """
    text = p_value(p)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def amount(value: float) -> str:
    """A count or amount: whole above 100, else to three figures; "∞" where nothing came of it.

    >>> amount(12168), amount(264.67), amount(7.2297), amount(0.00922), amount(0)
    ('12,168', '265', '7.23', '0.00922', '0')
    """
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def listing(items: list[str], word: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def counted(count: int, noun: str) -> str:
    """``1 seed``, ``3 seeds``, ``12,168 completions``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def duration(seconds: float) -> str:
    """Roughly how long, such as ``3 min`` or ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
