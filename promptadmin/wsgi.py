"""The WSGI application that `serve` runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
application = get_wsgi_application()
