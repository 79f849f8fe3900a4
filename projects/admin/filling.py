"""The variables of a text beside its editor: values to fill in, and the text with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string

from projects.admin.fields import line_feeds
from projects.declarations import DeclaredVariables
from projects.texts.variables import fill_variables, find_variables, guess_format
from promptadmin.db.sessions import read_session
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

#: Of the form's fields: the text, the button that asks for a preview, and the value of each variable.
TEXT, ASKED, VALUE = "content", "_preview", "value of "


@dataclass(frozen=True)
class Filling:
    """The variables of a text with their values, and the text with these; `written` is a plugin's format, if any."""

    variables: Mapping[str, str]
    text: str
    written: str = ""
    is_asked: bool = False

    @property
    def missing(self) -> list[str]:
        """The variables without a value."""
        return [name for name, value in self.variables.items() if not value]


def filling_of(text: str, values: Mapping[str, str], written: str = "", *, is_asked: bool = False) -> Filling:
    """An empty value is none: its variable stays in the text as it is."""
    template_format = written or guess_format(text)
    variables = {name: values.get(name, "") for name in find_variables(text, template_format)}
    filled = fill_variables(text, template_format, {name: value for name, value in variables.items() if value})
    return Filling(variables, filled, written, is_asked)


def typed_filling(data: Any, declared: DeclaredVariables | None = None) -> Filling:
    """What a form brings: its text, and values for its variables."""
    values = {name.removeprefix(VALUE): line_feeds(data[name]) for name in data if name.startswith(VALUE)}
    if not values and declared:
        values = dict(declared.defaults)
    written = declared.template_format if declared else data.get("format", "")
    return filling_of(line_feeds(data.get(TEXT, "")), values, written, is_asked=ASKED in data)


def declared_variables(user: Any, prompt_id: str) -> DeclaredVariables | None:
    """What the first plugin that knows any says about the variables of a prompt."""
    for plugin in enabled_plugins():
        path: str | None = getattr(plugin, "prompt_variables", None)
        if path:
            with isolate_plugin_errors(plugin.label, "the variables of a prompt"), read_session():
                found: DeclaredVariables | None = import_string(path)(user, prompt_id)
                if found is not None:
                    return found
    return None
