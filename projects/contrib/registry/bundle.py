"""Bundles: all prompts of a label in one file, for programs that have to start without this server.

A bundle is one JSON object. It begins with its signature, so that what is signed are the bytes behind it:

    {"signature":"hmac-sha256:<64 hexadecimal digits>","format":1,"label":"production","prefix":null,"prompts":[…]}

The signature is HMAC-SHA256 over all bytes but `"signature":"…",`. It is HMAC, and no signature by a private key:
a program shall be able to check it with Python's standard library, which has nothing else. Its key is derived from
the installation's secret key, and opens nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Any

import orjson
from django.conf import settings
from django.utils.crypto import salted_hmac

from promptadmin.errors import Invalid
from promptadmin.http.responses import ready_json

FORMAT = 1
_SIGNED = re.compile(rb'\{"signature":"hmac-sha256:([0-9a-f]{64})",')


def bundle_key() -> str:
    """The key with which programs check bundles of this installation, in hexadecimal digits."""
    return salted_hmac("promptadmin.registry.bundle", "key", secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()


def write_bundle(label: str, prefix: str | None, prompts: Iterable[dict[str, Any]]) -> bytes:
    """The bytes of a bundle: the same for the same prompts, which are as the API answers them."""
    parts = [ready_json({"format": FORMAT, "label": label, "prefix": prefix})[:-1], b',"prompts":[']
    parts.append(b",\n".join(ready_json(found) for found in prompts))
    body = b"".join([*parts, b"]}\n"])
    return b'{"signature":"hmac-sha256:' + _signature(body, bundle_key()).encode() + b'",' + body[1:]


def read_bundle(raw: bytes, key: str) -> dict[str, Any]:
    """What stands in a bundle. Raises Invalid where it isn't as it was signed."""
    found = _SIGNED.match(raw)
    if found is None:
        raise Invalid("This is no bundle: its first bytes aren't a signature")
    signature = _signature(b"{" + raw[found.end() :], key)
    if not hmac.compare_digest(signature, found[1].decode()):
        raise Invalid("The signature doesn't fit: the bundle was changed, or its installation has another key")
    content: dict[str, Any] = orjson.loads(raw)
    return content


def _signature(body: bytes, key: str) -> str:
    return hmac.new(bytes.fromhex(key), body, hashlib.sha256).hexdigest()
