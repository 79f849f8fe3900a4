"""A plugin that declares one of everything: each part is seen where it belongs, and what fails takes nothing along."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from promptadmin.plugins.checks import attribute_types
from tests.api.requests_to import JsonClient
from tests.plugins.dummy.apps import DummyConfig
from tests.plugins.installed import install_dummy
from tests.support.processes import REPOSITORY, Scratch
from tests.support.servers import Site, serving

TOKEN = "dummy"


@dataclass
class Served:
    """The product with the dummy, running."""

    site: Site
    api: JsonClient
    directory: Path
    variables: dict[str, str]

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.directory / "new.db")) as connection:
            return [row[0] for row in connection.execute(sql)]

    def log(self) -> str:
        return (self.directory / "serve.log").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("dummy")
    install_dummy(directory / "site")
    variables = {
        "PYTHONPATH": f"{directory / 'site'}:{REPOSITORY}",
        "PROMPTADMIN_PLUGINS": "projects,optimizations,dummy",
    }
    url = f"sqlite:///{directory / 'new.db'}"
    with (
        serving(directory, url, "--mcp", workers=1, AUTH_TOKEN=TOKEN, **variables) as site,
        JsonClient(site.address, TOKEN) as api,
    ):
        yield Served(site, api, directory, variables)


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_the_dummy_declares_one_of_everything() -> None:
    empty = {name for name in attribute_types() if not getattr(DummyConfig, name)}
    assert empty == set()


def test_start_up_runs_its_step_and_its_migration(served: Served) -> None:
    assert "dummy step ran" in served.site.printed
    assert served.rows("SELECT name FROM sqlite_master WHERE name = 'dummy_note'") == ["dummy_note"]


def test_its_api_strategies_sections_and_health_are_there(served: Served) -> None:
    answer = served.api.send("POST", "/api/dummy")
    assert (answer.status, answer.json) == (200, {"answer": "dummy"})
    strategies = {item["name"]: item for item in served.api.send("GET", "/api/strategies").json["items"]}
    assert strategies["dummy-strategy"]["aliases"] == ["dummy-alias"]
    before = served.api.send("GET", "/api/history/stats").json["dummy_runs"]  # other tests have the same server
    run = {"raw_prompt": "x", "strategy": "dummy-alias", "overall_score": 0.5}
    assert served.api.send("POST", "/api/optimizations", run).json["strategy"] == "dummy-strategy"
    statistics = served.api.send("GET", "/api/history/stats").json
    assert (statistics["dummy_runs"], statistics["dummy_broken"]) == (before + 1, None)
    assert statistics["score_by_strategy"]["dummy-strategy"] == 0.5
    assert "Plugin dummy: the statistics section dummy_broken failed" in served.log()
    health = served.api.send("GET", "/api/health").json
    assert (health["llm_model"], health["llm_provider"], health["mcp_connected"]) == ("dummy-1", "none", False)
    assert "Plugin dummy: the health field llm_provider failed" in served.log()


def test_its_root_api_has_the_apis_access_and_errors_of_its_own(served: Served) -> None:
    said = served.api.send("POST", "/dummy/v1/echo?word=x")
    assert (said.status, said.json) == (200, {"word": "x"})
    unknown = served.api.send("POST", "/dummy/v1/echo?word=x&colour=red")
    problem = "colour: Extra inputs are not permitted: word can be given here"
    assert (unknown.status, unknown.json) == (400, {"code": 400, "problem": problem})
    with JsonClient(served.site.address, "wrong") as stranger:
        refused = stranger.send("POST", "/dummy/v1/echo?word=x")
    assert (refused.status, refused.json["code"], "Basic" in refused.json["problem"]) == (401, 401, True)
    assert served.api.send("GET", "/dummy/v1/nowhere").json == {"detail": "Not Found"}


def test_stored_aliases_are_renamed_at_start(served: Served) -> None:
    with closing(sqlite3.connect(served.directory / "new.db")) as connection, connection:
        connection.execute(
            "INSERT INTO optimizations (id, created_at, raw_prompt, status, strategy) "
            "VALUES ('old', '2020-01-01 00:00:00', 'x', 'completed', 'dummy-alias')"
        )
    variables = {**served.variables, "DATABASE_URL": f"sqlite:///{served.directory / 'new.db'}"}
    done = Scratch(served.directory, variables).manage("normalize_strategies")
    assert "renamed the strategy of 1 run" in done.stdout, done.stderr
    assert served.rows("SELECT strategy FROM optimizations WHERE id = 'old'") == ["dummy-strategy"]
    served.api.send("DELETE", "/api/history/old")


def test_events_reach_it_and_its_failures_stop_at_it(served: Served) -> None:
    project = served.api.send("POST", "/api/projects", {"name": "events"}).json["id"]
    prompts = f"/api/projects/{project}/prompts"
    prompt = served.api.send("POST", prompts, {"content": "SHOUT"})
    assert prompt.status == 201
    key = prompt.json["id"]
    notes = served.rows("SELECT text FROM dummy_note")
    assert f"received project_created {project}" in notes
    assert f"recorded prompt_created {key}" in notes
    assert f"received prompt_created {key}" in notes
    assert "dummy.parts.broken_receiver of the event prompt_created failed" in served.log()

    findings = served.api.send("GET", f"{prompts}/{key}/findings").json["items"]
    assert [(item["check"], item["plugin"], item["line"]) for item in findings] == [("dummy_shouting", "dummy", 1)]
    assert "the prompt check dummy_broken failed" in served.log()

    assert served.api.send("DELETE", f"{prompts}/{key}").status == 200
    assert served.rows(f"SELECT id FROM prompts WHERE id = '{key}'") == []
    assert "dummy.parts.broken_recorder of the event prompt_deleted failed" in served.log()

    before = len(served.rows("SELECT text FROM dummy_note"))
    served.api.send("POST", f"/api/projects/{project}/archive")
    refused = served.api.send("POST", prompts, {"content": "no"})
    assert refused.status == 403
    assert len(served.rows("SELECT text FROM dummy_note")) == before + 1, "a refused change tells nobody"


def test_its_asgi_application_and_background_command_run(served: Served) -> None:
    parts = urlsplit(served.site.address)
    address = f"http://{parts.hostname}:{(parts.port or 0) + 1}/plugins/dummy/deep/er?x=1"

    def answer() -> str:
        try:
            with urllib.request.urlopen(address, timeout=5) as found:
                return str(found.read().decode())
        except OSError:
            return ""

    assert until(answer) == "/plugins/dummy /deep/er"
    assert until(lambda: "background command runs" in served.rows("SELECT text FROM dummy_note"))


def test_its_upkeep_is_done_beside_the_server(served: Served) -> None:
    """Its broken job comes first each time, and stops nothing."""
    add_notes(served)
    assert until(lambda: "to do" not in served.rows("SELECT text FROM dummy_note"))
    assert until(lambda: "the upkeep job dummy_broken failed" in served.log())

    def messages() -> list[str]:
        kept = json.loads((served.directory / "data" / "upkeep_jobs.json").read_text())
        (jobs,) = kept.values()
        return [jobs[name][0]["message"] for name in ("dummy_job", "dummy_broken") if name in jobs]

    assert until(lambda: messages() == ["nothing left", "failed: see the log"]), messages()


def test_upkeep_can_be_done_by_hand(served: Served) -> None:
    variables = {**served.variables, "DATABASE_URL": f"sqlite:///{served.directory / 'new.db'}"}
    manage = Scratch(served.directory, variables).manage
    add_notes(served)
    one = manage("upkeep", "--once", "--job", "dummy_job")  # the server's own upkeep may do a part of it
    assert "to do" not in served.rows("SELECT text FROM dummy_note")
    assert one.returncode == 0, one.stderr
    assert one.stdout.startswith("dummy job: ")
    everything = manage("upkeep", "--once")
    assert everything.returncode != 0
    assert "broken job: plugin dummy: RuntimeError: dummy job" in everything.stderr
    assert "Failed: dummy_broken" in everything.stderr
    assert "dummy job: " in everything.stdout, "one job's failure is not the others'"
    unknown = manage("upkeep", "--once", "--job", "nonesuch")
    assert "There is no job 'nonesuch': there are" in unknown.stderr
    assert "--job goes with --once" in manage("upkeep", "--job", "dummy_job").stderr


def add_notes(served: Served) -> None:
    with closing(sqlite3.connect(served.directory / "new.db", timeout=10)) as connection, connection:
        connection.executemany("INSERT INTO dummy_note (text) VALUES (?)", [("to do",)] * 5)


def test_plugins_lists_it_with_what_it_contributes(served: Served) -> None:
    variables = {**served.variables, "DATABASE_URL": f"sqlite:///{served.directory / 'new.db'}"}
    listed = Scratch(served.directory, variables).manage("plugins", "--json")
    (dummy,) = (item for item in json.loads(listed.stdout) if item["name"] == "dummy")
    assert (dummy["package"], dummy["version"], dummy["enabled"]) == ("promptadmin-dummy", "0.1", True)
    assert dummy["contributes"]["strategies"] == ["dummy-strategy"]
    assert dummy["contributes"]["background commands"] == ["note_time"]


def test_the_admin_shows_its_table_panel_and_filter(served: Served) -> None:
    project = served.api.send("POST", "/api/projects", {"name": "looked at"}).json["id"]
    made = served.api.send("POST", f"/api/projects/{project}/prompts", {"content": "looked at"}).json
    assert "extensions" not in served.api.send("GET", f"/api/projects/{project}/prompts/{made['id']}").json
    variables = {**served.variables, "DATABASE_URL": f"sqlite:///{served.directory / 'new.db'}"}
    done = Scratch(served.directory, variables).manage("shell", input=LOOK.replace("{KEY}", made["id"]))
    assert done.returncode == 0, done.stderr
    page, panels, table, pages_found, notes_found, own_page, prompts, prompt, deleting = json.loads(
        done.stdout.strip().splitlines()[-1]
    )
    assert "Flavour" in page
    assert "Dummy shows sour" in panels
    assert "Broken panel" in panels
    assert "dummy panel" not in panels
    assert "received project_created" in table
    assert "Dummy page" in page
    assert "Dummy page" in pages_found
    assert "sticky_note" in notes_found  # found beside the finder that fails
    assert "Dummies" in page
    assert own_page == "Dummy page, sweet"
    assert "looked at" in prompts, "the list is there beside a column and a filter that fail"
    assert "This box can" in prompt
    assert "dummy box" not in prompt + prompts
    assert "Delete prompt" in deleting, "the question is asked beside a count that fails"


def test_its_permissions_are_for_its_own_operations_alone(served: Served) -> None:
    """Roles have what they had without it; its own operations ask for what it names, or for a superuser."""
    variables = {**served.variables, "DATABASE_URL": f"sqlite:///{served.directory / 'new.db'}"}
    done = Scratch(served.directory, variables).manage("shell", input=ASK_AS_ROLES)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.strip().splitlines()[-1])
    # Reading projects, runs, and what the dummy has; whether health has details; adding a project, a run; the dummy.
    assert answers == {
        "viewer": [200, 200, 403, True, 403, 403, 403],
        "editor": [200, 200, 403, True, 201, 201, 403],
        "reader of notes": [403, 403, 200, True, 403, 403, 403],
        "nobody": [403, 403, 403, False, 403, 403, 403],
        "superuser": [200, 200, 200, True, 201, 201, 200],
    }


ASK_AS_ROLES = """
import json
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

Group.objects.create(name="reader of notes").permissions.add(Permission.objects.get(codename="view_note"))
answers = {}
for role in ("viewer", "editor", "reader of notes", "nobody", "superuser"):
    user = User.objects.create_user(f"as {role}", is_staff=True, is_superuser=role == "superuser")
    user.groups.set(Group.objects.filter(name=role))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    reads = [client.get(path).status_code for path in ("/api/projects", "/api/history", "/api/dummy")]
    told = "version" in client.get("/api/health").json()
    bodies = {"/api/projects": {"name": f"of {role}"}, "/api/optimizations": {"raw_prompt": role}, "/api/dummy": {}}
    writes = [client.post(path, body, "application/json").status_code for path, body in bodies.items()]
    answers[role] = [*reads, told, *writes]

print(json.dumps(answers))
"""

LOOK = """
import json
from django.contrib.auth.models import User
from django.test import Client

client = Client(headers={"host": "localhost"})
client.force_login(User.objects.get(username="admin"))
pages = ("/admin/", "/admin/dashboard/panels/?flavour=sour", "/admin/dummy/note/", "/admin/search/?s=dummy+page",
         "/admin/search/?s=received+project_created", "/admin/dummy/hello/", "/admin/projects/prompt/",
         "/admin/projects/prompt/{KEY}/change/", "/admin/projects/prompt/{KEY}/delete/")
print(json.dumps([client.get(page).content.decode() for page in pages]))
"""


def test_its_operations_refuse_arguments_that_they_do_not_know(served: Served) -> None:
    """By its models: those that are open take anything."""
    thing = {"parts": [{"name": "a", "inner": {"name": "b"}}], "options": {"any": {"thing": 1}}}
    body = {"first": thing, "second": {"any": "thing"}}
    taken = served.api.send("PUT", "/api/dummy?room=r&board=b&colour=red", body)
    assert (taken.status, taken.json["place"]) == (200, {"room": "r", "shelf": "b"})
    wrong = {"parts": [{"name": "a", "inner": {"name": "b", "x": 1}}], "y": 1}
    refused = served.api.send("PUT", "/api/dummy?shelf=b&place=p", {**body, "first": wrong, "third": 3})
    assert refused.status == 422
    assert {tuple(error["loc"]) for error in refused.json["detail"]} == {
        ("query", "shelf"), ("query", "place"), ("body", "third"), ("body", "first", "y"),
        ("body", "first", "parts", 0, "inner", "x"),
    }  # fmt: skip
    assert served.api.send("POST", "/api/dummy", {"x": 1}).json["detail"][0]["loc"] == ["body", "x"]
    assert served.api.send("PATCH", "/api/dummy", {"x": 1}).json == {"bytes": 8}
    schemas = served.api.send("GET", "/api/openapi.json").json["components"]["schemas"]
    closed = {name: schemas[name].get("additionalProperties") for name in ("PartIn", "ThingIn", "OpenIn")}
    assert closed == {"PartIn": False, "ThingIn": False, "OpenIn": True}
