"""Limits of texts, in characters: one for each kind of text, at every door."""

from __future__ import annotations

#: A prompt's text, also as the text that a run began with.
PROMPT_LENGTH = 100_000
#: A project's name, also where a run names its project.
PROJECT_NAME_LENGTH = 200
DESCRIPTION_LENGTH = 2000
#: A run's title.
TITLE_LENGTH = 200
TAG_LENGTH = 50
#: Task types, strategies and other short texts of a run: PostgreSQL can't index a long one.
INDEXED_LENGTH = 200
