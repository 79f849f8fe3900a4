"""The plugins' ASGI applications at their addresses, each with the lifespan that it expects."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from promptadmin.http.middleware import constant_headers
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

PREFIX = "/plugins/"
#: The name under which their server is `promptadmin.db.process_locks.running`.
PLUGIN_SERVER = "plugin server"


def plugin_applications() -> dict[str, Application]:
    """The ASGI application of each enabled plugin that has one, by label."""
    found: dict[str, Application] = {}
    for plugin in enabled_plugins():
        if plugin.asgi_application:
            with isolate_plugin_errors(plugin.label, "its ASGI application"):
                found[plugin.label] = import_string(plugin.asgi_application)
    return found


class Mounts:
    """Sends what comes below `/plugins/<label>/` to that plugin's application, and everything else to another one."""

    def __init__(self, applications: Mapping[str, Application], other: Any) -> None:
        self.applications = applications
        self.other = other

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle a connection, or the server's own start and stop."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif settings.METRICS and scope["type"] == "http":
            await self._counted(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _counted(self, scope: Message, receive: Receive, send: Send) -> None:
        from promptadmin.conf.counters import count_request

        began, status = time.perf_counter(), "500"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._answer(scope, receive, noting)
        finally:
            label = scope["path"].removeprefix(settings.PATH_PREFIX).removeprefix(PREFIX).partition("/")[0]
            route = f"{PREFIX[1:]}{label}/" if label in self.applications else ""
            count_request(scope["method"], route, status, time.perf_counter() - began)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        root = settings.PATH_PREFIX or scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        label, _, rest = path.removeprefix(PREFIX).partition("/")
        application = self.applications.get(label) if path.startswith(PREFIX) else None
        if application is None:
            await self.other({**scope, "path": f"{root}{path}"}, receive, send)
            return
        mounted = {**scope, "root_path": f"{root}{PREFIX}{label}", "path": f"/{rest}"}
        mounted["raw_path"] = mounted["path"].encode()
        await application(mounted, receive, self._with_headers(send))

    @functools.cached_property
    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.lower().encode(), value.encode()) for name, value in constant_headers(settings.HTTPS).items()]

    def _with_headers(self, send: Send) -> Send:
        """The headers of every answer, where the application doesn't say something else; Django sets its own itself."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                said = {bytes(name).lower() for name, _ in headers}
                message = {
                    **message,
                    "headers": headers + [header for header in self._headers if header[0] not in said],
                }
            await send(message)

        return send_with_headers

    async def _live(self, scope: Message, receive: Receive, send: Send) -> None:
        lives = [_Life(label, application, scope) for label, application in self.applications.items()]
        await receive()
        for life in lives:
            await life.tell("lifespan.startup")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for life in lives:
            await life.tell("lifespan.shutdown")
        await send({"type": "lifespan.shutdown.complete"})


class _Life:
    """One application's lifespan. One that knows no lifespan raises, as ASGI says, and serves all the same."""

    def __init__(self, label: str, application: Application, scope: Message) -> None:
        self.label = label
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.outbox: asyncio.Queue[Message] = asyncio.Queue()
        self.task = asyncio.ensure_future(application({**scope}, self.inbox.get, self.outbox.put))

    async def tell(self, event: str) -> None:
        """Send an event, and wait until the application has dealt with it."""
        if self.task.done():
            return
        await self.inbox.put({"type": event})
        answer = asyncio.ensure_future(self.outbox.get())
        await asyncio.wait({answer, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and answer.result()["type"].endswith(".failed"):
            logger.error("Plugin %s: %s failed: %s", self.label, event, answer.result().get("message", ""))
        if not answer.done():
            answer.cancel()
            logger.debug("Plugin %s has no lifespan: %s", self.label, self.task.exception())
