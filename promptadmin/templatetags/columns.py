"""The choice of a list's columns."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("promptadmin/columns.html", takes_context=True)
def column_form(context: Any, cl: Any) -> dict[str, Any]:
    """The form that chooses columns, for lists that have such a choice."""
    fields = getattr(cl.model_admin, "column_form", None)
    return {} if fields is None else dict(fields(context["request"]))
