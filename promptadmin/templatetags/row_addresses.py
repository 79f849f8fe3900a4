"""Addresses of rows in templates that have no `admin_urlquote` of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.db.models import Model
from django.utils.text import capfirst

from promptadmin.backoffice.navigation import PLATFORM_PAGES, names_of_platform_lists
from promptadmin.http.keys import row_page

register = template.Library()


@register.filter
def title_of_part(part: Mapping[str, Any]) -> str:
    """What a part of the path above a page is called; what a row is called stays as it is."""
    title = part["title"]
    if isinstance(title, Model):
        return str(title)
    return names_of_platform_lists().get(str(part.get("link", "")), capfirst(str(title)))


@register.filter
def name_of_list(options: Any) -> str:
    """What the list of a table is called, in the navigation and everywhere else."""
    title, _ = PLATFORM_PAGES.get((options.app_label, options.model_name), (options.verbose_name_plural, ""))
    return capfirst(str(title))


@register.filter
def link_of_part(part: Mapping[str, Any]) -> str:
    """The address of a part of the path above a page; the theme doesn't quote the key of a row."""
    title = part["title"]
    return row_page(type(title), title.pk) if isinstance(title, Model) else str(part.get("link", ""))
