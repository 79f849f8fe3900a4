"""What a list is narrowed down by: each filter with its value, and the address of the list without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import template
from django.contrib.admin.filters import AllValuesFieldListFilter
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.http import QueryDict

register = template.Library()

#: A list without one of its filters begins at its first page.
OF_THE_PAGE = (PAGE_VAR, ALL_VAR, ERROR_FLAG)


class Chip(NamedTuple):
    """One filter in use: what it is about, its value in words, and the address without it."""

    label: str
    value: str
    without: str


@register.simple_tag(takes_context=True)
def active_filters(context: Any, cl: Any) -> list[Chip]:
    """The filters of a list that its address has, in the order in which they stand beside it."""
    query: QueryDict = context["request"].GET
    return [Chip(label, value, _without(query, names)) for label, value, names in _in_use(cl, query)]


@register.simple_tag(takes_context=True)
def without_filters(context: Any, cl: Any) -> str:
    """The address of the list without any of them."""
    query: QueryDict = context["request"].GET
    return _without(query, [name for *_, names in _in_use(cl, query) for name in names])


@register.simple_tag(takes_context=True)
def querystring_of_views(context: Any, cl: Any) -> str:
    """What the fragment with the saved views of a list is asked for: the list, and what its address asks for."""
    query: QueryDict = context["request"].GET
    return "?" + urlencode({"table": cl.opts.label_lower, "query": query.urlencode()})


def _in_use(cl: Any, query: QueryDict) -> Iterator[tuple[str, str, list[str]]]:
    if cl.query:
        yield "search", str(cl.query), [SEARCH_VAR]
    known = {*getattr(cl, "linked", ())}
    for spec in cl.filter_specs:
        names = [str(name) for name in spec.expected_parameters() if name is not None]
        given = [name for name in names if query.get(name)]
        known |= {*names}
        if given:
            yield str(spec.title), _words(spec, names, query), names
    for name in query:
        value, column = str(query.get(name, "")), name.partition("__")[0]
        if name not in known and value and _is_column(cl, column):
            yield column.replace("_", " "), value, [name]


def _words(spec: Any, names: list[str], query: QueryDict) -> str:
    values = [query.get(name, "") for name in names]
    if len(values) == 2 and names[0].endswith("_from"):
        return " ".join(part for part in (values[0] and f"from {values[0]}", values[1] and f"to {values[1]}") if part)
    return ", ".join(_word(spec, value) for value in values if value)


def _word(spec: Any, value: str) -> str:
    """A value as the filter's choices have it, or as the row is called that it is the key of."""
    if isinstance(spec, AllValuesFieldListFilter):  # its choices are the values themselves, without words
        return value
    field = getattr(spec, "field", None)
    choices = [*(getattr(spec, "lookup_choices", None) or ()), *(getattr(field, "flatchoices", None) or ())]
    for key, text in [*choices, *(BOOLEAN if getattr(field, "get_internal_type", str)() == "BooleanField" else ())]:
        if str(key) == value:
            return str(text)
    if field is not None and field.is_relation:
        try:
            row = field.related_model._default_manager.filter(pk=value).first()
        except (ValueError, ValidationError):
            row = None
        return str(row or value)
    return value


BOOLEAN = (("1", "yes"), ("0", "no"))


def _is_column(cl: Any, name: str) -> bool:
    try:
        cl.opts.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def _without(query: QueryDict, names: list[str]) -> str:
    rest = query.copy()
    for name in (*names, *OF_THE_PAGE):
        rest.pop(name, None)
    return f"?{rest.urlencode()}"
