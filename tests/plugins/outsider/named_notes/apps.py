"""What named notes contribute, written from docs/plugins.md."""

from typing import ClassVar

from optimizations.contrib.mcp.declarations import McpDeclarations, McpTool
from optimizations.declarations import RunDeclarations
from projects.declarations import PromptDeclarations
from promptadmin.plugins import Action, Box, Column, Filter, NavigationPage, PluginConfig, Setting


class NamedNotesConfig(McpDeclarations, RunDeclarations, PromptDeclarations, PluginConfig):
    """Declares the parts."""

    name = "named_notes"
    verbose_name = "Named notes"
    requires_promptadmin = ">=0.1,<1"
    requires_plugins = ("projects", "optimizations")
    settings = (
        Setting("LONGEST", "number", 200, minimum=1, maximum=1000),
        Setting("MARKS", "names", ("keep", "draft")),
        Setting("FORBIDDEN", "text"),
    )
    api_router = "named_notes.api.router"
    api_permissions: ClassVar = {"read": ["named_notes.view_note"], "write": ["named_notes.add_note"]}
    navigation: ClassVar = {"note": "sticky_note"}
    navigation_group = "Notes"
    navigation_pages = (NavigationPage("Map of notes", "map", "admin:named_notes_map", "named_notes.view_note"),)
    page_urls = "named_notes.pages.URLS"
    health_fields: ClassVar = {"kept": "named_notes.numbers.count_kept"}
    gauges: ClassVar = {"notes": "named_notes.numbers.count_notes"}
    prompt_boxes = (
        Box("named_notes", "Notes", "named_notes.pages.box", "named_notes/box.html", "named_notes/line.html"),
    )
    prompt_columns = (Column("named_notes", "Notes", "named_notes.pages.column", "named_notes.view_note"),)
    prompt_filters = (Filter("note_mark", "Mark of notes", "named_notes.pages.marks", "named_notes.pages.of_prompts"),)
    prompt_actions = (
        Action("keep", "Mark as kept", "named_notes.notes.keep", "named_notes.add_note"),
        Action(
            "forget",
            "Take all notes away",
            "named_notes.notes.forget",
            "named_notes.delete_note",
            "Shall they go?",
        ),
    )
    prompt_fields: ClassVar = {"names": "named_notes.notes.names_of"}
    project_boxes = (Box("named_notes_project", "Notes", "named_notes.pages.project_box", "named_notes/box.html"),)
    project_columns = (Column("named_notes_project", "Notes", "named_notes.pages.project_column"),)
    project_actions = (Action("keep_all", "Keep all prompts", "named_notes.notes.keep_projects"),)
    run_boxes = (Box("named_notes_run", "Notes on the prompt", "named_notes.pages.run_box", "named_notes/box.html"),)
    run_columns = (Column("named_notes_run", "Notes", "named_notes.pages.run_column"),)
    run_filters = (Filter("note_mark", "Mark of notes", "named_notes.pages.marks", "named_notes.pages.of_runs"),)
    run_actions = (Action("keep_runs", "Keep their prompts", "named_notes.notes.keep_of_runs"),)
    run_fields: ClassVar = {"names": "named_notes.notes.names_of_runs"}
    deletion_guards = ("named_notes.guards.expect_none_kept",)
    deletion_counts: ClassVar = {"Notes": "named_notes.guards.count"}
    text_guards = ("named_notes.guards.expect_allowed",)
    mcp_tools = (
        McpTool("add_note", "Note something on a prompt", "named_notes.tools.add_note", writes=True),
        McpTool("list_notes", "Read the notes on a prompt", "named_notes.tools.list_notes"),
        McpTool("retire_prompt", "Delete a prompt", "named_notes.tools.retire_prompt", writes=True, destroys=True),
    )

    def ready(self) -> None:
        """Let the change log know notes."""
        from promptadmin.plugins import log_saves

        log_saves(self.get_model("Note"))
