"""The ASGI application, for what streams: the plugins' own below `/plugins/<label>/`, and Django for the rest."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
django_application = get_asgi_application()

from promptadmin.ops.server.asgi_mounts import Mounts, plugin_applications  # noqa: E402  # needs the applications loaded

application = Mounts(plugin_applications(), django_application)
