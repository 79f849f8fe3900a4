"""These tests run with `--ds tests.projects.contrib.registry.settings`, as `make test` does: the plugin is off by default."""

from django.conf import settings

collect_ignore_glob = [] if "registry" in settings.ENABLED_PLUGINS else ["test_*.py"]
