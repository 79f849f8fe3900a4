"""Numbers as people read them."""

from __future__ import annotations

from django import template

register = template.Library()
STEPS = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


@register.filter
def grouped(number: int) -> str:
    """A whole number with its thousands apart: 12,345."""
    return f"{number:,}"


@register.filter
def less(number: int) -> str:
    """A negative whole number without its sign."""
    return f"{-number:,}"


@register.filter
def short(number: int) -> str:
    """A whole number in three digits or so: 950, 12.3k, 4.56M."""
    for size, letter in STEPS:
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return str(number)


@register.filter
def css(number: float) -> str:
    """A number as style sheets read it, whatever the language."""
    return f"{number:.2f}"


@register.filter
def size(number: int | None) -> str:
    if number is None:
        return "-"
    amount = float(number)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"
