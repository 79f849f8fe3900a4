"""What projects ask of runs, which are another application's: it registers a class that answers when it starts.

A run is a prompt's by its link or, where it has none, by the text rule: the same text in a project of the same name.
Where a method takes `name`, that is the name by which runs without a link are a project's; None where they are none's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.contrib.auth import get_permission_codename
from django.db.models import IntegerField, Value

from projects.models import PromptVersion
from projects.records import Page, RunRecord
from promptadmin.db.fields import Moment
from promptadmin.deletions.kinds import Part

Column = Literal["id", "project_id"]


@dataclass(frozen=True, slots=True)
class RunsFound:
    """How many runs, and the newest completed one."""

    count: int
    latest: RunRecord | None


class Runs:
    """Answers for a database, as if there were no runs."""

    def __init__(self, using: str) -> None:
        self.using = using

    def existing(self, run_ids: Iterable[str]) -> set[str]:
        """Those of the ids that are runs'."""
        return set()

    def linked(self, column: Column, key: str) -> dict[str, RunsFound]:
        """The linked runs of each prompt that has this key in this column, by its id."""
        return {}

    def unlinked(self, column: Column, key: str, name: str | None) -> dict[str, RunsFound]:
        """The runs that the text rule gives to the same prompts, by their text."""
        return {}

    def page(self, prompt_id: str, content: str, name: str | None, *, limit: int, offset: int) -> Page[RunRecord]:
        """A prompt's runs of any status, newest first."""
        return Page([], 0)

    def by_id(self, run_ids: Iterable[str]) -> dict[str, RunRecord]:
        """Those of these runs that are there, by their ids."""
        return {}

    def texts(self, run_ids: Iterable[str]) -> dict[str, str]:
        """The text that each of these runs began with, by their ids."""
        return {}

    def count_of_prompt(self, most: int) -> Any:
        """An expression in a query of prompts: the number of linked runs, counted up to `most`."""
        return Value(0, IntegerField())

    def columns_of_project(self, most: int) -> tuple[Any, Any, Any]:
        """Expressions in a query of projects: linked runs and those of its name, up to `most`; the newest's time."""
        return Value(0, IntegerField()), Value(0, IntegerField()), Value(None, Moment())

    def parts_of_prompt(self, prompt_id: str, name: str | None) -> list[Part]:
        """What goes with a prompt, which goes last."""
        return []

    def parts_of_project(self, project_id: str, name: str | None) -> list[Part]:
        """What goes with a project's prompts, which go last."""
        return []


_registered = [Runs]


def register(runs: type[Runs]) -> None:
    """Let this class answer from now on."""
    _registered.append(runs)


def get_runs(using: str) -> Runs:
    """Whoever answers for this database."""
    return _registered[-1](using)


def run_model() -> Any:
    """The model of runs, to which a version's link leads; for addresses in the back-office."""
    return PromptVersion._meta.get_field("optimization").related_model


def run_permission(action: str) -> str:
    """What somebody needs to do this with runs: "view", "delete"."""
    options = run_model()._meta
    return f"{options.app_label}.{get_permission_codename(action, options)}"
