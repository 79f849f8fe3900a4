"""Statistics of runs: what works, how well, and where it fails."""

from optimizations.stats.query import Scope
from optimizations.stats.sections import Section, statistics

__all__ = ["Scope", "Section", "statistics"]
