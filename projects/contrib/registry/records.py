"""What the registry hands out: plain values that outlive the session in which they were read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

from projects.contrib.registry.targets import Target


class Named(NamedTuple):
    """A prompt by its name, with its current version."""

    prompt_id: str
    name: str
    kind: str
    template_format: str
    description: str | None
    tags: list[str]
    project_id: str | None
    current: int


class Resolved(NamedTuple):
    """One version of a prompt. `labels` point to it alone; `label` is the one that was asked for, if one was."""

    id: str
    name: str
    kind: str
    template_format: str
    description: str | None
    tags: list[str]
    project_id: str | None
    version: int
    label: str | None
    labels: list[str]
    text: str
    config: Any
    variables: Any
    author: str | None
    reason: str | None
    sha256: str
    created_at: dt.datetime | None


class EventRecord(NamedTuple):
    """One move of a label, as the ledger has it."""

    id: int
    prompt_id: str
    name: str | None
    label: str
    position: int
    from_target: Target | None
    to_target: Target | None
    by: str
    door: str
    reason: str
    approved_by: str | None
    at: dt.datetime


@dataclass(frozen=True)
class FetchRecord:
    """How often one token fetched one version by one label on one day; by number, `label` is None."""

    day: dt.date
    label: str | None
    version: int
    token: str
    count: int
    last_at: dt.datetime


class FetchSum(NamedTuple):
    """How often a prompt was fetched on a day, by a label, as a version, or by a token, and when the last time was."""

    what: Any
    times: int
    last_at: dt.datetime


class RequestRecord(NamedTuple):
    """A move that waits for a second person, or did."""

    id: int
    prompt_id: str
    name: str | None
    label: str
    from_target: Target | None
    to_target: Target | None
    asked_by: str
    reason: str
    state: str
    decided_by: str | None
    asked_at: dt.datetime
    decided_at: dt.datetime | None


@dataclass(frozen=True)
class Moved:
    """What became of a move: an event, or a request that waits; neither where the label stood there already."""

    label: str
    target: Target | None
    event: EventRecord | None = None
    request: RequestRecord | None = None


@dataclass(frozen=True)
class Saved:
    """What became of a save: whether it made a prompt, a version or nothing, and what became of its labels."""

    outcome: str
    prompt: Resolved
    moves: list[Moved]
