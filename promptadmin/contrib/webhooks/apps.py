"""Webhooks, as a plugin."""

from typing import ClassVar

from promptadmin.plugins.declarations import PluginConfig
from promptadmin.plugins.plugin_settings import Setting


class WebhooksConfig(PluginConfig):
    """Tells other programs what has happened, by requests to the addresses that the admin keeps."""

    name = "promptadmin.contrib.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
    settings = (
        Setting("HOSTS", "names", read="promptadmin.conf.network_names.host_pattern"),
        Setting("PRIVATE", "flag"),
        Setting("ATTEMPTS", "number", 8, minimum=1),
        Setting("RETRY_SECONDS", "number", 5, minimum=1),
        Setting("KEEP_DAYS", "number", 30, minimum=1, maximum=36_500),
    )
    navigation_group = "Webhooks"
    navigation: ClassVar = {"endpoint": "webhook", "delivery": "outgoing_mail", "message": "outbox"}
    background_commands = ("deliver_webhooks",)
    gauges: ClassVar = {"waiting": "promptadmin.contrib.webhooks.outbox.waiting"}
    event_recorders: ClassVar = {"*": "promptadmin.contrib.webhooks.outbox.record_event"}

    def ready(self) -> None:
        from promptadmin.audit import log_saves

        log_saves(self.get_model("Endpoint"), secrets=["secret"])
