"""The boxes that plugins put on a row's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.module_loading import import_string

from promptadmin.db.sessions import read_session
from promptadmin.plugins.declarations import declared
from promptadmin.plugins.isolation import isolate_plugin_errors
from promptadmin.plugins.page_parts import Action, Box, Column, Filter

Part = Box | Column | Filter | Action


@dataclass(frozen=True)
class RenderedBox:
    """A box with what it shows, on the page and at its top."""

    box: Box
    html: str = ""
    line: str = ""
    failed: bool = False


def parts_for(request: HttpRequest, attribute: str) -> list[tuple[str, Any]]:
    """What the enabled plugins declare under this name and this user may see, each with its plugin's label."""
    return [
        (label, part)
        for label, part in declared(attribute)
        if not part.permission or request.user.has_perm(part.permission)
    ]


def rendered_boxes(request: HttpRequest, attribute: str, row: models.Model, **more: Any) -> list[RenderedBox]:
    """What each box that the user may see shows of a row; one that fails is logged, and says so."""
    return [
        rendered
        for label, box in parts_for(request, attribute)
        if (rendered := _rendered(label, box, request, row, more)) is not None
    ]


def _rendered(
    label: str, box: Box, request: HttpRequest, row: models.Model, more: dict[str, Any]
) -> RenderedBox | None:
    rendered: RenderedBox | None = RenderedBox(box, failed=True)
    with isolate_plugin_errors(label, f"the box {box.name}"):
        with read_session():
            data = import_string(box.function)(request, row)
        if data is None:
            rendered = None
        else:
            context = {"row": row, "box": box, **more, **data}
            line = render_to_string(box.line_template, context, request) if box.line_template else ""
            rendered = RenderedBox(box, render_to_string(box.template, context, request), line)
    return rendered
