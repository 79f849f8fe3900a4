"""Where webhooks may go: to the internet and, only where PROMPTADMIN_WEBHOOKS_PRIVATE allows it, to own networks."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError


class AddressRefused(Exception):
    """An address that webhooks don't go to."""


def validate_address(url: str) -> None:
    """Raise ValidationError for an address that nothing can ever be delivered to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("Write an address as in https://example.com/hook.")
    if parts.username or parts.password:
        raise ValidationError("Leave names and passwords out: the signature shows who sends.")
    try:
        check_ip(parts.hostname)
    except AddressRefused as refused:
        raise ValidationError(str(refused)) from refused
    except ValueError:
        pass  # a name, which is looked up at each delivery


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host. Raises OSError if it has none, AddressRefused if one of them is private."""
    found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    for address in found:
        check_ip(address)
    return found


def check_ip(address: str) -> None:
    """Raise AddressRefused for one of an own network, ValueError for what is no IP address."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if not settings.WEBHOOKS_PRIVATE and (not ip.is_global or ip.is_multicast):
        raise AddressRefused(f"{ip} is a private address: PROMPTADMIN_WEBHOOKS_PRIVATE=1 lets webhooks go to those.")
