"""The forms of projects and prompts: what is typed, in the words of the repository."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from projects.admin.fields import PromptTextWidget, ShortTextWidget, StoredTextField, TextListField, line_feeds
from projects.admin.filling import ASKED, Filling, filling_of, typed_filling
from projects.contexts import LIST_FIELDS, TEXT_FIELDS, normalize_context
from projects.declarations import DeclaredVariables
from projects.models import Project, Prompt
from projects.repository import LEAVE, ProjectRepository, project_state
from projects.templatetags.prompt_texts import beginning
from promptadmin.backoffice.repository_admin import RepositoryForm
from promptadmin.conf.limits import DESCRIPTION_LENGTH, PROJECT_NAME_LENGTH, PROMPT_LENGTH, REASON_LENGTH
from promptadmin.db import json_text
from promptadmin.errors import DomainError, PreconditionFailed

#: The form's field of each field of a context profile: a project has a description of its own as well.
CONTEXT_FIELDS = {f"context_{name}": name for name in TEXT_FIELDS + LIST_FIELDS}


class ProjectForm(RepositoryForm):
    """A project's name, description and context profile."""

    name = forms.CharField(max_length=PROJECT_NAME_LENGTH, strip=False, widget=UnfoldAdminTextInputWidget)
    description = StoredTextField(
        required=False, max_length=DESCRIPTION_LENGTH, widget=ShortTextWidget({"rows": 2, "dir": "auto"})
    )
    read_state = forms.CharField(required=False, widget=forms.HiddenInput({"data-read-version": ""}))

    class Meta:
        model = Project
        fields = ["name", "description"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        profile = stored_profile(self.instance)
        for field, name in CONTEXT_FIELDS.items():
            kind = StoredTextField if name in TEXT_FIELDS else TextListField
            label = name.replace("_", " ").capitalize()
            self.fields[field] = kind(required=False, label=label, initial=profile.get(name))
        if not self.instance._state.adding:
            self.fields["read_state"].initial = project_state(self.instance)

    def show_refusal(self, refused: DomainError) -> None:
        """Of a project that another has changed: what it is now, and that saving once more replaces that."""
        if not isinstance(refused, PreconditionFailed):
            super().show_refusal(refused)
            return
        self.add_error(
            None,
            "Somebody else has changed this project since you opened this page, and nothing was saved. "
            "What you typed is still here: save again to replace their change with it.",
        )
        for name in set(self.changed_data) - {"read_state"}:
            now = self.get_initial_for_field(self.fields[name], name)
            self.add_error(name, f"Stored now: {beginning(str(now or 'nothing'))}")
        self.type_in("read_state", project_state(self.instance))

    def write(self) -> str:
        """Create the project, or change what differs."""
        changed = set(self.changed_data) - {"read_state"}
        profile = {name: self.cleaned_data[field] for field, name in CONTEXT_FIELDS.items()}
        repository = ProjectRepository()
        if self.instance._state.adding:
            return repository.create_project(
                name=self.cleaned_data["name"],
                description=self.cleaned_data["description"] if "description" in changed else LEAVE,
                context_profile=profile if changed & set(CONTEXT_FIELDS) else LEAVE,
            ).id
        if changed:
            repository.update_project(
                project_id=self.instance.pk,
                name=self.cleaned_data["name"] if "name" in changed else None,
                description=self.cleaned_data["description"] if "description" in changed else None,
                context_profile=profile if changed & set(CONTEXT_FIELDS) else LEAVE,
                expected_state=self.cleaned_data["read_state"],
            )
        return str(self.instance.pk)


def stored_profile(project: Project) -> dict[str, Any]:
    """The known fields of a project's context profile; none where the stored text is no JSON object."""
    return normalize_context(json_text.read_object(project.context_profile)) or {}


def unreadable_profile(project: Project) -> str:
    """The stored context profile, where it is neither empty nor a JSON object."""
    stored = project.context_profile
    return "" if stored in (None, "", "null") or json_text.read_object(stored) is not None else str(stored)


def unknown_keys(project: Project) -> list[str]:
    """The keys of a stored profile that no field shows."""
    return sorted(set(json_text.read_object(project.context_profile) or {}) - set(TEXT_FIELDS + LIST_FIELDS))


def reason_field() -> forms.CharField:
    """Why somebody changes a prompt, for those who want to say it."""
    return forms.CharField(
        label="Reason for the change",
        required=False,
        max_length=REASON_LENGTH,
        help_text="If you like: it stands beside the version, and in the change log.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


class ReasonForm(forms.Form):
    """What a page asks before a prompt gets its next version; `read_version` is the version that it showed."""

    reason = reason_field()
    read_version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class PromptForm(RepositoryForm):
    """A prompt's text and, of a new one, its project.

    What asks for a preview alone is neither checked nor saved.
    """

    declared: ClassVar[DeclaredVariables | None] = None

    content = StoredTextField(label="Text", widget=PromptTextWidget)
    reason = reason_field()
    read_version = forms.IntegerField(required=False, widget=forms.HiddenInput({"data-read-version": ""}))

    class Meta:
        model = Prompt
        fields = ["content"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["read_version"].initial = self.instance.version
        widget: Any = self.fields["content"].widget
        widget.filling = typed_filling(self.data, self.declared) if self.is_bound else self._stored_filling()

    def _stored_filling(self) -> Filling:
        text, declared = self.get_initial_for_field(self.fields["content"], "content") or "", self.declared
        return filling_of(text, *((declared.defaults, declared.template_format) if declared else ({},)))

    def is_valid(self) -> bool:
        return ASKED not in self.data and super().is_valid()

    def full_clean(self) -> None:
        super().full_clean()
        if ASKED in self.data:
            self.errors.clear()

    def clean_content(self) -> str:
        """The stored text if it is the same, else the typed one, within bounds, with its ends of lines."""
        typed = str(self.cleaned_data["content"])
        stored = self.instance.content
        if line_feeds(stored) == typed:
            return str(stored)
        if len(typed) > PROMPT_LENGTH:
            raise forms.ValidationError(
                f"A prompt may have {PROMPT_LENGTH:,} characters; this text has {len(typed):,}. Shorten it."
            )
        return typed.replace("\n", "\r\n") if "\r\n" in stored else typed

    def clean(self) -> dict[str, Any]:
        """A reason of no change would be lost without a word."""
        given = self.cleaned_data
        if given.get("reason") and given.get("content") == self.instance.content:
            self.add_error("reason", "The text is as it was: there is no change that this could be the reason of.")
        return given

    def show_refusal(self, refused: DomainError) -> None:
        """Of a prompt that another has edited: that saving once more makes a version on top of theirs."""
        if not isinstance(refused, PreconditionFailed):
            super().show_refusal(refused)
            return
        self.add_error(
            None,
            "Somebody else has edited this prompt since you opened this page: it has version "
            f"{self.instance.version} now, and nothing was saved. Your text is still here, and theirs is beside it "
            "below: save again to make yours the next version.",
        )
        self.type_in("read_version", self.instance.version)

    def write(self) -> str:
        """Add the prompt, or give it the text."""
        repository = ProjectRepository()
        content = self.cleaned_data["content"]
        if self.instance._state.adding:
            project = self.cleaned_data["project"]
            return repository.add_prompt(project_id=project.pk, content=content).id
        if content != self.instance.content:
            repository.update_prompt(
                prompt_id=self.instance.pk,
                content=content,
                expected_versions={self.cleaned_data["read_version"] or 0},
                reason=self.cleaned_data["reason"],
            )
        return str(self.instance.pk)
