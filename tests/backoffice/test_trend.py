"""Runs over time and why they failed, on the start page: any period, told by days, weeks or months, and by message."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from optimizations.errors_alike import alike, pattern
from optimizations.models import Optimization
from optimizations.stats import StatsQuery
from optimizations.stats.trend import MOST_STEPS, read_trend
from promptadmin.backoffice.periods import read_period
from promptadmin.db.sessions import read_session
from tests.backoffice.test_dashboard import PANELS, text
from tests.projects.making import make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
NOW = dt.datetime(2026, 3, 20, 15, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("asked", "since", "until"),
    [
        ({}, None, None),
        ({"period": "30"}, NOW - 30 * DAY, None),
        ({"period": "this-month"}, dt.datetime(2026, 3, 1, tzinfo=dt.UTC), None),
        ({"period": "last-month"}, dt.datetime(2026, 2, 1, tzinfo=dt.UTC), dt.datetime(2026, 3, 1, tzinfo=dt.UTC)),
        (
            {"period": "days", "from": "2026-03-09", "to": "2026-02-27"},  # the wrong way round
            dt.datetime(2026, 2, 27, tzinfo=dt.UTC),
            dt.datetime(2026, 3, 10, tzinfo=dt.UTC),
        ),
        ({"period": "days", "to": "2026-02-27"}, None, dt.datetime(2026, 2, 28, tzinfo=dt.UTC)),
        ({"period": "days", "from": "2026-02-30"}, None, None),
        ({"period": "days", "to": "9999-12-31"}, None, None),
        ({"period": "nonsense"}, None, None),
    ],
)
def test_periods(asked: dict[str, str], since: dt.datetime | None, until: dt.datetime | None) -> None:
    assert read_period(asked).bounds(NOW) == (since, until)


def test_a_day_that_is_none_is_told() -> None:
    shown = text(signed_in("viewer"), "/admin/?period=days&from=yesterday")
    assert "“yesterday” is no day" in shown
    assert "has no choice named" not in shown


@pytest.mark.parametrize(
    ("days", "unit", "steps"), [(7, "day", 8), (200, "week", 30), (1500, "month", 50), (4000, "month", MOST_STEPS)]
)
def test_steps_are_as_long_as_the_period_needs(days: int, unit: str, steps: int) -> None:
    """Without gaps, each run in one of them, but for those before the first step and from the future."""
    for ago in (0, days, -3):
        make_run(created_at=NOW - ago * DAY, overall_score=0.5, strategy="co-star")
    with read_session():
        found = read_trend(StatsQuery(now=NOW))
    assert found is not None
    assert (found.unit, abs(len(found.steps) - steps) <= 1) == (unit, True)
    assert all(step.end == following.first for step, following in zip(found.steps, found.steps[1:], strict=False))
    assert found.steps[-1].first <= NOW.date() < found.steps[-1].end
    assert sum(step.total.runs for step in found.steps) == (1 if found.earlier_left_out else 2)
    assert found.names["co-star"].scored == sum(step.total.scored for step in found.steps)


def test_bars_and_cells_lead_to_their_rows() -> None:
    now = timezone.now().replace(hour=12)
    made: list[tuple[int, dict[str, Any]]] = [
        (1, {"overall_score": 0.8, "strategy": "risen", "is_improvement": True, "input_tokens": 900}),
        (1, {"overall_score": 0.6, "strategy": "co-star", "model_used": "model-a"}),
        (1, {"status": "error", "strategy": "risen"}),
        (3, {"overall_score": 0.4, "strategy": "risen"}),
    ]
    for ago, values in made:
        make_run(created_at=now - ago * DAY, **{"status": "completed", **values})
    client = signed_in("viewer")
    shown = client.get(f"{PANELS}?period=7&by=strategy").content.decode()
    trend = shown[shown.index('id="panel-trend"') : shown.index('id="panel-scores"')]
    day = (now - DAY).date().isoformat()
    [row] = re.findall(rf'<th scope="row">{day}</th>(.*?)</tr>', trend, re.S)
    cells = re.findall(r'<a href="([^"]*)">([^<]*)</a>', row)
    assert [number for _, number in cells] == ["3", "1", "7.0", "100.0 %", "900"]
    counts = [3, 1, 2, 1, 2]
    for (link, _), count in zip(cells, counts, strict=True):
        assert client.get(html.unescape(link)).content.decode().count('name="_selected_action"') == count, link
    bars = re.findall(r'<a href="([^"]*)" tabindex="-1"><title>([^<]*)</title>', trend)
    asked = parse_qs(urlsplit(html.unescape(bars[-3][0])).query)
    assert asked.keys() >= {"since", "until"}
    assert (f"{day}: 3, 1 failed") in [told for _, told in bars]
    assert re.search(r'strategy=risen[^>]*><bdi>risen</bdi></a></th>\s*<td class="pa-figure">3</td>', trend)
    by_model = text(client, f"{PANELS}?by=model")
    assert "model-a" in by_model[by_model.index("Over time") : by_model.index("Score by strategy")]


def test_the_page_can_be_read_without_scripts() -> None:
    make_run(created_at=timezone.now(), overall_score=0.5)
    client = signed_in("viewer")
    page = client.get("/admin/?period=30").content.decode()
    assert '<noscript><p class="pa-subtle"><a class="underline" href="?period=30&amp;whole=1">' in page
    whole = client.get("/admin/?period=30&whole=1").content.decode()
    assert 'id="panel-trend"' in whole
    assert 'hx-get="/admin/dashboard/panels/' not in whole


ALIKE = {
    "Provider timed out after 30 s": "Provider timed out after <n> s",
    "Request req_011CSHoEeqs5C35K failed (529)": "Request <id> failed (<n>)",
    "No run 2f1c9e1a-3b52-4a1e-9d36-0d9f1a2b3c4d": "No run <id>",
    "gpt-4o answered nothing": "gpt-<n>o answered nothing",
    "Plain": "Plain",
    "a.c (x) [y] 100%": "a.c (x) [y] <n>%",
    "literally <n> and <id>": "literally <n> and <id>",
    "x" * 500: "x" * 200,
}


def test_a_chart_of_nothing_says_none() -> None:
    """A completed run without tokens, score or verdict: of these there is nothing, and no scale."""
    make_run(status="completed", created_at=timezone.now(), overall_score=None, input_tokens=None, output_tokens=0)
    viewer = signed_in("viewer")
    shown = text(viewer)
    for told in ("Runs up to 1, red failed", "Mean score none", "Improvement rate none", "Tokens none"):
        assert told in shown
    make_run(status="completed", created_at=timezone.now(), overall_score=0, output_tokens=12)
    shown = text(viewer)
    assert "Mean score of 10" in shown
    assert "Tokens up to 12" in shown


def test_messages_are_alike_but_for_numbers_and_ids() -> None:
    """What finds them in the database finds exactly these, on either engine."""
    for number, message in enumerate(ALIKE):
        make_run(id=f"r{number}", status="error", error_message=message)
    make_run(id="other", status="error", error_message="Request Failed (529)")
    client = signed_in("viewer")
    for number, (message, sign) in enumerate(ALIKE.items()):
        assert alike(message) == sign
        assert re.fullmatch(pattern(sign), message[:200])
        page = client.get("/admin/optimizations/optimization/", {"error": sign, "status": "error"}).content.decode()
        assert page.count('name="_selected_action"') == 1, sign
        assert f'value="r{number}"' in page


def test_why_runs_failed_and_which_others_failed_so() -> None:
    now = timezone.now()
    for number in range(3):
        make_run(
            id=f"t{number}", status="error", error_message=f"Timed out after {number} s", created_at=now - number * DAY
        )
    make_run(status="error", error_message="No credit", created_at=now - 40 * DAY)
    make_run(status="error", created_at=now)
    make_run(error_message="Timed out after 9 s")  # completed all the same
    client = signed_in("viewer")
    shown = text(client)
    panel = shown[shown.index("Why runs failed") : shown.index("Recent failures")]
    assert "3 Timed out after <n> s" in panel
    assert "1 No credit" in panel
    assert "1 without a message" in panel
    assert "No credit" not in text(client, f"{PANELS}?period=30")
    page = client.get("/admin/optimizations/optimization/t1/change/").content.decode()
    [link] = re.findall(r'<a href="([^"]*)">2 other runs failed so</a>', page)
    listed = client.get(html.unescape(link)).content.decode()
    assert listed.count('name="_selected_action"') == 3
    assert "Timed out after &lt;n&gt; s" in listed
    Optimization.objects.filter(id__in=["t0", "t2"]).delete()
    assert "No other run failed so" in client.get("/admin/optimizations/optimization/t1/change/").content.decode()


@pytest.mark.parametrize("query", ["", "?period=30", "?by=strategy", "?by=model&period=last-month"])
def test_the_number_of_queries_has_a_bound(query: str) -> None:
    """More runs, strategies, models and messages cost no query more."""
    client = signed_in("viewer")

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(f"{PANELS}{query}").status_code == 200
        return len(found)

    now = timezone.now()

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            status = "error" if number % 3 == 0 else "completed"
            make_run(
                created_at=now - (number % 50) * DAY, status=status, strategy=f"s{number}", model_used=f"m{number}",
                error_message="x" * number, overall_score=0.5, task_type=f"t{number}",
            )  # fmt: skip

    fill(0, 60)
    queries()  # the first one asks for what is remembered for good
    few = queries()
    fill(60, 120)
    assert queries() == few
    assert few < 110  # nothing is remembered within a transaction that writes: each panel asks anew


def test_nobody_without_a_role_sees_any(client: Client) -> None:
    make_run(status="error", error_message="Secret reason")
    assert "Secret reason" not in text(signed_in(""))
