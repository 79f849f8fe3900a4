"""What `promptadmin doctor` looks at in webhooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.utils import timezone
from django.utils.translation import ngettext

from promptadmin.contrib.webhooks.addresses import AddressRefused, check_host, read_address
from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint
from promptadmin.db.single_rows import readable_rows

UNTRIED_AFTER = dt.timedelta(minutes=5)


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_deliveries(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """W001: Webhooks.

    A message that was given up has never arrived. One that was due minutes ago and wasn't tried tells that nothing
    delivers: `serve` does, and so does `deliver_webhooks`, which you run yourself where another server is used.
    """
    for alias in databases or ():
        rows = Delivery.objects.using(alias)
        dead = rows.filter(status=DeliveryStatus.DEAD).count()
        late = rows.filter(
            status=DeliveryStatus.PENDING,
            attempts=0,
            due_at__lt=timezone.now() - UNTRIED_AFTER,
            endpoint__is_enabled=True,
        ).count()
        if dead:
            yield checks.Warning(
                ngettext("%d message that was given up", "%d messages that were given up", dead) % dead,
                hint="See the webhook deliveries in the admin: repair the endpoint, then deliver them again.",
                id="W001",
            )
        if late:
            messages = "%d message that waits and wasn't tried", "%d messages that wait and weren't tried"
            yield checks.Warning(
                ngettext(*messages, late) % late,
                hint="Run `promptadmin deliver_webhooks` beside the server, unless an endpoint has been down for long.",
                id="W001",
            )
        if not dead and not late:
            yield checks.Debug("every message has arrived, or is on its way", id="W001")


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_hosts(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """W002: The hosts of webhooks.

    Webhooks go only to hosts that PROMPTADMIN_WEBHOOKS_HOSTS names. What is due for an endpoint elsewhere, or for an
    address that can't be, is tried, is refused, and is given up in the end.
    """
    for alias in databases or ():
        refused = list(_refused(alias))
        yield from refused or [checks.Debug("every endpoint that is on is on a listed host", id="W002")]


def _refused(using: str) -> Iterator[checks.CheckMessage]:
    unreadable: list[int] = []
    enabled = Endpoint.objects.using(using).filter(is_enabled=True).order_by("pk")
    for endpoint in readable_rows(enabled.only("name", "url"), lambda key, error: unreadable.append(key)):
        try:
            check_host(read_address(endpoint.url).host)
        except AddressRefused as problem:
            hint = "Or switch the endpoint off in the admin."
            yield checks.Warning(f"{endpoint.name}: {problem}", hint=hint, id="W002")
    for key in unreadable:
        hint = "Delete its row, and make the endpoint again."
        yield checks.Warning(f"endpoint {key} can't be read", hint=hint, id="W002")
