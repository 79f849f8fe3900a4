"""Who may move which label: the one place that decides it, for every door."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from projects.contrib.registry.models import Label, LabelRule
from projects.models import Prompt
from promptadmin.context import Actor, current_actor
from promptadmin.errors import Conflict, Forbidden, Invalid

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

    def expect_may_move(self) -> None:
        """Raises Forbidden where whoever acts may not move the label."""
        actor = current_actor()
        if self.is_protected and not may_promote(actor):
            raise Forbidden(
                f"The label '{self.label}' is protected: moving it needs the scope 'promote' of a token, or the "
                f"permission '{PERMISSION}', and {actor.name} doesn't have it"
            )


def expect_deletable(prompts: QuerySet[Prompt]) -> None:
    """What guards a label guards the prompt that has it. Raises Forbidden and Conflict.

    Otherwise whoever may delete could take a protected label away with its prompt.
    """
    rules = {
        row.label: row
        for row in LabelRule.objects.using(prompts.db).filter(Q(is_protected=True) | Q(needs_second_person=True))
    }
    if not rules:
        return
    found = Label.objects.using(prompts.db).filter(prompt__in=prompts, label__in=rules).order_by("label")
    for label in found.values_list("label", flat=True).distinct():
        Rule(label, rules[label].is_protected).expect_may_move()
        if rules[label].needs_second_person:
            raise Conflict(
                f"A prompt here has the label '{label}', which nobody moves alone: take the label away first, with "
                "the consent of a second person"
            )


def may_promote(actor: Actor) -> bool:
    """Whether somebody may move protected labels. Whoever runs a command can open the database anyway."""
    if actor.user is not None:
        return bool(actor.user.has_perm(PERMISSION))
    if actor.caller is not None:
        return "promote" in actor.caller.scopes
    return actor.door == "command"
