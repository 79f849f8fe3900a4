"""The boxes that plugins put on a row's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """A box with what it shows: on the page, at its top, and beside the versions of a prompt in their table."""

    box: Box
    html: str = ""
    line: str = ""
    of_versions: Mapping[int, str] = field(default_factory=dict)
    failed: bool = False


def parts_for(request: HttpRequest, attribute: str) -> list[tuple[str, Any]]:
    """What the enabled plugins declare under this name and this user may see, each with its plugin's label."""
    return [
        (label, part)
        for label, part in declared(attribute)
        if not part.permission or request.user.has_perm(part.permission)
    ]


def rendered_boxes(
    request: HttpRequest,
    attribute: str,
    row: models.Model,
    version: int | None = None,
    *,
    versions: Sequence[int] = (),
    **more: Any,
) -> list[RenderedBox]:
    """What each box that the user may see shows of a row, or of an earlier version; one that fails says so.

    And what it shows beside each of some `versions` in their table. `more` is for the templates.
    """
    return [
        rendered
        for label, box in parts_for(request, attribute)
        if version is None or box.version_function
        if (rendered := _rendered(label, box, request, row, version, versions=versions, more=more)) is not None
    ]


def _rendered(  # called from here alone
    label: str,
    box: Box,
    request: HttpRequest,
    row: models.Model,
    version: int | None,
    *,
    versions: Sequence[int],
    more: dict[str, Any],
) -> RenderedBox | None:
    rendered: RenderedBox | None = RenderedBox(box, failed=True)
    with isolate_plugin_errors(label, f"the box {box.name}"):
        with read_session():
            if version is None:
                data = import_string(box.function)(request, row)
            else:
                data = import_string(box.version_function)(request, row, version)
        if data is None:
            rendered = None
        else:
            context = {"row": row, "box": box, **more, **data}
            line = render_to_string(box.line_template, context, request) if box.line_template else ""
            of_versions = {
                number: render_to_string(box.version_template, {**context, "version": number}, request)
                for number in (versions if box.version_template else ())
            }
            rendered = RenderedBox(box, render_to_string(box.template, context, request), line, of_versions)
    return rendered
