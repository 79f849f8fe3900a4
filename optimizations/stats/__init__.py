"""Statistics of runs: what works, how well, and where it fails."""

from optimizations.stats.query import StatsQuery
from optimizations.stats.sections import Section, statistics

__all__ = ["Section", "StatsQuery", "statistics"]
