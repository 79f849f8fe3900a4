"""The doors that answer to an address."""

from django.conf import settings
from django.urls import URLResolver, include, path
from django.urls.resolvers import RoutePattern
from django.views.generic import RedirectView

from promptadmin.api.app import build_api
from promptadmin.api.root_apis import root_api_urls
from promptadmin.http.client_address import LIVE_PATH, READY_PATH
from promptadmin.http.middleware import to_path_without_slash
from promptadmin.http.own_address import START
from promptadmin.ops.health import health_alias, live, ready
from promptadmin.ops.metrics import metrics

api = build_api()
routes, app_name, namespace = api.urls

handler400 = "promptadmin.http.error_responses.bad_request"
handler403 = "promptadmin.http.error_responses.permission_denied"
handler500 = "promptadmin.http.error_responses.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name=START),
    # Where clients of PromptForge's last release ask; before the other one, whose patterns begin alike.
    path("api/apps/promptforge/", (routes, app_name, "promptforge-api")),
    *root_api_urls(),
    path("api/", (routes, app_name, namespace)),
    # By its name, unlike `include`, and so not before it is needed: a worker answers programs half a second sooner.
    URLResolver(RoutePattern("admin/"), "promptadmin.backoffice.urls", app_name="admin", namespace="admin"),
    path("health", health_alias),
    path("health/", to_path_without_slash),
    path(LIVE_PATH.removeprefix("/"), live),
    path(READY_PATH.removeprefix("/"), ready),
]
if settings.OIDC:
    urlpatterns.append(path("oidc/", include("promptadmin.contrib.oidc.urls")))
if settings.METRICS_TOKEN:
    urlpatterns.append(path("metrics", metrics))
