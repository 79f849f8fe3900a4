"""What the API answers for statistics."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ScoreCell(BaseModel):
    """The runs of one cell of a table; the mean is over those with a score, and null where none has one."""

    count: int = Field(examples=[17])
    avg_score: float | None = Field(examples=[0.7383])


class ScoreSpread(BaseModel):
    """How a strategy's scores spread; `count` is all its runs, with or without a score."""

    min: float = Field(examples=[0.41])
    max: float = Field(examples=[0.96])
    avg: float = Field(examples=[0.7233])
    stddev: float = Field(description="Of the whole population.", examples=[0.1102])
    count: int = Field(examples=[147])


class Improvement(BaseModel):
    """What validation said about a strategy's runs."""

    improved: int = Field(examples=[121])
    validated: int = Field(examples=[147])
    rate: float | None = Field(description="Null where no run was validated.", examples=[0.8231])


class ErrorRate(BaseModel):
    """How many of a strategy's runs, of every status, failed."""

    total: int = Field(examples=[150])
    errors: int = Field(examples=[3])
    rate: float = Field(examples=[0.02])


class Trend(BaseModel):
    """The completed runs of the last days."""

    count: int = Field(examples=[42])
    avg_score: float | None = Field(examples=[0.7311])


class TokenEconomics(BaseModel):
    """What a strategy's runs cost, each mean over the runs that tell it; 0 where none does."""

    avg_input_tokens: int = Field(examples=[113])
    avg_output_tokens: int = Field(examples=[412])
    avg_duration_ms: int = Field(examples=[21444])


class Win(BaseModel):
    """The strategy with the best mean score for a task type."""

    strategy: str = Field(examples=["chain-of-thought"])
    avg_score: float = Field(examples=[0.7528])
    count: int = Field(examples=[19])


def _mean(what: str, example: float) -> Any:
    return Field(description=f"Mean {what} of the completed runs that have one, from 0 to 1.", examples=[example])


def _per_strategy(description: str, *example: Any) -> Any:
    return Field(description=f"{description} Null when empty.", examples=list(example))


class StatisticsOut(BaseModel):
    """Statistics of the completed runs of all projects, or of one. Strategies go by their canonical names.

    Plugins may add more.
    """

    model_config = ConfigDict(extra="allow")

    total_optimizations: int = Field(description="Completed runs.", examples=[2169])
    average_overall_score: float | None = _mean("overall score", 0.7155)
    average_clarity_score: float | None = _mean("clarity", 0.714)
    average_specificity_score: float | None = _mean("specificity", 0.7165)
    average_structure_score: float | None = _mean("structure", 0.717)
    average_faithfulness_score: float | None = _mean("faithfulness", 0.7146)
    improvement_rate: float | None = Field(
        description="Share of improvements among the validated runs; null where none was validated.", examples=[0.828]
    )
    total_projects: int = Field(
        description="Active projects; for one project 1. 0 where there are no completed runs.", examples=[4]
    )
    most_common_task_type: str | None = Field(description="Of equals, the first by name.", examples=["creative"])
    optimizations_today: int = Field(description="Completed runs made since midnight in UTC.", examples=[12])
    strategy_distribution: dict[str, int] | None = _per_strategy(
        "Runs by strategy.", {"chain-of-thought": 147, "co-star": 159}
    )
    score_by_strategy: dict[str, float] | None = _per_strategy(
        "Mean score of each strategy that has one.", {"chain-of-thought": 0.7233, "co-star": 0.7158}
    )
    task_types_by_strategy: dict[str, dict[str, int]] | None = _per_strategy(
        "Runs by strategy and task type.", {"chain-of-thought": {"analysis": 17, "coding": 12}}
    )
    secondary_strategy_distribution: dict[str, int] | None = _per_strategy(
        "How often each strategy was a secondary one.", {"step-by-step": 151}
    )
    tags_by_strategy: dict[str, dict[str, int]] | None = _per_strategy(
        "The four most frequent tags of each strategy; none where its runs' lists are all empty.",
        {"co-star": {"reviewed": 28, "long": 25, "code": 20, "draft": 20}},
    )
    score_matrix: dict[str, dict[str, ScoreCell]] | None = _per_strategy(
        "Runs and mean score by strategy and task type.",
        {"chain-of-thought": {"analysis": {"count": 17, "avg_score": 0.7383}}},
    )
    score_variance: dict[str, ScoreSpread] | None = _per_strategy(
        "Spread of the scores of each strategy that has one.",
        {"co-star": {"min": 0.41, "max": 0.96, "avg": 0.7158, "stddev": 0.1102, "count": 159}},
    )
    confidence_by_strategy: dict[str, float] | None = _per_strategy(
        "Mean confidence in the strategy, from 0 to 1, where some run tells it.", {"co-star": 0.8123}
    )
    combo_effectiveness: dict[str, dict[str, ScoreCell]] | None = _per_strategy(
        "Occurrences and mean score by strategy and secondary strategy.",
        {"co-star": {"step-by-step": {"count": 9, "avg_score": 0.7402}}},
    )
    complexity_performance: dict[str, dict[str, ScoreCell]] | None = _per_strategy(
        "Runs and mean score by strategy and complexity.",
        {"co-star": {"complex": {"count": 51, "avg_score": 0.7049}}},
    )
    improvement_by_strategy: dict[str, Improvement] | None = _per_strategy(
        "Improvements and validated runs by strategy.",
        {"co-star": {"improved": 121, "validated": 147, "rate": 0.8231}},
    )
    error_rates: dict[str, ErrorRate] | None = _per_strategy(
        "Runs of every status, and failed ones, by strategy.", {"co-star": {"total": 150, "errors": 3, "rate": 0.02}}
    )
    trend_7d: Trend = Field(description="The last 7 days.")
    trend_30d: Trend = Field(description="The last 30 days.")
    token_economics: dict[str, TokenEconomics] | None = _per_strategy(
        "Mean tokens and duration by strategy, in whole numbers.",
        {"co-star": {"avg_input_tokens": 113, "avg_output_tokens": 412, "avg_duration_ms": 21444}},
    )
    win_rates: dict[str, Win] | None = _per_strategy(
        "The best strategy for each task type: by mean score, then by runs, then the last by name.",
        {"writing": {"strategy": "chain-of-thought", "avg_score": 0.7528, "count": 19}},
    )
