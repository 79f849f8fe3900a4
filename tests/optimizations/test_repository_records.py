"""How each kind of column reads, whatever it holds."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizations import columns
from optimizations.columns import COLUMNS, read_row, stored_values
from optimizations.models import Optimization
from promptadmin.db.fields import Unreadable
from promptadmin.db.legacy_values import read_count, read_flag, read_number

anything: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(),
    st.binary(),
    st.text(alphabet='[]{}",:\\ud8019.eE+-truefalsn', max_size=12),
    st.text().map(Unreadable),
    st.datetimes(timezones=st.just(dt.UTC)),
)


def test_the_columns_are_the_tables() -> None:
    fields = {field.attname for field in Optimization._meta.concrete_fields}
    assert set(COLUMNS) == fields
    assert len(columns.ALL) == len(COLUMNS)
    listed = sorted(column.listed for column in columns.ALL if column.listed)
    assert listed == list(range(1, len(columns.SUMMARY_COLUMNS) + 1))


@given(st.lists(anything, min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_any_row_reads_as_something_that_json_can_say(values: list[Any]) -> None:
    record = read_row(COLUMNS, values)
    assert orjson.loads(orjson.dumps(record)).keys() == record.keys()
    for name in columns.SCORES:
        assert record[name] is None or math.isfinite(record[name])


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (1, True), (0, False), (2, True), (0.0, False), ("false", False), ("True ", True), ("1", True),
        ("perhaps", None), (b"0", False), (math.nan, None), (True, True), (None, None),
    ],
)  # fmt: skip
def test_flags(stored: Any, read: bool | None) -> None:
    assert read_flag(stored) is read


@pytest.mark.parametrize(
    ("stored", "number", "count"),
    [
        (1, 1.0, 1), ("1.5", 1.5, 2), (b"2", 2.0, 2), ("", None, None), ("n/a", None, None), (math.inf, None, None),
        ("1e999", None, None), (1e300, 1e300, None), (-(2**63), -(2.0**63), -(2**63)), ([], None, None),
    ],
)  # fmt: skip
def test_numbers(stored: Any, number: float | None, count: int | None) -> None:
    assert read_number(stored) == number
    assert read_count(stored) == count


def test_values_are_stored_as_their_columns_hold_them() -> None:
    stored = stored_values({"tags": ["ü"], "codebase_context_snapshot": {"a": 1}, "title": "t", "strengths": None})
    assert stored == {"tags": '["ü"]', "codebase_context_snapshot": '{"a": 1}', "title": "t", "strengths": None}
