"""The pages on which a prompt's versions are compared and restored, and on which a prompt is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from projects.admin.confirming import FORCE, Question, ask
from projects.admin.filling import typed_filling
from projects.admin.forms import ReasonForm
from projects.admin.origins import UNKNOWN, origins
from projects.admin.plugin_boxes import parts_of
from projects.models import Prompt
from projects.repository import ProjectRepository
from projects.runs import run_permission
from projects.templatetags.prompt_texts import beginning, visible
from projects.texts.parts import Part, PartPair, pair_parts
from projects.texts.side_by_side import Row, compare_lines
from promptadmin.backoffice.kept_filters import keep_filters
from promptadmin.backoffice.repository_admin import RepositoryAdmin
from promptadmin.backoffice.resent_forms import only_reads
from promptadmin.backoffice.selection import AGAIN, CHANGED, asked_again
from promptadmin.conf.limits import PROMPT_LENGTH
from promptadmin.db.deadlines import reading_deadline
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError, NotFound, PreconditionFailed
from promptadmin.http.error_responses import json_error
from promptadmin.http.keys import row_page

#: A comparison ends here, in lines.
LINES_SHOWN = 3000


class ComparisonForm(forms.Form):
    """Which versions, and in which form."""

    old = forms.IntegerField(min_value=0, max_value=2_147_483_647)
    new = forms.IntegerField(min_value=0, max_value=2_147_483_647)
    view = forms.ChoiceField(choices=[("side", "side by side"), ("unified", "unified")], required=False)


class PromptPages(RepositoryAdmin):
    """The part of the admin of prompts that is about versions and deletion."""

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view
        return [
            path("preview/", view(self.preview_view), name="projects_prompt_preview"),
            path("<path:object_id>/compare/", view(self.compare_view), name="projects_prompt_compare"),
            path("<path:object_id>/restore/<int:version>/", view(self.restore_view), name="projects_prompt_restore"),
            *super().get_urls(),
        ]

    @method_decorator([only_reads, require_POST])
    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The variables of what is being typed, and the text with their values; nothing is stored."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if len(request.POST.get("content", "")) > PROMPT_LENGTH:
            return json_error(f"A prompt may have {PROMPT_LENGTH:,} characters: shorten it to see it filled in", 400)
        filling = typed_filling(request.POST)
        found = {"variables": list(filling.variables), "text": visible(filling.text), "missing": filling.missing}
        return JsonResponse(found)

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Any two versions, beside each other or as a unified diff."""
        prompt: Prompt | None = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, prompt):
            raise PermissionDenied
        if prompt is None:
            return self.gone(request, object_id)
        asked = ComparisonForm(request.GET)
        if not asked.is_valid():
            return self._back(request, prompt, "Choose two versions, by their numbers.")
        old, new = asked.cleaned_data["old"], asked.cleaned_data["new"]
        repository = ProjectRepository()
        try:
            with read_session():
                texts = [repository.get_version(prompt_id=prompt.pk, version=number) for number in (old, new)]
                compared = described(repository, prompt.pk, [old, new])
                found = repository.diff_versions(prompt_id=prompt.pk, old=old, new=new)
        except NotFound as missing:
            return self._back(request, prompt, f"{missing}: it has versions up to {prompt.version}.")
        context = {
            **self._context(request, prompt, f"Versions {old} and {new}"),
            "old": old,
            "new": new,
            "compared": compared,
            "may_see_runs": request.user.has_perm(run_permission("view")),
            "is_unified": asked.cleaned_data["view"] == "unified",
            "statistics": found,
            "unified": found.diff.split("\n")[:LINES_SHOWN] if found.diff else [],
            "rows": shown_rows(texts[0].content, texts[1].content),
            "parts": compared_parts(parts_of(prompt.pk, [text.content for text in texts])),
            "lines_shown": LINES_SHOWN,
        }
        return TemplateResponse(request, "projects/compare.html", context)

    def restore_view(self, request: HttpRequest, object_id: str, version: int) -> HttpResponse:
        """Show what an earlier text would change, and then make it the current one, as a new version."""
        prompt: Prompt | None = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, prompt):
            raise PermissionDenied
        if prompt is None:
            return self.gone(request, object_id)
        repository = ProjectRepository()
        form = ReasonForm(request.POST if request.method == "POST" else None, initial={"read_version": prompt.version})
        try:
            if form.is_valid():
                with write_session():
                    restored = repository.restore_version(
                        prompt_id=prompt.pk,
                        version=version,
                        expected_versions={form.cleaned_data["read_version"] or 0},
                        reason=form.cleaned_data["reason"],
                    )
                self.message_user(request, self._restored(prompt, version, restored.version), messages.SUCCESS)
                return HttpResponseRedirect(self.page_of(prompt.pk))
            with read_session():
                earlier = repository.get_version(prompt_id=prompt.pk, version=version)
        except PreconditionFailed:
            self.message_user(request, "Somebody has edited this prompt meanwhile: look once more.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        except DomainError as refused:
            return self._back(request, prompt, str(refused))
        context = {
            **self._context(request, prompt, f"Restore version {version}"),
            "version": version,
            "is_same": earlier.content == prompt.content,
            "form": form,
            "rows": shown_rows(prompt.content, earlier.content),
            "lines_shown": LINES_SHOWN,
        }
        return TemplateResponse(request, "projects/restore.html", context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what goes with the prompt, and then delete it."""
        prompt: Prompt | None = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, prompt):
            raise PermissionDenied
        if prompt is None:
            return self.gone(request, object_id)
        repository = ProjectRepository()
        with reading_deadline(), read_session():
            contents = repository.prompt_contents(prompt_id=prompt.pk)
            along = repository.what_goes_along(prompt_id=prompt.pk)
        if request.method == "POST":
            try:
                with write_session():
                    now = str(repository.prompt_contents(prompt_id=prompt.pk))
                    if AGAIN not in request.POST and request.POST.get("confirmed") != now:
                        raise PreconditionFailed(CHANGED)
                    repository.delete_prompt(prompt_id=prompt.pk, force=FORCE in request.POST)
            except PreconditionFailed as moved:
                self.message_user(request, f"Nothing was done. {moved}", messages.ERROR)
                return HttpResponseRedirect(asked_again(request))
            except DomainError as refused:
                self.message_user(request, f"Nothing was done. {refused}", messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
            self.message_user(request, f"Deleted “{beginning(prompt.content, 80)}”.", messages.SUCCESS)
            return HttpResponseRedirect(self.list_page())
        question = Question(
            title="Delete prompt",
            names=[beginning(prompt.content)],
            consequence="Goes with everything that belongs to it. It can be restored for some time, from “Recently "
            "deleted”; then it goes for good.",
            button="Delete",
            back=keep_filters(request, self.page_of(prompt.pk)),
            confirmed=str(contents),
            contents=contents,
            along=along,
            is_danger=True,
            may_force=True,
            hidden=[(AGAIN, "yes")] if AGAIN in request.GET else (),
        )
        return ask(request, self, question)

    def _context(self, request: HttpRequest, prompt: Prompt, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": prompt,
            "may_change": self.has_change_permission(request, prompt),
        }

    def _restored(self, prompt: Prompt, version: int, made: int) -> SafeString:
        """What was done, with a link that undoes it; `prompt` is as it was before."""
        told = f"The text of version {version} is version {made} now."
        if made == prompt.version:
            return format_html("{}", told)
        undo = row_page(Prompt, prompt.pk, "restore", prompt.version)
        return format_html('{} <a class="underline" href="{}">Undo…</a>', told, undo)

    def _back(self, request: HttpRequest, prompt: Prompt, problem: str) -> HttpResponseRedirect:
        self.message_user(request, problem, messages.ERROR)
        return HttpResponseRedirect(self.page_of(prompt.pk))


def described(repository: ProjectRepository, prompt_id: str, versions: Sequence[int]) -> list[dict[str, Any]]:
    """When, how and why each of these versions came, who made it, and the run that it came from."""
    entries = [repository.version_entry(prompt_id=prompt_id, version=version) for version in versions]
    made = origins(prompt_id, versions)
    runs = repository.runs.by_id(entry.optimization_id for entry in entries if entry.optimization_id is not None)
    return [
        {
            "entry": entry,
            "origin": made.get(entry.version, UNKNOWN),
            "run": runs.get(entry.optimization_id or ""),
        }
        for entry in entries
    ]


def compared_parts(parts: list[list[Part]] | None) -> list[tuple[PartPair, list[Row]]] | None:
    """Of two texts that have parts: the pairs of these, and the rows of each pair that differs."""
    if parts is None:
        return None
    old, new = parts
    return [(pair, [] if pair.is_same else shown_rows(pair.old or "", pair.new or "")) for pair in pair_parts(old, new)]


def shown_rows(old: str, new: str) -> list[Row]:
    """The rows of a comparison, up to where it ends."""
    return list(islice(compare_lines(old, new), LINES_SHOWN))
