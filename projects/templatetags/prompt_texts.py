"""Filters for texts that anybody may have written."""

from __future__ import annotations

import datetime as dt

from django import template

from promptadmin.db.legacy_values import read_text

register = template.Library()

#: Control characters, which browsers show as nothing, stand as the symbols that Unicode has for them.
PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: "␡"}


def _text(stored: object) -> str:
    """What another program may have stored as a BLOB, or not at all, as text."""
    return read_text(stored) or ""


@register.filter
def visible(text: str) -> str:
    """The text with a symbol for each control character, but for line feeds and tabs."""
    return _text(text).translate(PICTURES)


@register.filter
def beginning(text: str, length: int = 200) -> str:
    """The first characters of a text in one line."""
    whole = _text(text)
    start = " ".join(whole[: length + 1].split())
    return visible(start[:length] + ("…" if len(whole) > length else ""))


@register.filter
def moment(value: dt.datetime | None) -> str:
    """A moment to the minute, in UTC; a dash where a stored value means none."""
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, dt.datetime) else "-"


@register.filter
def out_of_ten(score: float | None) -> str:
    """A score from 0.0 to 1.0 as a number out of ten; a dash where there is none."""
    return "-" if score is None else f"{score * 10:.1f}"


@register.filter
def bounded(count: int, most: int) -> str:
    """A number that was counted no further than to one more than the most."""
    return f"{most:,}+" if count > most else f"{count:,}"


@register.filter
def thousands(number: int) -> str:
    """A number with its thousands set apart."""
    return f"{number:,}"
