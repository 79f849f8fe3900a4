"""The doors that answer to an address."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from promptadmin.api import build_api
from promptadmin.health import health_alias

admin.autodiscover()
api = build_api()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("health", health_alias),
]
