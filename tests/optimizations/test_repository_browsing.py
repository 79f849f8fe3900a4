"""Pages for people, held against the plain list: exact where an index has the order, honest about their window else."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from optimizations.lists import windows
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository, Page, RunFilters
from optimizations.scores import greatest_shown, least_shown, out_of_ten
from projects.models import Project, Prompt
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import Forbidden, NotFound

pytestmark = pytest.mark.django_db(transaction=True)

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
TAGS = (None, ["a"], ["ab", "\u00fc"], ["\u00fc", "b"])
RUNS = 40
WINDOW = 10


def moment(number: int) -> dt.datetime:
    return START + dt.timedelta(hours=number)


@pytest.fixture
def runs(db: None, monkeypatch: pytest.MonkeyPatch) -> list[Optimization]:
    """Forty runs, an hour apart, and a window of ten."""
    monkeypatch.setattr(windows, "WINDOW", WINDOW)
    Project(id="P", name="Support").save()
    Prompt(id="p", content="text", project_id="P").save()
    rows = [
        Optimization(
            id=f"{number:02}",
            created_at=moment(number),
            raw_prompt=f"prompt {number}",
            optimized_prompt="needle" if number == 3 else None,
            status="error" if number % 2 else "completed",
            project="Support" if number % 4 else None,
            strategy=["risen", None][number % 2],
            framework_applied="co-star",
            task_type="rare" if number == 5 else "coding",
            overall_score=None if number % 3 == 0 else number / RUNS,
            prompt_id="p" if number in (7, 8) else None,
            tags=json.dumps(TAGS[number % 4], ensure_ascii=number % 8 < 4) if TAGS[number % 4] else None,
        )
        for number in range(RUNS)
    ]
    Optimization.objects.bulk_create(rows)
    return rows


def browse(**wanted: object) -> tuple[list[int], Page]:
    names = ("sort", "order", "limit", "offset", "everywhere")
    how = {name: wanted.pop(name) for name in names if name in wanted}
    with read_session():
        found = OptimizationRepository().browse_runs(filters=RunFilters(**wanted), **{"limit": 5, **how})  # type: ignore[arg-type]
    return [int(item["id"]) for item in found.items], found


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ({}, lambda number: True),
        ({"status": "error"}, lambda number: number % 2),
        ({"project": "Support"}, lambda number: number % 4),
        ({"strategy": "co-star"}, lambda number: number % 2),
        ({"strategy": "risen"}, lambda number: number % 2 == 0),
        ({"task_type": "rare"}, lambda number: number == 5),
        ({"until": moment(20)}, lambda number: number < 20),
        ({"since": moment(20), "status": "error"}, lambda number: number >= 20 and number % 2),
    ],
)
@pytest.mark.parametrize("order", ["desc", "asc"])
def test_one_indexed_filter_is_exact_and_counted(
    runs: object, wanted: dict[str, object], passes: object, order: str
) -> None:
    expected = [number for number in range(RUNS) if passes(number)]  # type: ignore[operator]
    ids, found = browse(**wanted, order=order)
    assert ids == (expected[::-1] if order == "desc" else expected)[:5]
    assert found.searched_to is None
    assert found.total == min(len(expected), WINDOW)
    assert (found.next_cursor is not None) == (len(expected) > 5)


def test_few_runs_are_found_however_old_they_are(runs: object) -> None:
    for wanted, expected in (
        ({"prompt_id": "p", "tag": "\u00dc"}, [7]),
        ({"has_prompt": True, "prompt_id": "p"}, [8, 7]),
        ({"project_id": "P", "prompt_id": "p"}, [8, 7]),
        ({"task_type": "rare", "status": "error"}, [5]),
        ({"max_score": 0.1}, [4, 2, 1]),
    ):
        ids, found = browse(**wanted)
        assert (ids, found.searched_to, found.total) == (expected, None, None), wanted


def test_others_look_through_a_window_and_go_on_from_its_end(runs: object) -> None:
    """Going on with `until` finds what the whole table has, in order; the other way round with `since`."""
    for wanted, passes in (
        ({"search": "NEEDLE"}, lambda number: number == 3),
        ({"tag": "\u00fc"}, lambda number: number % 4 in (2, 3)),
        ({"tag": "b"}, lambda number: number % 4 == 3),
        ({"status": "error", "strategy": "co-star"}, lambda number: number % 2),
        ({"has_prompt": False}, lambda number: number not in (7, 8)),
    ):
        expected = [number for number in reversed(range(RUNS)) if passes(number)]
        assert browse(**wanted, everywhere=True, limit=10)[0] == expected[:10]
        seen: list[int] = []
        until: dt.datetime | None = None
        for _ in range(10):
            ids, found = browse(**wanted, until=until, limit=10)
            seen += ids
            until = found.searched_to
            if until is None:
                break
        assert seen == expected, wanted
    ids, found = browse(search="prompt 1", order="asc", limit=9)
    assert (ids, found.searched_to) == ([1], moment(9))


def test_by_score(runs: object) -> None:
    """Runs without a score are left out; with other filters the list is of the newest runs."""
    scored = [number for number in range(RUNS) if number % 3]
    assert browse(sort="overall_score")[0] == scored[::-1][:5]
    assert browse(sort="overall_score", order="asc", status="error")[0] == [1, 5, 7, 11, 13]
    ids, found = browse(sort="overall_score", order="asc", tag="a")
    assert (ids, found.searched_to) == ([37], moment(30))


def test_no_page_lies_beyond_the_window(runs: object) -> None:
    assert browse(offset=10**9) == browse(offset=WINDOW - 5)


def test_choices_are_the_values_of_a_column(runs: object) -> None:
    with read_session():
        assert OptimizationRepository().choices("task_type") == ["coding", "rare"]
        assert OptimizationRepository().choices("project") == ["Support"]


def test_many_runs_change_by_the_rules_of_one(runs: object) -> None:
    repository = OptimizationRepository()
    with write_session():
        assert repository.tag_runs(["01", "02", "01"], add=["new"], remove=["a"]) == 2
        assert repository.tag_runs(["01", "02"], add=["new"]) == 0
        assert repository.get_run("01")["tags"] == ["new"]
        assert repository.move_runs(["04", "05"], "Support") == 1
        assert repository.get_run("04")["project_id"] == "P"
        Optimization.objects.filter(id="06").update(status="running")
        assert repository.mark_stale(["05", "06"]) == 1
        assert repository.get_run("06")["error_message"] == "Server interrupted"
        assert repository.get_run("05")["error_message"] is None
    Project.objects.filter(id="P").update(status="archived")
    with pytest.raises(Forbidden), write_session():
        repository.move_runs(["00", "08"], "Support")
    with pytest.raises(NotFound), write_session():
        repository.tag_runs(["01", "nope"], add=["lost"])
    with read_session():
        assert repository.get_run("01")["tags"] == ["new"]


def test_shown_scores_and_their_limits_agree() -> None:
    """What a limit lets through is exactly what is shown as that score, halves of a tenth included."""
    stored = [number / 2000 for number in range(-40, 2041)]
    for shown in [number / 10 for number in range(101)]:
        least, greatest = least_shown(shown), greatest_shown(shown)
        assert [score for score in stored if least <= score <= greatest] == [
            score for score in stored if out_of_ten(score) == shown
        ]
    assert least_shown(1e300) == 1e299  # ends, whatever somebody types
