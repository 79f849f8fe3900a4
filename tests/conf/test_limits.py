"""The documents name the limits that hold."""

from __future__ import annotations

from pathlib import Path

from promptadmin.conf import limits

API = (Path(__file__).parents[2] / "docs/api.md").read_text()


def test_the_api_document_names_the_limits() -> None:
    sentences = " ".join(API.split())
    for sentence in (
        f"A body may have {limits.BODY_BYTES / limits.MEBIBYTE} MiB, "
        f"an import {limits.IMPORT_BYTES // limits.MEBIBYTE} MiB and {limits.IMPORT_LINES:,} lines.",
        f"A prompt's text may have {limits.PROMPT_LENGTH:,} characters, a project's name, a run's title and its short "
        f"texts {limits.PROJECT_NAME_LENGTH}, a description {limits.DESCRIPTION_LENGTH:,}, a tag {limits.TAG_LENGTH}, ",
        f"The answer is kept for {limits.KEPT_ANSWER_HOURS} hours",
        f"An answer over {limits.KEPT_ANSWER_BYTES // limits.MEBIBYTE} MiB is not kept",
    ):
        assert sentence in sentences
    assert limits.PROJECT_NAME_LENGTH == limits.TITLE_LENGTH == limits.INDEXED_LENGTH
    assert (limits.TEXT_LENGTH, limits.ASKED_LENGTH, limits.KEPT_ANSWERS) == (10**6, 10**3, 10**6)  # in words there
