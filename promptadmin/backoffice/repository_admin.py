"""An admin whose writes go through a repository: what that refuses is shown in the form, with the typed text kept."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from unfold.admin import ModelAdmin

from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.compat import FormWithoutModelRules
from promptadmin.db.sessions import write_session
from promptadmin.errors import DomainError
from promptadmin.http.keys import row_page


class RepositoryForm(FormWithoutModelRules):
    """A form that checks what was typed; what the data allows is the repository's to say.

    `instance` stays the row as it is stored.
    """

    refused: ClassVar[DomainError | None] = None

    def check_row(self) -> None:
        """Show what the repository refused."""
        if self.refused is not None:
            self.show_refusal(self.refused)

    def show_refusal(self, refused: DomainError) -> None:
        """Add the refusal to the errors, for which a form may know a better place."""
        self.add_error(None, str(refused))

    def type_in(self, name: str, value: object) -> None:
        """Put a value into a field in the user's place."""
        typed: Any = self.data
        self.data = typed.copy()
        self.data[name] = value  # type: ignore[index]  # a copy is mutable

    def write(self) -> str:
        """Write through the repository; the key of the row. Raises DomainError."""
        raise NotImplementedError


class RepositoryAdmin(HistoryPage, ModelAdmin):
    """Its `form` is a RepositoryForm. Rows are deleted on pages of its own: see `delete_view` of each."""

    show_full_result_count = False  # the count of all rows beside the count of those found costs a scan
    list_per_page = 50

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form's class, told what the repository refused of this request."""
        columns = {field.name for field in self.opts.get_fields()}
        # The form adds the others when it is made: those that stand for no column.
        kwargs["fields"] = [name for name in kwargs.get("fields") or () if name in columns]
        form_class: Any = super().get_form(request, obj, change, **kwargs)
        form_class.refused = getattr(request, "refused", None)
        return form_class

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form again, with the refusal, once a refused write is rolled back."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refused:
            request.refused = refused  # type: ignore[attr-defined]  # `get_form` reads it
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with write_session():
            obj.pk = form.write()
        obj.refresh_from_db()

    def get_actions(self, request: HttpRequest) -> Any:
        """Without Django's deletion, which knows nothing of the repository."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def page_of(self, row_id: str, page: str = "change") -> str:
        """The address of one of a row's pages."""
        return row_page(self.model, row_id, page)

    def list_page(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
