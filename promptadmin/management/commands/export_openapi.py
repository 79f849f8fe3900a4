"""`promptadmin export_openapi`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Writes the API's OpenAPI document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="The file to write.")

    def handle(self, *args: Any, **options: Any) -> None:
        from promptadmin.urls import api

        document = json.dumps(api.get_openapi_schema(path_prefix="/api/"), indent=1, ensure_ascii=False, default=str)
        try:
            options["path"].write_text(document + "\n")
        except OSError as error:
            raise CommandError(str(error)) from error
