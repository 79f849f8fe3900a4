"""The page that loads the demo, or takes it away again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from unfold.admin import ModelAdmin

from optimizations.tools.loaded_demo import DEMO_PERMISSIONS, NAMES, demo_projects, load_demo, take_demo_away
from projects.admin.confirming import Question, ask
from promptadmin.conf.counted import counted
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError

LOAD, TAKE_AWAY = "load", "take away"


class DemoPage(ModelAdmin):
    """Says what will come or go, and does it once it is confirmed."""

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.demo_view)
        return [path("demo/", view, name="optimizations_optimization_demo"), *super().get_urls()]

    def demo_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perms(DEMO_PERMISSIONS):
            raise PermissionDenied
        start = reverse("admin:index")
        if request.method == "POST":
            try:
                with write_session():
                    told = self._do(request.POST.get("confirmed", ""))
            except DomainError as refused:
                messages.error(request, f"Nothing was done. {refused}")
            else:
                messages.success(request, told)
            return HttpResponseRedirect(start)
        with read_session():
            is_loaded = bool(demo_projects())
        if is_loaded:
            consequence = "Go with all that is in them. They can be restored for some time, from “Recently deleted”."
            question = Question("Take the demo away", [*NAMES.values()], consequence, "Take it away", start, TAKE_AWAY)
        else:
            consequence = (
                "Come as projects, with prompts and runs that somebody made up. The dashboard counts them until "
                "the demo is taken away, which it offers."
            )
            question = Question("Load the demo", [*NAMES.values()], consequence, "Load it", start, LOAD)
        return ask(request, self, question)

    @staticmethod
    def _do(wanted: str) -> str:
        """What was done. Raises Conflict."""
        is_loaded = bool(demo_projects())
        if wanted == LOAD and not is_loaded:
            return f"Loaded the demo: {counted(load_demo(), 'run')} in {counted(len(NAMES), 'project')}."
        if wanted == TAKE_AWAY and is_loaded:
            return f"Took the demo away, with {counted(take_demo_away(), 'run')}."
        return "The demo was as you wanted it already."
