"""Door by caller by rule: nobody moves what programs get but those who may, whichever way they come.

What each cell expects is computed from one small table of what callers may and what rules ask for. The state of the
name, of the label and of the ledger is looked at after each request, which is then undone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command, get_commands
from django.core.management.base import CommandError
from django.db import transaction
from django.test import Client

from optimizations.contrib.mcp import calls
from optimizations.contrib.mcp.registry import TOOLS
from optimizations.repository import OptimizationRepository
from projects.api.inputs import PROJECT_ID, PROMPT_ID, RUN_ID
from projects.contrib.registry.api.schemas import NAME
from projects.contrib.registry.models import LabelEvent, LabelRule, PromotionRequest, PromptName
from projects.contrib.registry.repository import RegistryRepository
from projects.models import MemberRole, Project, ProjectMember, Prompt
from promptadmin.accounts import tokens
from promptadmin.api.auth import caller_of_token
from promptadmin.errors import NotFound
from promptadmin.models import ApiToken, Deletion
from tests.api.documented_operations import keep_ids_free
from tests.projects.contrib.registry import doors
from tests.projects.contrib.registry.doors import (
    APPROVES,
    FORMER,
    MOVES,
    NOTHING,
    OTHER,
    RESTORES,
    SESSIONS,
    TAKES,
    TOKENS,
    Door,
    of_api,
    of_clients,
    of_pages,
)
from tests.projects.contrib.registry.naming import do, move
from tests.projects.making import make_project, make_prompt

pytestmark = pytest.mark.django_db

RULES: dict[str, dict[str, bool]] = {
    "no rule": {},
    "protected": {"is_protected": True},
    "reason": {"needs_reason": True},
    "second person": {"needs_second_person": True},
}


@dataclass(frozen=True)
class Caller:
    """Somebody, and what they may: `moves` says whether the label is one of theirs, `whole` all of a project."""

    kind: str
    writes: bool = True
    promotes: bool = False
    reaches: bool = True
    moves: bool = True
    whole: bool = True
    scopes: tuple[str, ...] = ("read", "write")
    limits: tuple[tuple[str, str], ...] = ()
    role: str = "editor"
    member: str = ""


CALLERS: dict[str, Caller] = {
    "anonymous": Caller("nobody", writes=False),
    "token that reads": Caller(TOKENS, writes=False, scopes=("read",)),
    "token that writes": Caller(TOKENS),
    "token that promotes": Caller(TOKENS, promotes=True, scopes=("read", "write", "promote")),
    "token of the prefix": Caller(
        TOKENS, promotes=True, whole=False, scopes=("read", "write", "promote"), limits=(("prefixes", "support/"),)
    ),
    "token of another prefix": Caller(
        TOKENS, promotes=True, reaches=False, scopes=tokens.SCOPES, limits=(("prefixes", "sales/"),)
    ),
    "token of the project": Caller(TOKENS, limits=(("projects", PROJECT_ID),)),
    "token of another project": Caller(
        TOKENS, promotes=True, reaches=False, scopes=tokens.SCOPES, limits=(("projects", "Elsewhere"),)
    ),
    "token of the label": Caller(TOKENS, limits=(("labels", "production"),)),
    "token of another label": Caller(
        TOKENS, promotes=True, moves=False, scopes=tokens.SCOPES, limits=(("labels", "staging"),)
    ),
    "viewer": Caller(SESSIONS, writes=False, role="viewer"),
    "editor": Caller(SESSIONS),
    "promoter": Caller(SESSIONS, promotes=True, role="promoter"),
    "superuser": Caller(SESSIONS, promotes=True, role="superuser"),
    "member who edits": Caller(SESSIONS, member="editor"),
    "member who views": Caller(SESSIONS, promotes=True, writes=False, role="promoter", member="viewer"),
    "no member": Caller(SESSIONS, promotes=True, reaches=False, role="promoter", member="another"),
}


def expected(caller: Caller, door: Door, rule: str) -> bool:
    """Whether this caller changes, through this door, what programs get by the name and label, under this rule."""
    asked = RULES[rule]
    if door.effect == NOTHING or caller.kind not in door.callers:
        return False
    if not (caller.writes and caller.reaches and caller.moves) or (door.whole_project and not caller.whole):
        return False
    if asked.get("is_protected") and not caller.promotes:
        return False
    if door.effect == TAKES:
        return not (asked.get("needs_reason") or asked.get("needs_second_person"))
    if door.effect == MOVES:
        return not asked.get("needs_second_person") and (door.has_reason or not asked.get("needs_reason"))
    return door.effect in (APPROVES, RESTORES)  # the second person, with the asker's reason; and back to what it was


@dataclass
class World:
    """Clients and users by the callers' names."""

    clients: dict[str, Client]
    users: dict[str, User]
    secrets: dict[str, str]
    before: tuple[Any, Any]


@pytest.fixture
def world() -> World:
    """A prompt with two versions, whose label moved from the second back to the first; a request to move it on."""
    make_project(name="Elsewhere")
    make_project(id=PROJECT_ID, name=doors.PROJECT)
    project = Project.objects.get(id=PROJECT_ID)
    make_prompt(project, "one", id=PROMPT_ID, order_index=7)
    do("give_name", prompt_id=PROMPT_ID, name=FORMER)
    do("give_name", prompt_id=PROMPT_ID, name=NAME)
    do("save", name=NAME, text="two")
    move(NAME, "production", 2, "first")
    move(NAME, "production", 1, "back")
    do("give_name", prompt_id=make_prompt(project, "other").id, name=OTHER)
    asked = {"prompt_id": PROMPT_ID, "label": "production", "from_target": "1", "to_target": "2", "reason": "asked"}
    PromotionRequest.objects.create(pk=1, asked_by="user kim", asker="user kim", **asked)
    keep_ids_free(PromotionRequest)
    OptimizationRepository().record_run(
        {"id": RUN_ID, "raw_prompt": "two", "status": "running", "prompt_id": PROMPT_ID}
    )
    found = World({}, {}, {}, (state(), ledger()))
    for number, (name, caller) in enumerate(CALLERS.items()):
        found.clients[name] = client = Client(raise_request_exception=False)
        if caller.kind == TOKENS:
            limits = {kind: [text] for kind, text in caller.limits}
            _, secret = tokens.create_token(name=name, scopes=caller.scopes, limits=limits)
            found.secrets[name] = secret
            client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
        elif caller.kind == SESSIONS:
            user = User.objects.create_user(f"user{number}", is_staff=True, is_superuser=caller.role == "superuser")
            found.users[name] = user
            _give_role(user, caller.role)
            client.force_login(user)
    return found


def _give_role(user: User, role: str) -> None:
    if role != "superuser":
        user.groups.add(Group.objects.get(name="viewer" if role == "viewer" else "editor"))
    if role == "promoter":
        user.user_permissions.add(Permission.objects.get(codename="promote_label"))


def state() -> tuple[Any, ...]:
    """What programs get by the name and the label, what the former name leads to, and what the prompt is called."""
    registry = RegistryRepository()

    def got(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except NotFound:
            return None

    target = got(lambda: str(registry.labels_of(PROMPT_ID).get("production")))
    text = got(lambda: registry.resolve(name=NAME, label="production").text)
    former = got(lambda: registry.find(FORMER).prompt_id)
    return target, text, former, PromptName.objects.filter(prompt_id=PROMPT_ID).values_list("name", flat=True).first()


def ledger() -> list[Any]:
    return list(LabelEvent.objects.filter(prompt_id=PROMPT_ID).order_by("pk").values_list("pk", "to_target"))


def try_cell(world: World, name: str, door: Door, rule: str, send: Callable[[], Any]) -> None:
    caller = CALLERS[name]
    with transaction.atomic():
        if door.effect == RESTORES:
            doors.delete_it()
        if caller.member:
            member = User.objects.create_user("another") if caller.member == "another" else world.users[name]
            role = MemberRole.EDITOR if caller.member == "another" else caller.member
            ProjectMember.objects.create(project_id=PROJECT_ID, user=member, role=role)
        if RULES[rule]:
            LabelRule.objects.create(label="production", **RULES[rule])
        before, moves = (state(), ledger()) if door.effect == RESTORES else world.before
        answer = send()
        after, told = state(), (getattr(answer, "status_code", ""), str(getattr(answer, "content", answer))[:500])
        cell = f"{door.name} by {name} with {rule}: {told}"
        assert told[0] != 500, cell
        assert (before != after) == expected(caller, door, rule), cell
        if Prompt.objects.filter(id=PROMPT_ID).exists() and door.effect != RESTORES:
            assert len(ledger()) - len(moves) == (before[0] != after[0]), f"the ledger of {cell}"
        transaction.set_rollback(True)


#: The others differ in what they reach alone, which no rule changes.
UNDER_RULES = ("token that writes", "token that promotes", "editor", "promoter", "superuser")


def cells(door: Door) -> list[tuple[str, str]]:
    """The callers and rules to try.

    A door without effect has none for those who may do most. Without a reason, a door that can bring one is tried where
    one is asked for. A page is no place for tokens, nor an address of other products' clients one for sessions: one of
    them tries.
    """
    if door.effect == NOTHING:
        return [
            (name, "protected") for name in ("token that promotes", "superuser") if CALLERS[name].kind in door.callers
        ]
    if door.effect == MOVES and not door.has_reason and door.has_reason_elsewhere:
        return [(name, "reason") for name in UNDER_RULES if CALLERS[name].kind in door.callers]
    strangers = [name for name in CALLERS if CALLERS[name].kind not in ("nobody", *door.callers)][:1]
    found = []
    for name in ["anonymous", *strangers, *(name for name in CALLERS if CALLERS[name].kind in door.callers)]:
        found += [(name, rule) for rule in (RULES if name in UNDER_RULES else ["no rule"])]
    return found


@pytest.mark.parametrize("found", [of_api, of_clients, of_pages], ids=lambda function: function.__name__)
def test_what_programs_get_is_moved_by_those_who_may_alone(world: World, found: Callable[[], Any]) -> None:
    every_door = list(found())
    assert {door.effect for door in every_door} >= {MOVES, TAKES, NOTHING}
    for door in every_door:
        for name, rule in cells(door):
            try_cell(world, name, door, rule, partial(door.send, world.clients[name]))


def test_tools_of_agents_move_nothing_and_reach_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their requests are whole: where nothing stands in the way, each is answered."""
    monkeypatch.setattr(calls, "connections", {})  # the test's connection stays open
    monkeypatch.setattr(calls, "closing_connections", lambda function: function)
    for tool in TOOLS.values():
        arguments, door = doors.tool_arguments(tool.name), Door(tool.name, lambda client: None)
        for name in world.secrets:
            caller = caller_of_token(world.secrets[name], None)  # type: ignore[arg-type]  # asked for AUTH_TOKEN alone
            assert caller is not None

            def call(caller: Any = caller, tool: Any = tool, arguments: Any = arguments) -> Any:
                with calls.called_by(caller):
                    try:
                        return tool.function(**arguments)
                    except Exception as error:
                        return error

            try_cell(world, name, door, "protected", call)
            if name == "token that promotes":
                with transaction.atomic():
                    assert isinstance(call(), dict), tool.name
                    transaction.set_rollback(True)


#: Commands that know nothing of names and labels, and make, change or delete no prompt that has one.
OTHER_COMMANDS = {
    *("auditlogflush", "backfill_prompts", "backupdb", "bundle", "cleanup_stale", "create_api_token"),
    *("deliver_webhooks", "doctor", "export_openapi", "harden_data_dir", "list_api_tokens", "make_demo_file", "mcp"),
    *("move_to", "normalize_strategies", "plugins", "replay_webhooks", "restoredb", "revoke_api_token"),
    *("seed_projects", "selftest", "serve", "serve_metrics", "serve_plugins", "startplugin", "startup", "upkeep"),
}


def test_commands_are_for_whoever_can_open_the_database(world: World) -> None:
    """Those that touch named prompts are tried; a new command has to be looked at."""
    ours = ("promptadmin", "projects", "optimizations")
    known = {name for name, app in get_commands().items() if str(app).split(".")[0] in ours}
    assert known - OTHER_COMMANDS == {"name_prompts", "restore_deleted"}
    before = state()
    call_command("name_prompts", "--apply")
    assert state() == before
    doors.delete_it()
    LabelRule.objects.create(label="production", is_protected=True)
    with pytest.raises(CommandError):
        call_command("restore_deleted", "0")
    call_command("restore_deleted", str(Deletion.objects.get().pk))
    assert state() == before
    assert ApiToken.objects.exists()
