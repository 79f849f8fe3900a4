"""The API of the search by words."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, BeforeValidator, Field

from optimizations.api.inputs import AskedText
from optimizations.repository import Found, OptimizationRepository, RunFilters
from optimizations.repository.searching import KINDS, Kind
from projects.api.inputs import PROJECT_ID, PROMPT_ID, TIME
from promptadmin.api.app import errors
from promptadmin.conf.limits import PAGE_ROWS, SEARCH_LENGTH
from promptadmin.search.ranking import MOST_RANKED

router = Router()


def _separate(value: Any) -> Any:
    """The names in texts with commas between them."""
    texts = value if isinstance(value, list) else [value]
    return [name for text in texts for name in (text.split(",") if isinstance(text, str) else [text]) if name != ""]


class SearchIn(BaseModel):
    """What to search for, and where."""

    q: AskedText = Field(
        max_length=SEARCH_LENGTH,
        examples=["summar* customer"],
        description='Words, all of which are there, whatever their case; `"words in quotes"` in this order; `begin*` '
        "for words that begin so. Everything else only separates words.",
    )
    kind: Annotated[list[Kind], BeforeValidator(_separate)] = Field(
        [], examples=[["prompt", "run"]], description="prompt, version or run, several with commas; without it, all."
    )
    project: AskedText | None = Field(
        None, examples=["Support"], description="Exactly the name of a prompt's project, or a run's project text."
    )
    task_type: AskedText | None = Field(None, examples=["writing"], description="Finds runs only, as do the next two.")
    status: AskedText | None = Field(None, examples=["completed"])
    strategy: AskedText | None = Field(None, examples=["chain-of-thought"])
    limit: int = Field(20, ge=1, le=PAGE_ROWS, examples=[20])
    offset: int = Field(0, ge=0, le=MOST_RANKED * len(KINDS), examples=[0])


class FoundOut(BaseModel):
    """A prompt, an earlier text of one, or a run that has what was searched for."""

    kind: Literal["prompt", "version", "run"] = Field(examples=["prompt"])
    id: str = Field(examples=[PROMPT_ID])
    title: str | None = Field(examples=["Shorter summaries"], description="A run's.")
    snippet: str = Field(
        examples=["<mark>Summarise</mark> this text in three sentences."],
        description="HTML: the part of the text that answers best, with what was found in <mark>; all else is escaped.",
    )
    text: str = Field(examples=["Summarise this text in three sentences."], description="The snippet as plain text.")
    highlights: list[list[int]] = Field(
        examples=[[[0, 9]]], description="Where in `text` something was found: from a character to before another."
    )
    score: float = Field(examples=[1.4], description="More is better, among answers to the same query.")
    created_at: dt.datetime | None = Field(examples=[TIME])
    project_id: str | None = Field(examples=[PROJECT_ID])
    project: str | None = Field(examples=["Support"], description="The project's name; a run's own text.")
    prompt_id: str | None = Field(examples=[PROMPT_ID])
    version: int | None = Field(examples=[2], description="The number of a prompt's text, or of an earlier one.")
    status: str | None = Field(examples=["active"], description="A run's; of others, their project's.")


class IndexedOut(BaseModel):
    """How much of what was searched is in the search index, about; the rest is searched row by row, which is slower."""

    done: int = Field(examples=[1000])
    total: int = Field(examples=[1000])


class SearchOut(BaseModel):
    """The answers, best first."""

    items: list[FoundOut]
    total: int | None = Field(examples=[1], description="How many there are; null where not all were ranked.")
    has_more: bool = Field(examples=[False], description="Whether a larger `offset` has more.")
    ranked_all: bool = Field(
        examples=[True],
        description=f"false: of a kind, more than {MOST_RANKED} match, and only the newest so many are ranked.",
    )
    indexed: IndexedOut


@router.get(
    "/search",
    response={200: SearchOut, **errors()},
    operation_id="search",
    summary="Search prompts, earlier texts and runs",
    tags=["search"],
)
def search(request: HttpRequest, response: HttpResponse, asked: Query[SearchIn]) -> dict[str, Any]:
    """What has all the words, the best answers first. A part of a word is found by `GET /api/history?search=`."""
    response["Cache-Control"] = "max-age=0, must-revalidate"
    filters = RunFilters(project=asked.project, task_type=asked.task_type, status=asked.status, strategy=asked.strategy)
    found = OptimizationRepository().search(
        asked.q, kinds=asked.kind or KINDS, filters=filters, limit=asked.limit, offset=asked.offset
    )
    return {
        "items": [_answer(item) for item in found.items],
        "total": found.total,
        "has_more": found.has_more,
        "ranked_all": found.total is not None,
        "indexed": found.indexed._asdict(),
    }


def _answer(item: Found) -> dict[str, Any]:
    same = {name: getattr(item, name) for name in FoundOut.model_fields if hasattr(item, name)}
    shown = item.snippet
    return same | {"snippet": shown.html, "text": shown.text, "highlights": [list(span) for span in shown.highlights]}
