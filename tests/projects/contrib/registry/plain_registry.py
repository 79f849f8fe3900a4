"""The rules of names, labels and versions in plain Python, without a database."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, field
from typing import Any

LATEST = "latest"


@dataclass
class PlainPrompt:
    name: str
    current: int
    texts: dict[int, str]
    labels: dict[str, Any] = field(default_factory=dict)
    moves: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)
    #: (tick, current version, labels) after each change.
    states: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)

    def keep(self, tick: int) -> None:
        self.states.append((tick, self.current, dict(self.labels)))

    def at(self, tick: int) -> tuple[int, dict[str, Any]] | None:
        found = [state for state in self.states if state[0] <= tick]
        return found[-1][1:] if found else None

    def move(self, label: str, target: Any) -> None:
        before = self.labels.get(label)
        if before == target:
            return
        self.moves.setdefault(label, []).append((before, target))
        if target is None:
            del self.labels[label]
        else:
            self.labels[label] = target


class Refused(Exception):
    pass


class PlainRegistry:
    def __init__(self) -> None:
        self.prompts: list[PlainPrompt] = []
        self.redirects: list[tuple[str, PlainPrompt]] = []
        self.deleted: list[tuple[PlainPrompt, list[tuple[str, PlainPrompt]]]] = []

    def find(self, name: str) -> PlainPrompt:
        for prompt in self.prompts:
            if prompt.name.lower() == name.lower():
                return prompt
        for former, prompt in reversed(self.redirects):
            if former == name.lower():
                return prompt
        raise Refused

    def save(self, tick: int, name: str, text: str, label: str | None) -> str:
        try:
            prompt = self.find(name)
        except Refused:
            prompt = PlainPrompt(name, 1, {1: text})
            self.prompts.append(prompt)
            self._take(name)
            outcome = "created"
        else:
            outcome = "unchanged"
            if prompt.texts[prompt.current] != text:
                prompt.current += 1
                prompt.texts[prompt.current] = text
                outcome = "version"
        if label:
            prompt.move(label, prompt.current)
        prompt.keep(tick)
        return outcome

    def move(self, tick: int, name: str, label: str, target: Any) -> None:
        prompt = self.find(name)
        if target is None and label not in prompt.labels:
            raise Refused
        if set(target if isinstance(target, dict) else [] if target is None else [target]) - set(prompt.texts):
            raise Refused
        prompt.move(label, target)
        prompt.keep(tick)

    def undo(self, tick: int, name: str, label: str) -> None:
        prompt = self.find(name)
        if label not in prompt.moves:
            raise Refused
        prompt.move(label, prompt.moves[label][-1][0])
        prompt.keep(tick)

    def rename(self, name: str, new: str) -> None:
        prompt = self.find(name)
        if any(other.name.lower() == new.lower() for other in self.prompts if other is not prompt):
            raise Refused
        former, prompt.name = prompt.name, new
        if former.lower() != new.lower():
            self.redirects.append((former.lower(), prompt))
        self._take(new)

    def delete(self, name: str) -> None:
        prompt = self.find(name)
        self.prompts.remove(prompt)
        own = [redirect for redirect in self.redirects if redirect[1] is prompt]
        self.redirects = [redirect for redirect in self.redirects if redirect[1] is not prompt]
        self.deleted.append((prompt, own))

    def restore(self) -> None:
        prompt, own = self.deleted[-1]
        if any(other.name.lower() == prompt.name.lower() for other in self.prompts):
            raise Refused
        self.deleted.pop()
        self.prompts.append(prompt)
        self.redirects = own + self.redirects

    def resolve(self, name: str, label: str, at: int | None, key: str | None) -> tuple[str, int, str]:
        prompt = self.find(name)
        current, labels = prompt.current, copy.copy(prompt.labels)
        if at is not None:
            found = prompt.at(at)
            if found is None:
                raise Refused
            current, labels = found
        target = current if label == LATEST else labels.get(label)
        if target is None:
            raise Refused
        version = choose(prompt.name, label, target, key) if isinstance(target, dict) else target
        return prompt.name, version, prompt.texts[version]

    def _take(self, name: str) -> None:
        self.redirects = [redirect for redirect in self.redirects if redirect[0] != name.lower()]


def choose(name: str, label: str, weights: dict[int, int], key: str | None) -> int:
    if key is None:
        return max(weights, key=lambda version: (weights[version], version))
    number = int(hashlib.sha256(f"{name.lower()}\n{label}\n{key}".encode()).hexdigest()[:16], 16)
    bounds = 0
    for version in sorted(weights):
        bounds += weights[version]
        if number * sum(weights.values()) < bounds * 2**64:
            return version
    raise AssertionError
