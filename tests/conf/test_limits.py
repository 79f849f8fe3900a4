"""The documents name the limits that hold."""

from __future__ import annotations

from pathlib import Path

from promptadmin.conf import limits

DOCS = Path(__file__).parents[2] / "docs"


def text(name: str) -> str:
    return " ".join((DOCS / name).read_text().split())


def test_the_documents_of_imports_name_the_limits() -> None:
    mebibytes, unpacked = limits.IMPORT_BYTES // limits.MEBIBYTE, limits.UNPACKED_BYTES // limits.MEBIBYTE
    for sentence in (
        f"XLSX takes up to {limits.XLSX_ROWS:,} rows and {limits.XLSX_CELL_LENGTH:,} characters in a cell.",
        f"Up to {limits.IMPORT_LINES:,} rows and {mebibytes} MiB in a file.",
        f"XLSX that unpacks to more than {unpacked} MiB or has {limits.XLSX_ELEMENTS:,} elements, "
        f"JSON with {limits.IMPORT_VALUES:,} values, a row of CSV with {limits.ROW_SEPARATORS:,} separators.",
    ):
        assert sentence in text("importing.md")
    assert f"{mebibytes} MiB, {limits.IMPORT_LINES:,} rows, {unpacked} MiB unpacked" in text("security.md")


def test_the_api_document_names_the_limits() -> None:
    sentences = text("api.md")
    for sentence in (
        f"A body may have {limits.BODY_BYTES / limits.MEBIBYTE} MiB, "
        f"an import {limits.IMPORT_BYTES // limits.MEBIBYTE} MiB and {limits.IMPORT_LINES:,} lines.",
        f"A prompt's text may have {limits.PROMPT_LENGTH:,} characters, a project's name, a run's title and its short "
        f"texts {limits.PROJECT_NAME_LENGTH}, a description {limits.DESCRIPTION_LENGTH:,}, a tag {limits.TAG_LENGTH}, ",
        f"More than {limits.SORTED_ROWS:,} runs are not sorted",
        f"The answer is kept for {limits.KEPT_ANSWER_HOURS} hours",
        f"An answer over {limits.KEPT_ANSWER_BYTES // limits.MEBIBYTE} MiB is not kept",
    ):
        assert sentence in sentences
    assert limits.PROJECT_NAME_LENGTH == limits.TITLE_LENGTH == limits.INDEXED_LENGTH
    assert (limits.TEXT_LENGTH, limits.ASKED_LENGTH, limits.KEPT_ANSWERS) == (10**6, 10**3, 10**6)  # in words there
