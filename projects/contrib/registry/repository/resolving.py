"""What a name means to a program that asks: which version, by label, number or moment, and all that belongs to it."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

from django.db import connections

from projects.contrib.registry.details import Content
from projects.contrib.registry.fetches import counter
from projects.contrib.registry.names import LATEST, PRODUCTION, key_of
from projects.contrib.registry.records import Named, Resolved
from projects.contrib.registry.repository.moving import Moving
from projects.contrib.registry.targets import Target
from projects.reach import row_limits
from promptadmin.context import current_actor
from promptadmin.db import json_text
from promptadmin.db.features import joined
from promptadmin.db.legacy_values import read_moment, read_text
from promptadmin.db.raw import fetch_all
from promptadmin.errors import Invalid, NotFound

#: The version that a statement reads: the label's, the current one, or a parameter.
BY_LABEL, CURRENT, BY_NUMBER = "l.version", "p.version", "n.wanted"
NAMES = {BY_NUMBER: "(SELECT n.*, CAST(%s AS INTEGER) AS wanted FROM prompt_names n)"}


@functools.cache
def _statement(wanted: str, labels: str) -> str:
    """Reads one version of the prompt with a key. As text: Django takes several times longer to build it than it takes.

    Of two stored versions of one number, which legacy files may have, the newest row is meant.
    """
    stored = (
        "SELECT v.{column} FROM prompt_versions v WHERE v.prompt_id = p.id AND v.version = {version} "
        "ORDER BY v.created_at DESC, v.id DESC LIMIT 1"
    )
    text = stored.format(column="content", version=wanted)
    came = stored.format(column="created_at", version=f"{wanted} - 1")
    is_label = wanted == BY_LABEL
    return (
        "SELECT n.prompt_id, n.name, n.kind, n.template_format, n.description, n.tags, p.project_id, p.version, "
        f"{wanted}, {'l.weights' if is_label else 'NULL'}, "
        f"CASE WHEN {wanted} = p.version THEN p.content ELSE ({text}) END, "
        f"(SELECT {labels} FROM labels o WHERE o.prompt_id = p.id AND o.version = {wanted}), "
        f"d.config, d.variables, d.author, d.reason, d.sha256, d.created_at, "
        f"CASE WHEN {wanted} = 1 THEN p.created_at ELSE ({came}) END "
        f"FROM {NAMES.get(wanted, 'prompt_names')} n JOIN prompts p ON p.id = n.prompt_id "
        + ("LEFT JOIN labels l ON l.prompt_id = n.prompt_id AND l.label = %s " if is_label else "")
        + f"LEFT JOIN version_details d ON d.prompt_id = n.prompt_id AND d.version = {wanted} WHERE n.key = %s"
    )


class Resolving(Moving):
    """The part that answers programs."""

    def resolve(
        self,
        *,
        name: str,
        label: str | None = None,
        version: int | None = None,
        at: dt.datetime | None = None,
        key: str | None = None,
    ) -> Resolved:
        """One version of a prompt: the one with a number, or the one that a label means, now or at a moment.

        Without a version and a label, `production` is meant. Of a split, a targeting key always gets the same version.
        Raises NotFound where there is no such prompt, label or version, with the labels that there are; Invalid for a
        version together with a label or a moment.
        """
        if version is not None:
            if label is not None or at is not None:
                raise Invalid("A version is asked for alone: leave 'label' and 'at' out, or 'version'")
            return self._by_number(name, version, label=None)
        label = PRODUCTION if label is None else label
        if at is not None:
            return self._as_of(name, label, at, key)
        if label == LATEST:
            return self._resolved(self._row(CURRENT, name), label)
        row = self._row(BY_LABEL, name, label)
        if row[8] is not None:
            return self._resolved(row, label)
        target = Target.read(row[9])
        if target is None:
            raise self._no_label(row[0], row[1], label)
        return self._by_number(name, target.choose(row[1], label, key), label)

    def fetch(self, **asked: Any) -> Resolved:
        """What `resolve` answers, counted as a fetch by whoever acts."""
        found = self.resolve(**asked)
        counter.add(found.id, found.label, found.version, current_actor().name)
        return found

    def labels_of(self, prompt_id: str) -> dict[str, Target]:
        """Where a prompt's labels point, but for `latest`."""
        rows = self.labels.filter(prompt_id=prompt_id).order_by("label").values_list("label", "version", "weights")
        found = ((label, Target.read(weights if version is None else str(version))) for label, version, weights in rows)
        return {label: target for label, target in found if target is not None}

    def _as_of(self, name: str, label: str, at: dt.datetime, key: str | None) -> Resolved:
        prompt = self.find(name)
        if label == LATEST:
            return self._by_number(name, self._current_at(prompt, at), label)
        moves = self.events.filter(prompt_id=prompt.prompt_id, label=label, moved_at__lte=at).order_by("position")
        last = moves.values_list("to_target", flat=True).last()
        target = Target.read(last)
        if target is None:
            raise NotFound(f"{prompt.name} had no label '{label}' at {at.isoformat()}")
        return self._by_number(name, target.choose(prompt.name, label, key), label)

    def _current_at(self, prompt: Named, at: dt.datetime) -> int:
        """The version that was the current one. A stored version tells when the next one came."""
        row = self.prompts.readable_prompt(prompt.prompt_id)
        if isinstance(row.created_at, dt.datetime) and at < row.created_at:
            raise NotFound(f"{prompt.name} wasn't there at {at.isoformat()}")
        later = self.prompts.versions.filter(prompt_id=prompt.prompt_id, created_at__gt=at).order_by("version")
        found: int | None = later.values_list("version", flat=True).first()
        return prompt.current if found is None else found

    def _by_number(self, name: str, version: int, label: str | None) -> Resolved:
        row = self._row(BY_NUMBER, name, version)
        if row[10] is None:
            raise NotFound(f"{row[1]} has no version {version}: its current version is {row[7]}")
        return self._resolved(row, label)

    def _row(self, wanted: str, name: str, *params: Any) -> Sequence[Any]:
        connection = connections[self.using]
        statement = _statement(wanted, joined(connection, "o.label"))  # no label has a comma
        found = fetch_all(connection, statement, [*params, key_of(name)])
        reach = row_limits()
        if found and reach is not None and not (reach.covers_project(found[0][6]) and reach.covers_name(found[0][1])):
            found = []
        if not found:
            found = fetch_all(connection, statement, [*params, key_of(self.find(name).name)])
        return found[0]

    def _no_label(self, prompt_id: str, name: str, label: str) -> NotFound:
        there = ", ".join([*self.labels_of(prompt_id), LATEST])
        return NotFound(f"{name} has no label '{label}': there are {there}")

    def _resolved(self, row: Sequence[Any], label: str | None) -> Resolved:
        prompt_id, name, kind, template_format, description, tags, project_id, _, version, _, text, labels, *details = (
            row
        )
        config, variables, author, reason, sha256, made_at, came_at = details
        config, variables, text = json_text.parse(config), json_text.parse(variables), read_text(text) or ""
        return Resolved(
            prompt_id,
            name,
            kind,
            template_format,
            description,
            json_text.read_list(tags) or [],
            project_id,
            version,
            label,
            sorted(labels.split(",")) if labels else [],
            text,
            config,
            variables,
            author,
            reason,
            sha256 or Content(kind, text, config, variables).sha256,
            read_moment(made_at) or read_moment(came_at),
        )
