"""Addresses of rows in templates that have no `admin_urlquote` of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.db.models import Model
from django.utils.text import capfirst

from promptadmin.http.keys import row_page

register = template.Library()


@register.filter
def title_of_part(part: Mapping[str, Any]) -> str:
    """What a part of the path above a page is called; what a row is called stays as it is."""
    title = part["title"]
    return str(title) if isinstance(title, Model) else capfirst(str(title))


@register.filter
def link_of_part(part: Mapping[str, Any]) -> str:
    """The address of a part of the path above a page; the theme doesn't quote the key of a row."""
    title = part["title"]
    return row_page(type(title), title.pk) if isinstance(title, Model) else str(part.get("link", ""))
