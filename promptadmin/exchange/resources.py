"""A table as django-import-export wants it: what an import would do, row by row, or has done."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar

import orjson
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from import_export.fields import Field
from import_export.resources import Resource
from import_export.results import InvalidRow, Result, RowResult

from promptadmin.conf.limits import IMPORT_LINES
from promptadmin.db.exact_json import loads
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError
from promptadmin.exchange.lines import ImportRefused, Line, LineError, Numbered
from promptadmin.exchange.made_ids import with_ids
from promptadmin.exchange.tables import Table

#: As many rows and as many errors does a preview show.
MOST_SHOWN = 100
LONGEST_SHOWN = 80
KEYS_A_QUERY = 500


class Preview(Result):
    """What became of the rows, or would become of them. It shows MOST_SHOWN; the counts are of all."""

    def __init__(self) -> None:
        super().__init__()
        self.new = self.unchanged = self.wrong = self.made = self.good = 0
        #: What was assumed of the file.
        self.notes: list[str] = []

    @property
    def total(self) -> int:
        return self.new + self.unchanged


class _Undone(Exception):
    """Ends the session of a preview, which writes nothing."""


class TableResource(Resource):
    """The resource of one table: a subclass names it."""

    table: ClassVar[Table]

    @classmethod
    def get_display_name(cls) -> str:
        """For forms with a choice, which ours haven't."""
        return str(cls.table.model._meta.verbose_name_plural)

    def get_user_visible_fields(self) -> list[Field]:
        return [Field(column_name=name) for name in self.table.columns]

    def import_data(
        self, dataset: list[Numbered], dry_run: bool = False, good_rows: int | None = None, **kwargs: Any
    ) -> Preview:
        """Store the rows, all or none; a dry run stores none, and tells what would be.

        `good_rows` is how many could be imported without the others when somebody confirmed that: these are stored,
        if they are as many as then.
        """
        result = Preview()
        result.diff_headers = list(self.table.shown)
        result.notes = [*getattr(dataset, "notes", ())]
        dataset, made = with_ids(dataset, self.table.model._meta.db_table)
        lines, errors = self.table.check(dataset)
        known = self._known([line.values["id"] for line in lines])
        if len(dataset) <= IMPORT_LINES:
            # The rows that can be read are tried even where others can't, so that all errors are told at once.
            errors += self._write(lines, dry_run or bool(errors) or good_rows is not None)
            if errors:
                lines = self._good(lines, errors)
                result.good = len(lines)
            if good_rows is not None:
                changed = [LineError("conflict", "Other rows can be imported now than when you confirmed it", 0)]
                errors = self._write(lines, dry_run) if good_rows == len(lines) else [*changed, *errors]
        if errors:
            self._add_errors(result, errors, dict(dataset))
            return result
        for line in lines:
            row = RowResult()
            row.import_type = RowResult.IMPORT_TYPE_SKIP if line.values["id"] in known else RowResult.IMPORT_TYPE_NEW
            row.diff = [_shown(line.values.get(name)) for name in self.table.shown]
            known.add(line.values["id"])
            is_new = row.import_type == RowResult.IMPORT_TYPE_NEW
            result.made += is_new and line.values["id"] in made
            result.new, result.unchanged = result.new + is_new, result.unchanged + (not is_new)
            if len(result.rows) < MOST_SHOWN:
                result.append_row_result(row)
        return result

    def _good(self, lines: list[Line], errors: list[LineError]) -> list[Line]:
        """The lines that could be stored without the wrong ones: none where the whole is refused.

        `errors` gets those of lines that need a wrong one.
        """
        wrong = {error.line for error in errors}
        while lines and 0 not in wrong:
            rest = [line for line in lines if line.number not in wrong]
            found = self._write(rest, dry_run=True)
            if not found:
                return rest
            errors += found
            lines, wrong = rest, {error.line for error in found}
            if not wrong & {line.number for line in rest}:
                break
        return []

    def _write(self, lines: list[Line], dry_run: bool) -> list[LineError]:
        try:
            with write_session():
                self.table.write(lines)
                if dry_run:
                    raise _Undone
        except _Undone:
            pass
        except ImportRefused as refused:
            return list(refused.errors)
        except DomainError as refused:
            return [LineError("value_error", str(refused), 0)]
        return []

    def _known(self, keys: list[str]) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(keys), KEYS_A_QUERY):
            rows = self.table.model._default_manager.filter(pk__in=keys[start : start + KEYS_A_QUERY])
            known.update(rows.values_list("pk", flat=True))
        return known

    def _add_errors(self, result: Preview, errors: list[LineError], values: dict[int, Any]) -> None:
        by_line: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for error in errors:
            is_named = not error.field or error.msg.startswith(f"{error.field} ")
            by_line[error.line][NON_FIELD_ERRORS if is_named else error.field].append(error.msg)
        result.wrong = len(by_line)
        for number, messages in list(by_line.items())[:MOST_SHOWN]:
            row = _as_object(values.get(number))
            shown = [_shown(row.get(name)) for name in self.table.shown]
            result.invalid_rows.append(InvalidRow(number, ValidationError(dict(messages)), shown))


def _as_object(row: Any) -> dict[str, Any]:
    """A row as it came, to be shown beside what is wrong with it."""
    try:
        found = loads(row) if isinstance(row, bytes) else row
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _shown(value: Any) -> str:
    try:
        text = "" if value is None else str(value)
    except RecursionError:
        text = "…"
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
