"""Made-up runs, and in a late file the projects, prompts and versions around them, in the order of their time."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any

from bench import vocabulary as words
from bench.legacy_analyses import STATUSES, analyses
from bench.legacy_schema import Age, column_names
from bench.texts import Texts, scatter

Row = tuple[Any, ...] | list[Any]

FIRST_MOMENT = dt.datetime(2023, 1, 1)  # noqa: DTZ001  # legacy stamps are naive UTC
SPAN_MICROSECONDS = 3 * 365 * 86_400 * 1_000_000
#: Share of runs whose text is new; the others repeat that of a recent run: 2.5 runs a text, most texts have one.
NEW_TEXT = 0.4
RECENT_RUNS = 20_000
WITHOUT_PROJECT = 0.1
IN_OTHER_PROJECT = 0.02  # runs of a text in a second project
# Late files: what of the past the later releases had already dealt with.
KNOWN_PROJECTS = 0.75
KNOWN_PROMPTS = 0.8
LINKED_RUNS = 0.6
VERSIONED_PROMPTS = 0.1


class LegacyRows:
    """The rows of one file. Read `runs()` to its end first: the other tables' rows follow from it."""

    def __init__(self, *, runs: int, projects: int, age: Age, seed: int) -> None:
        self._count = runs
        self._age = age
        self._seed = seed
        self._rng = random.Random(f"rows {seed}")
        self._texts = Texts(seed)
        self._names = project_names(projects)
        self._at = {name: place for place, name in enumerate(column_names(age))}
        self._analyses = analyses(self._rng, age)
        known = [number for number in range(projects) if scatter(seed ^ number << 16) < KNOWN_PROJECTS * 2**64]
        self._project_ids = {number: self._new_id() for number in known}
        #: Of a late file's prompts: (text, project) → key, and (key, text, project, order, stamp) of each.
        self._keys: dict[tuple[int, int], str] = {}
        self._prompts: list[tuple[str, int, int, int, str]] = []
        self._orders = [0] * projects

    def runs(self) -> Iterator[Row]:
        """The rows of `optimizations`, oldest first."""
        chance = self._rng.random
        step = SPAN_MICROSECONDS / self._count
        recent: list[int] = []
        texts = 0
        for number in range(self._count):
            if not recent or chance() < NEW_TEXT:
                text = texts
                texts += 1
            else:
                text = recent[int(chance() * len(recent))]
            if len(recent) < RECENT_RUNS:
                recent.append(text)
            else:
                recent[number % RECENT_RUNS] = text
            moment = FIRST_MOMENT + dt.timedelta(0, 0, int(step * (number + chance())))
            yield self._run(text, moment.isoformat(" ", "microseconds"))

    def project_rows(self) -> Iterator[Row]:
        """The rows of `projects`: those that a late release had made already; a few archived or deleted."""
        for number, key in self._project_ids.items():
            luck = scatter(number) % 100
            status = "archived" if luck < 6 else "deleted" if luck < 9 else "active"
            profile = json.dumps({"language": "English", "conventions": ["Markdown"]}) if luck % 4 == 0 else None
            stamp = FIRST_MOMENT.isoformat(" ", "microseconds")
            description = "Migrated from optimization history"
            yield key, self._names[number], description, profile, status, stamp, f"{stamp}+00:00"

    def prompt_rows(self) -> Iterator[Row]:
        """The rows of `prompts`."""
        for key, text, project, order, stamp in self._prompts:
            yield key, self._texts.raw(text), _version(key), self._project_ids[project], order, stamp, stamp

    def version_rows(self) -> Iterator[Row]:
        """The rows of `prompt_versions`: the earlier texts of the prompts that were edited."""
        for key, text, _, _, stamp in self._prompts:
            for version in range(1, _version(key)):
                earlier = f"{self._texts.raw(text).rstrip()}\n(draft {version})"
                yield self._new_id(), key, version, earlier, None, stamp

    def _run(self, text: int, stamp: str) -> list[Any]:
        chance = self._rng.random
        at = self._at
        raw = self._texts.raw(text)
        project = self._project_of(text)
        status = STATUSES[int(chance() * len(STATUSES))]
        pool = self._analyses[status]
        run = pool[int(chance() * len(pool))].copy()
        run[at["id"]] = self._new_id()
        run[at["created_at"]] = stamp
        run[at["raw_prompt"]] = raw
        if project is not None:
            run[at["project"]] = self._names[project]
        if chance() < 0.4:
            run[at["title"]] = raw[:60]
        if status == "completed":
            run[at["optimized_prompt"]] = self._texts.optimised(raw, int(chance() * 2**40))
            run[at["duration_ms"]] = int(1500 + 30000 * chance() ** 2)
        if self._age == "full":
            run[at["input_tokens"]] = len(raw) // 4 + 900
            if project is not None and chance() < LINKED_RUNS:
                run[at["prompt_id"]] = self._prompt_of(text, project, stamp)
        return run

    def _project_of(self, text: int) -> int | None:
        """A text has one project, or none, but for a few runs; the first projects are the large ones."""
        bits = scatter(text ^ self._seed << 32)
        if self._rng.random() < IN_OTHER_PROJECT:
            bits = scatter(bits)
        if (bits & 0xFFFF) < WITHOUT_PROJECT * 0x10000:
            return None
        return int(len(self._names) * ((bits >> 32) / 2**32) ** 2)

    def _prompt_of(self, text: int, project: int, stamp: str) -> str | None:
        """The key of this text's prompt, where a late release had made one."""
        if project not in self._project_ids or scatter(text ^ project << 40) > KNOWN_PROMPTS * 2**64:
            return None
        key = self._keys.get((text, project))
        if key is None:
            key = self._keys[text, project] = self._new_id()
            self._prompts.append((key, text, project, self._orders[project], stamp))
            self._orders[project] += 1
        return key

    def _new_id(self) -> str:
        text = f"{self._rng.getrandbits(120):030x}"
        return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:]}"


def project_names(count: int) -> list[str]:
    """So many different project names."""
    names = [f"{kind} {place}" for place in words.PROJECT_PLACES for kind in words.PROJECT_KINDS]
    return [names[n] if n < len(names) else f"{names[n % len(names)]} {n // len(names) + 1}" for n in range(count)]


def _version(key: str) -> int:
    """The version of the prompt with this key: most were never edited."""
    bits = int(key[:8], 16)
    return 1 if bits / 2**32 > VERSIONED_PROMPTS else 2 + bits % 3
