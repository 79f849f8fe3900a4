"""What is typed on the pages of names and labels; what may be is the repository's to say."""

from __future__ import annotations

import re
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
from projects.contrib.registry.targets import Target
from promptadmin.db.fields import LARGEST_INTEGER
from promptadmin.errors import Invalid

#: A version and its weight.
SHARE = re.compile(r"(\d{1,9})\s*[:=]\s*(\d{1,9})\s*%?")


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
    """Which label shall point to which version, or be split over which, and why.

    `seen` is where it pointed when the page was made; once cleaned, `target` is where it shall.
    """

    label = forms.CharField(max_length=36)
    version = forms.IntegerField(min_value=1, max_value=LARGEST_INTEGER, required=False)
    split = forms.CharField(required=False, max_length=400)
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

    def clean_split(self) -> dict[int, int]:
        """Weights by version, as in "3: 90, 4: 10"; none where nothing is typed."""
        weights: dict[int, int] = {}
        for part in filter(None, re.split(r"[,;\s]+(?=\d+\s*[:=])", self.cleaned_data["split"].strip(" ,;"))):
            found = SHARE.fullmatch(part.strip())
            if found is None:
                raise forms.ValidationError(
                    "A split is written as in “3: 90, 4: 10”: 90 parts for version 3, 10 for 4."
                )
            version, weight = (int(number) for number in found.groups())
            if version in weights:
                raise forms.ValidationError(f"Version {version} stands in the split twice.")
            weights[version] = weight
        return weights

    def clean(self) -> dict[str, Any]:
        """With the target."""
        given = self.cleaned_data
        asked = given.get("split") or given.get("version")
        try:
            given["target"] = Target.of(asked) if asked else None
        except Invalid as wrong:
            self.add_error("split", str(wrong))
        return given


def split_text(target: Target) -> str:
    """The weights of a split as the form takes them; nothing for a single version."""
    weights = target.by_version or {}
    return ", ".join(f"{version}: {weight}" for version, weight in weights.items())


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
