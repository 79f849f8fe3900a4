"""A browser without scripts: it keeps each cookie for its host and path, and shows each redirection."""

from __future__ import annotations

import html
import http.client
import http.cookiejar
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin

FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    address: str
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def leads_to(self) -> str:
        """The whole address that a redirection names."""
        return urljoin(self.address, self.headers.get("Location", ""))

    @property
    def words(self) -> str:
        """The text of a page, without its tags."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.text)).split())


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


class Browser:
    def __init__(self, origin: str, *handlers: urllib.request.BaseHandler) -> None:
        self.origin = origin
        # It takes a host without a dot for one of another kind.
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(*handlers, Stay(), urllib.request.HTTPCookieProcessor(self.jar))

    def ask(self, address: str, fields: dict[str, str] | None = None, **headers: str) -> Answer:
        whole = urljoin(self.origin, address)
        body = None if fields is None else urlencode(fields).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(urllib.request.Request(whole, body, {"Referer": whole, "Accept": "text/html"} | sent))

    def send(self, request: urllib.request.Request) -> Answer:
        try:
            answer = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return Answer(request.full_url, answer.status, answer.headers, answer.read().decode(errors="replace"))

    def cookies(self, address: str) -> dict[str, str]:
        """The values of the cookies that go to an address, by their names."""
        request = urllib.request.Request(urljoin(self.origin, address))
        self.jar.add_cookie_header(request)
        return dict(part.split("=", 1) for part in request.get_header("Cookie", "").split("; ") if part)

    def submit(self, address: str, **fields: str) -> Answer:
        """Send the form of a page, or the one that its frame has, to the address that it was read from."""
        return self.ask(address, {"csrfmiddlewaretoken": self.form_token(address), **fields})

    def form_token(self, address: str) -> str:
        """What a form of this page brings with it against forgery."""
        [token] = set(FORM_TOKEN.findall(self.ask(address).text))
        return str(token)

    def sign_in(self, admin: str, user: str, password: str) -> Answer:
        """Sign in at the back-office with this address."""
        return self.submit(f"{admin}login/?{urlencode({'next': admin})}", username=user, password=password)

    def sign_out(self, admin: str) -> Answer:
        return self.ask(f"{admin}logout/", {"csrfmiddlewaretoken": self.form_token(admin)})
