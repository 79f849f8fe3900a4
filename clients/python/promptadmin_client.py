"""Prompts by name and label from promptadmin, for programs that must go on when it doesn't answer.

One file without dependencies, for Python 3.10 and later: copy it into your program.

    prompts = PromptClient("https://prompts.example.com", token=os.environ["PROMPTADMIN_TOKEN"])
    prompt = prompts.get("support/refund", fallback="Answer {{customer}} politely.")
    text = prompt.compile(customer="Ana")

What was fetched is answered from memory for `ttl` seconds, and after that once more while a thread asks the server
whether it has changed. So a program that goes on asking sees a moved label `ttl` seconds later, plus the time of one
request; after more than `max_stale` seconds without asking, it waits for the server. Where the server doesn't answer,
`get` answers, whichever comes first: what is in memory, in `cache_dir`, in `bundle`, or `fallback`. With `bundle_key`,
which `promptadmin bundle --key` shows, a bundle that was changed is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import logging
import math
import os
import re
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

__all__ = ["NotFound", "Prompt", "PromptClient", "Refused", "Unavailable"]

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Fallback = str | Sequence[Message]
#: After a failure nobody waits for the server for so long, in seconds, where there is something else to answer.
PAUSE = 5.0
MOST_KEPT = 1000
#: No connection, no answer in time, no file, or no prompt in it.
BROKEN = (OSError, ValueError, KeyError, TypeError, http.client.HTTPException)
#: As promptadmin finds variables. In three braces or more `{{name}}` is none; in an f-string `{{` is a brace.
VARIABLES = {
    "mustache": re.compile(r"(?<!\{)\{\{[ \t]*(\w[\w.-]*)[ \t]*\}\}(?!\})"),
    "f-string": re.compile(r"\{\{|\}\}|\{(\w[\w.-]*)\}"),
}


class Unavailable(Exception):
    """The server couldn't be asked, and there is nothing else to answer."""


class NotFound(Exception):
    """The server has no such prompt, label or version."""


class Refused(Exception):
    """The server doesn't let this token in, or doesn't take the request; its message says why."""


@dataclass(frozen=True)
class Prompt:
    """One version of a prompt. `source` says where it came from: server, memory, disk, bundle or fallback.

    `version` is None for a fallback.
    """

    name: str
    version: int | None
    label: str | None
    kind: str
    text: str
    messages: list[Message] | None
    config: Any
    template_format: str
    variables: list[dict[str, Any]]
    source: str = "server"

    def compile(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> Any:
        """The text with values filled in or, of a chat, the messages.

        The value for a placeholder of a chat is a list of messages. Values are data: what stands in them is never read
        as a variable; those that are no texts are written as JSON. What has no value, nor a default, stays as it is.
        """
        defaults = {one["name"]: one["default"] for one in self.variables if one.get("default") is not None}
        filled = {name: value for name, value in {**defaults, **(values or {}), **more}.items() if value is not None}
        if self.messages is None:
            return self._filled(self.text, filled)
        messages: list[Message] = []
        for message in self.messages:
            if "role" in message:
                messages.append({**message, "content": self._filled(message["content"], filled)})
            else:
                given = filled.get(message["name"])
                messages.extend(given if isinstance(given, (list, tuple)) else [message])
        return messages

    def _filled(self, text: str, values: Mapping[str, Any]) -> str:
        pattern = VARIABLES.get(self.template_format)

        def value(match: re.Match[str]) -> str:
            if match[1] is None:  # a doubled brace of an f-string
                return match[0][0]
            if match[1] not in values:
                return match[0]
            found = values[match[1]]
            return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)

        return pattern.sub(value, text) if pattern else text


@dataclass
class _Kept:
    """A prompt with its ETag, and when the server last said that it is current, as time.time()."""

    prompt: Prompt
    etag: str
    checked_at: float
    #: When the server may be asked again, after a failure.
    ask_at: float = 0.0

    @property
    def age(self) -> float:
        """In seconds; where a clock was set back, more than any limit."""
        age = time.time() - self.checked_at
        return age if age >= 0 else math.inf


class PromptClient:
    """Fetches prompts and keeps them. One object serves all threads, and coroutines by `get_async`."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        ttl: float = 60.0,
        max_stale: float = 3600.0,
        timeout: float = 3.0,
        cache_dir: str | Path | None = None,
        bundle: str | Path | None = None,
        bundle_key: str | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._ttl, self._max_stale, self._timeout = ttl, max_stale, timeout
        self._directory = Path(cache_dir) if cache_dir else None
        self._bundle = _read_bundle(Path(bundle), bundle_key) if bundle else {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._refreshing: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._down_until = 0.0
        self._opener = urllib.request.build_opener(_NoRedirects)
        _clients.add(self)

    def get(
        self,
        name: str,
        label: str | None = None,
        *,
        version: int | None = None,
        key: str | None = None,
        fallback: Fallback | None = None,
    ) -> Prompt:
        """A prompt by its label, `production` unless said otherwise, or by its version.

        Of a label that is split over versions, a targeting `key` always gets the same one. Raises NotFound, Refused and
        Unavailable, but not where there is a fallback.
        """
        wanted = {"label": label, "version": version, "key": key}
        query = urllib.parse.urlencode({part: value for part, value in wanted.items() if value is not None})
        path = f"/api/prompts/{urllib.parse.quote(name)}" + (f"?{query}" if query else "")
        kept, source = self._in_memory(path), "memory"
        if kept is None:
            kept, source = self._on_disk(path), "disk"
        age = kept.age if kept else math.inf
        if kept and (version is not None or age < self._ttl or (source == "memory" and age < self._max_stale)):
            if source == "disk":
                self._keep(path, kept)
            elif version is None and age >= self._ttl:
                self._refresh_beside(path, kept)
            return replace(kept.prompt, source=source)
        other = replace(kept.prompt, source=source) if kept else self._other(name, label, version, fallback)
        if other is not None and time.time() < self._down_until:
            return other
        try:
            return self._fetch(path, kept)
        except Unavailable as failure:
            if other is None:
                raise
            logger.warning("promptadmin: %s is answered from %s: %s", name, other.source, failure)
            return other
        except (NotFound, Refused) as refused:
            if fallback is None:
                raise
            logger.warning("promptadmin: the fallback of %s is used: %s", name, refused)
            return _fallback(name, label, fallback)

    async def get_async(self, name: str, label: str | None = None, **more: Any) -> Prompt:
        """As `get`, in a thread beside the event loop."""
        return await asyncio.to_thread(self.get, name, label, **more)

    def _other(self, name: str, label: str | None, version: int | None, fallback: Fallback | None) -> Prompt | None:
        found = self._bundle.get((name.lower(), version if version is not None else label or "production"))
        if found is not None:
            return replace(found, source="bundle")
        return None if fallback is None else _fallback(name, label, fallback)

    def _fetch(self, path: str, kept: _Kept | None) -> Prompt:
        """Ask the server, and keep what it says. Raises NotFound, after which nothing is kept; Refused, Unavailable."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if kept is not None:
            headers["If-None-Match"] = kept.etag
        request = urllib.request.Request(self._base_url + path, headers=headers)  # noqa: S310  # the program's address
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                prompt = _prompt(json.load(answer))
                kept = _Kept(prompt, answer.headers.get("ETag") or "", time.time())
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 304 or kept is None:
                    raise self._failure(path, error) from None
                kept = _Kept(kept.prompt, kept.etag, time.time())
        except BROKEN as error:
            self._down_until = time.time() + PAUSE
            raise Unavailable(f"{self._base_url} doesn't answer: {error}") from error
        self._down_until = 0.0
        self._keep(path, kept)
        self._store(path, kept)
        return replace(kept.prompt, source="server")

    def _failure(self, path: str, error: urllib.error.HTTPError) -> Exception:
        try:
            detail, ours = str(json.load(error)["detail"]), True
        except BROKEN:
            detail, ours = f"{error.code} {error.reason}", False
        if error.code == 404 and ours:
            with self._lock:
                self._kept.pop(path, None)
            if file := self._file(path):
                file.unlink(missing_ok=True)
            return NotFound(detail)
        if error.code in (404, 408, 429) or error.code >= 500:  # also what a proxy says in the server's place
            self._down_until = time.time() + PAUSE
            return Unavailable(detail)
        return Refused(detail)

    def _refresh_beside(self, path: str, kept: _Kept) -> None:
        """Ask the server in a thread, unless one asks for this already or the server failed a moment ago."""
        with self._lock:
            running = self._refreshing.get(path)
            if (running is not None and running.is_alive()) or time.time() < max(kept.ask_at, self._down_until):
                return
            thread = threading.Thread(target=self._refresh, args=(path, kept), daemon=True, name="promptadmin")
            self._refreshing[path] = thread
            thread.start()

    def _refresh(self, path: str, kept: _Kept) -> None:
        try:
            self._fetch(path, kept)
        except (NotFound, Refused, Unavailable) as failure:
            kept.ask_at = time.time() + min(self._ttl, PAUSE)
            logger.warning("promptadmin: %s isn't refreshed: %s", path, failure)
        finally:
            with self._lock:
                self._refreshing.pop(path, None)

    def _in_memory(self, path: str) -> _Kept | None:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
            return self._kept.get(path)

    def _keep(self, path: str, kept: _Kept) -> None:
        with self._lock:
            self._kept[path] = kept
            self._kept.move_to_end(path)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def _file(self, path: str) -> Path | None:
        """Where a prompt is kept on disk; what single keys got isn't."""
        if self._directory is None or "key=" in path:
            return None
        return self._directory / f"{hashlib.sha256((self._base_url + path).encode()).hexdigest()}.json"

    def _on_disk(self, path: str) -> _Kept | None:
        file = self._file(path)
        try:
            stored = json.loads(file.read_text("utf-8")) if file else {}
            return _Kept(_prompt(stored["prompt"]), str(stored["etag"]), float(stored["checked_at"]))
        except BROKEN:
            return None

    def _store(self, path: str, kept: _Kept) -> None:
        """Write a prompt into the cache's directory, as a whole or not at all."""
        file = self._file(path)
        if file is None:
            return
        stored = {"etag": kept.etag, "checked_at": kept.checked_at, "prompt": kept.prompt.__dict__}
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as written:
                json.dump(stored, written)
            Path(written.name).replace(file)
        except OSError as error:
            logger.warning("promptadmin: nothing is kept in %s: %s", file.parent, error)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another server."""

    def redirect_request(self, *args: Any) -> None:
        return None


#: A lock that a thread held when the process was forked would never be free in the child.
_clients: weakref.WeakSet[PromptClient] = weakref.WeakSet()


def _after_fork() -> None:
    for client in _clients:
        client._lock = threading.Lock()  # noqa: SLF001  # our own
        client._refreshing = {}  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _prompt(answer: Mapping[str, Any]) -> Prompt:
    """A prompt as the API describes it. Raises KeyError and TypeError for what is none."""
    return Prompt(**{one.name: answer[one.name] for one in fields(Prompt) if one.name != "source"})


def _fallback(name: str, label: str | None, content: Fallback) -> Prompt:
    chat = None if isinstance(content, str) else [*content]
    text, kind = (content, "text") if isinstance(content, str) else ("", "chat")
    return Prompt(name, None, label, kind, text, chat, None, "mustache", [], source="fallback")


def _read_bundle(file: Path, key: str | None) -> dict[tuple[str, Any], Prompt]:
    """The prompts of a bundle by name in small letters, and by label and version.

    With a key, the signature is checked. Raises OSError, and ValueError for what was changed or is no bundle.
    """
    raw = file.read_bytes()
    if key is not None:
        signed = re.match(rb'\{"signature":"hmac-sha256:([0-9a-f]{64})",', raw)
        body = b"{" + raw[signed.end() :] if signed else b""
        right = hmac.new(bytes.fromhex(key), body, hashlib.sha256).hexdigest()
        if signed is None or not hmac.compare_digest(right, signed[1].decode()):
            raise ValueError(f"The signature of {file} doesn't fit: it was changed, or the key is another one")
    bundle = json.loads(raw)
    found: dict[tuple[str, Any], Prompt] = {}
    for one in bundle["prompts"]:
        prompt = _prompt(one)
        found[prompt.name.lower(), prompt.version] = prompt
        found[prompt.name.lower(), one.get("label") or bundle.get("label") or "production"] = prompt
    return found
