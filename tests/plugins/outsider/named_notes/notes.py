"""Notes: read and written by every door."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from named_notes.models import Note
from optimizations.models import Optimization
from projects.models import Prompt
from projects.repository import ProjectRepository
from promptadmin.plugins import Change, Conflict, Invalid, record_changes

KEEP = "keep"


def add(prompt_id: str, name: str, text: str = "", mark: str = "") -> Note:
    """A new note. Raises NotFound, Invalid, Conflict."""
    prompt = ProjectRepository().get_prompt(prompt_id=prompt_id)
    if len(text) > settings.NAMED_NOTES_LONGEST:
        raise Invalid(f"A note may have {settings.NAMED_NOTES_LONGEST} characters: shorten it.")
    if mark and mark not in settings.NAMED_NOTES_MARKS:
        raise Invalid(f"There is no mark {mark!r}: use one of {', '.join(settings.NAMED_NOTES_MARKS)}.")
    if Note.objects.filter(prompt_id=prompt.id, name=name).exists():
        raise Conflict(f"The prompt has a note {name!r} already: choose another name.")
    return Note.objects.create(prompt_id=prompt.id, name=name, text=text, mark=mark)


def keep(keys: list[str]) -> int:
    """Mark prompts as kept, by a note; answers how many weren't."""
    kept = set(Note.objects.filter(prompt_id__in=keys, mark=KEEP).values_list("prompt_id", flat=True))
    new = [key for key in keys if key not in kept]
    Note.objects.bulk_create(Note(prompt_id=key, name="kept", mark=KEEP) for key in new)
    changes = [
        Change(model=Prompt, key=key, title=key, before={"mark": None}, after={"mark": KEEP}, note="by a note")
        for key in new
    ]
    record_changes(*changes, using="default")
    return len(new)


def forget(keys: list[str]) -> int:
    """Take the notes of prompts away; answers of how many prompts."""
    notes = Note.objects.filter(prompt_id__in=keys)
    count = notes.values("prompt_id").distinct().count()
    notes.delete()
    return count


def keep_projects(keys: list[str]) -> int:
    """The same for all prompts of projects."""
    return keep(list(Prompt.objects.filter(project_id__in=keys).values_list("id", flat=True)))


def keep_of_runs(keys: list[str]) -> int:
    """The same for the prompts that runs are of."""
    runs = Optimization.objects.filter(id__in=keys, prompt__isnull=False)
    return keep(list(runs.values_list("prompt_id", flat=True).distinct()))


def names_of(keys: Sequence[str]) -> dict[str, list[str]]:
    """The names of the notes on these prompts, by the prompts' ids."""
    found: dict[str, list[str]] = {}
    for prompt_id, name in Note.objects.filter(prompt_id__in=keys).order_by("name").values_list("prompt_id", "name"):
        found.setdefault(prompt_id, []).append(name)
    return found


def names_of_runs(keys: Sequence[str]) -> dict[str, list[str]]:
    """The same by the ids of runs."""
    prompts = dict(Optimization.objects.filter(id__in=keys, prompt__isnull=False).values_list("id", "prompt_id"))
    names = names_of(list(prompts.values()))
    return {run: names[prompt] for run, prompt in prompts.items() if prompt in names}
