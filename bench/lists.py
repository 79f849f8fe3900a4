"""The lists that must cost the same at any size: their addresses in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bench.files import PROJECT_NAME
from bench.http import Client
from bench.legacy_rows import project_names

SORTS = ("created_at", "overall_score", "task_type", "complexity", "status", "duration_ms", "title", "project")
COMMON, RARE = "prompt", "hexagonal"
SEARCH = "/api/search?q="


@dataclass(frozen=True)
class Ask:
    """A request: what it is called, its address, the milliseconds that its median may take."""

    name: str
    path: str
    target: float | None = None


def history(runs: int, client: Client) -> list[Ask]:
    """The history: first page, far pages, each filter and each sort of the contract."""
    middle = max(1, runs // 40)
    deep = client.get(f"/api/history?page={max(1, runs // 20 * 3 // 4)}")["next_cursor"]
    project = quote(project_names(200)[3])
    key = client.get(f"/api/projects?search={project}")["items"][0]["id"]
    filters = {
        "project": f"project={project}",
        "project_id": f"project_id={key}",
        "task type": "task_type=coding",
        "status": "status=completed",
        "status error": "status=error",
        "without archived": "include_archived=false",
        "project, status": f"project={project}&status=completed",
        "task type, by score": "task_type=coding&sort=overall_score",
    }
    return [
        Ask("history page", "/api/history", 12),
        Ask("deep cursor", f"/api/history?cursor={deep}", 12),
        Ask("page in the middle", f"/api/history?page={middle}", 40),
        *(Ask(f"filter: {name}", f"/api/history?{query}", 40) for name, query in filters.items()),
        *(
            Ask(f"sort: {sort} {order}", f"/api/history?sort={sort}&order={order}", 40)
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
        Ask("one run", f"/api/optimize/{run}"),
        Ask("projects", "/api/projects"),
        Ask("project page, 250 prompts", f"/api/projects/{key}", 30),
    ]


def searches(client: Client, say: Callable[[str], None]) -> Sequence[Ask]:
    """Ranked search, where the server has it."""
    if not client.has(f"{SEARCH}{RARE}"):
        say("no ranked search: /api/search answers 404")
        return []
    return [
        Ask("ranked search, common word", f"{SEARCH}{COMMON}", 20),
        Ask("ranked search, rare word", f"{SEARCH}{RARE}", 20),
        Ask("ranked search, filtered", f"{SEARCH}{COMMON}&project={quote(project_names(200)[3])}", 20),
    ]
