"""What Django's debugging pages hide, for whoever serves with PROMPTADMIN_DEBUG=1."""

from __future__ import annotations

import re

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class SecretsHidden(SafeExceptionReporterFilter):
    """What Django hides, and cookies, and addresses, which may hold passwords: the environment is part of a request."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|_URL|COOKIE|SESSION", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always: variables and fields that are marked as sensitive are hidden when debugging, too."""
        return True
