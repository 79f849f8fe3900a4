"""The outsider's plugin has tests of its own, which run where it is installed."""

collect_ignore = ["outsider"]
