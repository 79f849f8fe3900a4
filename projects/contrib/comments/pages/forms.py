"""What is typed on the pages of comments; what may be is the repository's to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from projects.admin.fields import ShortTextWidget, StoredTextField
from promptadmin.conf.limits import COMMENT_LENGTH
from promptadmin.db.fields import LARGEST_INTEGER


class TextForm(forms.Form):
    """A comment's text."""

    text = StoredTextField(
        label="Comment",
        max_length=COMMENT_LENGTH,
        widget=ShortTextWidget({"rows": 3, "dir": "auto"}),
        help_text="@name mentions a colleague, who is told.",
    )


class CommentForm(TextForm):
    """A new comment, and what it is about: the prompt, or one of its versions."""

    version = forms.TypedChoiceField(
        label="About", required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, data: Any = None, *, versions: Sequence[int] = (), current: int = 0, **kwargs: Any) -> None:
        super().__init__(data, auto_id="id_comment_%s", **kwargs)
        named = [(number, f"version {number}{', current' if number == current else ''}") for number in versions]
        self.fields["version"].choices = [("", "the prompt"), *named]  # type: ignore[attr-defined]


class SentForm(TextForm):
    """The same as it comes: which versions there are is the repository's to say."""

    version = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_INTEGER)
