"""What `manage.py doctor` looks at in webhooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from promptadmin.contrib.webhooks.addresses import AddressRefused, check_host, read_address
from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint
from promptadmin.db.single_rows import readable_rows
from promptadmin.ops.doctor.registry import Examination, Finding, Severity, check, counted

UNTRIED_AFTER = dt.timedelta(minutes=5)


@check("W001")
def check_deliveries(examination: Examination) -> Iterator[Finding]:
    """Webhooks.

    A message that was given up has never arrived. One that was due minutes ago and wasn't tried tells that nothing
    delivers: `serve` does, and so does `deliver_webhooks`, which you run yourself where another server is used.
    """
    rows = Delivery.objects.using(examination.connection.alias)
    dead = rows.filter(status=DeliveryStatus.DEAD).count()
    late = rows.filter(
        status=DeliveryStatus.PENDING, attempts=0, due_at__lt=examination.now - UNTRIED_AFTER, endpoint__is_enabled=True
    ).count()
    if dead:
        yield Finding(
            Severity.WARNING,
            counted(dead, "message that was given up", "messages that were given up"),
            "See the webhook deliveries in the admin: repair the endpoint, then deliver them again.",
        )
    if late:
        yield Finding(
            Severity.WARNING,
            counted(late, "message that waits and wasn't tried", "messages that wait and weren't tried"),
            "Run `manage.py deliver_webhooks` beside the server, unless an endpoint has just been down for long.",
        )
    if not dead and not late:
        yield Finding(Severity.OK, "every message has arrived, or is on its way")


@check("W002")
def check_hosts(examination: Examination) -> Iterator[Finding]:
    """The hosts of webhooks.

    Webhooks go only to hosts that PROMPTADMIN_WEBHOOKS_HOSTS names. What is due for an endpoint elsewhere, or for an
    address that can't be, is tried, is refused, and is given up in the end.
    """
    refused, unreadable = False, list[int]()
    enabled = Endpoint.objects.using(examination.connection.alias).filter(is_enabled=True).order_by("pk")
    for endpoint in readable_rows(enabled.only("name", "url"), lambda key, error: unreadable.append(key)):
        try:
            check_host(read_address(endpoint.url).host)
        except AddressRefused as problem:
            refused = True
            yield Finding(Severity.WARNING, f"{endpoint.name}: {problem}", "Or switch the endpoint off in the admin.")
    for key in unreadable:
        yield Finding(Severity.WARNING, f"endpoint {key} can't be read", "Delete its row, and make the endpoint again.")
    if not refused and not unreadable:
        yield Finding(Severity.OK, "every endpoint that is on is on a listed host")
