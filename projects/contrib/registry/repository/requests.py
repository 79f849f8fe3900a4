"""Moves that wait for a second person."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from projects.contrib.registry.models import LabelRule, PromotionRequest, PromptName, RequestState
from projects.contrib.registry.records import Moved, Named, RequestRecord
from projects.contrib.registry.repository.ledger import Ledger
from projects.contrib.registry.repository.rules import Rule, may_promote
from projects.contrib.registry.targets import Target, text_of
from promptadmin.context import current_actor
from promptadmin.errors import Conflict, Forbidden, NotFound
from promptadmin.plugins.events import send


class Requests(Ledger):
    """The part that keeps requests and decides them."""

    @property
    def requests(self) -> QuerySet[PromotionRequest]:
        """All requests."""
        return PromotionRequest.objects.using(self.using)

    def get_request(self, request_id: int) -> RequestRecord:
        """One request. Raises NotFound."""
        row = self.requests.filter(pk=request_id).first()
        if row is None:
            raise NotFound("There is no such request")
        return self._request_record(row)

    def list_requests(
        self, *, state: str = RequestState.OPEN, prompt_id: str | None = None, limit: int = 100
    ) -> list[RequestRecord]:
        """Requests of a state, of one prompt or of all, oldest first."""
        rows = self.requests.filter(state=state, **({} if prompt_id is None else {"prompt_id": prompt_id}))
        return [self._request_record(row) for row in rows.order_by("pk")[:limit]]

    def list_requests_to_decide(self, *, limit: int = 100) -> list[RequestRecord]:
        """Open requests that whoever acts may decide, oldest first."""
        return [self._request_record(row) for row in self._decidable().order_by("pk")[:limit]]

    def may_decide(self, request_id: int) -> bool:
        """Whether a request is one of those."""
        return self._decidable().filter(pk=request_id).exists()

    def _decidable(self) -> QuerySet[PromotionRequest]:
        actor = current_actor()
        rows = self.requests.filter(state=RequestState.OPEN).exclude(asker=actor.person)
        if not may_promote(actor):
            guarded = LabelRule.objects.using(self.using).filter(is_protected=True)
            rows = rows.exclude(label__in=guarded.values("label"))
        return rows

    def approve(self, request_id: int) -> Moved:
        """Make the move that somebody else has asked for.

        Raises Forbidden for the asker and for whoever may not move the label; Conflict where the request is decided
        already, or the label has moved since it was made; NotFound.
        """
        prompt, row = self._to_decide(request_id)
        target = Target.read(row.to_target)
        before = self._target(row.prompt_id, row.label)
        if before != Target.read(row.from_target):
            raise Conflict(
                f"'{row.label}' has moved since this was asked for, and points to {before or 'nothing'} now: reject "
                "the request, and ask again where it is still wanted"
            )
        actor = current_actor()
        event = self._move(prompt, row.label, target, row.reason, moved_by=row.asked_by, approved_by=actor.name)
        return Moved(row.label, target, event, self._decide(row, prompt, RequestState.APPROVED))

    def reject(self, request_id: int) -> RequestRecord:
        """Let the label stay where it is. Raises as `approve`."""
        prompt, row = self._to_decide(request_id)
        return self._decide(row, prompt, RequestState.REJECTED)

    def _request(self, prompt: Named, label: str, target: Target | None, reason: str) -> RequestRecord:
        """The request for a move: the open one of the same person for the same move, or a new one."""
        actor, before = current_actor(), self._target(prompt.prompt_id, label)
        asked = {
            "prompt_id": prompt.prompt_id,
            "label": label,
            "from_target": text_of(before),
            "to_target": text_of(target),
            "asker": actor.person,
            "state": RequestState.OPEN,
        }
        row = self.requests.filter(**asked).first()
        if row is None:
            row = PromotionRequest(**asked, asked_by=actor.name, reason=reason)
            row.save(using=self.using, force_insert=True)
            self._tell_request("promotion_requested", row, prompt)
        return self._request_record(row)

    def _to_decide(self, request_id: int) -> tuple[Named, PromotionRequest]:
        """A request that whoever acts may decide, with its prompt, both kept from others until the session ends."""
        found = self.get_request(request_id)
        prompt = self._locked(self._named(self.names.get(prompt_id=found.prompt_id)))
        row = self.requests.select_for_update().get(pk=request_id)
        if row.state != RequestState.OPEN:
            raise Conflict(f"This request was {row.state} by {row.decided_by} already")
        actor = current_actor()
        if actor.person == row.asker:
            raise Forbidden("Somebody else than the one who has asked decides: ask a second person")
        Rule.of(row.label, self.using).expect_may_move()
        return prompt, row

    def _decide(self, row: PromotionRequest, prompt: Named, state: RequestState) -> RequestRecord:
        row.state, row.decided_by, row.decided_at = state, current_actor().name, timezone.now()
        row.save(using=self.using, update_fields=["state", "decided_by", "decided_at"])
        self._tell_request("promotion_decided", row, prompt)
        return self._request_record(row)

    def _tell_request(self, event: str, row: PromotionRequest, prompt: Named) -> None:
        send(
            event,
            subject=prompt.prompt_id,
            using=self.using,
            request_id=row.pk,
            prompt_id=prompt.prompt_id,
            name=prompt.name,
            label=row.label,
            from_target=row.from_target,
            to_target=row.to_target,
            state=str(row.state),
            by=row.decided_by or row.asked_by,
            reason=row.reason,
        )

    def _request_record(self, row: PromotionRequest) -> RequestRecord:
        name = PromptName.objects.using(self.using).filter(prompt_id=row.prompt_id).values_list("name", flat=True)
        return RequestRecord(
            row.pk,
            row.prompt_id,
            name.first(),
            row.label,
            Target.read(row.from_target),
            Target.read(row.to_target),
            row.asked_by,
            row.reason,
            str(row.state),
            row.decided_by,
            row.asked_at,
            row.decided_at,
        )
