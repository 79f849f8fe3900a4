"""System checks of the environment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks


def check_variables(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check promptadmin.W002: each variable that is named like a setting is one."""
    return [
        checks.Warning(
            f"The environment has {name}, and promptadmin has no such setting: it changes nothing.",
            hint=f"Did you mean {nearest}?" if nearest else "docs/settings.md lists the settings.",
            id="promptadmin.W002",
        )
        for name, nearest in settings.ENVIRONMENT.unknown().items()
    ]
