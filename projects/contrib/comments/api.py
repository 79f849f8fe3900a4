"""The API of comments."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status
from pydantic import AfterValidator, Field

from projects.api.inputs import PROMPT_ID, Given, storable
from projects.api.prompts import ProjectId, PromptId
from projects.api.schemas import Answer, Time
from projects.contrib.comments.models import Comment
from projects.contrib.comments.repository import CommentRecord, CommentRepository
from promptadmin.api.app import errors
from promptadmin.api.etags import Resource, checks_if_match, digest_tag, unless_known, with_etag
from promptadmin.conf.limits import COMMENT_LENGTH
from promptadmin.db.fields import LARGEST_COUNT, LARGEST_INTEGER

router = Router(tags=["comments"])

TEXT = "@ben, why three sentences?"

CommentId = Annotated[int, Path(ge=1, le=LARGEST_COUNT, description="The comment's id.", example=1)]
Version = Annotated[int, Field(ge=1, le=LARGEST_INTEGER, examples=[2])]
CommentText = Annotated[str, Field(max_length=COMMENT_LENGTH, examples=[TEXT]), AfterValidator(storable)]


class CommentTextIn(Given):
    """What a comment shall say."""

    text: CommentText


class CommentIn(CommentTextIn):
    """A comment on a prompt or, with `version`, on that version of it."""

    version: Version | None = None


class CommentOut(Answer):
    """A comment; `mentions` are the users whom its text names with an @."""

    id: int = Field(examples=[1])
    prompt_id: str = Field(examples=[PROMPT_ID])
    version: int | None = Field(examples=[2])
    text: str = Field(examples=[TEXT])
    by: str = Field(examples=["user ana"])
    mentions: list[str] = Field(examples=[["ben"]])
    created_at: Time
    edited_at: Time


class CommentListOut(Answer):
    """Some comments, newest first."""

    items: list[CommentOut]
    next_cursor: str | None = Field(examples=["7"])


def tag_of(comment: CommentRecord) -> str:
    """The same whoever asks."""
    return digest_tag(comment._replace(is_own=False))


COMMENT = Resource(lambda comment_id, **_: CommentRepository().get(comment_id), (Comment, "comment_id"), tag_of)


@router.get(
    "/projects/{project_id}/prompts/{prompt_id}/comments",
    response={200: CommentListOut, **errors(404)},
    operation_id="list_comments",
    summary="List the comments on a prompt",
)
def list_comments(
    request: HttpRequest,
    project_id: ProjectId,
    prompt_id: PromptId,
    *,
    version: Annotated[int | None, Query(None, ge=1, le=LARGEST_INTEGER, description="Those on it.", example=2)] = None,
    limit: Annotated[int, Query(ge=1, le=100, example=20)] = 20,
    cursor: Annotated[
        int | None, Query(None, ge=1, le=LARGEST_COUNT, description="An answer's `next_cursor`.", example=7)
    ] = None,
) -> dict[str, Any]:
    """Those on its versions too, newest first."""
    found = CommentRepository().list_comments(
        prompt_id=prompt_id, project_id=project_id, version=version, limit=limit, before=cursor
    )
    return {"items": found, "next_cursor": str(found[-1].id) if len(found) == limit else None}


@router.post(
    "/projects/{project_id}/prompts/{prompt_id}/comments",
    response={201: CommentOut, **errors(400, 404)},
    operation_id="add_comment",
    summary="Comment on a prompt",
)
def add_comment(
    request: HttpRequest, response: HttpResponse, project_id: ProjectId, prompt_id: PromptId, data: CommentIn
) -> Status[CommentRecord]:
    """Users whom it mentions, as in `@ben`, are told in the back-office, and so are those who follow the prompt."""
    made = CommentRepository().add(prompt_id=prompt_id, project_id=project_id, text=data.text, version=data.version)
    return Status(201, with_etag(response, made, tag_of))


@router.get(
    "/comments/{comment_id}",
    response={200: CommentOut, 304: None, **errors(404)},
    operation_id="get_comment",
    summary="Read a comment",
)
def get_comment(request: HttpRequest, response: HttpResponse, comment_id: CommentId) -> CommentRecord | Status[None]:
    """One comment."""
    response["Cache-Control"] = "no-cache"
    return unless_known(request, response, CommentRepository().get(comment_id), tag_of)


@router.put(
    "/comments/{comment_id}",
    response={200: CommentOut, **errors(400, 404)},
    operation_id="edit_comment",
    summary="Edit a comment",
)
@checks_if_match(COMMENT)
def edit_comment(
    request: HttpRequest, response: HttpResponse, comment_id: CommentId, data: CommentTextIn
) -> CommentRecord:
    """Only whoever wrote it may: the same person, with a session or with a token that they made."""
    return with_etag(response, CommentRepository().edit(comment_id, text=data.text), tag_of)


@router.delete(
    "/comments/{comment_id}",
    response={204: None, **errors(404)},
    operation_id="delete_comment",
    summary="Delete a comment",
)
@checks_if_match(COMMENT)
def delete_comment(request: HttpRequest, comment_id: CommentId) -> Status[None]:
    """Only whoever wrote it may, and superusers."""
    CommentRepository().delete(comment_id)
    return Status(204, None)
