"""The API of runs: their history, their statistics and the strategies; single runs are in `run_api`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router, Status
from ninja.errors import ValidationError
from pydantic import AfterValidator

from optimizations.api.inputs import FiltersIn, RunIdsIn, RunKeyPath
from optimizations.api.runs import RUN
from optimizations.api.runs import router as run_router
from optimizations.api.schemas import HistoryClearedOut, RunDeletedOut, RunListOut, RunsDeletedOut, StrategiesOut
from optimizations.api.search import router as search_router
from optimizations.api.stats_schemas import StatisticsOut
from optimizations.repository import BrokenCursor, OptimizationRepository, RunFilters
from optimizations.stats import statistics
from optimizations.strategies import aliases_of, all_strategies
from projects.api.inputs import storable
from promptadmin.api.app import errors
from promptadmin.api.auth import access
from promptadmin.api.etags import checks_if_match, unless_known
from promptadmin.conf.limits import PAGE_ROWS, SORTED_ROWS
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Invalid
from promptadmin.http.responses import ready_answer

router = Router()

HISTORY = ["history"]


@router.get(
    "/history",
    response={200: RunListOut, **errors(400)},
    operation_id="list_runs",
    summary="List runs",
    tags=HISTORY,
)
def list_runs(
    request: HttpRequest,
    filters: Query[FiltersIn],
    *,
    page: Annotated[int, Query(ge=1, le=LARGEST_INTEGER, example=1)] = 1,
    per_page: Annotated[int, Query(ge=1, le=PAGE_ROWS, example=20)] = 20,
    sort: Annotated[
        str,
        Query(
            description="created_at, overall_score, task_type, complexity, status, duration_ms, title or project; "
            f"anything else means created_at. By complexity, duration_ms or title, a list of more than {SORTED_ROWS:,} "
            "runs is refused (400).",
            example="created_at",
        ),
    ] = "created_at",
    sort_by: Annotated[str | None, Query(description="Another name of `sort`; it wins.", example="created_at")] = None,
    order: Annotated[Literal["asc", "desc"], Query(example="desc")] = "desc",
    cursor: Annotated[
        str | None,
        AfterValidator(storable),
        Query(
            None,
            description="Instead of `page`: empty for the first page, then each answer's `next_cursor`, with the same "
            "`sort` and `order`. Costs the same at any depth, and counts nothing.",
            example="",
        ),
    ] = None,
) -> HttpResponse:
    """A page of runs. Every sort ends with the id, so that pages never overlap; runs without a value sort lowest."""
    order_and_size: dict[str, Any] = {"sort": sort_by or sort, "order": order, "limit": per_page}
    repository, wanted = OptimizationRepository(), RunFilters(**filters.model_dump())
    if cursor is None:
        found = repository.list_runs(filters=wanted, offset=(page - 1) * per_page, **order_and_size)
    else:
        try:
            found = repository.list_runs_after(cursor, filters=wanted, **order_and_size)
        except BrokenCursor as error:
            place = {"type": "value_error", "loc": ("query", "cursor"), "msg": str(error), "input": cursor}
            raise ValidationError([place]) from error
    answer = {
        "items": found.items,
        "total": found.total,
        "page": None if cursor is not None else page,
        "per_page": per_page,
        "next_cursor": found.next_cursor,
    }
    return ready_answer(answer, {"Cache-Control": "max-age=0, must-revalidate"})


# Before the operations on one run: the first path that matches a request has it.
@router.get(
    "/history/stats",
    response={200: StatisticsOut, 304: None, **errors()},
    operation_id="get_statistics",
    summary="Statistics of runs",
    tags=HISTORY,
)
def get_statistics(
    request: HttpRequest,
    response: HttpResponse,
    project: Annotated[
        str | None,
        AfterValidator(storable),
        Query(None, description="Only runs of exactly this project text.", example="Support"),
    ] = None,
) -> dict[str, Any] | Status[None]:
    """What works: scores, improvements, tokens and tags by strategy and task type, of completed runs."""
    response["Cache-Control"] = "no-cache"
    return unless_known(request, response, statistics(project or None))


@router.delete(
    "/history/all",
    auth=access("admin"),
    response={200: HistoryClearedOut, **errors(400)},
    operation_id="clear_history",
    summary="Delete all runs",
    tags=HISTORY,
)
def clear_history(
    request: HttpRequest,
    confirmation: Annotated[
        str | None,
        Header(None, alias="X-Confirm-Delete", description="Must be exactly `yes`.", example="yes"),
    ] = None,
) -> dict[str, Any]:
    """Projects, prompts and versions stay. Needs the scope `admin`."""
    if confirmation != "yes":
        raise Invalid("Bulk delete requires X-Confirm-Delete: yes header")
    count = OptimizationRepository().delete_all_runs()
    return {"message": f"Deleted {count} records" if count else "No records to delete", "deleted_count": count}


@router.post(
    "/history/bulk-delete",
    response={200: RunsDeletedOut, **errors()},
    operation_id="delete_runs",
    summary="Delete up to a hundred runs",
    tags=HISTORY,
)
def delete_runs(request: HttpRequest, data: RunIdsIn) -> dict[str, Any]:
    """Ids that aren't there are reported, and don't keep the others from being deleted."""
    deleted, missing = OptimizationRepository().delete_runs(data.ids)
    return {"deleted_count": len(deleted), "deleted_ids": deleted, "not_found_ids": missing}


@router.delete(
    "/history/{key:run_id}",
    response={200: RunDeletedOut, **errors(404)},
    operation_id="delete_run",
    summary="Delete a run",
    tags=HISTORY,
)
@checks_if_match(RUN)
def delete_run(request: HttpRequest, run_id: RunKeyPath) -> dict[str, str]:
    """Prompt versions that it led to stay."""
    OptimizationRepository().delete_run(run_id)
    return {"message": "Optimization deleted", "id": run_id}


@router.get(
    "/strategies",
    response={200: StrategiesOut, **errors()},
    operation_id="list_strategies",
    summary="List strategies",
    tags=["strategies"],
)
def list_strategies(request: HttpRequest) -> dict[str, Any]:
    """The names that runs are recorded under, what each does to a prompt, and what older releases called it."""
    items = [
        {"name": name, "description": description, "aliases": aliases_of(name)}
        for name, description in all_strategies().items()
    ]
    return {"items": items, "total": len(items)}


router.add_router("", run_router)
router.add_router("", search_router)
