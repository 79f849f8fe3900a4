"""The ledger: where labels point, and the one way in which they move."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from projects.contrib.registry.models import Label, LabelEvent
from projects.contrib.registry.records import EventRecord, Named
from projects.contrib.registry.repository.usage import Usage
from projects.contrib.registry.targets import Target, text_of
from promptadmin.audit import Change, record
from promptadmin.context import current_actor
from promptadmin.errors import Invalid
from promptadmin.plugins.events import send


class Ledger(Usage):
    """The part that keeps where labels point, and how that came."""

    def lock_named(self, name: str) -> None:
        """Keep a prompt from other writers until the session ends. Raises NotFound, Forbidden."""
        self._locked(self.find(name))

    def _locked(self, prompt: Named) -> Named:
        """The prompt as it is now, kept from other writers until the session ends. Raises NotFound, Forbidden."""
        _, row = self.prompts.prompt_to_change(prompt.prompt_id)
        return prompt._replace(current=row.version, project_id=row.project_id)

    def _target(self, prompt_id: str, label: str) -> Target | None:
        """Where a label points now."""
        row = self.labels.filter(prompt_id=prompt_id, label=label).first()
        return target_of(row) if row else None

    def _last_event(self, prompt_id: str, label: str) -> LabelEvent | None:
        return self.events.filter(prompt_id=prompt_id, label=label).order_by("position").last()

    def _expect_versions(self, prompt: Named, target: Target | None) -> None:
        """Raises Invalid for a version that the prompt doesn't have."""
        asked = set(target.versions if target else ()) - {prompt.current}
        stored = self.prompts.versions.filter(prompt_id=prompt.prompt_id, version__in=asked)
        if missing := sorted(asked - set(stored.values_list("version", flat=True))):
            raise Invalid(f"{prompt.name} has no version {missing[0]}: its current version is {prompt.current}")

    def _move(
        self,
        prompt: Named,
        label: str,
        target: Target | None,
        reason: str,
        *,
        moved_by: str = "",
        approved_by: str | None = None,
    ) -> EventRecord:
        """Move a label of a prompt that the session has locked, whatever its rule."""
        before, last = self._target(prompt.prompt_id, label), self._last_event(prompt.prompt_id, label)
        actor = current_actor()
        event = LabelEvent(
            prompt_id=prompt.prompt_id,
            label=label,
            position=last.position + 1 if last else 1,
            from_target=text_of(before),
            to_target=text_of(target),
            moved_by=moved_by or actor.name,
            door=actor.door,
            reason=reason,
            approved_by=approved_by,
            moved_at=_after(last),
        )
        event.save(using=self.using, force_insert=True)
        rows = self.labels.filter(prompt_id=prompt.prompt_id, label=label)
        if target is None:
            rows.delete()
        else:
            Label.objects.using(self.using).update_or_create(
                prompt_id=prompt.prompt_id, label=label, defaults={**columns_of(target), "moved_at": event.moved_at}
            )
        self._tell(prompt, event)
        return event_record(event, prompt.name)

    def _tell(self, prompt: Named, event: LabelEvent) -> None:
        columns = [None if target is None else {"target": target} for target in (event.from_target, event.to_target)]
        change = Change(
            model=Label,
            key=f"{prompt.prompt_id} {event.label}",
            title=f"{prompt.name}: {event.label}",
            before=columns[0],
            after=columns[1],
            note=event.reason,
        )
        record(change, using=self.using)
        send(
            "label_moved",
            subject=prompt.prompt_id,
            using=self.using,
            prompt_id=prompt.prompt_id,
            name=prompt.name,
            label=event.label,
            from_target=event.from_target,
            to_target=event.to_target,
            by=event.moved_by,
            approved_by=event.approved_by,
            reason=event.reason,
        )


def target_of(row: Label) -> Target | None:
    """Where a label points."""
    return Target.read(row.weights if row.version is None else str(row.version))


def columns_of(target: Target) -> dict[str, int | str | None]:
    """A target as the table of labels has it."""
    return {"version": target.version, "weights": str(target) if target.by_version else None}


def event_record(row: LabelEvent, name: str | None) -> EventRecord:
    """A move as it is handed out."""
    return EventRecord(
        row.pk,
        row.prompt_id,
        name,
        row.label,
        row.position,
        Target.read(row.from_target),
        Target.read(row.to_target),
        row.moved_by,
        row.door,
        row.reason,
        row.approved_by,
        row.moved_at,
    )


def _after(last: LabelEvent | None) -> dt.datetime:
    """Now, or just after the last move where a clock went back: moves of a label stand in the order of their times."""
    now = timezone.now()
    return now if last is None else max(now, last.moved_at + dt.timedelta(microseconds=1))
