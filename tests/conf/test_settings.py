"""The settings as a process reads them from its environment."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.processes import REPOSITORY, Scratch


def read_settings(scratch: Scratch, **variables: str) -> dict[str, Any]:
    with patch.dict(os.environ, scratch.environment(**variables), clear=True):
        return runpy.run_path(str(REPOSITORY / "promptadmin" / "settings.py"))


def test_settings_are_read(scratch: Scratch) -> None:
    read = read_settings(scratch, PROMPTADMIN_HTTPS="yes")
    assert read["HTTPS"] is True
    assert Path(read["DATABASES"]["default"]["NAME"]) == scratch.database


@pytest.mark.parametrize(
    "url",
    [
        "promptforge.db",
        "mysql://root@127.0.0.1/x",
        "sqlite://promptforge.db",
        "sqlite://:memory:",
        "sqlite:///",
        "sqlite:////tmp",
        "postgresql://127.0.0.1:port/x",
        "postgresql://127.0.0.1",
        "postgresql://user:a/b@127.0.0.1/x",
        "://",
    ],
)
def test_wrong_database_url(scratch: Scratch, url: str) -> None:
    """The line names the variable."""
    with pytest.raises(ImproperlyConfigured, match=r"\A.*DATABASE_URL.*\Z"):
        read_settings(scratch, DATABASE_URL=url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_REPLICA_URL", "postgresql://127.0.0.1/replica"),  # the database is a SQLite file
        ("DATABASE_REPLICA_URL", "sqlite:///other.db"),
        ("DATABASE_REPLICA_URL", "nonsense"),
        ("PROMPTADMIN_DEBUG", "maybe"),
        ("PROMPTADMIN_HTTPS", "2"),
        ("PROMPTADMIN_HSTS_SECONDS", "a year"),
        ("PROMPTADMIN_HSTS_SECONDS", "-1"),
        ("PROMPTADMIN_SECRET_KEY", "short"),
        ("PROMPTADMIN_TRUSTED_ORIGINS", "prompts.example.com"),
        ("PROMPTADMIN_PLUGINS", "projects,optimisations"),
        ("PROMPTADMIN_PLUGINS", "projects,projects,optimizations"),
        ("PROMPTADMIN_LOG_LEVEL", "LOUD"),
        ("PROMPTADMIN_DATA_DIR", "/dev/null"),
        ("PROMPTADMIN_DATA_DIR", "/proc/nowhere"),
        ("PROMPTADMIN_API_AUTH", "perhaps"),
        ("RATE_LIMIT_RPM", "many"),
        ("FRONTEND_URL", "localhost"),
    ],
)
def test_wrong_setting(scratch: Scratch, name: str, value: str) -> None:
    """The line names the variable."""
    with pytest.raises(ImproperlyConfigured, match=rf"\A.*{name}.*\Z"):
        read_settings(scratch, **{name: value})
