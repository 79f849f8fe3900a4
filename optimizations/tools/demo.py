"""A small legacy file to try the product with: what a team's PromptForge might have left behind."""

from __future__ import annotations

import datetime as dt
import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

from promptadmin.db.fields import moment_text

SEED = 20260101
RUNS_A_PROMPT = 4

SCHEMA = """
CREATE TABLE optimizations (
    id TEXT NOT NULL, created_at DATETIME NOT NULL, raw_prompt TEXT NOT NULL, optimized_prompt TEXT, task_type TEXT,
    complexity TEXT, weaknesses TEXT, strengths TEXT, changes_made TEXT, framework_applied TEXT,
    optimization_notes TEXT, clarity_score FLOAT, specificity_score FLOAT, structure_score FLOAT,
    faithfulness_score FLOAT, overall_score FLOAT, is_improvement BOOLEAN, verdict TEXT, duration_ms INTEGER,
    model_used TEXT, status TEXT NOT NULL, error_message TEXT, project TEXT, tags TEXT, title TEXT, PRIMARY KEY (id));
CREATE INDEX ix_optimizations_project ON optimizations (project);
CREATE INDEX ix_optimizations_task_type ON optimizations (task_type);
CREATE INDEX ix_optimizations_created_at ON optimizations (created_at);
"""

#: In the order of the table.
COLUMNS = (
    *("id", "created_at", "raw_prompt", "optimized_prompt", "task_type", "complexity"),
    *("weaknesses", "strengths", "changes_made", "framework_applied", "optimization_notes"),
    *("clarity_score", "specificity_score", "structure_score", "faithfulness_score", "overall_score"),
    *("is_improvement", "verdict", "duration_ms", "model_used", "status", "error_message", "project", "tags", "title"),
)
JSON_COLUMNS = ("weaknesses", "strengths", "changes_made", "tags")

#: Project → (title, task type, prompt as its author wrote it, what an optimiser could have made of it).
PROMPTS: dict[str, list[tuple[str, str, str, str]]] = {
    "Customer support": [
        (
            "Refund reply",
            "writing",
            "Write an answer to a customer who wants their money back.",
            "You are a support agent of an online shop. Answer the customer below.\n\n1. Thank them and repeat the problem "
            "in one sentence.\n2. Say whether our 30-day return rule applies to order {order_date}.\n3. Name the next step "
            "and when it happens.\n\nAt most 120 words, no blame, no promises beyond the rule.\n\nCustomer: {message}",
        ),
        (
            "Ticket triage",
            "classification",
            "Sort this ticket into a category and tell me how urgent it is: {ticket}",
            "Classify the support ticket between the lines.\n---\n{ticket}\n---\nAnswer with JSON only: "
            '{"category": one of billing, delivery, defect, account, other; "urgency": 1 to 3; "reason": one sentence}.\n'
            "Urgency 3 only if somebody can't use what they paid for today.",
        ),
        (
            "Tone check",
            "analysis",
            "is this mail too harsh? {draft}",
            "Read the draft as its recipient would. List each phrase that may sound harsh, say why in at most ten words, and "
            "offer a friendlier one with the same meaning. If there is none, answer exactly: No change needed.\n\n{draft}",
        ),
    ],
    "Data team": [
        (
            "SQL from a question",
            "coding",
            "Turn the question into SQL for our warehouse. {question}",
            "You write PostgreSQL 15 queries for the tables below.\n{schema}\nQuestion: {question}\n\nThink about which "
            "tables and joins are needed, then give one query. Use only columns that exist, qualify every column, and add "
            "a comment where you had to guess.",
        ),
        (
            "Explain a query plan",
            "analysis",
            "Why is this query slow? {plan}",
            "Explain the plan to a developer who knows SQL but not the planner. Name the step that takes most of the time, "
            "quote its line, say which index or rewrite would help and how to check that it did.\n\n{plan}",
        ),
        (
            "Weekly summary",
            "summarization",
            "summarize the numbers of this week for the boss",
            "Summarise the table for a reader with one minute: three sentences, the largest change first, with its number "
            "and the change in percent. No adjectives. End with the one question that the numbers leave open.\n\n{table}",
        ),
    ],
    "Teaching": [
        (
            "Quiz maker",
            "creative",
            "Make a quiz about {topic}",
            "Write five questions about {topic} for students of grade {grade}, from recall to transfer. For each: the "
            "question, four options of similar length, the right letter, and one sentence on why the others are wrong.",
        ),
        (
            "Essay feedback",
            "writing",
            "Give feedback on this essay. {essay}",
            "You are a patient writing teacher. Name two strengths with a quotation each, then the one change that would "
            "help most, and show it on one paragraph. Don't rewrite the whole essay.\n\n{essay}",
        ),
        (
            "Explain like a neighbour",
            "general",
            "Explain {concept} simply.",
            "Explain {concept} to an interested neighbour in 150 words: one everyday comparison, where that comparison "
            "stops being true, and one thing to try at home.",
        ),
    ],
}
STRATEGIES = (
    "chain-of-thought",
    "role-task-format",
    "few-shot",
    "role-based",
    "structured-output",
    "constraint-focused",
)
TAGS = ("draft", "live", "german", "short", "reviewed")
STATUSES = ("completed",) * 9 + ("error", "cancelled")


def make_demo_file(path: Path) -> int:
    """Write the file and return its number of runs. Raises FileExistsError where there is one already."""
    if path.exists():
        raise FileExistsError(f"{path} exists already: delete it, or name another file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    chance = random.Random(SEED)
    rows = list(made_runs(chance))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
        places = ", ".join("?" for _ in rows[0])
        connection.executemany(f"INSERT INTO optimizations VALUES ({places})", rows)
        connection.commit()
    return len(rows)


def made_runs(chance: random.Random) -> list[tuple[object, ...]]:
    rows = []
    now = dt.datetime.now(dt.UTC)
    for project, prompts in PROMPTS.items():
        for title, task_type, raw, optimized in prompts:
            for _ in range(RUNS_A_PROMPT):
                age = dt.timedelta(days=chance.triangular(0, 60, 5), seconds=chance.random() * 3600)
                rows.append(_run(chance, now - age, project, title, task_type, raw, optimized))
    rows.append(
        _run(chance, now - dt.timedelta(hours=5), "Data team", "Left running", "coding", "Fix it.", "", "running")
    )
    rows.append(
        _run(chance, now - dt.timedelta(days=1), None, "Loose idea", "general", "Write a poem.", "Write a haiku.")
    )
    return rows


def _run(
    chance: random.Random,
    created_at: dt.datetime,
    project: str | None,
    title: str,
    task_type: str,
    raw: str,
    optimized: str,
    status: str = "",
) -> tuple[object, ...]:
    status = status or chance.choice(STATUSES)
    done = status == "completed"
    scores = [round(min(1.0, max(0.2, chance.gauss(0.78, 0.12))), 4) for _ in range(4)]
    overall = round(sum(scores) / 4, 4)
    key = "".join(f"{chance.getrandbits(4):x}" for _ in range(32))
    lists = ('["no audience", "no format"]', '["clear goal"]', '["named the role", "fixed the format"]')
    return (
        f"{key[:8]}-{key[8:12]}-4{key[13:16]}-a{key[17:20]}-{key[20:]}",
        moment_text(created_at),
        raw,
        optimized if done else None,
        task_type,
        chance.choice(("simple", "moderate", "complex")),
        *(lists if done else (None, None, None)),
        chance.choice(STRATEGIES) if done else None,
        None,
        *(scores if done else (None,) * 4),
        overall if done else None,
        overall > 0.7 if done else None,
        "Clearer than the original." if done else None,
        chance.randint(4_000, 40_000) if done else None,
        chance.choice(("model-a", "model-b")),
        status,
        "The provider timed out." if status == "error" else None,
        project,
        json.dumps(chance.sample(TAGS, chance.randint(0, 2))),
        title,
    )
