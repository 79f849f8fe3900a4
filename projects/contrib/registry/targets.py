"""What a label points to: a version, or several versions with weights, of which each targeting key gets one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from promptadmin.db import json_text
from promptadmin.errors import Invalid

#: Of the weights of a split, together: parts of a million are enough, and every JSON reader keeps them.
MOST_WEIGHT = 1_000_000
MOST_VERSIONS = 20


@dataclass(frozen=True)
class Target:
    """A version, which has all the weight, or several."""

    weights: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, target: int | Mapping[int, int]) -> Target:
        """The target that a version, or a mapping of versions to weights, says. Raises Invalid."""
        if isinstance(target, int):
            return cls(((target, 1),))
        weights = {version: weight for version, weight in target.items() if weight}
        if not weights or min(weights.values()) < 0 or sum(weights.values()) > MOST_WEIGHT:
            raise Invalid(f"Weights are whole numbers from 0 to {MOST_WEIGHT:,} in all, and one is more than 0")
        if len(weights) > MOST_VERSIONS:
            raise Invalid(f"A label is split over {MOST_VERSIONS} versions at most")
        if len(weights) == 1:
            return cls(((next(iter(weights)), 1),))
        return cls(tuple(sorted(weights.items())))

    @classmethod
    def read(cls, text: str | None) -> Target | None:
        """The target that a stored text says; None for none."""
        value = json_text.parse(text)
        if isinstance(value, dict):
            return cls.of({int(version): weight for version, weight in value.items()})
        return None if value is None else cls.of(int(value))

    def __str__(self) -> str:
        """As it is stored: "3" or {"3": 90, "4": 10}."""
        if self.version is not None:
            return str(self.version)
        return json_text.write({str(version): weight for version, weight in self.weights}) or ""

    @property
    def version(self) -> int | None:
        """The version, where it is one."""
        return self.weights[0][0] if len(self.weights) == 1 else None

    @property
    def by_version(self) -> dict[int, int] | None:
        """The weights, where it is a split."""
        return dict(self.weights) if len(self.weights) > 1 else None

    @property
    def versions(self) -> list[int]:
        """All versions that it may mean."""
        return [version for version, _ in self.weights]

    def choose(self, name: str, label: str, key: str | None) -> int:
        """The version for a targeting key: always the same one. Without a key the heaviest, of two the newer."""
        if key is None or len(self.weights) == 1:
            return max(self.weights, key=lambda one: (one[1], one[0]))[0]
        digest = hashlib.sha256("\n".join((name.lower(), label, key)).encode(errors="surrogatepass")).digest()
        place = int.from_bytes(digest[:8]) * sum(weight for _, weight in self.weights) >> 64
        for version, weight in self.weights:
            if place < weight:
                return version
            place -= weight
        raise AssertionError("a place beyond all weights")


def text_of(target: Target | None) -> str | None:
    """A target as it is stored; None for none."""
    return None if target is None else str(target)
