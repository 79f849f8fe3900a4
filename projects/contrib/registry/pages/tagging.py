"""The page on which many named prompts get tags."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from projects.contrib.registry.models import PromptName
from projects.contrib.registry.pages.access import may
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.backoffice.selection import AGAIN, Selection, carry_out, select
from promptadmin.conf.counted import counted
from promptadmin.db.deadlines import reading_deadline
from promptadmin.db.sessions import read_session
from promptadmin.errors import DomainError, PreconditionFailed

MOST_NAMED = 20


class TagsForm(forms.Form):
    """Tags to add and to remove."""

    add = forms.CharField(
        label="Tags to add",
        required=False,
        help_text="With commas between them.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    remove = forms.CharField(
        label="Tags to remove",
        required=False,
        help_text="With commas between them; they are removed first.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, list[str]]:
        """The tags, without blanks around them."""
        given = {
            name: [tag.strip() for tag in self.cleaned_data.get(name, "").split(",") if tag.strip()]
            for name in ("add", "remove")
        }
        if not any(given.values()):
            raise forms.ValidationError("Name at least one tag.")
        return given


class TaggingPages(ModelAdmin):
    """The part of the admin of names that tags."""

    actions: ClassVar = ["tag_selected"]

    def has_tag_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "write")

    @admin.action(description="Add or remove tags…", permissions=["tag"])
    def tag_selected(self, request: HttpRequest, queryset: QuerySet[PromptName]) -> HttpResponse:
        """Ask for the tags; once they are given, tag."""
        selection = select(request, self, queryset)
        if "confirmed" not in request.POST:
            return self._tags_page(request, selection, TagsForm())
        form, expected = TagsForm(request.POST), request.POST["confirmed"]
        if not form.is_valid():
            return self._tags_page(request, selection, form)

        def write(keys: list[int]) -> int:
            prompts = PromptName.objects.filter(pk__in=keys).values_list("prompt_id", flat=True)
            return RegistryRepository().tag_prompts(list(prompts), **form.cleaned_data)

        try:
            outcome = carry_out(selection, write, lambda: AGAIN in request.POST or selection.state()[1] == expected)
        except DomainError as refused:
            form.add_error(None, f"Nothing was done. {refused}")
            return self._tags_page(request, selection, form, again=isinstance(refused, PreconditionFailed))
        messages.success(request, f"Changed the tags of {outcome.changed:,} of {counted(outcome.done, 'prompt')}.")
        if outcome.rest is not None:
            if outcome.problem:
                form.add_error(None, f"The prompts that follow are as they were. {outcome.problem}")
            return self._tags_page(request, outcome.rest, form)
        return HttpResponseRedirect(request.get_full_path())

    def _tags_page(
        self, request: HttpRequest, selection: Selection, form: forms.Form, *, again: bool = False
    ) -> HttpResponse:
        with reading_deadline(), read_session():
            count, state = selection.state()
            names = [(row.prompt_id, row.name) for row in selection.rows.order_by("pk")[:MOST_NAMED]]
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Tags of prompts",
            "opts": self.opts,
            "form": form,
            "names": names,
            "others": count - len(names),
            "state": state,
            "hidden": [("action", "tag_selected"), *selection.hidden, *([(AGAIN, "yes")] if again else [])],
            "consequence": "Tags belong to the name of a prompt, for all of its versions.",
            "button": f"Change the tags of {count:,} {'prompt' if count == 1 else 'prompts'}",
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "projects/place.html", context)
