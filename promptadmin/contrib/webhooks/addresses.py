"""Where webhooks may go: to the hosts of PROMPTADMIN_WEBHOOKS_HOSTS.

To those of them that are in own networks only where PROMPTADMIN_WEBHOOKS_PRIVATE allows it.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

#: Ways of IPv6 to IPv4 addresses, which a gateway may take for those of its own network; and old private ones.
TRANSLATED = tuple(
    ipaddress.ip_network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)
ONCE_PRIVATE = (ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("192.88.99.0/24"))


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
    try:
        check_host(parts.hostname)
    except AddressRefused as refused:
        raise ValidationError(str(refused)) from refused


def check_host(host: str) -> None:
    """Raise AddressRefused unless the operator has listed it: `*.example.com` lists every name below, not that one."""
    name = _plain(host)
    for listed in map(_plain, settings.WEBHOOKS_HOSTS):
        if name == listed or (listed.startswith("*.") and name.endswith(listed[1:]) and name != listed[1:]):
            return
    raise AddressRefused(
        f"{name} is not among the hosts that webhooks may go to: add it to PROMPTADMIN_WEBHOOKS_HOSTS and restart."
    )


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host.

    Raises OSError if it has none, AddressRefused if it isn't listed or one of them is private.
    """
    check_host(host)
    found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    for address in found:
        check_ip(address)
    return found


def check_ip(address: str) -> None:
    """Raise AddressRefused for one of an own network, ValueError for what is no IP address."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    reserved = any(ip in network for network in (*TRANSLATED, *ONCE_PRIVATE))
    if not settings.WEBHOOKS_PRIVATE and (not ip.is_global or ip.is_multicast or reserved):
        raise AddressRefused(f"{ip} is a private address: PROMPTADMIN_WEBHOOKS_PRIVATE=1 lets webhooks go to those.")
