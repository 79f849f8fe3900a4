"""Links that keep the filters of the list that their page belongs to."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html

from promptadmin.backoffice.kept_filters import PARAMETER, keep_filters

register = template.Library()


@register.simple_tag(takes_context=True)
def with_filters(context: Any, address: object) -> str:
    """The address, with the filters of the list if it belongs to the same table."""
    return keep_filters(context["request"], str(address))


@register.simple_tag(takes_context=True)
def filters_field(context: Any) -> str:
    """A form's field that keeps the filters, for a form whose fields become the address."""
    filters = context["request"].GET.get(PARAMETER)
    return format_html('<input type="hidden" name="{}" value="{}">', PARAMETER, filters) if filters else ""
