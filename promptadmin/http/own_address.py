"""Where this installation is, for programs and people who keep its address."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

#: The name of the address that all others begin with.
START = "start"


def own_address(request: HttpRequest) -> str:
    """The address that clients are given, as whoever asks knows it: without a slash at its end."""
    return request.build_absolute_uri(reverse(START)).rstrip("/")
