"""Optimisation runs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from projects.models import Project, Prompt
from projects.namesakes import firsts_of_names
from projects.reach import ReachManager, of_projects
from promptadmin.context import Reach
from promptadmin.db.fields import JSONText, Link, Moment, NamedIndex, Text, new_id


class RunStatus(models.TextChoices):
    """The states of a run."""

    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    COMPLETED = "completed", "completed"
    ERROR = "error", "error"
    CANCELLED = "cancelled", "cancelled"


class Optimization(models.Model):
    """A row is one run of an optimiser: the raw prompt, what became of it, and what that was worth.

    Scores are from 0.0 to 1.0, durations in milliseconds. `project` is the legacy project's name, not a key.
    """

    id = Text(primary_key=True, default=new_id, editable=False)
    created_at = Moment(default=timezone.now, editable=False)
    raw_prompt = Text()
    optimized_prompt = Text(null=True, blank=True)
    task_type = Text(null=True, blank=True)
    complexity = Text(null=True, blank=True)
    weaknesses = JSONText(null=True, blank=True)
    strengths = JSONText(null=True, blank=True)
    changes_made = JSONText(null=True, blank=True)
    framework_applied = Text(null=True, blank=True)
    optimization_notes = Text(null=True, blank=True)
    clarity_score = models.FloatField(null=True, blank=True)
    specificity_score = models.FloatField(null=True, blank=True)
    structure_score = models.FloatField(null=True, blank=True)
    faithfulness_score = models.FloatField(null=True, blank=True)
    overall_score = models.FloatField(null=True, blank=True)
    is_improvement = models.BooleanField(null=True, blank=True)
    verdict = Text(null=True, blank=True)
    duration_ms = models.BigIntegerField(null=True, blank=True)
    model_used = Text(null=True, blank=True)
    status = Text(choices=RunStatus, default=RunStatus.PENDING)
    error_message = Text(null=True, blank=True)
    project = Text(null=True, blank=True)
    tags = JSONText(null=True, blank=True)
    title = Text(null=True, blank=True)
    strategy_reasoning = Text(null=True, blank=True)
    input_tokens = models.BigIntegerField(null=True, blank=True)
    output_tokens = models.BigIntegerField(null=True, blank=True)
    strategy_confidence = models.FloatField(null=True, blank=True)
    prompt = Link("projects.Prompt", on_delete_sql="SET NULL", null=True, blank=True, related_name="optimizations")
    strategy = Text(null=True, blank=True)
    secondary_frameworks = JSONText(null=True, blank=True)
    version = Text(null=True, blank=True)
    codebase_context_snapshot = JSONText(null=True, blank=True)
    cache_creation_input_tokens = models.BigIntegerField(null=True, blank=True)
    cache_read_input_tokens = models.BigIntegerField(null=True, blank=True)

    objects = ReachManager()

    class Meta:
        db_table = "optimizations"
        verbose_name = "optimisation run"
        indexes = [
            NamedIndex(fields=["project"], name="ix_optimizations_project"),
            NamedIndex(fields=["task_type"], name="ix_optimizations_task_type"),
            NamedIndex(fields=["created_at"], name="ix_optimizations_created_at"),
            NamedIndex(fields=["status"], name="ix_optimizations_status"),
            NamedIndex(fields=["overall_score"], name="ix_optimizations_overall_score"),
            NamedIndex(fields=["status", "created_at"], name="ix_optimizations_status_created_at"),
            NamedIndex(fields=["task_type", "project"], name="ix_optimizations_task_type_project"),
            NamedIndex(fields=["prompt"], name="ix_optimizations_prompt_id"),
            NamedIndex(fields=["project", "status"], name="ix_optimizations_project_status"),
            NamedIndex(fields=["prompt", "status"], name="ix_optimizations_prompt_id_status"),
            NamedIndex(fields=["status", "overall_score"], name="ix_optimizations_status_score"),
            NamedIndex(
                fields=["prompt", "project"],
                name="ix_optimizations_unlinked",
                condition=models.Q(prompt__isnull=True),
            ),
            NamedIndex(fields=["project", "created_at"], name="ix_optimizations_project_created_at"),
            NamedIndex(fields=["task_type", "created_at"], name="ix_optimizations_task_type_created_at"),
            NamedIndex(
                Coalesce("strategy", "framework_applied"), "created_at", name="ix_optimizations_strategy_created_at"
            ),
            NamedIndex(fields=["status", "task_type"], name="ix_optimizations_status_task_type"),
            NamedIndex(fields=["task_type", "overall_score"], name="ix_optimizations_task_type_score"),
            NamedIndex(
                fields=["framework_applied"],
                name="ix_optimizations_framework_beside",
                condition=models.Q(strategy__isnull=False, framework_applied__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title or self.raw_prompt[:80])

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """The runs within reach: those of prompts within it and, linked to none, those that name a project within it.

        Who reaches prompts by name alone reaches no run that is linked to none.
        """
        linked = Prompt._base_manager.filter(Prompt.within(reach))
        found = Q(prompt__in=linked.values("pk"))
        if reach.prefixes is not None:
            return found
        projects = Project._base_manager.all()
        if reach.projects is not None:
            own = firsts_of_names(projects.filter(of_projects(reach, "pk")))
            return found | Q(prompt__isnull=True, project__in=own.values("name"))
        theirs = firsts_of_names(projects.filter(pk__in=sorted(reach.hidden)))
        free = Q(project__isnull=True) | ~Q(project__in=theirs.values("name"))
        return found | Q(prompt__isnull=True) & free
