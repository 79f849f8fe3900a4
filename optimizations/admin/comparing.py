"""The page on which two to four runs stand beside each other."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.admin import ModelAdmin

from optimizations.admin.reading import LONGEST_COMPARED, SCORES, TOKENS, duration
from optimizations.columns import Record
from optimizations.repository import OptimizationRepository
from projects.admin.prompt_pages import LINES_SHOWN, shown_rows
from projects.templatetags.prompt_texts import out_of_ten
from promptadmin.backoffice.kept_filters import keep_filters
from promptadmin.backoffice.selection import select
from promptadmin.db.sessions import read_session

TEMPLATE = "admin/optimizations/optimization/compare.html"
FEWEST, MOST = 2, 4
CHOOSE = f"Choose {FEWEST} to {MOST} runs to compare."


class CompareRuns(ModelAdmin):
    """An action of the list leads to the page, whose address names the runs: the first is what others differ from."""

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.compare_view)
        return [path("compare/", view, name="optimizations_optimization_compare"), *super().get_urls()]

    @admin.action(description="Compare", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        selection = select(request, self, queryset)
        keys = selection.keys(MOST + 1)
        if not FEWEST <= len(keys) <= MOST:
            self.message_user(request, CHOOSE, messages.ERROR)
            return None
        return HttpResponseRedirect(comparison([key for key in selection.ticked if key in keys] or keys))

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = list(dict.fromkeys(request.GET.getlist("run")))
        with read_session():
            runs = OptimizationRepository().get_runs(asked) if len(asked) <= MOST else []
        if len(runs) < FEWEST:
            gone = len(asked) - len(runs) if len(asked) <= MOST else 0
            self.message_user(request, f"{CHOOSE} No longer there: {gone}." if gone else CHOOSE, messages.ERROR)
            return HttpResponseRedirect(keep_filters(request, reverse("admin:optimizations_optimization_changelist")))
        ids = [run["id"] for run in runs]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Compare {len(runs)} runs",
            "opts": self.opts,
            "media": self.media,
            "runs": [
                {
                    "run": run,
                    "number": number,
                    "base": comparison([run["id"], *(key for key in ids if key != run["id"])]),
                }
                for number, run in enumerate(runs, start=1)
            ],
            "facts": facts(runs),
            "texts": [
                {
                    "title": title,
                    "id": name,
                    "pairs": pairs(runs, name),
                    "are_same": len({run[name] for run in runs}) == 1,
                }
                for title, name in (("Optimised prompts", "optimized_prompt"), ("Original prompts", "raw_prompt"))
            ],
            "lines_shown": LINES_SHOWN,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def comparison(run_ids: list[str]) -> str:
    """The address of the page that compares these runs."""
    return reverse("admin:optimizations_optimization_compare", query=[("run", key) for key in run_ids])


def facts(runs: list[Record]) -> list[dict[str, Any]]:
    """The rows of the table: a label, what each run has, and which of these are the best of them."""
    rows: list[dict[str, Any]] = [_row("Status", [run["status"] for run in runs])]
    rows += [
        _row(name.capitalize(), [out_of_ten(run[f"{name}_score"]) for run in runs], _best(runs, f"{name}_score", max))
        for name in SCORES
    ]
    rows += [
        _row("Strategy", [run["strategy"] or run["framework_applied"] for run in runs]),
        _row("Model", [run["model_used"] for run in runs]),
        _row("Task type", [run["task_type"] for run in runs]),
        _row("Version", [run["version"] for run in runs]),
        _row("Time", [duration(run["duration_ms"]) for run in runs], _best(runs, "duration_ms", min)),
    ]
    for name, label in TOKENS:
        counts = [None if run[name] is None else f"{run[name]:,}" for run in runs]
        rows.append(_row(f"Tokens {label}", counts))
    return [row for row in rows if any(cell["value"] not in (None, "-") for cell in row["cells"])]


def _row(label: str, values: list[Any], best: tuple[bool, ...] = ()) -> dict[str, Any]:
    marks = best or (False,) * len(values)
    return {
        "label": label,
        "cells": [{"value": value, "best": mark} for value, mark in zip(values, marks, strict=True)],
    }


def _best(runs: list[Record], name: str, choose: Any) -> tuple[bool, ...]:
    """Which of the runs are the best in this column; none where they are all alike."""
    known = [run[name] for run in runs if run[name] is not None]
    if len(set(known)) < 2:
        return ()
    return tuple(run[name] == choose(known) for run in runs)


def pairs(runs: list[Record], name: str) -> list[dict[str, Any]]:
    """Each run's text beside the first one's: the rows of a comparison, or why there are none."""
    base, *others = ((number, run[name]) for number, run in enumerate(runs, start=1))
    return [{"old": base[0], "new": number, **_compared(base[1], text)} for number, text in others]


def _compared(old: str | None, new: str | None) -> dict[str, Any]:
    if old is None or new is None:
        return {"problem": "There is no such text to compare with."}
    if len(old) + len(new) > LONGEST_COMPARED:
        return {"problem": "These texts are too long to mark their differences: the pages of the runs have them."}
    return {"rows": shown_rows(old, new)}
