"""What the OpenAPI document says of every operation, so that no operation has to."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from promptadmin.api.etags import HAS_ETAG
from promptadmin.http.methods import READING_METHODS

ERROR = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}}
RETRY_AFTER = {
    "Retry-After": {"description": "In so many seconds it is worth trying again.", "schema": {"type": "string"}}
}
UNAVAILABLE = {
    "description": "The database is busy, can't be reached or written to, or reading took too long",
    "headers": RETRY_AFTER,
    **ERROR,
}
TOO_LARGE = {"description": "The body is larger than the limit that `detail` names", **ERROR}
NO_LENGTH = {"description": "The body came in chunks, without a Content-Length", **ERROR}
DISK_FULL = {"description": "The disk is full: nothing was changed", **ERROR}
MOVED = {"description": "It is no longer as `If-Match` says: nothing was changed", **ERROR}
NOT_KEPT = {"description": "Done before with this key, and the answer was too large to be kept", **ERROR}
#: What Pythons before 3.13 call these statuses, so that the document is the same on all.
PHRASES = {"413": "Request Entity Too Large", "422": "Unprocessable Entity"}
ETAG = {"ETag": {"description": "Stands for what was answered.", "schema": {"type": "string"}}}
REPLAYED = {
    "Idempotency-Replayed": {"description": "`true` where the key was used before.", "schema": {"type": "string"}}
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "ETags, or `*`: 412 unless one is the ETag that the resource has now.",
    "schema": {"type": "string"},
    "example": "*",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags: 304 if one is the ETag that the resource has now.",
    "schema": {"type": "string"},
    "example": '"3"',
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Any text that is new for each request: sent again with the same key within 24 hours, the request "
    "is not done again, and gets the same answer. 422 if another request had the key.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "0a5c1f0e-6f6e-4c5b-9d5d-0d7a3e0b7f11",
}


def complete(document: dict[str, Any]) -> None:
    """Add to a document what holds for all operations of a method."""
    found = list(operations(document))
    tagged = [_schema_of(operation) for _, operation in found if _can_be_known(operation)]
    for method, operation in found:
        _move_examples(operation)
        close(document, operation)
        answers: dict[str, Any] = {"503": UNAVAILABLE}
        headers: dict[str, Any] = {}
        parameters: list[Any] = []
        has_etag = operation.pop(HAS_ETAG, False)
        if method not in READING_METHODS:
            answers["507"] = DISK_FULL
            if "requestBody" in operation:
                answers |= {"411": NO_LENGTH, "413": TOO_LARGE}
            if has_etag or method != "POST":
                parameters.append(IF_MATCH)
                answers["412"] = MOVED
        if method == "POST":
            parameters.append(IDEMPOTENCY_KEY)
            headers |= REPLAYED
            answers["409"] = NOT_KEPT
        if _can_be_known(operation):
            parameters.append(IF_NONE_MATCH)
        if _schema_of(operation) in tagged:
            headers |= ETAG
        _add(operation, answers, headers, parameters)


def _add(operation: dict[str, Any], answers: dict[str, Any], headers: dict[str, Any], parameters: list[Any]) -> None:
    """Add answers, parameters, and headers of the answers that are no errors; what it states itself stays."""
    stated = {str(status): answer for status, answer in operation["responses"].items()}
    operation["responses"] = dict(sorted((answers | stated).items()))
    if parameters:
        operation["parameters"] = [*operation.get("parameters", ()), *parameters]
    for status, answer in stated.items():
        if status in PHRASES and answer["description"] == HTTPStatus(int(status)).phrase:
            answer["description"] = PHRASES[status]
        if headers and status.startswith("2"):
            answer["headers"] = {**headers, **answer.get("headers", {})}


def close(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """Say that the objects of a body take no other fields than theirs, unless they say something else themselves."""
    pending = [content.get("schema", {}) for content in operation.get("requestBody", {}).get("content", {}).values()]
    followed = set()
    while pending:
        schema = pending.pop()
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name in followed:
                continue
            followed.add(name)
            schema = document["components"]["schemas"][name]
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        pending += [part for kind in ("anyOf", "oneOf", "allOf") for part in schema.get(kind, ())]
        inner = (schema.get("items"), schema.get("additionalProperties"), *schema.get("properties", {}).values())
        pending += [part for part in inner if isinstance(part, dict)]


def _can_be_known(operation: dict[str, Any]) -> bool:
    return any(str(status) == "304" for status in operation["responses"])


def _schema_of(operation: dict[str, Any]) -> Any:
    """The schema of the answer that is no error, of those that have one by name."""
    for status, answer in operation["responses"].items():
        if str(status).startswith("2"):
            return answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", operation)
    return operation


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation with its method in capitals."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            yield method.upper(), operation


def _move_examples(operation: dict[str, Any]) -> None:
    """Put examples into their parameters' schemas: ninja lists them beside, where OpenAPI 3.1 wants names."""
    for parameter in operation.get("parameters", ()):
        if isinstance(parameter.get("examples"), list):
            parameter["schema"].setdefault("examples", parameter.pop("examples"))
