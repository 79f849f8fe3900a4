"""The ASGI application, for what streams."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
application = get_asgi_application()
