"""What a limited caller reaches: others' rows change nothing of any answer, and no write of theirs gets there.

Every operation of the API's document is asked, before and after there is a project that the caller doesn't reach.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.api.inputs import PROJECT_ID, PROMPT_ID, RUN_ID
from projects.contrib.registry.api.schemas import LABEL, NAME
from projects.contrib.registry.fetches import counter
from projects.contrib.registry.models import Label, PromotionRequest, PromptName
from projects.contrib.registry.repository import RegistryRepository
from projects.models import Project, Prompt, PromptVersion
from promptadmin.accounts import tokens
from tests.api.documented_operations import JSON, Documented, documented
from tests.projects.contrib.registry.naming import do, move
from tests.projects.making import make_project, make_prompt

pytestmark = pytest.mark.django_db

#: Stands in every text of what the caller doesn't reach.
SECRET = "zebra"
MINE = "Mine"
TABLES = (Project, Prompt, PromptVersion, Optimization, PromptName, Label, PromotionRequest)


def make_rows(project: Project, name: str, word: str, prompt_id: str | None = None, run_id: str | None = None) -> None:
    """A named prompt of two versions with labels, a fetch, a request, and two runs, one of which is linked to none."""
    prompt = make_prompt(project, f"{word} one", **({"id": prompt_id} if prompt_id else {}))
    do("give_name", prompt_id=prompt.id, name=name, description=f"{word} described", tags=[word])
    do("save", name=name, text=f"{word} two", reason=f"{word} reason")
    move(name, LABEL, 1, f"{word} move")
    if LABEL != "production":
        move(name, "production", 2, f"{word} move")
    asked = {"prompt_id": prompt.id, "label": "canary", "to_target": "1", "reason": f"{word} asks"}
    PromotionRequest.objects.create(asked_by="user kim", asker="user 7", **asked)
    runs = OptimizationRepository()
    given = {"project": project.name, "status": "running", "title": f"{word} title", "tags": [word]}
    runs.record_run({"id": run_id, "raw_prompt": f"{word} two", "prompt_id": prompt.id, **given})
    loose = runs.record_run({"raw_prompt": f"{word} loose", **given})
    Optimization.objects.filter(id=loose["id"]).update(prompt=None, overall_score=0.5, strategy=word)
    RegistryRepository().fetch(name=name)
    counter.write()


def make_theirs() -> None:
    make_rows(make_project(id=PROJECT_ID, name=SECRET, description=SECRET), NAME, SECRET, PROMPT_ID, RUN_ID)


@pytest.fixture(autouse=True)
def mine() -> Project:
    project = make_project(name=MINE)
    make_rows(project, "mine/hello", "mine")
    return project


def by_token(**limits: list[str]) -> Client:
    secret = tokens.create_token(name="limited", scopes=tokens.SCOPES, limits=limits)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def by_project() -> Client:
    return by_token(projects=[MINE])


def by_prefix() -> Client:
    return by_token(prefixes=["mine/"])


CALLERS = {"project": by_project, "prefix": by_prefix}


def answer(client: Client, operation: Documented, **headers: str) -> tuple[int, bytes]:
    found = operation.send(client, **headers)
    body = b"".join(found.streaming_content) if found.streaming else found.content
    return found.status_code, body


def without_progress(found: tuple[int, bytes]) -> tuple[int, bytes]:
    """How much of the installation is indexed for searches is told to all."""
    return found[0], re.sub(rb'"indexed":{[^}]*}', b"", found[1])


@pytest.fixture(params=CALLERS)
def limited(request: pytest.FixtureRequest) -> Client:
    return CALLERS[request.param]()


def test_rows_out_of_reach_change_no_answer(limited: Client) -> None:
    reads = documented("GET")
    before = {operation.name: answer(limited, operation) for operation in reads}
    make_theirs()
    for operation in reads:
        found = answer(limited, operation)
        assert SECRET.encode() not in found[1].lower(), operation.name
        if operation.name not in ("get_health", "get_openapi"):
            assert found == before[operation.name], operation.name


@pytest.mark.parametrize(
    "address",
    [
        "/api/search?q=zebra",
        "/api/history?search=zebra",
        "/api/history?project=zebra",
        f"/api/history?project_id={PROJECT_ID}",
        "/api/history?per_page=1&sort=overall_score",
        "/api/history?cursor=",
        "/api/history?include_archived=false",
        "/api/history/stats?project=zebra",
        "/api/prompts?prefix=support",
        "/api/prompts?search=zebra",
        f"/api/bundle?label={LABEL}",
        "/api/bundle?label=latest",
        f"/api/prompts/{NAME}?version=1",
        f"/api/prompts/{NAME}?label=latest",
        f"/api/prompts/{NAME}?at=2099-01-01T00:00:00Z",
        "/api/optimizations/export?project=zebra",
        "/api/promotion-requests?state=open",
        f"/api/label-events?label={LABEL}",
    ],
)
def test_what_filters_ask_for_is_not_there_either(limited: Client, address: str) -> None:
    asked = Documented("", "GET", address, "", JSON)
    before = answer(limited, asked)
    make_theirs()
    assert without_progress(answer(limited, asked)) == without_progress(before)
    assert before[0] in (200, 404)


def rows() -> dict[str, list[Any]]:
    return {
        model.__name__: [row for row in map(repr, model._base_manager.order_by("pk").values_list()) if is_theirs(row)]
        for model in TABLES
    }


def is_theirs(row: str) -> bool:
    return any(text in row for text in (PROJECT_ID, PROMPT_ID, RUN_ID, SECRET))


def test_no_write_gets_at_rows_out_of_reach(limited: Client) -> None:
    make_theirs()
    before, writes = rows(), documented("POST", "PUT", "PATCH", "DELETE")
    assert len(writes) > 25
    for operation in writes:
        with transaction.atomic():
            status, body = answer(limited, operation, X_Confirm_Delete="yes")
            assert rows() == before, operation.name
            assert SECRET.encode() not in body, operation.name
            assert status != 500, operation.name
            transaction.set_rollback(True)
