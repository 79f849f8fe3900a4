"""Whose requests are whose: the one rule for limits, lockouts and the change log."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The IP address of the client; empty where the server knows none.

    `X-Forwarded-For` counts only when a trusted proxy sent it, and only its last item, which that proxy has added.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if address in settings.TRUSTED_PROXIES:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")[-1].strip()
        return forwarded if is_address(forwarded) else address
    return address


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether an IP address, or the name localhost, is this machine's own."""
    return address == "localhost" or (is_address(address) and ipaddress.ip_address(address).is_loopback)
