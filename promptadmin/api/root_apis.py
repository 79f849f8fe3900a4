"""Plugins' APIs at addresses of their own, where clients of other products ask: our access, their form of errors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLResolver, path
from django.utils.module_loading import import_string
from ninja import NinjaAPI

from promptadmin.api.app import ERROR_HANDLERS, Api, FastParser, FastRenderer, add_behaviour
from promptadmin.api.auth import TokenThrottle, token_access
from promptadmin.http.responses import to_json
from promptadmin.plugins.declarations import RootApi, enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

ErrorBody = Callable[[int, str], Any]
NOT_AUTHENTICATED = (
    "Not authenticated: send an API token of promptadmin as 'Authorization: Bearer …', or as the password of Basic "
    "authentication"
)


def root_api_urls() -> Iterator[URLResolver]:
    """The addresses of all of them."""
    for plugin in enabled_plugins():
        for declared in plugin.root_apis:
            with isolate_plugin_errors(plugin.label, f"its API {declared.name!r}"):
                yield path(declared.path, _build(declared).urls)


def _build(declared: RootApi) -> NinjaAPI:
    api = Api(
        title=declared.name,
        docs_url=None,
        openapi_url=None,
        auth=token_access(),
        throttle=[TokenThrottle()] if settings.RATE_LIMIT_RPM else [],
        parser=FastParser(),
        renderer=FastRenderer(),
        urls_namespace=f"root-api-{declared.name}",
    )
    add_behaviour(api)
    error_body = import_string(declared.error_body)
    for error, handler in ERROR_HANDLERS.items():
        api.add_exception_handler(error, functools.partial(_in_its_form, handler=handler, form=error_body, api=api))
    api.add_router("", import_string(declared.router))
    return api


def _in_its_form(
    request: HttpRequest, error: Any, *, handler: Callable[..., HttpResponse], form: ErrorBody, api: NinjaAPI
) -> HttpResponse:
    """The platform's answer to an error, with another body. What is 422 there is 400 for these clients."""
    response = handler(request, error, api=api)
    if response.status_code == 422:
        response.status_code = 400
    detail = NOT_AUTHENTICATED if response.status_code == 401 else _words(orjson.loads(response.content)["detail"])
    response.content = to_json(form(response.status_code, detail))
    return response


def _words(detail: Any) -> str:
    """What is wrong, as one text: a list has an error for each field."""
    if isinstance(detail, str):
        return detail
    return "; ".join(f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in detail)
