"""Webhooks, as a plugin."""

from typing import ClassVar

from promptadmin.plugins.declarations import PluginConfig


class WebhooksConfig(PluginConfig):
    """Tells other programs what has happened, by requests to the addresses that the admin keeps."""

    name = "promptadmin.contrib.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
    navigation: ClassVar = {"endpoint": "webhook", "delivery": "outgoing_mail", "message": "outbox"}
    background_commands = ("deliver_webhooks",)
    gauges: ClassVar = {"waiting": "promptadmin.contrib.webhooks.outbox.waiting"}
    event_recorders: ClassVar = {"*": "promptadmin.contrib.webhooks.outbox.record_event"}

    def ready(self) -> None:
        from auditlog.registry import auditlog

        auditlog.register(self.get_model("Endpoint"), mask_fields=["secret"])
