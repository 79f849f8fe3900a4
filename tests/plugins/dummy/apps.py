"""One of everything that a plugin can declare."""

from projects.declarations import PromptCheck
from promptadmin.plugins import (
    Box,
    Column,
    DashboardFilter,
    DashboardPanel,
    Filter,
    NavigationPage,
    PluginConfig,
    RootApi,
    Setting,
    StartupStep,
    TokenLimit,
    UpkeepJob,
)


class DummyConfig(PluginConfig):
    """Some parts of it fail, to show that nothing else does then."""

    name = "dummy"
    requires_promptadmin = ">=0.1,<2"
    requires_plugins = ("projects", "optimizations")
    navigation = {"note": "sticky_note"}
    navigation_pages = (NavigationPage("Dummy page", "star", "admin:dummy_note_changelist", "dummy.view_note"),)
    navigation_group = "Dummies"
    page_urls = "dummy.parts.urls"
    settings = (Setting("WORD", "choice", choices=("sweet", "sour")),)
    tables_stay = True
    header_items = ("dummy.parts.broken_header_item",)
    finders = ("dummy.parts.find_notes", "dummy.parts.broken_finder")
    gauges = {"notes": "dummy.parts.count_notes"}
    api_permissions = {"read": ["dummy.view_note"]}
    api_router = "dummy.parts.router"
    root_apis = (RootApi("dummy_api", "dummy/v1/", "dummy.parts.root_router", "dummy.parts.error_body"),)
    drill_paths = ("/api/strategies",)
    token_limits = (TokenLimit("labels", "projects.contrib.registry.names.read_labels"),)
    asgi_application = "dummy.parts.application"
    background_commands = ("note_time",)
    startup_steps = (
        StartupStep(name="dummy_step", title="dummy step", position=7.5, function="dummy.parts.startup_step"),
    )
    upkeep_jobs = (
        UpkeepJob(name="dummy_broken", title="broken job", function="dummy.parts.broken_job", seconds=0.05),
        UpkeepJob(name="dummy_job", title="dummy job", function="dummy.parts.sign_notes", seconds=0.05),
    )
    prompt_boxes = (Box("dummy_broken", "Broken box", "dummy.parts.broken_box", "dummy/panel.html"),)
    prompt_columns = (Column("dummy_broken", "Broken column", "dummy.parts.broken_box"),)
    prompt_filters = (Filter("dummy_broken", "Broken filter", "dummy.parts.broken_choices", "dummy.parts.broken_box"),)
    prompt_fields = {"broken": "dummy.parts.broken_choices"}
    deletion_counts = {"Broken things": "dummy.parts.broken_box"}
    health_fields = {"llm_model": "dummy.parts.model", "llm_provider": "dummy.parts.broken_provider"}
    dashboard_panels = (
        DashboardPanel(
            name="dummy", title="Dummy panel", function="dummy.parts.panel", template="dummy/panel.html", position=200
        ),
        DashboardPanel(
            name="broken",
            title="Broken panel",
            function="dummy.parts.broken_panel",
            template="dummy/panel.html",
            position=201,
        ),
    )
    dashboard_filters = (
        DashboardFilter(name="flavour", label="Flavour", everything="All flavours", choices="dummy.parts.flavours"),
    )
    statistics_sections = {
        "dummy_runs": "dummy.parts.count_runs",
        "dummy_broken": "dummy.parts.broken_section",
    }
    prompt_checks = (
        PromptCheck("dummy_shouting", "Shouting", "dummy.parts.find_shouting"),
        PromptCheck("dummy_broken", "Broken check", "dummy.parts.broken_check"),
    )
    strategies = {"dummy-strategy": "Asks twice."}
    strategy_aliases = {"dummy-alias": "dummy-strategy"}
    offered_attributes = {"dummy_flavours": "dummy flavours"}
    events = {"dummy_happened": "somebody asked the dummy"}
    event_receivers = {"*": "dummy.parts.receive", "prompt_created": "dummy.parts.broken_receiver"}
    event_recorders = {"prompt_created": "dummy.parts.keep", "prompt_deleted": "dummy.parts.broken_recorder"}
