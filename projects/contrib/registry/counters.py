"""Fetched prompts, counted for Prometheus. Imported only where metrics are on, see `promptadmin.conf.counters`."""

from prometheus_client import Counter

FETCHES = Counter(
    "promptadmin_registry_fetches", "Prompts that programs fetched, by label; empty where by number.", ["label"]
)
