"""The JSON API: one NinjaAPI with access, errors and sessions for all, on which every plugin mounts its router."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import orjson
from csp.decorators import csp
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.decorators.http import require_http_methods
from ninja import NinjaAPI, Router, Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError, ValidationErrorContext
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import Field

from promptadmin import __version__
from promptadmin.api import openapi
from promptadmin.api.auth import AddressThrottle, LacksScope, TokenThrottle, access, belonging_to
from promptadmin.api.etags import expect_match
from promptadmin.api.idempotency import once, replaying
from promptadmin.api.unknown_arguments import UnknownArguments, errors_in, noting_what_it_takes, refusing_unknown
from promptadmin.compat import places_of_parameters, source_of_parameters
from promptadmin.db import exact_json
from promptadmin.db.sessions import in_read_session
from promptadmin.errors import Busy, DomainError, TooMany
from promptadmin.http import error_responses
from promptadmin.http.csp import DOCUMENTATION
from promptadmin.http.methods import READING_METHODS
from promptadmin.http.responses import DeferredResponse, to_json
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors


class ErrorOut(Schema):
    """An error, with what is wrong in words."""

    detail: str = Field(examples=["Project not found"])


class InvalidField(Schema):
    """One field that doesn't hold what it should."""

    type: str = Field(examples=["missing"])
    loc: list[str | int] = Field(examples=[["body", "name"]])
    msg: str = Field(examples=["Field required"])


class ValidationErrorOut(Schema):
    """A request whose fields don't hold what they should."""

    detail: list[InvalidField]


def errors(*statuses: int) -> dict[int, Any]:
    """The error answers that an operation declares, on top of those that every one has."""
    common = {401: ErrorOut, 403: ErrorOut, 422: ValidationErrorOut, 429: ErrorOut}
    return {**common, **dict.fromkeys(statuses, ErrorOut)}


class FastParser(Parser):
    """Reads request bodies; `parse_body` errors become PromptForge's 422."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body's JSON value. Raises ninja's ValidationError for what isn't JSON."""
        try:
            request.parsed_body = value = exact_json.loads(request.body)  # type: ignore[attr-defined]  # see Takes
            return value
        except orjson.JSONDecodeError as error:
            raise ValidationError(
                [
                    {
                        "type": "json_invalid",
                        "loc": ["body", error.pos],
                        "msg": "JSON decode error",
                        "input": {},
                        "ctx": {"error": error.msg},
                    }
                ]
            ) from error


class FastRenderer(BaseRenderer):
    """Writes answers: times in UTC with Z, and microseconds only where there are some."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """The JSON text of an answer."""
        return to_json(data)


def in_session(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Run an operation in a read session or, where its method may change data, in a write session.

    There, what the request's headers ask for holds: `If-Match`, and `Idempotency-Key`.

    The write is committed before the answer is built: an answer means it is done.
    """

    @functools.wraps(operation)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method in READING_METHODS:
            return in_read_session(lambda: operation(request, *args, **kwargs))

        def write() -> Any:
            expect_match(request, operation, kwargs)
            return operation(request, *args, **kwargs)

        answer = once(request, write)
        return answer.make() if isinstance(answer, DeferredResponse) else answer

    return operation if getattr(operation, "opens_own_session", False) else wrapper


def opens_own_session(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Mark an operation that opens its sessions itself, because it streams or needs none."""
    operation.opens_own_session = True  # type: ignore[attr-defined]  # read by in_session
    return operation


class Docs(Swagger):
    """The page with the API's documentation; ninja's own would load its scripts from another host."""

    @method_decorator(csp(DOCUMENTATION))
    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """The page, with ninja's template and scripts."""
        described = json.dumps({**self.settings, "url": self.get_openapi_url(api, kwargs)})
        return render(request, self.template, {"swagger_settings": described, "api": api, "add_csrf": True})


class Api(NinjaAPI):
    """ninja's API, with validation errors as PromptForge's clients know them."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, **kwargs: Any) -> OpenAPISchema:
        """The document, with what holds for every operation. A prefix of all addresses stands in `servers` alone."""
        path_prefix = path_prefix or self.get_root_path({}).removeprefix(settings.PATH_PREFIX)
        document = super().get_openapi_schema(path_prefix=path_prefix, **kwargs)
        openapi.complete(document)
        return document

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """Pydantic's errors with their input, at places without the names of our parameter objects."""
        found: list[dict[str, Any]] = []
        for context in error_contexts:
            source, names = source_of_parameters(context), places_of_parameters(context)
            for error in context.pydantic_validation_error.errors(include_url=False):
                place = names.get(error["loc"], error["loc"])
                # A body is one object, whose name is the first part of the place; so is a group of query parameters.
                inner = place[1:] if source == "body" or len(place) > 1 else place
                found.append({**error, "loc": [source, *inner]})
        return ValidationError(found)


def build_api() -> NinjaAPI:
    """The API with every enabled plugin's router."""
    api = Api(
        title="promptadmin",
        version=__version__,
        description="Projects, prompts, their versions, and optimisation runs.",
        docs=Docs(),
        docs_url="/docs",
        docs_decorator=require_http_methods(["GET", "HEAD", "OPTIONS"]),
        openapi_url="/openapi.json",
        servers=[{"url": settings.PATH_PREFIX}] if settings.PATH_PREFIX else [],
        auth=access(),
        throttle=[TokenThrottle()] if settings.RATE_LIMIT_RPM else [],
        parser=FastParser(),
        renderer=FastRenderer(),
        urls_namespace="api",
    )
    add_behaviour(api)
    for error, handler in ERROR_HANDLERS.items():
        api.add_exception_handler(error, functools.partial(handler, api=api))
    api.add_router("", "promptadmin.ops.health.router")
    for plugin in enabled_plugins():
        if plugin.api_router:
            with isolate_plugin_errors(plugin.label, "its API router"):  # and `check` says what is wrong with it
                router = import_string(plugin.api_router)
                if not isinstance(router, Router):
                    raise TypeError(f"{plugin.api_router} is no ninja.Router")
                # Around the plugin's, which stays as it is.
                outer = Router()
                outer.add_decorator(belonging_to(plugin), mode="view")
                outer.add_router("", router)
                api.add_router("", outer)
    return api


def add_behaviour(api: NinjaAPI) -> None:
    """What holds for every operation: its session, its headers, and that nothing unknown is ignored."""
    api.add_decorator(in_session, mode="operation")
    api.add_decorator(refusing_unknown, mode="operation")
    api.add_decorator(replaying, mode="view")
    api.add_decorator(noting_what_it_takes, mode="view")


def _refused(request: HttpRequest, error: DomainError, *, api: NinjaAPI) -> HttpResponse:
    response = api.create_response(request, {"detail": str(error)}, status=error.status)
    if isinstance(error, TooMany | Busy):
        response["Retry-After"] = str(error.retry_after)
    return response


def _lacks_scope(request: HttpRequest, error: LacksScope, *, api: NinjaAPI) -> HttpResponse:
    """Counted like a request that is let in; those are counted after the question whose it is."""
    request.auth = error.caller  # type: ignore[attr-defined]  # as ninja does
    throttle = TokenThrottle() if settings.RATE_LIMIT_RPM else None
    if throttle and not throttle.allow_request(request):
        return _throttled(request, Throttled(wait=round(throttle.wait() or 0)), api=api)
    return _refused(request, error, api=api)


def _http_error(request: HttpRequest, error: HttpError, *, api: NinjaAPI) -> HttpResponse:
    if isinstance(error.__cause__, ValidationError):  # ninja makes a 400 of whatever the parser raises
        return _invalid(request, error.__cause__, api=api)
    if isinstance(error.__cause__, RequestDataTooBig):
        return _too_large(request, error.__cause__, api=api)
    return api.create_response(request, {"detail": str(error)}, status=error.status_code)


def _unauthenticated(request: HttpRequest, error: AuthenticationError, *, api: NinjaAPI) -> HttpResponse:
    throttle = AddressThrottle()
    if not throttle.allow_request(request):
        return _throttled(request, Throttled(wait=round(throttle.wait() or 0)), api=api)
    detail = "Not authenticated: send an API token as 'Authorization: Bearer …', or sign in as staff."
    response = api.create_response(request, {"detail": detail}, status=401)
    response["WWW-Authenticate"] = "Bearer"
    return response


def _throttled(request: HttpRequest, error: Throttled, *, api: NinjaAPI) -> HttpResponse:
    response = api.create_response(request, {"detail": "Rate limit exceeded. Try again later."}, status=429)
    response["Retry-After"] = str(max(1, round(error.wait or 60)))
    return response


def _invalid(request: HttpRequest, error: ValidationError, *, api: NinjaAPI) -> HttpResponse:
    found = error.errors if isinstance(error, UnknownArguments) else [*error.errors, *errors_in(request)]
    try:
        return api.create_response(request, {"detail": found}, status=422)
    except TypeError:  # an input that came as JSON, but is too deep to be sent back as JSON
        without_input = [{name: item[name] for name in ("type", "loc", "msg")} for item in found]
        return api.create_response(request, {"detail": without_input}, status=422)


def _too_many_fields(request: HttpRequest, error: TooManyFieldsSent, *, api: NinjaAPI) -> HttpResponse:
    message = f"At most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} query parameters can be given"
    place = {"type": "too_long", "loc": ["query"], "msg": message, "input": None}
    return api.create_response(request, {"detail": [place]}, status=422)


def _too_large(request: HttpRequest, error: RequestDataTooBig, *, api: NinjaAPI) -> HttpResponse:
    return error_responses.answer(request, error_responses.too_large(error))


def _unforeseen(request: HttpRequest, error: Exception, *, api: NinjaAPI) -> HttpResponse:
    error_responses.log_failure(request, error)
    return error_responses.failed(request, error)


ERROR_HANDLERS: dict[type[Exception], Callable[..., HttpResponse]] = {
    DomainError: _refused,
    LacksScope: _lacks_scope,
    HttpError: _http_error,
    AuthenticationError: _unauthenticated,
    Throttled: _throttled,
    ValidationError: _invalid,
    RequestDataTooBig: _too_large,
    TooManyFieldsSent: _too_many_fields,
    Exception: _unforeseen,
}
