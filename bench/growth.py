"""What a request costs as rows grow: the same requests of files of several sizes, in turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.files import Adopted
from bench.http import Client
from bench.lists import Ask, history, pages, searches
from bench.servers import serving

ROUNDS = 25


@dataclass(frozen=True)
class Growth:
    """A request's median milliseconds by number of runs."""

    name: str
    medians: dict[int, float]

    @property
    def ratio(self) -> float:
        """The largest of the medians over the smallest file's."""
        return max(self.medians.values()) / self.medians[min(self.medians)]


def measure(files: Sequence[Adopted], *, say: Callable[[str], None]) -> list[Growth]:
    """Every list of every file; each is asked once in a round, so that a busy moment is busy for all sizes."""
    with ExitStack() as stack:
        clients = {
            file.runs: stack.enter_context(Client(stack.enter_context(serving(file.database, file.data, file.token))))
            for file in files
        }
        asks: dict[str, dict[int, Ask]] = {}
        for runs, client in clients.items():
            for ask in [*history(runs, client), *pages(client), *searches(client, say)]:
                asks.setdefault(ask.name, {})[runs] = ask
        found = []
        for name, by_size in asks.items():
            say(f"growth: {name}")
            times: dict[int, list[float]] = {runs: [] for runs in by_size}
            for number in range(ROUNDS + 1):
                for runs, ask in by_size.items():
                    taken = clients[runs].timed(ask.path)
                    if number:  # the first one fills caches
                        times[runs].append(taken)
            found.append(Growth(name, {runs: statistics.median(all_times) for runs, all_times in times.items()}))
        return found
