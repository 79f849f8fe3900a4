"""Names and labels of prompts, as a plugin."""

from typing import ClassVar

from projects.declarations import PromptDeclarations
from promptadmin.plugins.declarations import PluginConfig

EVENTS = {
    "label_moved": "a label of a prompt was set, moved, split or taken away",
    "promotion_requested": "somebody asked for a move of a label that a second person has to approve",
    "promotion_decided": "such a request was approved or rejected",
}


class RegistryConfig(PromptDeclarations, PluginConfig):
    """Lets programs fetch prompts by name and label, and keeps what was live when."""

    name = "projects.contrib.registry"
    label = "registry"
    verbose_name = "Registry"
    requires_plugins = ("projects",)
    api_router = "projects.contrib.registry.api.router"
    api_permissions: ClassVar = {
        "read": ["registry.view_promptname", "registry.view_label"],
        "write": ["registry.change_promptname", "registry.change_label"],
        "promote": ["registry.promote_label"],
    }
    navigation: ClassVar = {
        "promptname": "sell",
        "labelevent": "history_toggle_off",
        "promotionrequest": "how_to_reg",
        "labelrule": "policy",
    }
    events = EVENTS
    event_recorders: ClassVar = {"prompt_version_created": "projects.contrib.registry.details.record_version"}

    def ready(self) -> None:
        """Let the change log know rules."""
        from auditlog.registry import auditlog

        auditlog.register(self.get_model("LabelRule"))
