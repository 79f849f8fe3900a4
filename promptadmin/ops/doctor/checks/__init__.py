"""The platform's checks."""

from promptadmin.ops.doctor.checks import (
    access,
    backups,
    clock,
    database,
    durability,
    files,
    replica,
    rows,
    sqlite_file,
)

__all__ = ["access", "backups", "clock", "database", "durability", "files", "replica", "rows", "sqlite_file"]
