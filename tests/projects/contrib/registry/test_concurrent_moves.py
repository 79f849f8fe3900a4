"""Many who move one label at once: the ledger is one chain, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from projects.contrib.registry.models import LabelEvent, LabelRule, PromptName
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.targets import Target
from projects.models import PromptVersion
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError
from tests.projects.contrib.registry.naming import as_staff, make_named
from tests.projects.contrib.registry.test_resolving import expect_chains

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 16
ROUNDS = 4


def at_once(work: Callable[[RegistryRepository, int], Any]) -> list[Any]:
    """What the work answers in each of WRITERS threads, ROUNDS times, in sessions of their own; None where refused."""

    def rounds(writer: int) -> list[Any]:
        try:
            found = []
            for number in range(ROUNDS):
                try:
                    with write_session():
                        found.append(work(RegistryRepository(), writer * ROUNDS + number))
                except DomainError:
                    found.append(None)
            return found
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        return [one for found in pool.map(rounds, range(WRITERS)) for one in found]


def test_the_ledger_is_one_gapless_chain() -> None:
    make_named("a", "one", "two", "three")

    def move(repository: RegistryRepository, number: int) -> Any:
        if number % 5 == 4:
            return repository.undo_move(name="a", label="production").event
        target = Target.of({1: 1, 2: 1} if number % 7 == 6 else number % 3 + 1)
        return repository.move_label(name="a", label="production", target=target).event

    events = [event for event in at_once(move) if event]
    assert len(events) > WRITERS
    assert sorted(event.position for event in events) == list(range(1, len(events) + 1))
    expect_chains()


def test_a_name_is_taken_once_and_its_versions_are_consecutive() -> None:
    saved = [one for one in at_once(lambda repository, number: repository.save(name="a", text=f"{number}")) if one]
    assert [one.outcome for one in saved].count("created") == 1
    assert PromptName.objects.count() == 1
    versions = sorted(one.prompt.version for one in saved)
    assert versions == list(range(1, len(saved) + 1))
    assert PromptVersion.objects.count() == len(saved) - 1


def test_a_request_is_decided_once() -> None:
    make_named("a", "one", "two")
    LabelRule.objects.create(label="production", needs_second_person=True)
    with as_staff("ana"), write_session():
        asked = RegistryRepository().move_label(name="a", label="production", target=Target.of(1)).request
    assert asked is not None

    def decide(repository: RegistryRepository, number: int) -> Any:
        return repository.approve(asked.id) if number % 2 else repository.reject(asked.id)

    assert len([one for one in at_once(decide) if one]) == 1
    assert LabelEvent.objects.count() <= 1
    expect_chains()
