"""Form fields that give back a text as it is stored, unless somebody changed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import TEXTAREA_CLASSES, TEXTAREA_EXPANDABLE_CLASSES, UnfoldAdminTextareaWidget

from projects.texts.counts import count_text


def line_feeds(text: str) -> str:
    """The text with line feeds alone: browsers send every end of a line as CR LF, whatever it was."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class PromptTextWidget(UnfoldAdminTextareaWidget):
    """A monospaced editor with counts that follow what is typed."""

    template_name = "projects/widgets/prompt_text.html"
    #: The text's variables, which then stand beside it; the form sets it.
    filling: Any = None

    class Media:
        js = ("projects/codemirror/codemirror.js", "projects/prompt_editor.js", "projects/prompt_text.js")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["counts"] = count_text(line_feeds(value or ""))
        context["filling"] = self.filling
        return context


class ShortTextWidget(UnfoldAdminTextareaWidget):
    """A field as high as its text."""

    template_name = "projects/widgets/short_text.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": 1, "cols": 40, "class": " ".join(TEXTAREA_EXPANDABLE_CLASSES), **(attrs or {})})


class TextListWidget(forms.Widget):
    """One field for each text of a list, and an empty one for another."""

    template_name = "projects/widgets/text_list.html"

    class Media:
        js = ("projects/text_list.js",)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["value"] = [*(text for text in value or () if text.strip()), ""]
        context["widget"]["classes"] = " ".join((*TEXTAREA_CLASSES, *TEXTAREA_EXPANDABLE_CLASSES))
        return context

    def format_value(self, value: Any) -> Any:
        return value

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return list(data.getlist(name))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0" if id_ else ""


class StoredTextField(forms.CharField):
    """A text of any number of lines, with the blanks around it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, "widget": ShortTextWidget, **kwargs})

    def to_python(self, value: Any) -> str:
        return line_feeds(super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether more differs than the ends of the lines."""
        return not self.disabled and line_feeds(initial or "") != line_feeds(data or "")


class TextListField(forms.Field):
    """Some texts in their order; empty ones are dropped."""

    widget = TextListWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})
        self._item = StoredTextField(required=False)

    def to_python(self, value: Sequence[str] | None) -> list[str]:
        return [self._item.clean(text) for text in value or () if text.strip()]

    def has_changed(self, initial: Sequence[str] | None, data: Sequence[str] | None) -> bool:
        """Whether more differs than the ends of the lines."""
        stored = [line_feeds(text) for text in initial or () if text.strip()]
        return stored != [line_feeds(text) for text in data or () if text.strip()]
