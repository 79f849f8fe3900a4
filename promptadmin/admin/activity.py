"""What somebody did, newest first: the entries of the change log, those of one request on one table as one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from promptadmin.audit import reached_entries
from promptadmin.db.deadlines import reading_deadline
from promptadmin.models import LogEntry

#: Entries that a page reads, and what it shows of them at most.
ENTRIES_READ, SHOWN = 2000, 50


@dataclass(frozen=True)
class Deed:
    """One change, or all of one kind that one request made: the first of its entries stands for them."""

    entry: LogEntry
    count: int
    rows: str
    address: str

    @property
    def columns(self) -> str:
        """The names of what changed."""
        return ", ".join(self.entry.changes or ())


def deeds_of(entries: Iterable[LogEntry]) -> list[Deed]:
    """The entries, of which those that follow each other from one request, on one table, are one."""
    deeds = []
    for (request_id, table, action), group in groupby(entries, key=_kind):
        found = list(group)
        parts = [found] if request_id else [[entry] for entry in found]
        deeds += [_deed(part, ContentType.objects.get_for_id(table), action) for part in parts]
    return deeds


def _kind(entry: LogEntry) -> tuple[str | None, int, int]:
    return entry.cid, entry.content_type_id, entry.action


def _deed(entries: list[LogEntry], table: ContentType, action: int) -> Deed:
    first, count = entries[0], len(entries)
    model = table.model_class()
    changelist = reverse("admin:promptadmin_logentry_changelist")
    if count == 1:
        return Deed(first, 1, str(table.name), reverse("admin:promptadmin_logentry_change", args=[first.pk]))
    names = str(model._meta.verbose_name_plural) if model else str(table.name)
    query = f"cid__exact={first.cid}&action__exact={action}&table={table.pk}"
    return Deed(first, count, names, f"{changelist}?{query}")


def activity_view(request: HttpRequest) -> HttpResponse:
    """The page of one person, or of everybody."""
    entries = reached_entries(LogEntry.objects.order_by("-id")).select_related("content_type")
    person, before = request.GET.get("person", ""), request.GET.get("before", "")
    if not all(text == "" or (text.isdecimal() and len(text) < 18) for text in (person, before)):
        raise Http404("A person and an entry are named by numbers.")
    who: Any = get_object_or_404(User, pk=person) if person else None
    if who:
        entries = entries.filter(actor=who)
    if before:
        entries = entries.filter(pk__lt=before)
    with reading_deadline():
        found = list(entries[:ENTRIES_READ])
    deeds = deeds_of(found)
    shown = deeds[:SHOWN]
    last = None
    if len(deeds) > SHOWN:
        last = deeds[SHOWN].entry.pk + 1
    elif len(found) == ENTRIES_READ:
        last = found[-1].pk
    context = {
        **admin.site.each_context(request),
        "title": f"What {who.get_username()} did" if who else "What everybody did",
        "opts": LogEntry._meta,
        "who": who,
        "days": _by_day(shown),
        "last": last,
        "is_first": not before,
    }
    return TemplateResponse(request, "promptadmin/activity.html", context)


def _by_day(deeds: list[Deed]) -> list[tuple[dt.date, list[Deed]]]:
    return [(day, list(group)) for day, group in groupby(deeds, key=lambda deed: deed.entry.timestamp.date())]
