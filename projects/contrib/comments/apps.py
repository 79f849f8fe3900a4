"""Comments on prompts and notifications, as a plugin."""

from typing import ClassVar

from django.apps import apps

from projects.declarations import PromptDeclarations
from projects.events import EVENTS
from promptadmin.plugins.declarations import PluginConfig, UpkeepJob
from promptadmin.plugins.page_parts import Box

NOTIFYING = "projects.contrib.comments.notifying"


class CommentsConfig(PromptDeclarations, PluginConfig):
    """Lets people comment on prompts and their versions, mention each other, and be told what happens."""

    name = "projects.contrib.comments"
    label = "comments"
    verbose_name = "People"
    requires_plugins = ("projects",)
    api_router = "projects.contrib.comments.api.router"
    api_permissions: ClassVar = {"read": ["comments.view_comment"], "write": ["comments.add_comment"]}
    navigation: ClassVar = {"comment": "forum"}
    header_items = ("projects.contrib.comments.pages.notifications.bell",)
    prompt_boxes = (
        Box(
            name="comments",
            title="Comments",
            function="projects.contrib.comments.pages.box.box",
            template="comments/box.html",
            version_function="projects.contrib.comments.pages.box.box_of_version",
            permission="comments.view_comment",
        ),
    )
    events: ClassVar = {"comment_added": "somebody commented on a prompt, or on a version of it"}
    # Recording a run is the most frequent write: only the outcome of one is looked at, after its commit.
    event_receivers: ClassVar = {"optimization_finished": f"{NOTIFYING}.tell_failure"}
    event_recorders: ClassVar = dict.fromkeys(EVENTS, f"{NOTIFYING}.tell_subscribers") | {
        "comment_added": f"{NOTIFYING}.tell_of_comment"
    }
    upkeep_jobs = (
        UpkeepJob(
            "old_notifications", "old notifications, removed", "projects.contrib.comments.notifying.forget_old", 60.0
        ),
    )

    def ready(self) -> None:
        """Moves of labels are told, too, where there are labels."""
        if apps.is_installed("projects.contrib.registry"):
            told = {**self.event_recorders, "label_moved": f"{NOTIFYING}.tell_subscribers"}
            type(self).event_recorders = told
