"""Where webhooks may go: to the hosts of PROMPTADMIN_WEBHOOKS_HOSTS.

To those of them that are in own networks only where PROMPTADMIN_WEBHOOKS_PRIVATE allows it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

#: Ways of IPv6 to IPv4 addresses, which a gateway may take for those of its own network; and old private ones.
TRANSLATED = tuple(
    ipaddress.ip_network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)
ONCE_PRIVATE = (ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("192.88.99.0/24"))


DEFAULT_PORTS = {"http": 80, "https": 443}
PRINTABLE = re.compile("[!-~]+")
LABEL = re.compile("[A-Za-z0-9_-]{1,63}")
HEXADECIMAL = re.compile("0[xX][0-9a-fA-F]*")
AUTHORITY = re.compile(r"[^\[\]]*|\[[^\[\]]*\](?::.*)?")
LONGEST_NAME = 253
AS_IN = "Write an address as in https://example.com/hook."


class AddressRefused(Exception):
    """An address that webhooks don't go to."""


@dataclass(frozen=True)
class Address:
    """An address of HTTP, in its parts. `target` is what the request line says: the path and the query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_address(url: object) -> Address:
    """The parts of an address. Raises AddressRefused, which says what to write instead, where no request can go."""
    if not isinstance(url, str) or not PRINTABLE.fullmatch(url):
        raise AddressRefused(
            "Write the address without blanks, and in ASCII: %20 for a blank, %C3%BC for ü, and a host's name as in "
            "xn--bcher-kva.example."
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:  # brackets that aren't closed, or hold no address
        raise AddressRefused(AS_IN) from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not AUTHORITY.fullmatch(parts.netloc):
        raise AddressRefused(AS_IN)
    if "@" in parts.netloc:
        raise AddressRefused("Leave names and passwords out: the signature shows who sends.")
    try:
        port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port or parts.netloc.endswith(":"):
        raise AddressRefused("The port is a number from 1 to 65535: correct it, or leave it out with its colon.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, _readable_host(parts.hostname, parts.netloc), port, target)


def _readable_host(host: str, netloc: str) -> str:
    """A host that may exist: an IP address, or a name, without the dot that may end a name."""
    if netloc.startswith("["):
        try:
            ipaddress.IPv6Address(host)
        except ValueError as error:
            raise AddressRefused(AS_IN) from error
        return host
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > LONGEST_NAME or not all(map(LABEL.fullmatch, labels)):
        raise AddressRefused(f"{host} is no name of a host: {AS_IN[0].lower()}{AS_IN[1:]}")
    if labels[-1].isdigit() or HEXADECIMAL.fullmatch(labels[-1]):  # what ends with a number is an IPv4 address
        try:
            socket.inet_aton(host)
        except OSError as error:
            raise AddressRefused(f"{host} is no IP address: write it as in 192.0.2.1.") from error
    return name


def validate_address(url: str) -> None:
    """Raise ValidationError for an address that nothing can ever be delivered to."""
    try:
        host = read_address(url).host
        with contextlib.suppress(ValueError):  # a name, which is looked up at each delivery
            check_ip(host)
        check_host(host)
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
