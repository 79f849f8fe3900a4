"""What each section of the statistics says about a few runs."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from optimizations.api.stats_schemas import StatisticsOut
from optimizations.apps import SECTIONS
from optimizations.stats import StatsQuery, statistics
from promptadmin.db.sessions import read_session
from tests.optimizations.plain_statistics import answer_of_nothing
from tests.optimizations.stats_rows import LONG_AGO, NOW, make_run, store

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines' columns take no such value")


def stats(project: str | None = None, **period: dt.datetime) -> dict[str, Any]:
    with read_session():
        answer = statistics(project, now=NOW, **period)
    assert StatisticsOut.model_validate(answer).model_dump() == answer
    return answer


def test_without_runs_every_key_has_its_empty_value() -> None:
    store([make_run(status="error", strategy="risen"), make_run(status="running")], ["active", "active"])
    assert stats() == answer_of_nothing()
    assert stats("nobody knows") == answer_of_nothing()


def test_keys_stand_in_the_contracts_order() -> None:
    store([])
    assert list(stats()) == list(StatisticsOut.model_fields) == list(SECTIONS)


def test_averages_are_over_the_runs_that_have_the_score() -> None:
    store([make_run(overall_score=0.5, clarity_score=0.12345), make_run(overall_score=0.8), make_run()])
    answer = stats()
    assert answer["total_optimizations"] == 3
    assert answer["average_overall_score"] == 0.65
    assert answer["average_clarity_score"] == round(0.12345, 4)
    assert answer["average_structure_score"] is None


def test_improvement_rate_is_over_validated_runs() -> None:
    store([make_run(is_improvement=value) for value in (True, True, False, None)])
    assert stats()["improvement_rate"] == 0.6667


def test_total_projects_counts_active_ones_or_the_single_one_with_runs() -> None:
    store([make_run(project="a"), make_run(project="b", status="error")], ["active", "active", "archived", "deleted"])
    assert [stats(project)["total_projects"] for project in (None, "", "a", "b", "c")] == [2, 2, 1, 0, 0]


def test_a_project_is_its_exact_text() -> None:
    store([make_run(project=text) for text in ("a", "A", " a", "a ", None)])
    assert [stats(project)["total_optimizations"] for project in (None, "a", "A", "%")] == [5, 1, 1, 0]


def test_most_common_task_type_is_the_first_by_name_among_equals() -> None:
    store([make_run(task_type=text) for text in ("b", "a", "c", "a", "b", None, None, None)])
    assert stats()["most_common_task_type"] == "a"


def test_recent_runs_are_counted_from_their_bounds_on() -> None:
    midnight = NOW.replace(hour=0, minute=0)
    bounds = [midnight, NOW - dt.timedelta(days=7), NOW - dt.timedelta(days=30)]
    moments = [moment for bound in bounds for moment in (bound, bound - SECOND)]
    store([make_run(created_at=moment, overall_score=0.5) for moment in moments])
    answer = stats()
    assert answer["optimizations_today"] == 1
    assert answer["trend_7d"] == {"count": 3, "avg_score": 0.5}
    assert answer["trend_30d"] == {"count": 5, "avg_score": 0.5}


def test_a_trend_without_scores_has_no_mean() -> None:
    store([make_run(created_at=NOW)])
    assert stats()["trend_7d"] == {"count": 1, "avg_score": None}


def test_strategy_is_the_first_name_there_is_and_aliases_count_as_their_canonical_name() -> None:
    store(
        [
            make_run(strategy="few-shot", framework_applied="risen"),
            make_run(strategy="few-shot-scaffolding"),
            make_run(framework_applied="few-shot"),
            make_run(strategy="Few-Shot"),
            make_run(strategy="home-made"),
            make_run(),
        ]
    )
    assert stats()["strategy_distribution"] == {"Few-Shot": 1, "few-shot-scaffolding": 3, "home-made": 1}


def test_means_of_merged_aliases_use_only_runs_that_have_the_value() -> None:
    shared: dict[str, Any] = {"task_type": "coding", "complexity": "simple"}
    store(
        [
            make_run(strategy="few-shot", overall_score=0.2, strategy_confidence=0.1, input_tokens=10, **shared),
            make_run(strategy="few-shot", **shared),
            make_run(strategy="few-shot", **shared),
            make_run(framework_applied="few-shot-scaffolding", overall_score=0.4, input_tokens=21, **shared),
        ]
    )
    answer = stats()
    name, cell = "few-shot-scaffolding", {"count": 4, "avg_score": 0.3}
    assert answer["score_by_strategy"] == {name: 0.3}
    assert answer["confidence_by_strategy"] == {name: 0.1}
    assert answer["score_matrix"] == {name: {"coding": cell}}
    assert answer["complexity_performance"] == {name: {"simple": cell}}
    assert answer["task_types_by_strategy"] == {name: {"coding": 4}}
    assert answer["score_variance"] == {name: {"min": 0.2, "max": 0.4, "avg": 0.3, "stddev": 0.1, "count": 4}}
    # 15.5 goes to the even neighbour
    assert answer["token_economics"] == {name: {"avg_input_tokens": 16, "avg_output_tokens": 0, "avg_duration_ms": 0}}


def test_groups_without_scores_have_a_null_mean_and_no_place_among_scores() -> None:
    store(
        [
            make_run(strategy="risen", task_type="coding", complexity="simple", secondary_frameworks='["co-star"]'),
            make_run(),
        ]
    )
    answer = stats()
    assert answer["score_matrix"] == {"risen": {"coding": {"count": 1, "avg_score": None}}}
    assert answer["complexity_performance"] == {"risen": {"simple": {"count": 1, "avg_score": None}}}
    assert answer["combo_effectiveness"] == {"risen": {"co-star": {"count": 1, "avg_score": None}}}
    for key in ("score_by_strategy", "score_variance", "confidence_by_strategy", "win_rates"):
        assert answer[key] is None


def test_secondary_strategies_are_counted_as_often_as_they_are_named() -> None:
    store(
        [
            make_run(strategy="risen", secondary_frameworks='["few-shot", "few-shot-scaffolding", "x"]'),
            make_run(secondary_frameworks='["x", "", 1, null, true, ["x"], {"x": "x"}]'),
            make_run(strategy="risen", overall_score=0.5, secondary_frameworks='["x", "x"]'),
            make_run(status="error", strategy="risen", secondary_frameworks='["x"]'),
        ]
    )
    answer = stats()
    assert answer["secondary_strategy_distribution"] == {"few-shot-scaffolding": 2, "x": 4}
    assert answer["combo_effectiveness"] == {
        "risen": {
            "few-shot-scaffolding": {"count": 2, "avg_score": None},
            "x": {"count": 3, "avg_score": 0.5},
        }
    }


NO_LISTS = [
    "",
    "null",
    "5",
    "true",
    '"co-star"',
    '{"0": "co-star"}',
    "co-star",
    '["co-star"',
    '["co-star",]',
    "['co-star']",
    '["co-star"] and more',
    "[NaN]",
    '["a\\u0000b"]',
    '["a\nb"]',
    "\ufeff[]",
    pytest.param("[" * 100_000 + "]" * 100_000, id="too deep"),
]


@pytest.mark.parametrize("text", NO_LISTS)
def test_what_is_no_list_counts_nowhere(text: str) -> None:
    store([make_run(strategy="risen", tags=text, secondary_frameworks=text)])
    answer = stats()
    for key in ("tags_by_strategy", "secondary_strategy_distribution", "combo_effectiveness"):
        assert answer[key] is None


@on_sqlite
@pytest.mark.parametrize("value", ['["a"]\x00', "\x00", b'["a"]', b"\xff\x00"])
def test_a_nul_or_a_blob_is_no_list(value: str | bytes) -> None:
    store([make_run(strategy="risen", tags=value, secondary_frameworks=value)])
    assert stats()["tags_by_strategy"] is None
    assert stats()["secondary_strategy_distribution"] is None


def test_a_lone_surrogate_fails_nothing() -> None:
    store([make_run(strategy="risen", tags='["\\ud800"]', secondary_frameworks='["\\udfff"]')])
    assert stats()["secondary_strategy_distribution"] is None


def test_letters_count_the_same_escaped_or_not() -> None:
    store([make_run(strategy="risen", tags=text) for text in ('["\\u00e9\\ud83d\\ude00"]', ' [ "é😀" ] ')])
    assert stats()["tags_by_strategy"] == {"risen": {"é😀": 2}}


def test_four_most_frequent_tags_equals_by_name() -> None:
    tags = ['["c", "b", "a"]', '["e", "d", "b"]', '["e", "", 7]', "[]"]
    store([make_run(strategy="risen", tags=text) for text in tags])
    answer = stats()["tags_by_strategy"]
    assert answer == {"risen": {"b": 2, "e": 2, "a": 1, "c": 1}}
    assert list(answer["risen"]) == ["b", "e", "a", "c"]


def test_a_strategy_whose_lists_of_tags_are_empty_has_an_empty_entry() -> None:
    store([make_run(strategy="risen", tags="[]"), make_run(strategy="co-star"), make_run(tags='["x"]')])
    assert stats()["tags_by_strategy"] == {"risen": {}}


def test_error_rates_are_over_runs_of_every_status() -> None:
    statuses = ["completed", "error", "error", "running", "pending", "cancelled", "strange"]
    store([make_run(strategy="role-based", status=status) for status in statuses])
    assert stats()["error_rates"] == {"persona-assignment": {"total": 7, "errors": 2, "rate": 0.2857}}


def test_improvement_by_strategy_has_no_rate_where_nothing_was_validated() -> None:
    store([make_run(strategy=name, is_improvement=value) for name, value in (("a", False), ("a", True), ("b", None))])
    assert stats()["improvement_by_strategy"] == {
        "a": {"improved": 1, "validated": 2, "rate": 0.5},
        "b": {"improved": 0, "validated": 0, "rate": None},
    }


def test_win_rates_prefer_score_then_runs_then_the_last_name() -> None:
    store(
        [
            make_run(task_type="coding", strategy="risen", overall_score=0.9),
            make_run(task_type="coding", strategy="co-star", overall_score=0.8),
            make_run(task_type="writing", strategy="risen", overall_score=0.8),
            make_run(task_type="writing", strategy="co-star", overall_score=0.8),
            make_run(task_type="writing", strategy="co-star"),
            make_run(task_type="general", strategy="co-star", overall_score=0.8),
            make_run(task_type="general", strategy="risen", overall_score=0.8),
            make_run(task_type="analysis", strategy="risen"),
        ]
    )
    assert stats()["win_rates"] == {
        "coding": {"strategy": "risen", "avg_score": 0.9, "count": 1},
        "general": {"strategy": "risen", "avg_score": 0.8, "count": 1},
        "writing": {"strategy": "co-star", "avg_score": 0.8, "count": 2},
    }


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e300, -1e13])
def test_numbers_beyond_reckoning_count_as_absent(value: float) -> None:
    store([make_run(strategy="risen", overall_score=score) for score in (value, 0.5)])
    answer = stats()
    assert answer["average_overall_score"] == 0.5
    assert answer["score_variance"]["risen"] == {"min": 0.5, "max": 0.5, "avg": 0.5, "stddev": 0, "count": 2}


@on_sqlite
@pytest.mark.parametrize("value", ["", "high", "1.5 or so", b"\x01"])
def test_what_is_no_number_in_a_number_column_counts_as_absent(value: Any) -> None:
    numbers = ("duration_ms", "input_tokens", "output_tokens")
    columns = (*numbers, "is_improvement", "overall_score", "strategy_confidence", "faithfulness_score")
    store([make_run(strategy="risen", **dict.fromkeys(columns, item)) for item in (value, value, 1)])
    answer = stats()
    assert answer["token_economics"]["risen"]["avg_duration_ms"] == 1
    assert answer["improvement_by_strategy"]["risen"] == {"improved": 1, "validated": 1, "rate": 1.0}
    assert answer["average_overall_score"] == answer["average_faithfulness_score"] == 1
    assert answer["score_variance"]["risen"]["max"] == answer["confidence_by_strategy"]["risen"] == 1


@pytest.mark.parametrize(
    ("tokens", "mean"),
    [
        ([2**31], 2**31),
        ([2**31, 2**40], (2**31 + 2**40) // 2),
        ([2**63 - 1] * 3, 2**63),  # of floats; a sum of these as integers would be too large
        ([-(2**63), 4], -(2**62) + 2),
    ],
)
def test_numbers_of_tokens_of_any_size_count(tokens: list[int], mean: int) -> None:
    store([make_run(strategy="risen", input_tokens=number, duration_ms=number) for number in tokens])
    assert stats()["token_economics"]["risen"] == {
        "avg_input_tokens": pytest.approx(mean, rel=1e-15),
        "avg_output_tokens": 0,
        "avg_duration_ms": pytest.approx(mean, rel=1e-15),
    }


def test_an_empty_strategy_counts_under_no_strategy() -> None:
    """Also where the run names a framework; in all else it counts."""
    shared: dict[str, Any] = {
        "task_type": "coding", "complexity": "simple", "overall_score": 0.5, "tags": '["a"]', "is_improvement": True,
        "secondary_frameworks": '["risen"]', "strategy_confidence": 0.5, "input_tokens": 1,
    }  # fmt: skip
    store([make_run(strategy="", framework_applied="co-star", **shared), make_run(framework_applied="", **shared)])
    answer = stats()
    assert (answer["total_optimizations"], answer["average_overall_score"]) == (2, 0.5)
    assert answer["secondary_strategy_distribution"] == {"risen": 2}
    by_strategy = {name for name in answer if "strateg" in name} - {"secondary_strategy_distribution"}
    others = {"score_matrix", "score_variance", "combo_effectiveness", "complexity_performance", "error_rates"}
    for name in by_strategy | others | {"token_economics", "win_rates"}:
        assert answer[name] is None, name


@on_sqlite
def test_a_blob_in_a_text_column_reads_as_text() -> None:
    store([make_run(strategy=b"risen", task_type=b"\xff", created_at="never", overall_score=0.5)])
    assert stats()["score_matrix"] == {"risen": {"\ufffd": {"count": 1, "avg_score": 0.5}}}


def test_means_that_end_on_a_half_do_not_depend_on_the_order_of_adding() -> None:
    scores = [0.1, 0.2, 0.3, 0.7002]  # 0.32505
    answers = set()
    for order in (scores, scores[::-1], scores[2:] + scores[:2]):
        store([make_run(overall_score=score) for score in order])
        answers.add(stats()["average_overall_score"])
    assert len(answers) == 1


def test_a_period_holds_its_first_moment_and_not_its_last() -> None:
    day = dt.timedelta(days=1)
    store(
        [
            make_run(created_at=LONG_AGO + number * day, status=status, strategy="risen", tags='["x"]', project="p")
            for number in range(5)
            for status in ("completed", "error")
        ]
    )
    answer = stats("p", since=LONG_AGO + day, until=LONG_AGO + 3 * day)
    assert answer["total_optimizations"] == 2
    assert answer["error_rates"] == {"risen": {"total": 4, "errors": 2, "rate": 0.5}}
    assert answer["tags_by_strategy"] == {"risen": {"x": 2}}
    assert stats("p", since=LONG_AGO + 5 * day)["total_optimizations"] == 0


def test_sections_of_one_query_share_six_reads_of_runs() -> None:
    """Groups, two columns of lists, three recent periods; and looks into an index for the first run of each."""
    store([make_run(strategy="risen", tags='["x"]')], ["active"])
    asked = StatsQuery()
    with CaptureQueriesContext(connection) as queries:
        for path in SECTIONS.values():
            import_string(path)(asked)
    reads = [query["sql"] for query in queries if 'FROM "optimizations"' in query["sql"]]
    looks = [query["sql"] for query in queries if "ORDER BY created_at LIMIT 1" in query["sql"]]
    assert (len(reads), len(looks)) == (6, 3)
    assert not any("raw_prompt" in query["sql"] or "optimized_prompt" in query["sql"] for query in queries)
