"""What plugins show on a prompt's page, and what they call prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.module_loading import import_string

from projects.models import Prompt
from projects.repository import ProjectRepository
from projects.texts.parts import Part
from promptadmin.backoffice.plugin_boxes import RenderedBox
from promptadmin.backoffice.plugin_boxes import rendered_boxes as of_plugins
from promptadmin.db.sessions import read_session
from promptadmin.http.keys import row_page
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors


def rendered_boxes(
    request: HttpRequest, prompt: Prompt, version: int | None = None, *, versions: Sequence[int] = ()
) -> list[RenderedBox]:
    """What each box that the user may see shows of a prompt, or of an earlier version; one that fails says so.

    And what it shows beside each of some `versions` in their table.
    """
    return of_plugins(request, "prompt_boxes", prompt, version, versions=versions, prompt=prompt)


def parts_of(prompt_id: str, texts: Sequence[str]) -> list[list[Part]] | None:
    """The parts of texts of a prompt, as the first plugin that knows them has them; None where one is a whole."""
    for plugin in enabled_plugins():
        path: str | None = getattr(plugin, "text_parts", None)
        if path:
            with isolate_plugin_errors(plugin.label, "the parts of a prompt's text"), read_session():
                found = [import_string(path)(prompt_id, text) for text in texts]
                if all(parts is not None for parts in found):
                    return found
    return None


def list_filters() -> list[Any]:
    """The filters that plugins add to the list of prompts."""
    found = []
    for plugin in enabled_plugins():
        for path in getattr(plugin, "prompt_list_filters", ()):
            with isolate_plugin_errors(plugin.label, f"the filter {path}"):
                found.append(import_string(path))
    return found


def twins_of(request: HttpRequest, prompt_id: str) -> list[tuple[str, str]]:
    """The addresses, and what they are called, of a prompt's project's other prompts with the same text."""
    with read_session():
        twins = ProjectRepository().twins_of(prompt_id=prompt_id)
    names = names_of(request.user, [twin.id for twin in twins])
    called = ((twin, names.get(twin.id) or f"another prompt, version {twin.version}") for twin in twins)
    return [(row_page(Prompt, twin.id), name) for twin, name in called]


def names_of(user: Any, keys: Sequence[str]) -> dict[str, str]:
    """What plugins call the prompts with these ids; of two names, the first plugin's."""
    found: dict[str, str] = {}
    for plugin in enabled_plugins():
        path: str | None = getattr(plugin, "prompt_names", None)
        if path:
            with isolate_plugin_errors(plugin.label, "the names of prompts"), read_session():
                found = {**import_string(path)(user, keys), **found}
    return found
