"""Who may move which label, and what must not go while programs use it: the one place, for every door."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Max, QuerySet, Sum
from django.utils import timezone

from projects.contrib.registry.models import Label, LabelRule, PromptFetch
from projects.models import Prompt
from promptadmin.conf.counted import counted
from promptadmin.context import Actor, current_actor
from promptadmin.db.kept_rows import unpack
from promptadmin.errors import Conflict, Forbidden, Invalid
from promptadmin.models import DeletedRows, Deletion

#: For how long after its last fetch a prompt or label counts as in use.
IN_USE = dt.timedelta(days=7)
PERMISSION = "registry.promote_label"


@dataclass(frozen=True)
class Rule:
    """How a label is guarded; without a row it isn't."""

    label: str
    is_protected: bool = False
    needs_reason: bool = False
    needs_second_person: bool = False

    @classmethod
    def of(cls, label: str, using: str) -> Rule:
        """The rule of a label."""
        row = LabelRule.objects.using(using).filter(label=label).first()
        if row is None:
            return cls(label)
        return cls(label, row.is_protected, row.needs_reason, row.needs_second_person)

    def expect_reason(self, reason: str) -> None:
        """Raises Invalid where a reason is missing."""
        if self.needs_reason and not reason.strip():
            raise Invalid(f"A move of '{self.label}' needs a reason: say why in 'reason'")

    def expect_within_reach(self) -> None:
        """Raises Forbidden where a token is limited to other labels."""
        actor = current_actor()
        allowed = actor.reach.labels if actor.reach is not None else None
        if allowed is not None and self.label not in allowed:
            raise Forbidden(
                f"{actor.name} is limited to the labels {', '.join(sorted(allowed))}, and may not move '{self.label}'"
            )

    def expect_may_move(self) -> None:
        """Raises Forbidden where whoever acts may not move the label."""
        self.expect_within_reach()
        actor = current_actor()
        if self.is_protected and not may_promote(actor):
            raise Forbidden(
                f"The label '{self.label}' is protected: moving it needs the scope 'promote' of a token, or the "
                f"permission '{PERMISSION}', and {actor.name} doesn't have it"
            )


def expect_deletable(prompts: QuerySet[Prompt], force: bool) -> None:
    """Raises Forbidden or Conflict where rules guard a label of these prompts; Conflict where programs fetch them.

    `force` is no way past a rule.
    """
    expect_free_labels(prompts)
    if not force:
        expect_unused(PromptFetch._base_manager.using(prompts.db).filter(prompt__in=prompts), "A prompt here")


def expect_unused(fetches: QuerySet[PromptFetch], what: str) -> None:
    """Raises Conflict, with who it was, where programs fetched something in the last days, as these counts tell."""
    rows = fetches.filter(last_at__gt=timezone.now() - IN_USE)
    users = list(rows.values_list("token").annotate(times=Sum("count"), last=Max("last_at")).order_by("-last"))
    if users:
        who = "; ".join(
            f"{token} ({counted(count, 'time')}, last {last:%Y-%m-%d %H:%M} UTC)" for token, count, last in users[:5]
        )
        more = f"; and {len(users) - 5} more" if len(users) > 5 else ""
        raise Conflict(
            f"{what} was fetched in the last {IN_USE.days} days by {who}{more}. Where it shall go anyway, ask for it "
            "with force: ?force=true in the API, a tick on the page"
        )


def expect_free_labels(prompts: QuerySet[Prompt]) -> None:
    """What guards a label guards the prompt that has it, and its name. Raises Forbidden and Conflict.

    Otherwise whoever may delete or rename could take a label away, or put it elsewhere, with its prompt.
    """
    found = Label._base_manager.using(prompts.db).filter(prompt__in=prompts).order_by("label")
    for label in found.values_list("label", flat=True).distinct():
        rule = Rule.of(label, prompts.db)
        rule.expect_may_move()
        if rule.needs_second_person or rule.needs_reason:
            needed = "the consent of a second person" if rule.needs_second_person else "a reason"
            raise Conflict(
                f"A prompt here has the label '{label}', which moves only with {needed}: take the label away first"
            )


def expect_restorable(deletion: Deletion, using: str) -> None:
    """A deleted prompt comes back with its labels: raises Forbidden for whoever may not move them."""
    kept = DeletedRows.objects.using(using).filter(deletion=deletion, table__startswith=f"{Label._meta.db_table}(")
    for label in sorted({row["label"] for some in kept for row in unpack(bytes(some.data))}):
        Rule.of(label, using).expect_may_move()


def may_promote(actor: Actor) -> bool:
    """Whether somebody may move protected labels. Whoever runs a command can open the database anyway."""
    if actor.user is not None:
        return bool(actor.user.has_perm(PERMISSION))
    if actor.caller is not None:
        return "promote" in actor.caller.scopes
    return actor.door == "command"
