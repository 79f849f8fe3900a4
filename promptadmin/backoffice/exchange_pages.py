"""The pages to import and export a table, for the classes of its admin."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import islice
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from promptadmin.backoffice.resent_forms import only_reads
from promptadmin.backoffice.selection import select, storable_keys
from promptadmin.conf.limits import IMPORT_BYTES, IMPORT_LINES, MEBIBYTE, XLSX_ROWS
from promptadmin.db.deadlines import reading_deadline
from promptadmin.exchange.base_formats import Columns, Unreadable, Unwritable
from promptadmin.exchange.downloads import Download
from promptadmin.exchange.formats import FORMATS
from promptadmin.exchange.lines import Numbered
from promptadmin.exchange.resources import Preview, TableResource
from promptadmin.exchange.tables import Table
from promptadmin.exchange.uploads import EXPIRED, WaitingFiles

logger = logging.getLogger(__name__)

#: As many keys does a form carry; Django takes 1,000 fields.
MOST_KEYS = 500


class Dataset(list[Numbered]):
    """The rows of a file, and what was assumed of it."""

    notes: Sequence[str] = ()


class UploadForm(ImportForm):
    """The file and its format."""

    def clean_import_file(self) -> Any:
        """Refuse what is larger than an import may be."""
        file = self.cleaned_data["import_file"]
        if file.size > IMPORT_BYTES:
            raise forms.ValidationError(f"Send at most {IMPORT_BYTES // MEBIBYTE} MiB at once: split the file.")
        return file


class ConfirmForm(ConfirmImportForm):
    """Which of the waiting files to import, and whether without the rows that are wrong."""

    good_rows = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def clean_format(self) -> str:
        """Refuse what no preview has sent."""
        text: str = self.cleaned_data["format"]
        if text not in map(str, range(len(FORMATS))):
            raise forms.ValidationError(EXPIRED)
        return text


class ExchangeAdmin(ImportExportMixin):
    """Importing needs the permission to add rows, exporting the one to see them.

    `exchanged` is the table. The list's filters are the export's, too.
    """

    exchanged: ClassVar[Table]

    tmp_storage_class = WaitingFiles
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    export_form_class = ExportForm
    import_template_name = "promptadmin/exchange/import.html"
    export_template_name = "promptadmin/exchange/export.html"

    def get_resource_classes(self, request: HttpRequest) -> list[type[TableResource]]:
        """The table, as the library wants it."""
        return [type("ExchangedResource", (TableResource,), {"table": self.exchanged})]

    def get_import_formats(self) -> list[type[Any]]:
        """Our formats, each of which knows the table's columns."""
        table = self.exchanged
        columns: Columns = {**table.columns, **table.also, **dict.fromkeys(table.ignored, "text")}

        def create_dataset(self: Any, content: bytes) -> Dataset:
            found = Dataset(islice(self.read(content, columns), IMPORT_LINES + 1))
            if not found:
                raise Unreadable("This file has no rows.")
            found.notes = [*self.notes]
            return found

        return [type(known.__name__, (known,), {"create_dataset": create_dataset}) for known in FORMATS]

    def get_export_formats(self) -> list[type[Any]]:
        return list(FORMATS)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Whoever may add rows, even where no form adds one."""
        opts = self.opts
        return bool(request.user.has_perm(f"{opts.app_label}.add_{opts.model_name}"))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Whoever may see rows."""
        return bool(self.has_view_permission(request))

    # ------------------------------------------------------------ import
    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            "most_lines": IMPORT_LINES,
            "most_mebibytes": IMPORT_BYTES // MEBIBYTE,
            "exchanged": self.exchanged,
            "column_names": [*self.exchanged.columns, *self.exchanged.also],
        }

    def get_import_form_initial(self, request: HttpRequest) -> dict[str, Any]:
        return {"format": request.GET.get("format", "")}

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """How many good rows somebody has confirmed, where others are wrong."""
        form = kwargs["form"]
        return {**super().get_import_data_kwargs(**kwargs), "good_rows": form.cleaned_data.get("good_rows")}

    def import_action(self, request: HttpRequest, **kwargs: Any) -> TemplateResponse:
        """Show a preview; where some rows are wrong, the others can be confirmed alone."""
        answer: TemplateResponse = super().import_action(request, **kwargs)
        context = answer.context_data or {}
        result = context.get("result")
        if result and result.wrong and result.good:
            form = self.create_confirm_form(request, import_form=context["form"])
            form.initial["good_rows"] = result.good
            context["good_form"] = form
        return answer

    def write_to_tmp_storage(self, import_file: Any, input_format: Any) -> WaitingFiles:
        """Keep the file until somebody confirms its import."""
        storage = WaitingFiles()
        import_file.seek(0)
        storage.save(import_file.read())
        return storage

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """Say what to do about a file that can't be read."""
        if isinstance(e, Unreadable):
            form.add_error("import_file", str(e))
        else:
            logger.error("A file to import raises %s", type(e).__name__, exc_info=e)
            form.add_error("import_file", "This file can't be read: save it again, or choose its format.")

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Import a file whose preview was confirmed."""
        try:
            answer: HttpResponse = super().process_import(request, **kwargs)
        except Unreadable as error:
            messages.error(request, str(error))
            return self._again(request)
        return answer

    def process_result(self, result: Preview, request: HttpRequest) -> HttpResponse:
        """Say what has become of the rows; what another import has changed since the preview may refuse them now."""
        if result.has_validation_errors():
            for row in result.invalid_rows[:3]:
                found = "; ".join(message for texts in row.error_dict.values() for message in texts)
                messages.error(request, f"Row {row.number}: {found}" if row.number else found)
            messages.error(request, "Nothing was imported: upload the file again to see why.")
            return self._again(request)
        messages.success(request, f"{result.new} imported, {result.unchanged} there already, the same.")
        return HttpResponseRedirect(self._address("changelist"))

    def _again(self, request: HttpRequest) -> HttpResponseRedirect:
        """The page to import, with the format that was chosen."""
        return HttpResponseRedirect(
            f"{self._address('import')}?{urlencode({'format': request.POST.get('format', '')})}"
        )

    # ------------------------------------------------------------ export
    def export_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that the list's filters leave."""
        found = self.get_export_queryset(request)
        return self.exchanged.model._default_manager.filter(pk__in=found.order_by().values("pk"))

    def get_actions(self, request: HttpRequest) -> Any:
        """The list's actions, and to export the ticked rows."""
        actions = super().get_actions(request)
        if self.has_export_permission(request):
            actions["export_selected"] = self.get_action("export_selected")
        return actions

    @admin.action(description="Export", permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        """Choose a format for the selected rows."""
        selection = select(request, self, queryset)
        keys = [str(key) for key in selection.keys(MOST_KEYS + 1)]
        # More keys than a form may carry: the form goes to the address with the list's filters instead.
        keys = keys if len(keys) <= MOST_KEYS else []
        return self._export_page(request, self._export_form(None), keys)

    @only_reads
    def export_action(self, request: HttpRequest) -> Any:
        """Choose a format, and get the file."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        asked = request.POST.getlist("keys")
        keys = storable_keys(self, asked)
        form = self._export_form(request.POST or None)
        if request.method == "POST" and form.is_valid():
            rows = self.exchanged.model._default_manager.filter(pk__in=keys) if asked else self.export_queryset(request)
            try:
                with reading_deadline():  # it reads, though by POST
                    return self._file(FORMATS[int(form.cleaned_data["format"])](), rows)
            except Unwritable as error:
                form.add_error("format", str(error))
        return self._export_page(request, form, keys)

    def _export_form(self, data: Any) -> ExportForm:
        return ExportForm(self.get_export_formats(), self.get_resource_classes(None), data=data)  # type: ignore[arg-type]

    def _export_page(self, request: HttpRequest, form: ExportForm, keys: list[str]) -> TemplateResponse:
        context = self.init_request_context_data(request, form)
        query = f"?{request.GET.urlencode()}" if request.GET and not keys else ""
        context |= {
            "keys": keys,
            "export_url": self._address("export") + query,
            "is_filtered": bool(query),
            "most_xlsx_rows": XLSX_ROWS,
            "media": self.media + form.media,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.export_template_name, context)

    def _file(self, written: Any, rows: QuerySet[Any]) -> Download:
        name = f"{self.exchanged.model._meta.db_table}-{timezone.now():%Y-%m-%d}.{written.get_extension()}"
        parts = written.write(self.exchanged.records(rows), self.exchanged.columns)
        return Download(parts, name=name, content_type=written.get_content_type())

    def _address(self, page: str) -> str:
        opts = self.opts
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}")
