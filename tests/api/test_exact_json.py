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
from projects.schemas import storable
from promptadmin.exchange.base_formats import Unreadable
from promptadmin.exchange.cells import read_cell
from promptadmin.exchange.formats import JSON as LIST_FORMAT
from promptadmin.json_input import TooManyBits, loads

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


@pytest.mark.parametrize("number", [LARGEST, SMALLEST, 0, -1, 2**53 + 1])
def test_integers_of_64_bits_are_kept(api: Client, number: int) -> None:
    body = {"raw_prompt": "x", "codebase_context_snapshot": {"n": number, "text": str(number) * 3}}
    answer = api.post("/api/optimizations", body, content_type=JSON)
    assert orjson.loads(answer.content)["codebase_context_snapshot"] == body["codebase_context_snapshot"]


@pytest.mark.parametrize(
    "text", [str(LARGEST + 1), str(SMALLEST - 1), "123456789012345678901", "-1" + "0" * 30, "1" * 5000]
)
def test_longer_integers_are_refused_and_not_rounded(api: Client, text: str) -> None:
    body = f'{{"raw_prompt": "x", "codebase_context_snapshot": {{"n": [{text}]}}}}'
    answer = api.generic("POST", "/api/optimizations", body, content_type=JSON)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][0] == "body"
    line = f'{{"id": "a", "raw_prompt": "x", "codebase_context_snapshot": {{"n": {text}}}}}'
    answer = api.generic("POST", "/api/optimizations/import", line, content_type="application/x-ndjson")
    assert answer.status_code == 422
    assert Optimization.objects.count() == 0


def test_files_are_read_as_exactly() -> None:
    with pytest.raises(Unreadable, match="64 bits"):
        list(LIST_FORMAT().read(b'[{"id": "a", "n": 123456789012345678901}]', {}))
    assert list(LIST_FORMAT().read(b'\xef\xbb\xbf[{"id": "a"}]', {})) == [(1, {"id": "a"})]
    assert read_cell('{"n": 123456789012345678901}', "json") == '{"n": 123456789012345678901}'  # no object: refused


def test_a_value_that_came_otherwise_is_refused_as_well() -> None:
    """As MCP's arguments do, which its SDK reads."""
    with pytest.raises(ValueError, match="64 bits"):
        storable({"a": [{"n": 2**64}]})
    assert storable([LARGEST, SMALLEST, True, 1e300]) == [LARGEST, SMALLEST, True, 1e300]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def integers_in(value: Any) -> list[int]:
    if isinstance(value, dict | list):
        return [found for item in (value.values() if isinstance(value, dict) else value) for found in integers_in(item)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


@given(values)
def test_a_text_means_what_it_says_or_is_refused(value: Any) -> None:
    text = json.dumps(value)
    if all(SMALLEST <= number <= LARGEST for number in integers_in(value)):
        try:
            assert loads(text) == value
        except orjson.JSONDecodeError:  # half a surrogate pair
            assert "\\ud" in text
    else:
        with pytest.raises((TooManyBits, orjson.JSONDecodeError)):
            loads(text)
