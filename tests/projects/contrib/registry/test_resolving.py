"""What a name and a label mean, against the rules in plain Python."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.contrib.registry.models import LabelEvent
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from projects.models import PromptVersion
from projects.repository import ProjectRepository
from promptadmin.deletions.work import restore
from promptadmin.errors import DomainError, Invalid, NotFound
from promptadmin.models import Deletion
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.projects.contrib.registry.plain_registry import PlainRegistry, Refused
from tests.projects.making import make_project, make_prompt, make_version

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
NAMES = ("a", "A", "a/b", "c")
LABELS = ("production", "staging")
EXAMPLES = int(os.environ.get("PROMPTADMIN_REGISTRY_EXAMPLES", "25"))

names, labels = st.sampled_from(NAMES), st.sampled_from(LABELS)
targets = st.one_of(
    st.none(), st.integers(1, 3), st.dictionaries(st.integers(1, 3), st.integers(1, 9), min_size=2, max_size=3)
)
changes = st.one_of(
    st.tuples(st.just("save"), names, st.sampled_from(["one", "two", "three"]), st.one_of(st.none(), labels)),
    st.tuples(st.just("move"), names, labels, targets),
    st.tuples(st.just("undo"), names, labels),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("restore")),
)


def apply_change(change: tuple[Any, ...]) -> Any:
    """One change of the real registry."""
    kind, *rest = change
    repository = RegistryRepository()
    if kind == "save":
        name, text, label = rest
        return repository.save(name=name, text=text, labels=[label] if label else []).outcome
    if kind == "move":
        name, label, target = rest
        repository.move_label(name=name, label=label, target=None if target is None else Target.of(target))
    elif kind == "undo":
        repository.undo_move(name=rest[0], label=rest[1])
    elif kind == "rename":
        repository.give_name(prompt_id=repository.find(rest[0]).prompt_id, name=rest[1])
    elif kind == "delete":
        repository.prompts.delete_prompt(prompt_id=repository.find(rest[0]).prompt_id)
    else:
        restore(Deletion.objects.latest("pk").pk, "default")
    return None


def apply_plainly(plain: PlainRegistry, tick: int, change: tuple[Any, ...]) -> Any:
    kind, *rest = change
    if kind in ("save", "move", "undo"):
        return getattr(plain, kind)(tick, *rest)
    return getattr(plain, kind)(*rest)


def outcome(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except (DomainError, Refused, Deletion.DoesNotExist, IndexError):
        return "refused"


@settings(max_examples=EXAMPLES)
@given(st.lists(changes, min_size=1, max_size=14), st.sampled_from([None, "ana", "ben"]))
def test_names_and_labels_mean_what_the_plain_rules_say(made: list[tuple[Any, ...]], key: str | None) -> None:
    with pytest.MonkeyPatch.context() as patched, transaction.atomic():
        clock = [START]
        patched.setattr(timezone, "now", lambda: clock[0])
        plain = PlainRegistry()
        for tick, change in enumerate(made):
            clock[0] = START + dt.timedelta(minutes=tick)
            with transaction.atomic():
                done = outcome(lambda change=change: _in_savepoint(lambda: apply_change(change)))  # type: ignore[misc]
            assert done == outcome(lambda tick=tick, change=change: apply_plainly(plain, tick, change))  # type: ignore[misc]
        for name in NAMES:
            for label in (*LABELS, "latest"):
                for tick in (None, *range(len(made))):
                    expected = outcome(lambda: plain.resolve(name, label, tick, key))  # noqa: B023
                    at = None if tick is None else START + dt.timedelta(minutes=tick, seconds=30)
                    assert outcome(lambda: _told(name, label, at, key)) == expected, (name, label, tick)  # noqa: B023
        expect_chains()
        transaction.set_rollback(True)


def _in_savepoint(function: Callable[[], Any]) -> Any:
    with transaction.atomic():
        return function()


def _told(name: str, label: str, at: dt.datetime | None, key: str | None) -> tuple[str, int, str]:
    found = RegistryRepository().resolve(name=name, label=label, at=at, key=key)
    return found.name, found.version, found.text


def expect_chains() -> None:
    """Each event comes from where the one before went, and the label is where the last one says."""
    repository = RegistryRepository()
    for prompt_id, label in set(LabelEvent.objects.values_list("prompt_id", "label")):
        events = list(LabelEvent.objects.filter(prompt_id=prompt_id, label=label).order_by("position"))
        assert [event.position for event in events] == list(range(1, len(events) + 1))
        assert [event.from_target for event in events] == [None, *(event.to_target for event in events[:-1])]
        assert all(earlier.moved_at < later.moved_at for earlier, later in pairwise(events))
        now = repository.labels_of(prompt_id).get(label)
        assert (now and str(now)) == events[-1].to_target


# ---------------------------------------------------------------- single rules


def test_a_label_means_its_version_in_either_table() -> None:
    make_named("a", "one", "two")
    move("a", "production", 1)
    move("a", "staging", 2)
    assert (do("resolve", name="a").text, do("resolve", name="a").version) == ("one", 1)
    assert do("resolve", name="A", label="staging").text == "two"
    assert do("resolve", name="a", label="latest").labels == ["staging"]
    do("save", name="a", text="three")
    assert do("resolve", name="a", label="staging").text == "two"
    assert do("resolve", name="a", label="latest").labels == []


def test_without_the_label_the_answer_names_those_that_there_are() -> None:
    make_named("a", "one")
    move("a", "staging", 1)
    with pytest.raises(NotFound, match="a has no label 'production': there are staging, latest"):
        do("resolve", name="a")
    with pytest.raises(NotFound, match="a has no version 2: its current version is 1"):
        do("resolve", name="a", version=2)
    with pytest.raises(NotFound, match="Prompt not found: b"):
        do("resolve", name="b")
    with pytest.raises(Invalid, match="A version is asked for alone"):
        do("resolve", name="a", version=1, label="staging")


def test_of_two_rows_of_one_number_the_newest_is_meant_then_the_greater_id() -> None:
    prompt = make_prompt(make_project(), "current", version=3)
    make_version(prompt, 1, "old", created_at=START)
    make_version(prompt, 1, "new", created_at=START + dt.timedelta(seconds=1))
    make_version(prompt, 2, "small id", created_at=START, id="a")
    make_version(prompt, 2, "great id", created_at=START, id="b")
    make_version(prompt, 3, "not the current one", created_at=START)
    do("give_name", prompt_id=prompt.id, name="legacy")
    found = [do("resolve", name="legacy", version=number).text for number in (1, 2, 3)]
    assert found == ["new", "great id", "current"]


def test_a_split_is_sticky_and_has_its_shares() -> None:
    make_named("a", "one", "two")
    move("a", "production", {1: 90, 2: 10})
    target = Target.of({1: 90, 2: 10})
    found = {key: target.choose("a", "production", key) for key in map(str, range(10_000))}
    assert all(do("resolve", name="a", key=key).version == found[key] for key in map(str, range(40)))
    shares = Counter(found.values())
    assert 850 < shares[2] < 1_150  # five standard deviations
    assert do("resolve", name="a").version == 1
    assert [target.choose("A", "production", key) for key in map(str, range(50))] == list(found.values())[:50]
    assert [target.choose("b", "production", key) for key in map(str, range(50))] != list(found.values())[:50]


@pytest.mark.parametrize("weights", [{}, {1: 0}, {1: -1, 2: 2}, {1: 1_000_001}, dict.fromkeys(range(1, 22), 1)])
def test_weights_that_are_no_split_are_refused(weights: dict[int, int]) -> None:
    with pytest.raises(Invalid):
        Target.of(weights)


def test_a_prompt_that_another_program_deleted_is_gone() -> None:
    prompt = make_named("a", "one", "two")
    PromptVersion.objects.filter(prompt=prompt).delete()
    ProjectRepository().prompts.filter(id=prompt.id).delete()
    with pytest.raises(NotFound):
        do("resolve", name="a", label="latest")
