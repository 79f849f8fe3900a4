"""Hosts, origins and networks as people write them in settings: brought to the one form that works, or refused."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_NAME = r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*"
#: What addresses below a prefix may begin with: a prefix that is one of these couldn't be told from them.
OWN_WORDS = frozenset(
    {
        "admin",
        "api",
        "arize_phoenix_version",
        "beta",
        "health",
        "livez",
        "metrics",
        "ofrep",
        "oidc",
        "plugins",
        "readyz",
    }
    | {"static", "v1"}
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def host(setting: str, text: str) -> str:
    """A host name that requests may use, as ALLOWED_HOSTS takes it. Raises ImproperlyConfigured."""
    plain = text.lower().removesuffix(".")
    if plain == "*" or re.fullmatch(_NAME, plain.removeprefix(".")) or _is_bracketed(plain):
        return plain
    raise ImproperlyConfigured(
        f"{setting}: {text!r} is no host name: use the form prompts.example.com, without a scheme, a port or a path "
        "(also .example.com for all names below it, 10.0.0.1, [::1] in brackets; other alphabets as xn--…)."
    )


def origin(setting: str, text: str, *, wildcard: bool = False) -> str:
    """An origin as browsers send it: in small letters, without a slash and its scheme's own port.

    `wildcard` allows https://*.example.com. Raises ImproperlyConfigured.
    """
    plain = text.lower().rstrip("/")
    try:
        parts = urlsplit(plain)
        port, name = parts.port, parts.hostname or ""
    except ValueError:
        port, name, parts = None, "", urlsplit("")
    shown = f"[{name}]" if ":" in name else name
    checked = name.removeprefix("*.") if wildcard else name
    if (
        parts.scheme in _DEFAULT_PORTS
        and (re.fullmatch(_NAME, checked) or _is_bracketed(shown))
        and plain in (f"{parts.scheme}://{shown}", f"{parts.scheme}://{shown}:{port}")
        and port != 0
    ):
        return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")
    raise ImproperlyConfigured(
        f"{setting}: {text!r} is no origin: use the form https://prompts.example.com or http://host:port, "
        "without a path."
    )


def network(setting: str, text: str) -> str:
    """An address or a network, such as 10.0.0.0/8. Raises ImproperlyConfigured."""
    try:
        return str(ipaddress.ip_network(text.removeprefix("[").removesuffix("]"), strict=False))
    except ValueError:
        raise ImproperlyConfigured(
            f"{setting}: {text!r} is no address: use the form 10.0.0.1 or 10.0.0.0/8, without a name or a port."
        ) from None


def path_prefix(setting: str, text: str) -> str:
    """The path below which a proxy shows everything, such as /prompts; empty for none. Raises ImproperlyConfigured."""
    plain = text.rstrip("/")
    if not plain:
        return ""
    parts = plain.split("/")
    if parts[0] or any(not re.fullmatch(r"(?!\.+$)[A-Za-z0-9._~-]+", part) for part in parts[1:]):
        raise ImproperlyConfigured(
            f"{setting}={text!r}: use the form /prompts, of letters and digits of ASCII and . _ ~ - between slashes."
        )
    if parts[1] in OWN_WORDS:
        raise ImproperlyConfigured(
            f"{setting}={text!r}: promptadmin's own addresses begin with /{parts[1]}/: use another word, such as "
            "/prompts."
        )
    return plain


def host_pattern(setting: str, text: str) -> str:
    """A host that webhooks may go to, or *.example.com for all names below one. Raises ImproperlyConfigured."""
    has_port = ":" in text and not is_address(text.strip("[]"))
    if "*" in text.removeprefix("*.") or "/" in text or has_port or not text.removeprefix("*."):
        raise ImproperlyConfigured(
            f"{setting}: {text!r} is no host: use the form hooks.example.com or *.example.com, without a scheme or a "
            "port."
        )
    return text


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_bracketed(text: str) -> bool:
    try:
        return text[:1] == "[" and text[-1:] == "]" and bool(ipaddress.IPv6Address(text[1:-1]))
    except ValueError:
        return False
