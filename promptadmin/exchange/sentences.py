"""What is wrong with a row, in sentences for people who make tables and know no pydantic."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

NUMBER = "must be a number, as in 0.75, without separators of thousands"
INTEGER = "must be an integer, as in 2014, without separators of thousands"
LIST = 'must be a JSON list, as in ["one", "two"]'
OBJECT = 'must be a JSON object, as in {{"language": "Python"}}'
#: Type of an error → what is to be said behind the column's name; the rest is its context's.
SENTENCES = {
    "missing": "is needed in each row",
    "extra_forbidden": "is no column of this table",
    "string_type": "must be a text",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must not have slashes or control characters",
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": NUMBER,
    "int_type": INTEGER,
    "int_parsing": INTEGER,
    "int_parsing_size": INTEGER,
    "int_from_float": INTEGER,
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": LIST,
    "dict_type": OBJECT,
    "greater_than_equal": "must not be less than {ge}",
    "less_than_equal": "must not be greater than {le}",
    "greater_than": "must be greater than {gt}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be one of {expected}",
}


def sentence(error: ErrorDetails) -> str:
    """What pydantic has found, with the column's name."""
    context: dict[str, Any] = error.get("ctx", {})
    column = ".".join(map(str, error["loc"]))
    if error["type"] == "value_error":
        return str(context["error"])
    if not column:
        return 'Each row must be a JSON object, as in {"id": "1"}'
    if error["input"] is None and error["type"] not in ("missing", "extra_forbidden"):
        return f"{column} must not be empty"
    said = SENTENCES.get(error["type"])
    return f"{column} {said.format(**context)}" if said else f"{column} has a value that it can't have"
