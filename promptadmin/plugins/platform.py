"""The platform's own start-up steps, upkeep jobs and receivers of events, declared as plugins declare theirs."""

from __future__ import annotations

from collections.abc import Mapping

from promptadmin.plugins.declarations import StartupStep, UpkeepJob

PLATFORM_STEPS = (
    StartupStep(name="tables", title="tables", position=1, function="promptadmin.ops.startup.sequence.make_tables"),
    StartupStep(
        name="schema_changes",
        title="schema changes",
        position=2,
        function="promptadmin.ops.startup.sequence.change_schema",
    ),
    StartupStep(
        name="finish_deletions",
        title="interrupted deletions",
        position=2.9,
        function="promptadmin.deletions.upkeep.finish_all",
        quiet=True,
    ),
    StartupStep(
        name="later_changes",
        title="later schema changes",
        position=6.9,
        function="promptadmin.ops.startup.sequence.change_schema",
        quiet=True,
    ),
    StartupStep(
        name="harden_data_dir",
        title="data directory",
        position=8,
        function="promptadmin.ops.startup.file_modes.harden_data_dir",
    ),
)

PLATFORM_JOBS: tuple[UpkeepJob, ...] = (
    UpkeepJob(
        name="scheduled_backup",
        title="scheduled backups",
        function="promptadmin.ops.backups.schedule.scheduled_backup",
        seconds=5.0,
    ),
    UpkeepJob(
        name="idempotency_keys",
        title="answers kept for a day, removed",
        function="promptadmin.api.idempotency.forget_expired",
        seconds=60.0,
    ),
    UpkeepJob(
        name="expired_sessions",
        title="expired sessions",
        function="promptadmin.accounts.session_limits.remove_expired",
        seconds=3600.0,
    ),
    UpkeepJob(
        name="planner_statistics",
        title="statistics for SQLite's planner",
        function="promptadmin.ops.planner_statistics.refresh",
        seconds=60.0,
    ),
    UpkeepJob(
        name="deletions",
        title="large deletions",
        function="promptadmin.deletions.upkeep.finish_one",
        seconds=10.0,
    ),
    UpkeepJob(
        name="expired_deletions",
        title="deleted rows that nobody restored in time, removed",
        function="promptadmin.deletions.upkeep.forget_expired",
        seconds=600.0,
    ),
)

#: Only where metrics are on.
METRICS_RECEIVERS: Mapping[str, str] = {"*": "promptadmin.conf.counters.count_event"}
