"""Moments as people read them: the server writes UTC, and a script shows the browser's time, or how long ago it was."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def when(moment: object) -> SafeString:
    """A moment to the minute, with the exact one in UTC at hand; a dash where a stored value means none."""
    if not isinstance(moment, dt.datetime):
        return SafeString("-")
    utc = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return format_html(
        '<time class="pa-time" datetime="{}" title="{}">{}</time>',
        f"{utc:%Y-%m-%dT%H:%M:%SZ}",
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        f"{utc:%Y-%m-%d %H:%M} UTC",
    )
