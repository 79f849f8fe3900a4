"""Moments: every stored form is read, one sortable form is written, and what can't be read is kept."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from hypothesis import assume, example, given
from hypothesis import strategies as st

from projects.models import Project
from promptadmin.db.fields import Unreadable, moment_text, new_id
from promptadmin.db.legacy_values import parse_moment
from tests.conftest import OpenFile
from tests.support.django_databases import ALIAS

UTC = dt.UTC
MOMENT = dt.datetime(2024, 3, 5, 7, 8, 9, tzinfo=UTC)
HALF = MOMENT.replace(microsecond=500_000)
READABLE = [
    ("2024-03-05 07:08:09.000000", MOMENT),
    ("2024-03-05 07:08:09.500000", HALF),
    ("2024-03-05 07:08:09", MOMENT),
    ("2024-03-05T07:08:09", MOMENT),
    ("2024-03-05T07:08:09Z", MOMENT),
    ("2024-03-05 07:08:09.500000+00:00", HALF),
    ("2024-03-05T07:08:09.5Z", HALF),
    ("2024-03-05 07:08:09.500", HALF),
    ("2024-03-05 07:08:09.5000009", HALF),
    ("2024-03-05 16:08:09+09:00", MOMENT),
    ("2024-03-04T23:08:09-08:00", MOMENT),
    ("2024-03-05 12:38:09+0530", MOMENT),
    (" 2024-03-05 07:08:09\n", MOMENT),
    ("2024-03-05", MOMENT.replace(hour=0, minute=0, second=0)),
    ("2024-03-05 07:08", MOMENT.replace(second=0)),
]
UNREADABLE: list[Any] = [
    "yesterday",
    "",
    " ",
    "2024-02-31 07:08:09",
    "2024-03-05 25:61:00",
    "05.03.2024",
    "Tue, 05 Mar 2024 07:08:09 GMT",
    "2024-03-05 07:08\0:09",
    "\0",
    "9999-12-31 23:59:59-14:00",
    "null",
    "日本",
    1709622489,
    1709622489.5,
    -1,
    2460374.5,
]
AWARE = st.datetimes(
    min_value=dt.datetime(1, 1, 3),
    max_value=dt.datetime(9999, 12, 29),
    timezones=st.timezones(),
    allow_imaginary=False,  # an hour that a change to summer time leaves out is no moment
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Path:
    path = tmp_path_factory.mktemp("fields") / "new.db"
    path.write_bytes(new_file)
    return path


@pytest.fixture(scope="module")
def connection(open_file: OpenFile, path: Path) -> Iterator[BaseDatabaseWrapper]:
    """A file that another program writes to while Django reads it."""
    with open_file(path) as connection:
        yield connection


def store(path: Path, value: Any) -> str:
    """The key of a project that another program made at this time."""
    key = new_id()
    with contextlib.closing(sqlite3.connect(path)) as raw:
        row = [key, key, "active", value, "2024-01-01 00:00:00.000000"]
        raw.execute("INSERT INTO projects (id, name, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?)", row)
        raw.commit()
    return key


def stored(path: Path, key: str) -> tuple[str, Any]:
    """The type and value of its time."""
    with contextlib.closing(sqlite3.connect(path)) as raw:
        row: tuple[str, Any] = raw.execute(
            "SELECT typeof(created_at), created_at FROM projects WHERE id = ?", [key]
        ).fetchone()
    return row


def load(key: str) -> Project:
    return Project.objects.using(ALIAS).get(pk=key)


def utc(moment: dt.datetime) -> dt.datetime:
    """For comparisons: of two zones, an hour that comes twice in a year equals nothing."""
    return moment.astimezone(UTC)


# ---------------------------------------------------------------- text and moment


@pytest.mark.parametrize(("text", "moment"), READABLE)
def test_every_form_is_read(text: str, moment: dt.datetime) -> None:
    assert parse_moment(text) == moment


@given(moment=AWARE)
@example(moment=dt.datetime(1, 1, 3, tzinfo=UTC))
@example(moment=dt.datetime(2024, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
def test_what_is_written_is_read(moment: dt.datetime) -> None:
    """To the microsecond, whatever the time zone."""
    assert parse_moment(moment_text(moment)) == utc(moment)


@given(moment=AWARE, separator=st.sampled_from(" T"))
def test_every_iso_text_is_read(moment: dt.datetime, separator: str) -> None:
    """With its offset, which is dropped after the moment is known."""
    offset = moment.utcoffset()
    assume(offset is not None and offset.microseconds == 0)
    assert parse_moment(moment.isoformat(separator)) == utc(moment)
    assert parse_moment(utc(moment).replace(tzinfo=None).isoformat(separator)) == utc(moment)


@given(moments=st.lists(AWARE, min_size=2, max_size=8))
def test_the_order_of_texts_is_the_order_of_moments(moments: list[dt.datetime]) -> None:
    assert [moment_text(moment) for moment in sorted(moments)] == sorted(map(moment_text, moments))


@given(text=st.text())
@example(text="9999-12-31T23:59:59-23:59")
@example(text="0001-01-01T00:00:00+23:59")
def test_no_text_fails(text: str) -> None:
    """Any text is a moment in UTC or none."""
    moment = parse_moment(text)
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize("text", ["1712011512345", "1704011512345", "2024-03-05\x0007:08:09", "2024-03-05 07:08:09\0"])
def test_other_texts_are_no_moments(text: str) -> None:
    """A running run whose time is an epoch in milliseconds would be taken for one of 1712, and ended."""
    assert parse_moment(text) is None


# ---------------------------------------------------------------- in a file


@pytest.mark.parametrize(("text", "moment"), READABLE)
def test_every_stored_form_is_read(connection: BaseDatabaseWrapper, path: Path, text: str, moment: dt.datetime) -> None:
    """By models, by values, by ordinary and aggregating queries."""
    key = store(path, text)
    query = Project.objects.using(ALIAS).filter(pk=key)
    assert query.get().created_at == moment
    assert query.only("created_at").get().created_at == moment
    assert query.values_list("created_at", flat=True).get() == moment
    assert stored(path, key) == ("text", text)


@pytest.mark.parametrize("value", UNREADABLE)
def test_unreadable_values_come_as_texts(connection: BaseDatabaseWrapper, path: Path, value: Any) -> None:
    """Of a type of their own, also in a list of rows, without an error."""
    key = store(path, value)
    loaded = load(key).created_at
    assert isinstance(loaded, Unreadable)
    assert loaded == str(value)
    assert Unreadable(str(value)) in Project.objects.using(ALIAS).values_list("created_at", flat=True)


@pytest.mark.parametrize("value", UNREADABLE)
def test_unreadable_values_survive_a_save(connection: BaseDatabaseWrapper, path: Path, value: Any) -> None:
    """Saving another field, or all of them, leaves type and value as they were."""
    key = store(path, value)
    before = stored(path, key)
    project = load(key)
    project.description = "edited"
    project.full_clean(exclude=["context_profile"])
    project.save()
    assert stored(path, key) == before
    Project.objects.using(ALIAS).filter(pk=key).update(created_at=load(key).created_at)
    assert stored(path, key) == before
    assert load(key).description == "edited"


@given(value=st.one_of(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(-(2**62), 2**62)))
@example(value="0x10")
@example(value=" 12 ")
@example(value="1.50")
def test_any_value_survives_a_save(connection: BaseDatabaseWrapper, path: Path, value: Any) -> None:
    """Whatever stands there that isn't a moment: type and value stay."""
    key = store(path, value)
    before = stored(path, key)
    project = load(key)
    project.save()
    if isinstance(project.created_at, Unreadable):
        assert stored(path, key) == before
    else:
        assert stored(path, key) == ("text", moment_text(project.created_at))


@pytest.mark.parametrize("value", [1709622489.123456, 1e400])
def test_long_numbers_survive_a_save(connection: BaseDatabaseWrapper, path: Path, value: float) -> None:
    """An epoch with microseconds has sixteen digits."""
    key = store(path, value)
    before = stored(path, key)
    load(key).save()
    assert stored(path, key) == before


@given(moment=AWARE)
def test_one_form_is_written(connection: BaseDatabaseWrapper, path: Path, moment: dt.datetime) -> None:
    """UTC, a blank, six digits, no offset; it is read back as it was."""
    project = Project.objects.using(ALIAS).create(name=new_id(), created_at=moment)
    assert stored(path, project.pk) == ("text", moment_text(moment))
    assert load(project.pk).created_at == utc(moment)


@given(moments=st.lists(AWARE, min_size=2, max_size=6))
def test_the_engine_sorts_and_filters_by_time(
    connection: BaseDatabaseWrapper, path: Path, moments: list[dt.datetime]
) -> None:
    keys = [Project.objects.using(ALIAS).create(name=new_id(), created_at=moment).pk for moment in moments]
    query = Project.objects.using(ALIAS).filter(pk__in=keys)
    in_order = sorted(map(utc, moments))
    assert list(query.order_by("created_at").values_list("created_at", flat=True)) == in_order
    assert query.filter(created_at__gt=in_order[0]).count() == len(moments) - in_order.count(in_order[0])
    assert query.filter(created_at=in_order[-1]).count() == in_order.count(in_order[-1])


@pytest.mark.django_db
@pytest.mark.parametrize("moment", [HALF, dt.datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)])
def test_the_default_engine_keeps_moments(moment: dt.datetime) -> None:
    """On PostgreSQL too, where it is a column of a time type."""
    Project.objects.create(name="x", created_at=moment)
    assert Project.objects.get().created_at == moment
    assert Project.objects.filter(created_at__lte=moment).exists()
    assert not Project.objects.filter(created_at__lt=moment).exists()


def test_new_ids() -> None:
    """Version 4 UUIDs as text with dashes."""
    assert len({new_id() for _ in range(100)}) == 100
    assert [len(part) for part in new_id().split("-")] == [8, 4, 4, 4, 12]
