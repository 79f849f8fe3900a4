"""Optimisation runs in the back-office."""

from optimizations.admin.runs import OptimizationAdmin

__all__ = ["OptimizationAdmin"]
