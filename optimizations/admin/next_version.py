"""The page on which a run's optimised prompt becomes the next version of its prompt."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from unfold.admin import ModelAdmin

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.admin.forms import ReasonForm
from projects.admin.prompt_pages import LINES_SHOWN, shown_rows
from projects.models import Prompt
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError, PreconditionFailed
from promptadmin.http.keys import row_page

TEMPLATE = "admin/optimizations/optimization/next_version.html"


class NextVersionPage(ModelAdmin):
    """Shows what would change, asks why, and lets the repository do it."""

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.next_version_view)
        address = path("<path:object_id>/next_version/", view, name="optimizations_optimization_next_version")
        return [address, *super().get_urls()]

    def may_make_versions(self, request: HttpRequest) -> bool:
        """Whether this user may see runs and change prompts."""
        return self.has_view_permission(request) and request.user.has_perm("projects.change_prompt")

    def next_version_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.may_make_versions(request):
            raise PermissionDenied
        run_id = unquote(object_id)
        repository = OptimizationRepository()
        try:
            with read_session():
                prompt, text = repository.next_version(run_id)
            form = ReasonForm(
                request.POST if request.method == "POST" else None, initial={"read_version": prompt.version}
            )
            if form.is_valid():
                given = form.cleaned_data
                with write_session():
                    made = repository.make_next_version(
                        run_id, expected_versions={given["read_version"] or 0}, reason=given["reason"]
                    )
                self.message_user(
                    request, f"The optimised prompt of the run is version {made.version} now.", messages.SUCCESS
                )
                return HttpResponseRedirect(row_page(Prompt, prompt.pk))
        except PreconditionFailed:
            self.message_user(request, "Somebody has edited the prompt meanwhile: look once more.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        except DomainError as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return HttpResponseRedirect(row_page(Optimization, run_id))
        context = {
            **self.admin_site.each_context(request),
            "title": "Make this the next version",
            "opts": self.opts,
            "original": repository.runs.only("id", "title", "raw_prompt").get(pk=run_id),
            "prompt": prompt,
            "next": prompt.version + 1,
            "rows": shown_rows(prompt.content, text),
            "lines_shown": LINES_SHOWN,
            "form": form,
            "back": row_page(Optimization, run_id),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)
