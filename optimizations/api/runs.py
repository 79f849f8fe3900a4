"""The API of single runs: read, record, change, label, cancel; export and import of many."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import AfterValidator

from optimizations.api.inputs import FiltersIn, RunChangeIn, RunKeyPath, RunRecordIn, RunTagsIn
from optimizations.api.schemas import DuplicateOut, ImportedOut, ImportRefusedOut, RunCancelledOut, RunOut, RunTagsOut
from optimizations.columns import Record
from optimizations.files.export import exported_lines
from optimizations.files.lines import read_lines
from optimizations.models import Optimization, RunStatus
from optimizations.repository import ImportRefused, OptimizationRepository, RunFilters
from projects.api.inputs import storable
from promptadmin.api.app import errors, opens_own_session
from promptadmin.api.etags import Resource, checks_if_match, digest_tag, is_known, with_etag
from promptadmin.api.extensions import extensions
from promptadmin.api.idempotency import once
from promptadmin.conf.limits import IMPORT_BYTES, IMPORT_ERRORS, IMPORT_LINES, MEBIBYTE
from promptadmin.errors import DomainError, Unavailable
from promptadmin.exchange.downloads import Download
from promptadmin.http.responses import DeferredResponse, ready_answer

router = Router(tags=["optimizations"])

RUN = Resource(lambda run_id, **_: OptimizationRepository().get_run(run_id), lock=(Optimization, "run_id"))

JSON_LINES = "application/x-ndjson"
LINE_EXAMPLE = (
    '{"id":"e3c72c2e-5383-4a76-8967-becf2adeaa67","raw_prompt":"Summarise this text.","status":"completed"}\n'
)
NO_OPTIMISER = (
    "No enabled plugin runs optimisations: enable an optimiser plugin, or record runs with POST /api/optimizations"
)


class TooLarge(DomainError):
    """More than a request may hold."""

    status = 413


def _json_lines(description: str) -> dict[str, Any]:
    return {
        JSON_LINES: {
            "schema": {"type": "string", "format": "binary", "description": description},
            "example": LINE_EXAMPLE,
        }
    }


@router.get(
    "/optimize/check-duplicate",
    response={200: DuplicateOut, **errors()},
    operation_id="check_duplicate_title",
    summary="Whether a run has this title",
)
def check_duplicate_title(
    request: HttpRequest,
    title: Annotated[str, AfterValidator(storable), Query(example="Shorter summaries")],
    project: Annotated[
        str | None,
        AfterValidator(storable),
        Query(None, description="Exactly the run's project text.", example="Support"),
    ] = None,
) -> dict[str, bool]:
    """Whatever the case of its letters."""
    return {"duplicate": OptimizationRepository().is_duplicate(title=title, project=project)}


@router.post(
    "/optimize/{key:run_id}/cancel",
    response={200: RunCancelledOut, **errors(404, 409)},
    operation_id="cancel_run",
    summary="Cancel a run",
)
@checks_if_match(RUN)
def cancel_run(request: HttpRequest, run_id: RunKeyPath) -> dict[str, str]:
    """Only one that is running."""
    OptimizationRepository().cancel_run(run_id)
    return {"id": run_id, "status": RunStatus.CANCELLED}


@router.post(
    "/optimize",
    response={501: errors(501)[501], **errors()},
    operation_id="optimize",
    summary="Optimise a prompt (needs a plugin)",
)
@opens_own_session
def optimize(request: HttpRequest) -> None:
    """An optimiser is a plugin's; without one the answer is 501."""
    raise Unavailable(NO_OPTIMISER)


@router.post(
    "/optimize/{key:run_id}/retry",
    response={501: errors(501)[501], **errors()},
    operation_id="retry_run",
    summary="Optimise the prompt of a run again (needs a plugin)",
)
@opens_own_session
def retry_run(request: HttpRequest, run_id: RunKeyPath) -> None:
    """An optimiser is a plugin's; without one the answer is 501."""
    raise Unavailable(NO_OPTIMISER)


# After the operations on a part of a run: the first path that matches a request has it.
@router.get(
    "/optimize/{key:run_id}",
    response={200: RunOut, 304: None, **errors(404)},
    operation_id="get_run",
    summary="Read a run",
)
def get_run(request: HttpRequest, run_id: RunKeyPath) -> HttpResponse:
    """Everything that is known of it."""
    run = OptimizationRepository().get_run(run_id)
    tag = digest_tag(run)
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if is_known(request, tag):
        return HttpResponse(status=304, headers=headers)
    found = extensions("run_fields", [run_id])
    return ready_answer({**in_order(run), **({"extensions": found[run_id]} if found else {})}, headers)


@router.post(
    "/optimizations",
    response={201: RunOut, **errors(400, 409)},
    operation_id="record_run",
    summary="Record a run that anyone executed",
)
def record_run(request: HttpRequest, data: RunRecordIn) -> DeferredResponse:
    """Finds or makes its project by name and, unless `prompt_id` says it, its prompt by text."""
    run = OptimizationRepository().record_run(data.model_dump())

    def answer() -> HttpResponse:
        headers = {"ETag": digest_tag(run)}
        return ready_answer(in_order(run), headers, 201)

    return DeferredResponse(answer)


@router.get(
    "/optimizations/export",
    response={200: None, **errors()},
    operation_id="export_runs",
    summary="Export runs as JSON Lines",
    openapi_extra={"responses": {200: {"content": _json_lines("A run on each line, oldest first.")}}},
)
@opens_own_session
def export_runs(request: HttpRequest, filters: Query[FiltersIn]) -> Download:
    """All runs that pass the filters, as they are at the beginning; any number of them."""
    lines = exported_lines(RunFilters(**filters.model_dump()))
    return Download(lines, name="optimizations.jsonl", content_type=JSON_LINES)


@router.post(
    "/optimizations/import",
    response={200: ImportedOut, **errors(409, 413), 422: ImportRefusedOut},
    operation_id="import_runs",
    summary="Import runs from JSON Lines",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": _json_lines(
                f"Up to {IMPORT_LINES} lines and {IMPORT_BYTES // MEBIBYTE} MiB, as export writes them."
            ),
        }
    },
)
@opens_own_session
def import_runs(request: HttpRequest) -> dict[str, Any] | Status[dict[str, Any]]:
    """All lines or none; sending the same lines again changes nothing.

    A line needs `id` and `raw_prompt`; what export writes can be imported, but for scores that aren't from 0 to 1 and
    NUL characters, which only old files hold. A run that is there already must say what its line says. A line without
    `prompt_id` gets the prompt of its text in its project, found or made; with null it gets none; a prompt that isn't
    there is made in the project `prompt_project`.
    """
    body = _body(request)
    lines, wrong = read_lines(body)
    try:
        if wrong:
            raise ImportRefused(wrong)
        imported: dict[str, Any] = once(request, lambda: asdict(OptimizationRepository().import_runs(lines)), body)
        return imported
    except ImportRefused as refused:
        shown = [
            {"type": error.type, "loc": error.loc, "msg": error.msg, "line": error.line, "id": error.id}
            for error in refused.errors[:IMPORT_ERRORS]
        ]
        return Status(422, {"detail": shown, "error_count": len(refused.errors)})


@router.put(
    "/optimizations/{key:run_id}/tags",
    response={200: RunTagsOut, **errors(404)},
    operation_id="tag_run",
    summary="Change a run's tags, project and title",
)
@checks_if_match(RUN)
def tag_run(request: HttpRequest, run_id: RunKeyPath, data: RunTagsIn) -> Record:
    """Removes and adds tags. In another project the run is linked to its prompt there, which is found or made."""
    return OptimizationRepository().tag_run(run_id, **data.model_dump())


@router.patch(
    "/optimizations/{key:run_id}",
    response={200: RunOut, **errors(400, 404, 409)},
    operation_id="change_run",
    summary="Complete or correct a run",
)
@checks_if_match(RUN)
def change_run(request: HttpRequest, response: HttpResponse, run_id: RunKeyPath, data: RunChangeIn) -> Record:
    """A finished run may change its title, tags, project and version only. Another project moves it, as tags do."""
    return with_etag(response, OptimizationRepository().change_run(run_id, data.changes()))


def in_order(run: Record) -> Record:
    """The run with its columns in the order that clients know."""
    run["codebase_context_snapshot"] = run.pop("codebase_context_snapshot")
    return run


def _body(request: HttpRequest) -> bytes:
    """The body, read before any session is open: a slow client keeps nobody waiting."""
    limit = f"Send at most {IMPORT_BYTES // MEBIBYTE} MiB at once"
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > IMPORT_BYTES:
        raise TooLarge(limit)
    body = request.read(IMPORT_BYTES + 1)
    if len(body) > IMPORT_BYTES:
        raise TooLarge(limit)
    return body
