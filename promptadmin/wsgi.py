"""The WSGI application that `serve` runs."""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
django_application = get_wsgi_application()


def below_prefix(environ: dict[str, Any], start_response: Any) -> Any:
    """Django, which wants the path without the prefix that FORCE_SCRIPT_NAME names; a proxy may have taken it off."""
    path = environ["PATH_INFO"]
    if path == settings.PATH_PREFIX or path.startswith(f"{settings.PATH_PREFIX}/"):
        environ["PATH_INFO"] = path.removeprefix(settings.PATH_PREFIX)
    return django_application(environ, start_response)


application = below_prefix if settings.PATH_PREFIX else django_application
