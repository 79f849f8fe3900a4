"""Made-up prompt texts: number n of a seed is always the same text, so that none has to be kept in memory."""

from __future__ import annotations

import functools
import random
import string
from collections.abc import Sequence

from bench import vocabulary as words

#: Entries of each pool, filled in once. A text is one entry of each of three pools, so that few of a million collide.
POOL = 4096
#: How many requirements a prompt lists; the mean text is about 1 KB, the longest about 5 KB.
SHAPES: Sequence[int] = (2, 4, 6, 8, 9, 9, 10, 10, 12, 12, 14, 14, 16, 18)
LONG_SHAPES: Sequence[int] = (30, 45, 70)
MASK = (1 << 64) - 1


class Texts:
    """The prompt texts of one seed."""

    def __init__(self, seed: int) -> None:
        self._offset = seed * 1_000_003
        rng = random.Random(f"texts {seed}")
        requirements = [f"- {text}" for text in _pool(rng, words.REQUIREMENTS)]
        contexts = _pool(rng, words.CONTEXTS)
        self._openings = _pool(rng, words.OPENINGS)
        self._bodies = [_body(rng, contexts, requirements) for _ in range(POOL)]
        self._closings = _pool(rng, words.CLOSINGS)
        additions = _pool(rng, words.ADDED_BY_OPTIMISER)
        self._heads = ["\n\n".join(rng.sample(additions, 2)) for _ in range(POOL)]
        self._tails = additions

    def raw(self, number: int) -> str:
        """The raw prompt of this number."""
        bits = scatter(self._offset + number)
        opening = self._openings[bits % POOL]
        body = self._bodies[(bits >> 12) % POOL]
        if bits >> 61 == 0:  # one in eight is a line or two, as typed in a hurry
            return f"{opening} {body.rpartition('- ')[2]}\n"
        return f"{opening}\n\n{body}\n\n{self._closings[(bits >> 24) % POOL]}"

    def optimised(self, raw: str, variant: int) -> str:
        """What an optimiser makes of a raw prompt; about as long. `variant` is any number; two give two texts."""
        kept = raw if len(raw) < 400 else raw[: len(raw) * 3 // 4].rpartition("\n")[0]
        return f"{self._heads[variant % POOL]}\n\n{kept}\n\n{self._tails[(variant >> 12) % POOL]}"


def scatter(number: int) -> int:
    """64 bits that look random, always the same ones for a number (the finaliser of SplitMix64)."""
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def _body(rng: random.Random, contexts: Sequence[str], requirements: Sequence[str]) -> str:
    shape = rng.choice(LONG_SHAPES if rng.random() < 0.03 else SHAPES)
    parts = [rng.choice(contexts), "Requirements:\n" + "\n".join(rng.sample(requirements, shape))]
    if rng.random() < 0.25:
        parts.insert(1, rng.choice(words.CODE))
    return "\n\n".join(parts)


def _pool(rng: random.Random, templates: Sequence[str]) -> list[str]:
    return [_filled(rng, rng.choice(templates)) for _ in range(POOL)]


def _filled(rng: random.Random, template: str) -> str:
    """The template with a random value in each slot."""
    return template.format(**{name: rng.choice(words.SLOTS[name]) for name in _slots(template)})


@functools.cache
def _slots(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]
