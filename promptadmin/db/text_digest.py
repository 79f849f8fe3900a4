"""Digests of stored texts, computed by the engine: what is sorted and looked up is then small."""

from __future__ import annotations

import hashlib

from django.db.backends.base.base import BaseDatabaseWrapper


def digest_sql(connection: BaseDatabaseWrapper, column: str) -> str:
    """SQL for 128 bits that are equal for equal texts; only the connection that is given knows the function."""
    if connection.vendor != "sqlite":
        return f"MD5({column})"
    connection.connection.create_function("text_digest", 2, _digest, deterministic=True)
    # As bytes, because a stored text may be no UTF-8; with its kind, because a text never equals a BLOB.
    return f"text_digest(TYPEOF({column}), CAST({column} AS BLOB))"


def _digest(kind: str, value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16, person=kind.encode()).digest()
