"""What is typed on the pages of names and labels; what may be is the repository's to say."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from projects.contrib.registry.models import Format, Kind
from projects.contrib.registry.names import LONGEST_NAME, PRODUCTION
from projects.contrib.registry.repository.moving import LONGEST_REASON
from promptadmin.db.fields import LARGEST_INTEGER


class NameForm(forms.Form):
    """A prompt's name, and what is said about all of its versions."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        help_text="As in support/refund: letters A to Z, digits, “_”, “.” and “-”, in folders. Programs fetch the "
        "prompt by it. A former name leads here until another prompt takes it.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(choices=Kind.choices, widget=UnfoldAdminSelectWidget)
    template_format = forms.ChoiceField(
        label="Variables are written", choices=Format.choices, widget=UnfoldAdminSelectWidget
    )
    description = forms.CharField(required=False, max_length=2000, widget=UnfoldAdminTextareaWidget({"rows": 2}))
    tags = forms.CharField(
        required=False,
        max_length=2000,
        help_text="With commas between them.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )

    def clean_tags(self) -> list[str]:
        """The tags, without blanks around them."""
        return [tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()]


class MoveForm(forms.Form):
    """Which label shall point to which version, and why; `seen` is where it pointed when the page was made."""

    label = forms.CharField(max_length=36)
    version = forms.IntegerField(min_value=1, max_value=LARGEST_INTEGER, required=False)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        help_text="It stands in the ledger of all moves.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    force = forms.BooleanField(
        required=False,
        label="Take it away even if programs fetched it lately",
        widget=UnfoldBooleanWidget,
    )


class UndoForm(forms.Form):
    """The last move of a label, as the page showed it."""

    label = forms.CharField(max_length=36)
    event = forms.IntegerField(min_value=1, max_value=LARGEST_INTEGER)


class LiveForm(forms.Form):
    """Of which label, when, and in which folder."""

    label = forms.CharField(max_length=36, required=False)
    at = forms.DateTimeField(required=False)
    folder = forms.CharField(max_length=LONGEST_NAME, required=False)
    after = forms.CharField(max_length=LONGEST_NAME, required=False)

    def values(self) -> dict[str, Any]:
        """What was asked for: production and now, unless it says something else."""
        found = dict(self.cleaned_data)
        return {**found, "label": found.get("label") or PRODUCTION}
