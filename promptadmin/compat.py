"""Private names of libraries, each for want of a public one, with a test that fails when the library changes.

Nothing else in the product may use such names; ruff's SLF001 holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest, HttpResponse
from ninja.errors import ValidationErrorContext

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


def source_of_parameters(context: ValidationErrorContext[Any]) -> str:
    """Where the parameters come from that an error is about: "body", "query", "path" or "header".

    django-ninja keeps this on the models that it makes of an operation's parameters, under a name of its own.
    """
    source: str = context.model.__ninja_param_source__
    return source


def places_of_parameters(context: ValidationErrorContext[Any]) -> Mapping[tuple[Any, ...], tuple[Any, ...]]:
    """Pydantic's place of a parameter → its place in the request, where django-ninja has put it into an object."""
    places: Mapping[tuple[Any, ...], tuple[Any, ...]] = context.model.__ninja_flatten_map_reverse__
    return places


def row_is_gone(model_admin: ModelAdmin[Any], request: HttpRequest, key: str) -> HttpResponse:
    """What the admin's own pages answer where there is no such row: back to the start, with a message."""
    return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, key)  # type: ignore[attr-defined, no-any-return]  # noqa: SLF001


def known_user(request: HttpRequest) -> Any:
    """The user of a request's session where somebody has asked for it; None elsewhere. Asks no database."""
    return getattr(request, "_cached_user", None)


class FormWithoutModelRules(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A form that leaves its row as it is stored, and asks `check_row` instead of the model's own rules."""

    def check_row(self) -> None:
        """Called when each field has been checked."""

    def _post_clean(self) -> None:
        self.check_row()
