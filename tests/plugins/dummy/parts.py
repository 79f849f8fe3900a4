"""What the declarations lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from dummy.models import Note
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from optimizations.stats import StatsQuery
from projects.prompt_checks import CheckedPrompt, Finding, Severity
from promptadmin.plugins import (
    Dashboard,
    Event,
    Hit,
    JobResult,
    StepContext,
    StepResult,
    errors,
    send,
    token_access,
    write_session,
)

router = Router(tags=["dummy"])


def broken_header_item(request: HttpRequest) -> str:
    raise ZeroDivisionError


root_router = Router()


@router.post("/dummy", response={200: dict[str, str], **errors()}, operation_id="ask_dummy", summary="Ask the dummy")
def ask(request: HttpRequest) -> dict[str, str]:
    """Tells whoever listens."""
    send("dummy_happened", subject="dummy", asked=True)
    return {"answer": "dummy"}


@router.get("/dummy", response={200: dict[str, str], **errors()}, operation_id="read_dummy", summary="Read the dummy")
def read(request: HttpRequest) -> dict[str, str]:
    """Answers whoever may see notes."""
    return {"answer": "dummy"}


@root_router.post("/echo", auth=token_access("read"))
def echo(request: HttpRequest, word: str) -> dict[str, str]:
    """Answers at an address of its own, to whoever may read."""
    return {"word": word}


def error_body(status: int, detail: str) -> dict[str, Any]:
    return {"code": status, "problem": detail}


class PartIn(Schema):
    name: str
    inner: PartIn | None = None


class ThingIn(Schema):
    parts: list[PartIn] = []
    options: dict[str, Any] = {}


class OpenIn(Schema):
    model_config = ConfigDict(extra="allow")


class PlaceIn(Schema):
    room: str = ""
    shelf: str = Field("", alias="board")


@router.put("/dummy", response={200: dict[str, Any], **errors()}, operation_id="keep_things", summary="Keep things")
def keep_things(
    request: HttpRequest, first: ThingIn, second: OpenIn, place: Query[PlaceIn], colour: str = ""
) -> dict[str, Any]:
    """Answers what it was given."""
    return {"first": first.dict(), "second": second.dict(), "place": place.dict(), "colour": colour}


@router.patch(
    "/dummy",
    response={200: dict[str, int], **errors()},
    operation_id="weigh_things",
    summary="Weigh things",
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}},
)
def weigh_things(request: HttpRequest) -> dict[str, int]:
    """Reads the body itself."""
    return {"bytes": len(request.body)}


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"{scope['root_path']} {scope['path']}".encode()})


def startup_step(context: StepContext) -> StepResult:
    return StepResult(0, "dummy step ran")


def panel(dashboard: Dashboard) -> dict[str, Any]:
    return {"flavour": dashboard.choices["flavour"] or "every flavour"}


def broken_panel(dashboard: Dashboard) -> dict[str, Any]:
    raise RuntimeError("dummy panel")


def flavours() -> list[str]:
    return ["sweet", "sour"]


def count_runs(scope: StatsQuery) -> int:
    return scope.runs().count()


def broken_section(scope: StatsQuery) -> int:
    return scope.runs().extra(where=["no_such_column = 1"]).count()  # an error of the database itself


def find_shouting(prompt: CheckedPrompt) -> Iterator[Finding]:
    if prompt.text.isupper():
        yield Finding(Severity.NOTE, "Don't shout", 0, len(prompt.text))


def broken_check(prompt: CheckedPrompt) -> Iterator[Finding]:
    raise RuntimeError("dummy check")


def keep(event: Event) -> None:
    Note.objects.using(event.using).create(text=f"recorded {event.name} {event.subject}")


def receive(event: Event) -> None:
    with write_session(event.using):
        Note.objects.using(event.using).create(text=f"received {event.name} {event.subject}")


def broken_receiver(event: Event) -> None:
    raise RuntimeError("dummy receiver")


def broken_recorder(event: Event) -> None:
    Note.objects.using(event.using).extra(where=["no_such_column = 1"]).count()


def sign_notes(using: str) -> JobResult:
    """Two of the notes that ask for it."""
    with write_session(using):
        open_notes = Note.objects.using(using).filter(text__startswith="to do")
        some = [note.pk for note in open_notes[:2]]
        Note.objects.using(using).filter(pk__in=some).update(text="done")
        return JobResult(done=len(some), left=open_notes.count())


def broken_job(using: str) -> JobResult:
    raise RuntimeError("dummy job")


def find_notes(user: Any, text: str) -> list[Hit]:
    """Notes with this text."""
    found = Note.objects.filter(text__contains=text)[:5]
    return [Hit(row.text, "/admin/dummy/note/", "note", "sticky_note") for row in found]


def broken_finder(user: Any, text: str) -> list[Hit]:
    """Fails."""
    raise RuntimeError("broken finder")


def count_notes() -> int:
    """How many notes there are."""
    return Note.objects.count()


def broken_box(*args: Any) -> Any:
    raise RuntimeError("dummy box")


def broken_choices(*args: Any) -> Any:
    raise RuntimeError("dummy choices")


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Dummy page, {settings.DUMMY_WORD}")


urls = [path("hello/", hello, name="dummy_hello")]


def model() -> str:
    return "dummy-1"


def broken_provider() -> str:
    raise RuntimeError("dummy provider")
