"""Tags of many named prompts at once."""

from __future__ import annotations

from collections.abc import Sequence

from projects.contrib.registry.models import PromptName
from projects.contrib.registry.repository.named import Names
from projects.repository.rows import not_blank
from promptadmin.audit import Change, record
from promptadmin.conf.limits import TAG_LENGTH
from promptadmin.db import json_text
from promptadmin.errors import Invalid


class Tagging(Names):
    """The part that tags, in the caller's one write session: all of them or none."""

    def tag_prompts(self, prompt_ids: Sequence[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
        """Remove and then add tags of named prompts; answers how many this changed. Prompts without names stay.

        Raises Invalid for what can be no tag, NotFound for a prompt that isn't there, Forbidden in an archived project.
        """
        for tag in add:
            if len(not_blank(tag, "A tag")) > TAG_LENGTH:
                raise Invalid(f"A tag may have {TAG_LENGTH} characters: shorten “{tag[:TAG_LENGTH]}…”")
        changed = 0
        for prompt_id in sorted(set(prompt_ids)):  # in one order, so that two requests wait for each other
            self.prompts.prompt_to_change(prompt_id)
            row = self.names.filter(prompt_id=prompt_id).first()
            if row is not None:
                changed += self._tag(row, add, remove)
        return changed

    def _tag(self, row: PromptName, add: Sequence[str], remove: Sequence[str]) -> bool:
        before = json_text.read_list(row.tags) or []
        after = [*dict.fromkeys([*(tag for tag in before if tag not in remove), *add])]
        if after == before:
            return False
        row.tags = json_text.write(after)
        row.save(using=self.using, update_fields=["tags"])
        told = {"before": {"tags": ", ".join(before)}, "after": {"tags": ", ".join(after)}}
        record(Change(model=PromptName, key=str(row.pk), title=row.name, note=row.prompt_id, **told), using=self.using)
        return True
