"""The lists that must cost the same at any size: their addresses in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from bench import plain_lists
from bench.files import PROJECT_NAME
from bench.http import Client
from bench.legacy_rows import project_names
from bench.plain_lists import Work

SORTS = ("created_at", "overall_score", "task_type", "status", "project")  # of which an index has all runs
COMMON, RARE = "prompt", "hexagonal"
SEARCH = "/api/search?q="


@dataclass(frozen=True)
class Ask:
    """A request: what it is called, its address, the yardstick's work, the milliseconds that its median may take."""

    name: str
    path: str
    plain: Work = field(hash=False)
    target: float | None = None


def history(runs: int, client: Client) -> list[Ask]:
    """The history: first page, far pages, each filter and each sort of the contract."""
    middle = max(1, runs // 40)
    far = client.get(f"/api/history?page={max(1, runs // 20 * 3 // 4)}")
    deep, stamp = far["next_cursor"], far["items"][-1]["created_at"].replace("T", " ").rstrip("Z")
    name = project_names(200)[3]
    project = quote(name)
    key = client.get(f"/api/projects?search={project}")["items"][0]["id"]
    page = plain_lists.page
    filters = {
        "project": (f"project={project}", page("o.project = ?", [name])),
        "project_id": (f"project_id={key}", plain_lists.of_project(key)),
        "task type": ("task_type=coding", page("o.task_type = 'coding'")),
        "status": ("status=completed", page("o.status = 'completed'")),
        "status error": ("status=error", page("o.status = 'error'")),
        "without archived": ("include_archived=false", plain_lists.shown()),
        "project, status": (
            f"project={project}&status=completed",
            page(
                "o.project = ? AND o.status = 'completed'",
                [name],
                walked="ix_optimizations_project_created_at",
            ),
        ),
        "task type, by score": (
            "task_type=coding&sort=overall_score",
            page(
                "o.task_type = 'coding'",
                order="o.overall_score DESC, o.rowid DESC",
                walked="ix_optimizations_overall_score",
            ),
        ),
    }
    return [
        Ask("history page", "/api/history", page(), 12),
        Ask("deep cursor", f"/api/history?cursor={deep}", plain_lists.after(stamp), 12),
        Ask("page in the middle", f"/api/history?page={middle}", page(offset=(middle - 1) * plain_lists.PAGE), 100),
        *(Ask(f"filter: {which}", f"/api/history?{query}", plain, 40) for which, (query, plain) in filters.items()),
        *(
            Ask(
                f"sort: {sort} {order}", f"/api/history?sort={sort}&order={order}", plain_lists.ordered(sort, order), 40
            )
            for sort in SORTS
            for order in ("desc", "asc")
            if (sort, order) != ("created_at", "desc")
        ),
    ]


def pages(client: Client) -> list[Ask]:
    """One run, the projects, one project with 250 prompts."""
    run = client.get("/api/history?page=3")["items"][0]["id"]
    projects = client.get("/api/projects?search=Bench%3A")["items"]
    key = next(project["id"] for project in projects if project["name"] == PROJECT_NAME)
    return [
        Ask("one run", f"/api/optimize/{run}", plain_lists.run(run)),
        Ask("projects", "/api/projects", plain_lists.projects()),
        Ask("project page, 250 prompts", f"/api/projects/{key}", plain_lists.project(key), 30),
    ]


def searches(client: Client, say: Callable[[str], None]) -> Sequence[Ask]:
    """Ranked search, where the server has it."""
    if not client.has(f"{SEARCH}{RARE}"):
        say("no ranked search: /api/search answers 404")
        return []
    name = project_names(200)[3]
    project = quote(name)
    key = client.get(f"/api/projects?search={project}")["items"][0]["id"]
    return [
        Ask("ranked search, common word", f"{SEARCH}{COMMON}", plain_lists.search(COMMON), 20),
        Ask("ranked search, rare word", f"{SEARCH}{RARE}", plain_lists.search(RARE), 20),
        Ask(
            "ranked search, filtered",
            f"{SEARCH}{COMMON}&project={project}",
            plain_lists.search(COMMON, name, key),
            20,
        ),
    ]


def substring() -> Ask:
    """A search of the history for a part of a text."""
    return Ask("substring search", f"/api/history?search={RARE}", plain_lists.containing(RARE))


def statistics_of_all() -> Ask:
    """The statistics of all runs."""
    return Ask("statistics", "/api/history/stats", plain_lists.STATISTICS_WORK)
