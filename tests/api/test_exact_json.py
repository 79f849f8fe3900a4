"""JSON that somebody sends, at the API and in files: read exactly, or refused."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from optimizations.models import Optimization
from promptadmin.db.exact_json import dumps, loads
from promptadmin.exchange.cells import read_cell, write_cell
from promptadmin.exchange.formats import JSON as LIST_FORMAT

JSON = "application/json"
LARGEST, SMALLEST = 2**64 - 1, -(2**63)


@pytest.fixture
def api(settings: Settings, db: None) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_part_of_the_text(api: Client, mark: bytes) -> None:
    answer = api.generic("POST", "/api/projects", mark + b'{"name":"bom"}', content_type=JSON)
    assert (answer.status_code, answer.json()["name"]) == (201, "bom")


def test_utf_16_is_refused(api: Client) -> None:
    answer = api.generic("POST", "/api/projects", '{"name":"x"}'.encode("utf-16"), content_type=JSON)
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "json_invalid")


@pytest.mark.parametrize(
    "number",
    [LARGEST, SMALLEST, 0, -1, 2**53 + 1, LARGEST + 1, SMALLEST - 1, 123456789012345678901, -(10**30), 10**60],
)
def test_integers_of_any_length_are_kept(transactional_db: None, api: Client, number: int) -> None:
    """By the API, in its export and import, and by the back-office's files."""
    snapshot = {"n": number, "deep": [{"n": -number}], "text": str(number) * 3, "f": 0.1}
    sent = api.post("/api/optimizations", {"raw_prompt": "x", "codebase_context_snapshot": snapshot}, content_type=JSON)
    made = json.loads(sent.content)
    assert made["codebase_context_snapshot"] == snapshot
    read = api.get(f"/api/optimize/{made['id']}")
    assert json.loads(read.content)["codebase_context_snapshot"] == snapshot
    assert read["ETag"] == sent["ETag"]
    export = b"".join(api.get("/api/optimizations/export"))
    assert json.loads(export)["codebase_context_snapshot"] == snapshot
    again = api.generic("POST", "/api/optimizations/import", export, content_type="application/x-ndjson")
    assert (again.status_code, again.json()["unchanged"]) == (200, 1)
    other = export.replace(f'"n":{number}'.encode(), f'"n":{number + 1}'.encode(), 1)
    changed = api.generic("POST", "/api/optimizations/import", other, content_type="application/x-ndjson")
    assert (changed.status_code, Optimization.objects.count()) == (422, 1)
    cell = write_cell(snapshot, "json")
    assert read_cell(cell, "json") == snapshot


def test_texts_of_a_context_keep_the_digits_of_a_number(api: Client) -> None:
    body = b'{"name": "n", "context_profile": {"language": 123456789012345678901}}'
    answer = api.generic("POST", "/api/projects", body, content_type=JSON)
    assert answer.json()["context_profile"] == {"language": "123456789012345678901"}


@pytest.mark.parametrize("value", ["12345678901234567890123", -(2**70)])
def test_where_a_small_number_is_wanted_a_long_one_is_refused_and_shown(api: Client, value: Any) -> None:
    answer = api.post("/api/optimizations", {"raw_prompt": "x", "input_tokens": value}, content_type=JSON)
    assert (answer.status_code, json.loads(answer.content)["detail"][0]["input"]) == (422, value)


def test_lists_of_objects_are_read_exactly() -> None:
    text = b'\xef\xbb\xbf[{"id": "a", "n": 123456789012345678901}]'
    assert list(LIST_FORMAT().read(text, {})) == [(1, {"id": "a", "n": 123456789012345678901})]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_a_value_comes_back_as_it_went(value: Any) -> None:
    assert loads(dumps(value)) == json.loads(dumps(value)) == value


@given(values)
def test_any_text_means_what_it_says(value: Any) -> None:
    assert loads(json.dumps(value)) == value


@pytest.mark.parametrize("text", [b"", b"NaN", b"1e400", b'"\\ud83d"', b"[12345678901234567890", b"\xff", b"1" * 5000])
def test_what_is_no_json_is_refused_with_long_numbers_too(text: bytes) -> None:
    for content in (text, b"[12345678901234567890123, " + text + b"]"):
        with pytest.raises(orjson.JSONDecodeError):
            loads(content)


def test_values_nested_too_deeply_to_be_read_exactly_are_refused() -> None:
    with pytest.raises(orjson.JSONDecodeError, match="nested"):
        loads(b"[" * 1020 + b"12345678901234567890123" + b"]" * 1020)
