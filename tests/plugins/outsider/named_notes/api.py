"""Notes in the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status

from named_notes import notes
from named_notes.models import Note
from projects.repository import ProjectRepository
from promptadmin.plugins import NotFound, Resource, checks_if_match, errors, unless_known

router = Router(tags=["named notes"])


class NoteIn(Schema):
    """A note to keep."""

    name: str
    text: str = ""
    mark: str = ""


class NoteOut(Schema):
    """A note."""

    name: str
    text: str
    mark: str


def read_note(prompt_id: str, name: str) -> dict[str, str]:
    """A note as the API answers it. Raises NotFound."""
    note = Note.objects.filter(prompt_id=prompt_id, name=name).first()
    if note is None:
        raise NotFound("Note not found")
    return {"name": note.name, "text": note.text, "mark": note.mark}


NOTE = Resource(read_note, lock=(Note, "name", "name"))


@router.get(
    "/named_notes/{prompt_id}",
    response={200: list[NoteOut], **errors(404)},
    operation_id="list_notes",
    summary="List the notes on a prompt",
)
def list_notes(request: HttpRequest, prompt_id: str) -> list[Note]:
    """By their names."""
    ProjectRepository().get_prompt(prompt_id=prompt_id)
    return list(Note.objects.filter(prompt_id=prompt_id).order_by("name"))


@router.post(
    "/named_notes/{prompt_id}",
    response={201: NoteOut, **errors(400, 404, 409)},
    operation_id="add_note",
    summary="Keep a note on a prompt",
)
def add_note(request: HttpRequest, prompt_id: str, data: NoteIn) -> Status[Note]:
    """Under a name that no other note on the prompt has."""
    return Status(201, notes.add(prompt_id, **data.dict()))


@router.get(
    "/named_notes/{prompt_id}/{name}",
    response={200: NoteOut, 304: None, **errors(404)},
    operation_id="get_note",
    summary="Read a note",
)
def get_note(request: HttpRequest, response: HttpResponse, prompt_id: str, name: str) -> object:
    """With an ETag."""
    return unless_known(request, response, read_note(prompt_id, name))


@router.delete(
    "/named_notes/{prompt_id}/{name}",
    response={200: dict[str, str], **errors(404, 412)},
    operation_id="delete_note",
    summary="Take a note away",
)
@checks_if_match(NOTE)
def delete_note(request: HttpRequest, prompt_id: str, name: str) -> dict[str, str]:
    """For good."""
    read_note(prompt_id, name)
    Note.objects.get(prompt_id=prompt_id, name=name).delete()
    return {"message": "Note deleted"}
