"""Whose requests are whose: the one rule for limits, lockouts, the change log and the access log."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from promptadmin.conf.network_names import is_address

#: Whether this process answers at all, whatever its database does: what fails here is ended and started anew.
LIVE_PATH = "/livez"
#: Whether it can serve: what fails here gets no requests for a while.
READY_PATH = "/readyz"
#: Where everybody is answered whether the product works: load balancers ask by address, and without TLS.
HEALTH_ADDRESSES = r"((api/)?health/?|livez|readyz)$"
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](:[0-9]*)?|(?P<v4>[0-9.]+):[0-9]*")


def client_address(request: HttpRequest) -> str:
    """The IP address of the client; empty where the server knows none."""
    return address_of(request.META)


def address_of(environ: Mapping[str, Any]) -> str:
    """The IP address of the client in a WSGI environment; empty where the server knows none.

    `X-Forwarded-For` counts only when a trusted proxy sent it, and only its last item, which that proxy has added.
    """
    address = str(environ.get("REMOTE_ADDR", ""))
    if settings.TRUSTED_PROXIES and _is_trusted(address, tuple(settings.TRUSTED_PROXIES)):
        forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2]
        return read_address(forwarded) or address
    return address


def read_address(text: str) -> str:
    """The IP address in an item of `X-Forwarded-For`, which some proxies write with a port, brackets or quotes.

    Empty where there is none.
    """
    plain = text.strip().strip('"').strip()
    if found := _WITH_PORT.fullmatch(plain):
        plain = found["v6"] or found["v4"] or ""
    try:
        return str(_plain(ipaddress.ip_address(plain)))
    except ValueError:
        return ""


@functools.lru_cache(maxsize=1024)
def _is_trusted(address: str, proxies: tuple[str, ...]) -> bool:
    if not is_address(address):
        return False
    found = _plain(ipaddress.ip_address(address))
    return any(found in ipaddress.ip_network(proxy, strict=False) for proxy in proxies)


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 address also where a server that listens on IPv6 calls it ::ffff:192.0.2.1."""
    return getattr(address, "ipv4_mapped", None) or address


def asks_for_health(path: str) -> bool:
    """Whether a request's path is one of those that answer whoever asks."""
    return bool(re.match(HEALTH_ADDRESSES, path.removeprefix("/")))


def is_loopback(address: str) -> bool:
    """Whether an IP address, or the name localhost, is this machine's own."""
    return address == "localhost" or (is_address(address) and ipaddress.ip_address(address).is_loopback)
