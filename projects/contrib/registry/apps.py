"""Names and labels of prompts, as a plugin."""

from typing import ClassVar

from projects.declarations import PromptDeclarations
from promptadmin.plugins.declarations import DashboardPanel, NavigationPage, PluginConfig, TokenLimit
from promptadmin.plugins.page_parts import Box

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
    page_urls = "projects.contrib.registry.pages.urls.PAGES"
    navigation_pages = (NavigationPage("What is live", "podcasts", "admin:registry_live", "registry.view_label"),)
    navigation: ClassVar = {
        "promptname": "sell",
        "labelevent": "history_toggle_off",
        "promotionrequest": "how_to_reg",
        "labelrule": "policy",
    }
    text_parts = "projects.contrib.registry.pages.messages.parts_of"
    prompt_list_filters = ("projects.contrib.registry.pages.folders.FolderFilter",)
    offered_attributes: ClassVar = {"name_snippets": "programs that fetch a prompt by name"}
    prompt_names = "projects.contrib.registry.pages.box.names_of"
    prompt_variables = "projects.contrib.registry.pages.box.variables_of"
    prompt_boxes = (
        Box(
            name="registry",
            title="Name and labels",
            function="projects.contrib.registry.pages.box.box",
            template="registry/box.html",
            line_template="registry/chips.html",
            version_template="registry/version_chips.html",
            permission="registry.view_label",
        ),
    )
    dashboard_panels = (
        DashboardPanel(
            name="waiting_requests",
            title="Waiting for you",
            function="projects.contrib.registry.pages.deciding.waiting_requests",
            template="registry/waiting.html",
            position=0,
            permission="registry.change_label",
        ),
    )
    events = EVENTS
    token_limits = (
        TokenLimit("prefixes", "projects.contrib.registry.names.read_prefixes"),
        TokenLimit("labels", "projects.contrib.registry.names.read_labels"),
    )
    deletion_guards = ("projects.contrib.registry.repository.rules.expect_deletable",)
    restoration_guards = ("projects.contrib.registry.repository.rules.expect_restorable",)
    event_recorders: ClassVar = {"prompt_version_created": "projects.contrib.registry.details.record_version"}

    def ready(self) -> None:
        """Let the change log know rules, and limits of tokens know names."""
        from projects.contrib.registry.models import LabelRule, prompts_named
        from projects.models import tell_names
        from promptadmin.audit import log_saves

        log_saves(LabelRule)
        tell_names(prompts_named)
