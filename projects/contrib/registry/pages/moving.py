"""The pages on which labels are moved: promoting a version, with what that changes, and undoing the last move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from projects.admin.prompt_pages import LINES_SHOWN, compared_parts, shown_rows
from projects.contrib.registry.models import Kind
from projects.contrib.registry.names import PRODUCTION
from projects.contrib.registry.pages.access import needs, prompt_is_gone
from projects.contrib.registry.pages.box import as_json
from projects.contrib.registry.pages.forms import MoveForm, UndoForm, split_text
from projects.contrib.registry.pages.messages import message_parts
from projects.contrib.registry.records import Moved, Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.repository.rules import Rule
from projects.contrib.registry.targets import Target, text_of
from projects.contrib.registry.templatetags.registry_targets import pointing
from projects.models import Prompt
from projects.texts.parts import PartPair
from projects.texts.side_by_side import Row
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError, NotFound, PreconditionFailed
from promptadmin.http.keys import row_page

MOVED_MEANWHILE = "Somebody has moved this label meanwhile: look once more"
#: What a button of the form is called that takes the label away.
REMOVE = "remove"


@dataclass(frozen=True)
class Difference:
    """What a move changes of text, config or variables; without rows nothing is live, so that all of it is new.

    A chat's text is compared by `parts`, its messages.
    """

    title: str
    text: str
    rows: list[Row] | None
    parts: list[tuple[PartPair, list[Row]]] | None = None


def differences(live: Resolved | None, wanted: Resolved) -> list[Difference]:
    """Between the version that is live, if one is, and the one that shall be."""
    before = ("", "", "") if live is None else (live.text, as_json(live.config), as_json(live.variables))
    after = (wanted.text, as_json(wanted.config), as_json(wanted.variables))
    compared = zip(("Text", "Config", "Variables"), before, after, strict=True)
    return [
        Difference(
            title,
            new,
            None if live is None else shown_rows(old, new),
            _messages(live, wanted) if title == "Text" else None,
        )
        for title, old, new in compared
        if title == "Text" or old != new
    ]


def _messages(live: Resolved | None, wanted: Resolved) -> list[tuple[PartPair, list[Row]]] | None:
    if live is None or wanted.kind != Kind.CHAT:
        return None
    old, new = message_parts(live.text), message_parts(wanted.text)
    return None if old is None or new is None else compared_parts([old, new])


def comparison(repository: RegistryRepository, name: str, live: Target | None, wanted: Target | None) -> dict[str, Any]:
    """What the pages show of a move; of a split, the version that most get."""
    versions = [None if target is None else target.choose(name, "", None) for target in (live, wanted)]
    old, new = (None if version is None else repository.resolve(name=name, version=version) for version in versions)
    found: dict[str, Any] = {"live": live, "wanted": wanted, "lines_shown": LINES_SHOWN, "differences": []}
    if new is not None:
        found |= {"differences": differences(old, new), "new": new, "old_name": f"Live: {pointing(live)}"}
    return found


@needs("write")
def promote_view(request: HttpRequest, object_id: str) -> HttpResponse:
    """Show what a label would point to and what that changes, ask why, and move it or ask for the move."""
    prompt_id, repository = unquote(object_id), RegistryRepository()
    try:
        with read_session():
            prompt = repository.prompts.readable_prompt(prompt_id)
            name = repository.name_of(prompt_id)
    except NotFound:
        return prompt_is_gone(request, prompt_id)
    prompt.called = name or ""
    if name is None:
        messages.error(request, "Give the prompt a name first: labels belong to names.")
        return HttpResponseRedirect(row_page(Prompt, prompt_id))
    is_sent = request.method == "POST"
    asked = {"label": PRODUCTION, "version": prompt.version, **(request.POST if is_sent else request.GET).dict()}
    form = MoveForm(asked)
    if form.is_valid() and is_sent:
        try:
            _tell(request, _move(repository, name, form.cleaned_data, is_removed=REMOVE in request.POST))
            return HttpResponseRedirect(row_page(Prompt, prompt_id))
        except DomainError as refused:
            form.add_error(None, str(refused))
    label, wanted = str(asked["label"]), form.cleaned_data.get("target") or Target.of(prompt.version)
    with read_session():
        live = repository.labels_of(prompt_id).get(label)
        context: dict[str, Any] = {"rule": Rule.of(label, repository.using), "known": repository.known_labels()}
        try:
            context |= comparison(repository, name, live, wanted)
        except NotFound as missing:
            form.add_error(None, str(missing))
    context |= {
        **admin.site.each_context(request),
        "title": "Promote",
        "opts": Prompt._meta,
        "original": prompt,
        "name": name,
        "label": label,
        "version": wanted.version or prompt.version,
        "split": split_text(wanted),
        "is_there": live == wanted,
        "live": live,
        "seen": text_of(live) or "",
        "new_name": f"Then: {pointing(wanted)}",
        "form": form,
        "back": row_page(Prompt, prompt_id),
    }
    return TemplateResponse(request, "registry/promote.html", context)


def _move(repository: RegistryRepository, name: str, given: dict[str, Any], *, is_removed: bool) -> Moved:
    """Move a label that points where the page said. Raises as `move_label`; PreconditionFailed."""
    target = None if is_removed else given["target"] or Target.of(0)
    with write_session():
        repository.lock_named(name)
        now = repository.labels_of(repository.find(name).prompt_id).get(given["label"])
        if (text_of(now) or "") != given["seen"]:
            raise PreconditionFailed(MOVED_MEANWHILE)
        return repository.move_label(
            name=name, label=given["label"], target=target, reason=given["reason"], force=given["force"]
        )


@require_POST
@needs("write")
def undo_view(request: HttpRequest, object_id: str) -> HttpResponse:
    """Undo a label's last move, if it is still the one that the page showed."""
    prompt_id, repository, form = unquote(object_id), RegistryRepository(), UndoForm(request.POST)
    try:
        with write_session():
            name = repository.name_of(prompt_id)
            if name is None or not form.is_valid():
                raise NotFound("There is nothing to undo")
            repository.lock_named(name)
            label = form.cleaned_data["label"]
            last = repository.list_events(name=name, label=label, limit=1)
            if [event.id for event in last] != [form.cleaned_data["event"]]:
                raise PreconditionFailed(MOVED_MEANWHILE)
            moved = repository.undo_move(name=name, label=label)
        _tell(request, moved)
    except DomainError as refused:
        messages.error(request, f"Nothing was done. {refused}.")
    return HttpResponseRedirect(row_page(Prompt, prompt_id))


def _tell(request: HttpRequest, moved: Moved) -> None:
    """Say what became of a move."""
    where = pointing(moved.target)
    if moved.request is not None:
        text = f"“{moved.label}” wants a second person. It stays where it is until somebody else approves {where}."
        messages.info(request, text)
    elif moved.event is not None:
        messages.success(request, f"“{moved.label}” points to {where} now.")
    else:
        messages.info(request, f"“{moved.label}” points to {where} already.")
