"""Labels, the ledger of their moves, and moves that wait for a second person."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Path, Query, Router
from pydantic import AfterValidator

from projects.api.inputs import storable
from projects.api.prompts import Force
from projects.contrib.registry.api.prompts import prompt_tag
from projects.contrib.registry.api.schemas import (
    LABEL,
    DecidedOut,
    EventListOut,
    LabelMoveIn,
    MovedOut,
    PromptLabel,
    PromptName,
    ReasonIn,
    RequestListOut,
    RequestOut,
    WaitingOut,
)
from projects.contrib.registry.api.shapes import moved_shape, with_targets
from projects.contrib.registry.records import EventRecord, Moved, Resolved
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from promptadmin.api.app import errors
from promptadmin.api.etags import Resource, checks_if_match
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Invalid
from promptadmin.http.own_address import START
from promptadmin.http.responses import ready_answer

router = Router()

WAITING = {409: WaitingOut}
Limit = Annotated[int, Query(ge=1, le=100, example=20)]
Cursor = Annotated[
    int | None, Query(None, ge=1, le=LARGEST_INTEGER, description="An answer's `next_cursor`.", example=7)
]
RequestId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="The request's id.", example=1)]


def _labelled(name: str, label: str, **_: Any) -> Resolved:
    repository = RegistryRepository()
    repository.lock_named(name)
    return repository.resolve(name=name, label=label)


#: Its ETag is that of `GET …?label=` with the label.
LABELLED = Resource(_labelled, lock=None, tag=prompt_tag)


@router.put(
    "/prompts/{path:name}/labels/{label}",
    response={200: MovedOut, **errors(400, 404), **WAITING},
    operation_id="move_label",
    summary="Move, set or split a label",
)
@checks_if_match(LABELLED)
def move_label(
    request: HttpRequest, response: HttpResponse, name: PromptName, label: PromptLabel, data: LabelMoveIn
) -> Any:
    """To a version, or over several by weights. 409 where a second person has to approve it: see `request`."""
    if (data.version is None) == (data.weights is None):
        raise Invalid("Say where the label shall point as 'version' or as 'weights', one of the two")
    target = Target.of(data.version if data.version is not None else _weights(data.weights or {}))
    return _answer(RegistryRepository().move_label(name=name, label=label, target=target, reason=data.reason))


@router.delete(
    "/prompts/{path:name}/labels/{label}",
    response={200: MovedOut, **errors(400, 404), **WAITING},
    operation_id="remove_label",
    summary="Take a label away",
)
@checks_if_match(LABELLED)
def remove_label(
    request: HttpRequest,
    name: PromptName,
    label: PromptLabel,
    reason: Annotated[str, AfterValidator(storable), Query("", max_length=2000, example="No longer needed.")] = "",
    force: Force = False,
) -> Any:
    """It can be undone. 409 where programs fetched it in the last 7 days, unless with `force`."""
    return _answer(RegistryRepository().move_label(name=name, label=label, target=None, reason=reason, force=force))


@router.post(
    "/prompts/{path:name}/labels/{label}/undo",
    response={200: MovedOut, **errors(400, 404), **WAITING},
    operation_id="undo_label_move",
    summary="Undo a label's last move",
)
@checks_if_match(LABELLED)
def undo_label_move(
    request: HttpRequest, name: PromptName, label: PromptLabel, data: ReasonIn, force: Force = False
) -> Any:
    """Back to where the last move came from, as a move of its own: the same rules hold, and undoing it again redoes."""
    return _answer(RegistryRepository().undo_move(name=name, label=label, reason=data.reason, force=force))


@router.get(
    "/prompts/{path:name}/events",
    response={200: EventListOut, **errors(404)},
    operation_id="list_prompt_label_events",
    summary="List the moves of a prompt's labels",
)
def list_prompt_events(
    request: HttpRequest,
    *,
    name: PromptName,
    label: Annotated[str | None, AfterValidator(storable), Query(None, example=LABEL)] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The ledger, newest first."""
    return _events(RegistryRepository().list_events(name=name, label=label, limit=limit, before=cursor), limit)


@router.get(
    "/label-events",
    response={200: EventListOut, **errors()},
    operation_id="list_label_events",
    summary="List the moves of all labels",
)
def list_events(
    request: HttpRequest,
    *,
    label: Annotated[str | None, AfterValidator(storable), Query(None, example=LABEL)] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """The ledger of all prompts, newest first."""
    return _events(RegistryRepository().list_events(label=label, limit=limit, before=cursor), limit)


@router.get(
    "/promotion-requests",
    response={200: RequestListOut, **errors()},
    operation_id="list_promotion_requests",
    summary="List moves that wait for a second person",
)
def list_requests(
    request: HttpRequest,
    state: Annotated[Literal["open", "approved", "rejected"], Query(example="open")] = "open",
    limit: Limit = 20,
) -> dict[str, Any]:
    """Oldest first."""
    return {"items": [with_targets(one) for one in RegistryRepository().list_requests(state=state, limit=limit)]}


@router.get(
    "/promotion-requests/{request_id}",
    response={200: RequestOut, **errors(404)},
    operation_id="get_promotion_request",
    summary="Read such a request",
)
def get_request(request: HttpRequest, request_id: RequestId) -> dict[str, Any]:
    """With what became of it."""
    return with_targets(RegistryRepository().get_request(request_id))


@router.post(
    "/promotion-requests/{request_id}/approve",
    response={200: DecidedOut, **errors(404, 409)},
    operation_id="approve_promotion",
    summary="Approve a move",
)
def approve(request: HttpRequest, request_id: RequestId) -> dict[str, Any]:
    """By somebody else than the one who asked, who may move the label. 409 where it has moved since."""
    moved = RegistryRepository().approve(request_id)
    return {
        "request": moved.request and with_targets(moved.request),
        "event": moved.event and with_targets(moved.event),
    }


@router.post(
    "/promotion-requests/{request_id}/reject",
    response={200: RequestOut, **errors(404, 409)},
    operation_id="reject_promotion",
    summary="Reject a move",
)
def reject(request: HttpRequest, request_id: RequestId) -> dict[str, Any]:
    """By somebody else than the one who asked, who may move the label."""
    return with_targets(RegistryRepository().reject(request_id))


def _weights(given: dict[str, int]) -> dict[int, int]:
    """Raises Invalid for keys that are no versions."""
    if wrong := [
        key for key in given if not (key.isascii() and key.isdigit() and len(key) <= len(str(LARGEST_INTEGER)))
    ]:
        raise Invalid(f"The keys of 'weights' are versions, and {wrong[0]!r} is none")
    return {int(key): weight for key, weight in given.items()}


def _answer(moved: Moved) -> Any:
    """What became of a move. A request has to be kept, so that this is no error that would undo it."""
    if moved.request is None:
        return moved_shape(moved)
    address = f"{reverse(START)}api/promotion-requests/{moved.request.id}"
    detail = f"'{moved.label}' wants a second person: somebody else approves this move at {address}"
    return ready_answer({"detail": detail, "request": with_targets(moved.request)}, {"Location": address}, 409)


def _events(found: list[EventRecord], limit: int) -> dict[str, Any]:
    return {
        "items": [with_targets(one) for one in found],
        "next_cursor": str(found[-1].id) if len(found) == limit else None,
    }
