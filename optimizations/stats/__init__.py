"""Statistics of runs: what works, how well, and where it fails."""

from optimizations.stats.scope import Scope
from optimizations.stats.sections import SECTIONS, Section, statistics

__all__ = ["SECTIONS", "Scope", "Section", "statistics"]
