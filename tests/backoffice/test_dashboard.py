"""The start page: what its panels tell is what the statistics tell, of the runs that the address asks for."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from optimizations.apps import OptimizationsConfig
from optimizations.stats import statistics
from promptadmin.backoffice.dashboard import Dashboard
from promptadmin.plugins.declarations import DashboardFilter, DashboardPanel
from tests.projects.making import make_project, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

PANELS = "/admin/dashboard/panels/"
SCRIPT = "<script>alert(1)</script>"


def text(client: Client, address: str = PANELS) -> str:
    """What a reader reads of a page, blanks folded."""
    answer = client.get(address)
    assert answer.status_code == 200
    body = answer.content.decode()
    assert SCRIPT not in body
    return " ".join(html.unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", body, flags=re.S)).split())


def make_runs() -> None:
    now = timezone.now()
    made: list[Mapping[str, Any]] = [
        {"strategy": "co-star", "task_type": "writing", "overall_score": 0.8, "is_improvement": True},
        {"strategy": "co-star", "task_type": "writing", "overall_score": 0.6, "is_improvement": False},
        {"strategy": "risen", "task_type": "coding", "overall_score": 0.9, "project": "Support"},
        {"strategy": "risen", "status": "error", "title": "Broken one", "error_message": "Provider timed out"},
        {"status": "error", "title": "Early one", "created_at": now - dt.timedelta(days=40)},
        {"status": "running", "title": "Running one", "project": "Support"},
        {"strategy": "risen", "created_at": now - dt.timedelta(days=10), "input_tokens": 1200, "output_tokens": 300},
    ]
    for values in made:
        make_run(**{"created_at": now - dt.timedelta(hours=1), **values})


def test_the_page_comes_without_reading_runs() -> None:
    make_project(name="Support")
    client = signed_in("viewer")
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/admin/?project=Support&period=7").content.decode()
    assert not [query for query in queries.captured_queries if "optimizations" in query["sql"]]
    # Each plugin with a navigation costs two, for a savepoint; PostgreSQL is also told which sessions only read.
    assert len(queries) <= (13 if connection.vendor == "sqlite" else 22)
    assert f'hx-get="{PANELS}?project=Support&amp;period=7"' in page
    assert '<option value="7" selected>Last 7 days</option>' in page
    assert '<option value="Support" selected>Support</option>' in page


def test_panels_tell_what_the_statistics_tell() -> None:
    make_runs()
    shown = text(signed_in("viewer"))
    found = statistics()
    assert f"of 10, {found['total_optimizations']} completed" in shown
    assert f"Mean score {found['average_overall_score'] * 10:.1f}" in shown
    assert "Improvement rate 50.0 %" in shown
    assert "Error rate 28.6 %" in shown
    assert "Tokens 1.5k 1.2k in, 300 out" in shown
    assert "Runs in 30 days 4" in shown
    assert "co-star 7.0 6.0–8.0 6.0–8.0 2" in shown
    assert "coding too few runs risen has most: 1 of 10" in shown
    assert "writing too few runs co-star has most: 2 of 10" in shown
    assert "risen 33.3 % 1 of 3" in shown
    assert "1 more failed before a strategy was chosen" in shown
    assert "Broken one" in shown
    assert "Provider timed out" in shown
    assert "Running one" in shown


def test_the_trend_is_against_the_time_before() -> None:
    now = timezone.now()
    for days, count in ((2, 3), (9, 2), (20, 1)):
        for _ in range(count):
            make_run(created_at=now - dt.timedelta(days=days))
    shown = text(signed_in("viewer"))
    assert "Runs today 0 none by this time yesterday" in shown
    assert "Runs in 7 days 3 ▲ 50 % more" in shown
    assert "Runs in 30 days 6 none in the 30 days before" in shown


def test_project_and_period_are_in_the_address() -> None:
    make_runs()
    client = signed_in("viewer")
    project = text(client, f"{PANELS}?project=Support")
    assert "of 10, 1 completed" in project
    assert "Running one" in project
    assert "Broken one" not in project
    week = text(client, f"{PANELS}?period=7")
    assert "of 10, 3 completed" in week
    assert "Early one" not in week
    assert "of 10, 0 completed" in text(client, f"{PANELS}?project=no+such")
    assert client.get(f"{PANELS}?project=%00no+such").status_code == 400
    assert "of 10, 4 completed" in text(client, f"{PANELS}?period=nonsense")


def test_hostile_names_are_shown_harmlessly() -> None:
    make_project(name=SCRIPT)
    for _ in range(2):
        make_run(strategy=SCRIPT, task_type=SCRIPT, overall_score=0.5, project=SCRIPT)
    make_run(status="error", title=SCRIPT, error_message=SCRIPT, project="\u202eright to left")
    client = signed_in("viewer")
    assert text(client).count(SCRIPT) >= 5
    assert SCRIPT in text(client, "/admin/")


def broken(dashboard: Dashboard) -> dict[str, Any]:
    raise LookupError("no such thing")


def broken_choices() -> list[str]:
    raise LookupError("no such team")


def silent(dashboard: Dashboard) -> None:
    return None


def writing(dashboard: Dashboard) -> dict[str, Any]:
    make_run()
    return {}


@pytest.mark.django_db(transaction=True)
def test_a_panel_that_fails_leaves_a_notice(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    """One that raises, one that writes, and one whose template is missing; the others are shown."""
    ours = OptimizationsConfig.dashboard_panels
    template = "optimizations/panels/runs.html"
    bad = tuple(
        DashboardPanel(name, f"Panel {name}", f"{__name__}.{function}", file, position=1)
        for name, function, file in (
            ("raising", "broken", template),
            ("writing", "writing", template),
            ("untold", "project_of_nobody", template),
            ("silent", "silent", template),
        )
    )
    monkeypatch.setattr(OptimizationsConfig, "dashboard_panels", (*bad, *ours))
    client.force_login(User.objects.create_superuser("ada"))
    shown = text(client)
    assert shown.count("This panel can’t be shown") == 3
    assert "Panel silent" not in shown
    assert "Three ways to begin" in shown
    for name in ("raising", "writing", "untold"):
        assert f"Plugin optimizations: the dashboard's panel {name} failed" in caplog.text
    assert "LookupError: no such thing" in caplog.text


@pytest.mark.parametrize("choices", ["broken_choices", "nowhere"])
def test_a_filter_that_fails_offers_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, choices: str
) -> None:
    bad = DashboardFilter("team", "Team", "All teams", f"{__name__}.{choices}")
    monkeypatch.setattr(OptimizationsConfig, "dashboard_filters", (bad, *OptimizationsConfig.dashboard_filters))
    make_project(name="Support")
    shown = text(signed_in("viewer"), "/admin/?team=red")
    assert "All teams red" in shown
    assert "Support" in shown
    assert "Plugin optimizations: the dashboard's filter team failed" in caplog.text


def test_without_a_role_there_is_nothing_to_see(client: Client) -> None:
    make_runs()
    shown = text(signed_in(""))
    assert "Ask an administrator for a role" in shown
    assert "Broken one" not in shown
    assert client.get(PANELS).status_code == 302


def test_a_winner_needs_enough_runs_and_names_the_runner_up() -> None:
    for strategy, scores in (("co-star", [0.8, 0.9] * 5), ("risen", [0.3, 0.4] * 5), ("few", [1.0] * 9)):
        for score in scores:
            make_run(strategy=strategy, task_type="coding", overall_score=score)
    for strategy in ("co-star", "risen"):
        for score in (0.1, 0.9) * 5:
            make_run(strategy=strategy, task_type="writing", overall_score=score)
    make_run(strategy="co-star", task_type="unscored")
    shown = text(signed_in("viewer"))
    # The standard error of ten scores of 0.8 and 0.9 is 0.05 / 3, of which 1.96 lie to each side of the mean.
    assert "coding co-star 10 runs; before risen , 3.5 8.5 8.2–8.8" in shown
    assert "writing co-star 10 runs; not clearly before risen , 5.0 5.0 2.4–7.6" in shown
    assert "unscored too few" not in shown


def without_tokens(shown: str) -> str:
    """The panels without the numbers that count no runs."""
    shown = re.sub(r"<dt>Tokens</dt>.*?</dd>", "", shown)
    return re.sub(r"<td><a [^>]*>[^<]*</a></td>\s*</tr>(?=\s*(?:<tr>|</tbody>)\s)", "</tr>", shown)


def test_numbers_lead_to_the_rows_behind_them() -> None:
    """Each link's list has as many runs as its number says, within the project and the period of the dashboard."""
    make_runs()
    client = signed_in("viewer")
    for address in (PANELS, f"{PANELS}?project=Support&period=30"):
        shown = client.get(address).content.decode()
        links = re.findall(r'<a href="([^"]*optimization/\?[^"]*)">([^<]*)</a>', without_tokens(shown))
        counted = [(html.unescape(link), int(number)) for link, number in links if number.isdecimal()]
        assert len(counted) >= 6
        for link, number in counted:
            assert client.get(link).content.decode().count('name="_selected_action"') == number, link
        for link, _ in links:
            listed = client.get(html.unescape(link))
            assert listed.status_code == 200, link
            assert ("project=Support" in link) == ("project=Support" in address)
    [cell] = re.findall(r'<td style[^>]*><a href="([^"]*)">9.0</a>', shown)  # of the heat map
    assert "strategy=risen" in cell
    assert "task_type=coding" in cell
