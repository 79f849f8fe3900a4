"""A password that stands in no address, where others might read it: libpq takes it from its file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from promptadmin.db.database_url import database_config
from tests.conftest import OpenDatabase
from tests.support.services import needs_postgresql, postgresql_url


@needs_postgresql
def test_libpqs_file_has_the_password_that_an_address_lacks(
    open_database: OpenDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = urlsplit(postgresql_url())
    if parts.password:
        pytest.skip("the server wants its own password")
    file = tmp_path / "pgpass"
    file.write_text("*:*:*:*:of the file\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with open_database(database_config(postgresql_url())) as connection:
        connection.ensure_connection()
        assert connection.connection.info.password == "of the file"
