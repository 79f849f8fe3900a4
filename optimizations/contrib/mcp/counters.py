"""Agents' calls, counted for Prometheus. Imported only where metrics are on, see `promptadmin.conf.counters`."""

from prometheus_client import Counter

CALLS = Counter("promptadmin_mcp_calls", "Tools that agents called, by outcome: ok or error.", ["tool", "outcome"])
