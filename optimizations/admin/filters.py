"""The filters beside the list of runs: what each asks the repository for."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ListFilter
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RangeNumericListFilter, TextFilter
from unfold.contrib.filters.forms import SearchForm
from unfold.widgets import UnfoldAdminTextInputWidget

from optimizations.models import RunStatus
from optimizations.repository import OptimizationRepository
from optimizations.repository.reading import MOST_CHOICES
from optimizations.scores import greatest_shown, least_shown
from optimizations.strategies import STRATEGIES
from promptadmin.backoffice.plugin_boxes import parts_for
from promptadmin.backoffice.plugin_parts import choices_of, condition_of
from promptadmin.db.legacy_values import parse_moment
from promptadmin.plugins.page_parts import Filter

Given = dict[str, Any]
#: The value of `RunFilters` that each filter of a plugin adds to.
OF_PLUGINS = "of_plugins"


class AsksRepository(ListFilter):
    """What a run must be, as values of `RunFilters`; none is a lookup of Django's."""

    parameter_name: str

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The list applies all filters together."""
        return queryset

    def given(self, request: HttpRequest) -> Given:
        return {self.parameter_name: self.value() or None}  # type: ignore[attr-defined]  # of each filter's other base


class ChoiceFilter(AsksRepository, DropdownFilter):
    """One of some values; one that isn't among them, as from a link, is added."""

    values: tuple[tuple[str, str], ...] = ()
    lookup_choices: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.values) or [("", "")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        value = self.value()
        if value and value not in dict(self.lookup_choices):
            self.lookup_choices = [*self.lookup_choices, (value, value)]
        self.lookup_choices = [choice for choice in self.lookup_choices if choice[0]]
        yield from super().choices(changelist)


class StatusFilter(ChoiceFilter):
    """The status."""

    title, parameter_name = "status", "status"
    values = tuple(RunStatus.choices)


class StrategyFilter(ChoiceFilter):
    """The strategy that statistics count a run under."""

    title, parameter_name = "strategy", "strategy"
    values = tuple((name, name) for name in STRATEGIES)


class ColumnFilter(ChoiceFilter):
    """One of a column's values; typed where there are too many to choose from."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in OptimizationRepository().choices(self.parameter_name)] or [("", "")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """A drop-down list, or a field for text."""
        if len(self.lookup_choices) < MOST_CHOICES:
            yield from super().choices(changelist)
        else:
            name = self.parameter_name
            yield {"form": SearchForm(name=name, label=f"By {self.title}", data={name: self.value()})}


class ProjectFilter(ColumnFilter):
    """The run's own project text."""

    title, parameter_name = "project", "project"


class TaskTypeFilter(ColumnFilter):
    """The task type."""

    title, parameter_name = "task type", "task_type"


class SuggestedForm(SearchForm):
    """A text, with what runs have in this place as suggestions; they come when the field gets the focus."""

    def __init__(self, name: str, label: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(name, label, *args, **kwargs)
        self.fields[name].widget.attrs |= {"list": f"suggested-{name}", "autocomplete": "off"}


class SuggestedFilter(AsksRepository, TextFilter):
    """A whole value of a column, typed or chosen from those of recent runs."""

    template = "admin/optimizations/optimization/suggested_filter.html"
    form_class = SuggestedForm


class TagFilter(SuggestedFilter):
    """A whole tag."""

    title, parameter_name = "tag", "tag"


class ModelFilter(SuggestedFilter):
    """The model that a run used."""

    title, parameter_name = "model", "model"


class HasPromptFilter(ChoiceFilter):
    """Whether the run is linked to a prompt."""

    title, parameter_name = "prompt", "has_prompt"
    values = (("yes", "linked to a prompt"), ("no", "without a prompt"))

    def given(self, request: HttpRequest) -> Given:
        return {"has_prompt": {"yes": True, "no": False}.get(self.value() or "")}


class ImprovementFilter(ChoiceFilter):
    """Whether the run was judged to be better than the original."""

    title, parameter_name = "improvement", "improvement"
    values = (("yes", "an improvement"), ("no", "no improvement"))

    def given(self, request: HttpRequest) -> Given:
        return {"improvement": {"yes": True, "no": False}.get(self.value() or "")}


class ScoreFilter(AsksRepository, RangeNumericListFilter):
    """The overall score, from 0 to 10."""

    title, parameter_name = "score, 0 to 10", "score"

    def given(self, request: HttpRequest) -> Given:
        least, greatest = (self._number(request, end) for end in ("from", "to"))
        return {
            "min_score": None if least is None else least_shown(least),
            "max_score": None if greatest is None else greatest_shown(greatest),
        }

    def _number(self, request: HttpRequest, end: str) -> float | None:
        text = str(self.used_parameters.get(f"{self.parameter_name}_{end}") or "")
        try:
            number = float(text) if text else None
        except ValueError:
            number = math.nan
        if number is None or math.isfinite(number):
            return number
        messages.error(request, f"“{text}” is no score: use a number from 0 to 10.")
        return None


class DayForm(forms.Form):
    """The first and the last day of a period."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(data)
        for name, label in zip(data, ("From this day on", "Up to this day"), strict=True):
            widget = UnfoldAdminTextInputWidget(attrs={"type": "date", "aria-label": label})
            self.fields[name] = forms.CharField(label=label, required=False, widget=widget)


class DayFilter(AsksRepository, ListFilter):
    """The days, in UTC, on which the runs were made."""

    title, parameter_name = "day", "created"
    template = "unfold/filters/filters_date_range.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[str(name)] = params.pop(name)[-1]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [f"{self.parameter_name}_from", f"{self.parameter_name}_to"]

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"form": DayForm({str(name): self.used_parameters.get(str(name)) for name in self.expected_parameters()})}

    def given(self, request: HttpRequest) -> Given:
        """The moments at which the period begins and ends."""
        first, last = (self._day(request, str(name)) for name in self.expected_parameters())
        return {"since": first, "until": last and last + dt.timedelta(days=1)}

    def _day(self, request: HttpRequest, name: str) -> dt.datetime | None:
        text = str(self.used_parameters.get(name) or "")
        moment = parse_moment(text)
        if text and (moment is None or moment.year > 9998):
            messages.error(request, f"“{text}” is no day: use the form 2026-03-20.")
            return None
        return moment


def plugin_filters(request: HttpRequest) -> list[type[ChoiceFilter]]:
    """Those that plugins declare."""
    return [_plugin_filter(label, declared) for label, declared in parts_for(request, "run_filters")]


def _plugin_filter(label: str, declared: Filter) -> type[ChoiceFilter]:
    class OfPlugin(ChoiceFilter):
        title, parameter_name = declared.title, declared.name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            self.known = choices_of(label, declared)
            return self.known or [("", "")]

        def given(self, request: HttpRequest) -> Given:
            """Its value, if there is such a choice, and the filter doesn't fail."""
            value = self.value()
            if value not in dict(self.known) or condition_of(request, label, declared, str(value)) is None:
                return {}
            return {OF_PLUGINS: ((declared.name, str(value)),)}

    return OfPlugin


#: Beside the list, in this order.
SHOWN = (
    StatusFilter,
    ProjectFilter,
    StrategyFilter,
    TaskTypeFilter,
    ScoreFilter,
    DayFilter,
    TagFilter,
    ModelFilter,
    HasPromptFilter,
    ImprovementFilter,
)
#: Only links use these: parameter → the value of `RunFilters`.
LINKED = {
    "project_id": "project_id",
    "prompt__id__exact": "prompt_id",
    "since": "since",
    "until": "until",
    "error": "error",
}
