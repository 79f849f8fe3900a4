"""Moves of labels: each is an event of the ledger in the same transaction, and rules are asked before."""

from __future__ import annotations

from projects.contrib.registry.names import checked_label
from projects.contrib.registry.records import Moved
from projects.contrib.registry.repository.requests import Requests
from projects.contrib.registry.repository.rules import Rule, expect_unused
from projects.contrib.registry.targets import Target
from promptadmin.errors import Invalid, NotFound

LONGEST_REASON = 2_000


class Moving(Requests):
    """The part that moves labels."""

    def move_label(
        self, *, name: str, label: str, target: Target | None, reason: str = "", force: bool = False
    ) -> Moved:
        """Point a label to a version, split it over several, or, with None, take it away.

        Where the label's rule wants a second person, nothing is moved: the answer is a request that waits. Raises
        Invalid for a wrong label, a version that there isn't, or a missing reason; Forbidden where the rule, or an
        archived project, doesn't allow it; Conflict for taking away, without `force`, a label that programs
        fetch; NotFound.
        """
        checked_label(label)
        prompt = self._locked(self.find(name))
        rule = Rule.of(label, self.using)
        rule.expect_within_reach()
        if not rule.needs_second_person:
            rule.expect_may_move()
        if target is None and self._target(prompt.prompt_id, label) is None:
            raise NotFound(f"{prompt.name} has no label '{label}'")
        self._expect_versions(prompt, target)
        if target == self._target(prompt.prompt_id, label):
            return Moved(label, target)
        if target is None and not force:
            expect_unused(self.fetches.filter(prompt_id=prompt.prompt_id, label=label), f"The label '{label}'")
        if len(reason) > LONGEST_REASON:
            raise Invalid(f"A reason has at most {LONGEST_REASON:,} characters")
        rule.expect_reason(reason)
        if rule.needs_second_person:
            return Moved(label, target, request=self._request(prompt, label, target, reason))
        return Moved(label, target, event=self._move(prompt, label, target, reason))

    def undo_move(self, *, name: str, label: str, reason: str = "", force: bool = False) -> Moved:
        """Move a label back to where its last move came from, as a new move. Raises as `move_label`."""
        checked_label(label)
        prompt = self._locked(self.find(name))
        last = self._last_event(prompt.prompt_id, label)
        if last is None:
            raise NotFound(f"{prompt.name} has never had a label '{label}': there is nothing to undo")
        back = Target.read(last.from_target)
        reason = reason or f"undo: {last.reason}"
        return self.move_label(name=prompt.name, label=label, target=back, reason=reason, force=force)
