"""ETags, and the requests that depend on them: If-None-Match on reading, If-Match on writing (RFC 9110, section 13).

A single resource's ETag stands for everything that reading it answers, unless its `tag` says otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from ninja import Status
from ninja.operation import Operation as NinjaOperation
from ninja.utils import contribute_operation_callback

from promptadmin.db.exact_json import dumps
from promptadmin.errors import PreconditionFailed

#: What `promptadmin.api.openapi` takes out of the document again.
HAS_ETAG = "x-has-etag"
#: What servers that compress answers on the way add to an ETag: Apache, Caddy, nginx's modules and CDNs.
ENCODING = re.compile(r"[-;:](?:x-)?(?:gzip|gz|br|zstd|deflate|compress|dcb|dcz)(?=\"$)", re.IGNORECASE)

Operation = TypeVar("Operation", bound=Callable[..., Any])
Record = TypeVar("Record")


def digest_tag(record: Any) -> str:
    """A strong ETag of all that a record says."""
    return text_tag(dumps(record, option=orjson.OPT_NON_STR_KEYS, default=_plain))


def text_tag(text: bytes) -> str:
    """A strong ETag of a text."""
    return f'"{hashlib.blake2b(text, digest_size=12).hexdigest()}"'


def _plain(value: Any) -> Any:
    """What orjson writes for a value that it doesn't know; of a named tuple, which it doesn't either, the values."""
    return list(value) if isinstance(value, tuple) else repr(value)


@dataclass(frozen=True)
class Resource:
    """What a writing operation changes: how to read it as its GET does, by the parameters of the path.

    `lock` is the row that everybody who changes it locks first: its model, the parameter with its key, and the field
    that this is a key by. Without that field it is the parameter's namesake where that is unique, else the primary key.
    None is for a resource that `read` itself locks.
    """

    read: Callable[..., Any]
    lock: tuple[type[models.Model], str] | tuple[type[models.Model], str, str] | None
    tag: Callable[[Any], str] = digest_tag

    def lock_row(self, parameters: dict[str, Any]) -> None:
        """Lock the row, where there is one."""
        if self.lock is None:
            return
        model, parameter, *named = self.lock
        field = named[0] if named else _key_field(model, parameter)
        list(model._default_manager.select_for_update().filter(**{field: parameters[parameter]}).values_list("pk"))


def _key_field(model: type[models.Model], parameter: str) -> str:
    unique = (field.name for field in model._meta.concrete_fields if field.unique and not field.is_relation)
    return parameter if parameter in unique else "pk"


def checks_if_match(resource: Resource) -> Callable[[Operation], Operation]:
    """Mark an operation that changes the resource: with `If-Match`, only as it was when the caller read it."""

    def mark(operation: Operation) -> Operation:
        operation.changes = resource  # type: ignore[attr-defined]  # read by expect_match
        contribute_operation_callback(operation, _say_so)
        return operation

    return mark


def _say_so(operation: NinjaOperation) -> None:
    operation.openapi_extra = {**(operation.openapi_extra or {}), HAS_ETAG: True}


def expect_match(request: HttpRequest, operation: Callable[..., Any], parameters: dict[str, Any]) -> None:
    """Raise PreconditionFailed if `If-Match` names another state than the resource has now.

    To be called in the write session of the change.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return
    resource: Resource | None = getattr(operation, "changes", None)
    if resource is None:
        raise PreconditionFailed("Nothing was changed: this has no ETag that If-Match could be compared with")
    resource.lock_row(parameters)
    current = resource.tag(resource.read(**parameters))
    if not _matches(header, current):
        raise PreconditionFailed(f"It has been modified since your last read: its ETag is {current}")


def with_etag(response: HttpResponse, record: Record, tag: Callable[[Any], str] = digest_tag) -> Record:
    """The record, whose ETag the answer gets."""
    response["ETag"] = tag(record)
    return record


def unless_known(
    request: HttpRequest, response: HttpResponse, record: Record, tag: Callable[[Any], str] = digest_tag
) -> Record | Status[None]:
    """What a GET answers: the record with its ETag, or 304 where `If-None-Match` names that."""
    with_etag(response, record, tag)
    return Status(304, None) if is_known(request, response["ETag"]) else record


def is_known(request: HttpRequest, tag: str) -> bool:
    """Whether `If-None-Match` names an ETag."""
    known = request.META.get("HTTP_IF_NONE_MATCH")
    return known is not None and _matches(known, tag)


def _matches(header: str, tag: str) -> bool:
    """Whether a list of ETags, or `*`, has this one.

    A weak one counts as well, also where the standard asks for strong ones, and so does one with the name of an
    encoding: compressing an answer on the way changes ours so, and they stand for what is said, not for its bytes.
    """
    return header.strip() == "*" or tag in (ENCODING.sub("", known.removeprefix("W/")) for known in parse_etags(header))
