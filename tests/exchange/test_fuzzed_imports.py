"""Files for import, broken at random places: imported, or refused with a reason, and never half of one.

PROMPTADMIN_FUZZ_FILES sets how many; `make fuzz` takes 2,000.
"""

from __future__ import annotations

import io
import random
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook
from pytest_django import Settings

from optimizations.models import Optimization
from promptadmin.exchange.formats import FORMATS
from tests.support.rounds import IMPORTED_FILES

pytestmark = pytest.mark.django_db

IMPORT = "/api/optimizations/import"
PAGE = "/admin/optimizations/optimization/"
COLUMNS = ("id", "raw_prompt", "status", "tags", "overall_score", "created_at", "project")
ROWS = 3
LINE = (
    '{"id":"%d","raw_prompt":"Sum \u00fcp.","status":"completed","tags":["a"],"overall_score":0.5,'
    '"created_at":"2026-03-20T09:30:00Z","project":"Support"}\n'
)
PIECES = (b'"', b"{", b"}", b"[", b"\n", b",", b"null", b"1e999", b"\xff", b"\0", b"\xef\xbb\xbf", b"=1+1", b"\\ud800")


def table() -> list[tuple[Any, ...]]:
    one = ("Sum up.", "completed", '["a"]', 0.5, "2026-03-20T09:30:00Z", "Support")
    return [COLUMNS, *((str(number), *one) for number in range(ROWS))]


def jsonl() -> bytes:
    return "".join(LINE % number for number in range(ROWS)).encode()


def csv() -> bytes:
    return "\r\n".join(
        ",".join(f'"{str(cell).replace(chr(34), chr(34) * 2)}"' for cell in row) for row in table()
    ).encode()


def xlsx() -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in table():
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def broken(chance: random.Random, whole: bytes) -> bytes:
    data = bytearray(whole)
    for _ in range(chance.randrange(1, 4)):
        at, length = chance.randrange(len(data) + 1), chance.randrange(1, 20)
        match chance.randrange(4):
            case 0:
                del data[at : at + length]
            case 1:
                data[at : at + length] = chance.randbytes(length)
            case 2:
                data[at:at] = chance.choice(PIECES) * chance.choice((1, 1, 3, 200))
            case _:
                data[at:at] = data[at : at + 10 * length]
    return bytes(data)


def stored() -> int:
    return Optimization.objects.count()


def test_broken_json_lines_through_the_api(client: Client, settings: Settings) -> None:
    """All lines or none: 200 with as many runs more as it says, or 422 with none."""
    settings.API_AUTH_TOKEN = "secret"
    chance, seen = random.Random(6), set()
    for number in range(IMPORTED_FILES):
        before = stored()
        content = broken(chance, jsonl()) if number else jsonl()
        answer = client.post(IMPORT, content, "application/x-ndjson", headers={"Authorization": "Bearer secret"})
        seen.add(answer.status_code)
        assert answer.status_code in (200, 422), content
        if answer.status_code == 200:
            assert stored() - before == answer.json()["imported"], content
            Optimization.objects.all().delete()
        else:
            assert answer.json()["detail"], content
            assert stored() == before
    assert seen == {200, 422}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_broken_tables_through_the_back_office(client: Client, kind: str) -> None:
    """The preview says what is wrong or can be confirmed, and changes nothing; confirming works."""
    client.force_login(User.objects.create_superuser("root"))
    client.raise_request_exception = False
    chance, whole = random.Random(6), csv() if kind == "csv" else xlsx()
    number_of_format = str([each.extension for each in FORMATS].index(kind))
    imported = 0
    for number in range(IMPORTED_FILES):
        content = broken(chance, whole) if number else whole
        file = SimpleUploadedFile(f"rows.{kind}", content)
        answer = client.post(f"{PAGE}import/", {"import_file": file, "format": number_of_format})
        assert answer.status_code == 200, content
        assert not stored(), content
        hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', answer.content.decode()))
        if "import_file_name" in hidden:
            done = client.post(f"{PAGE}process_import/", hidden)
            assert done.status_code in (200, 302), content
            imported += stored() > 0
            Optimization.objects.all().delete()
    assert imported
