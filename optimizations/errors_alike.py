"""Error messages that are alike: equal but for numbers and ids.

`alike` makes of a message what stands for all that are alike; `pattern` finds these in the database, on each engine.
"""

from __future__ import annotations

import re

#: So many characters at the beginning of a message tell it from others.
LENGTH = 200
ID, NUMBER = "<id>", "<n>"
_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
# A word of letters and digits mixed, as in req_011CSHoEeqs5C35K. No \b, which PostgreSQL writes in another way.
_WORD = r"(?=[A-Za-z_]*[0-9])(?=[0-9_]*[A-Za-z])[0-9A-Za-z_]{8,}"
_BEFORE, _AFTER = r"(?<![0-9A-Za-z_])", r"(?![0-9A-Za-z_])"
_VARYING = re.compile(rf"{_BEFORE}(?:{_UUID}|{_WORD}){_AFTER}|[0-9]+")
_PATTERNS = {
    ID: rf"({_BEFORE}({_UUID}|{_WORD}){_AFTER}|{ID})",
    NUMBER: rf"([0-9]+|{NUMBER})",
}


def alike(message: str) -> str:
    """The beginning of a message, with a sign for each number and id."""
    return _VARYING.sub(lambda found: NUMBER if found.group().isdigit() else ID, message[:LENGTH])


def pattern(sign: str) -> str:
    """A regular expression for the beginnings of the messages that `alike` makes this of."""
    parts = re.split(f"({ID}|{NUMBER})", sign)
    return "^" + "".join(_PATTERNS.get(part) or re.escape(part) for part in parts) + "$"
