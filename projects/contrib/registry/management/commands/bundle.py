"""`promptadmin bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.contrib.registry.api.shapes import prompt_shape
from projects.contrib.registry.bundle import bundle_key, read_bundle, write_bundle
from projects.contrib.registry.names import PRODUCTION
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.conf.counted import counted
from promptadmin.db.sessions import read_session
from promptadmin.errors import DomainError


class Command(BaseCommand):
    """Writes all prompts of a label to one signed file, checks such a file, or shows the key that checks it."""

    help = "Writes all prompts of a label to one signed file; --check checks such a file, --key shows its key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("file", nargs="?", type=Path, help="Where the bundle is, or shall be.")
        parser.add_argument("--label", default=PRODUCTION, help="The label; production unless said otherwise.")
        parser.add_argument("--prefix", help="What the names begin with, as in support/.")
        parser.add_argument("--check", action="store_true", help="Check the file's signature instead of writing it.")
        parser.add_argument("--key", action="store_true", help="Show the key with which programs check bundles.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write, check or show."""
        if options["key"]:
            self.stdout.write(bundle_key())
            return
        file: Path | None = options["file"]
        if file is None:
            raise CommandError("Say where the bundle is, or shall be: promptadmin bundle prompts.json")
        try:
            if options["check"]:
                content = read_bundle(file.read_bytes(), bundle_key())
                self.stdout.write(f"{counted(len(content['prompts']), 'prompt')} of '{content['label']}', as signed.")
                return
            with read_session():
                found = list(RegistryRepository().labelled_prompts(label=options["label"], prefix=options["prefix"]))
            beside = file.with_name(f"{file.name}.new")
            beside.write_bytes(write_bundle(options["label"], options["prefix"], map(prompt_shape, found)))
            beside.replace(file)
        except DomainError as refused:
            raise CommandError(f"{file}: {refused}") from refused
        except OSError as refused:
            raise CommandError(f"{file}: {refused.strerror or refused}") from refused
        self.stdout.write(f"Wrote {counted(len(found), 'prompt')} of '{options['label']}' to {file}.")
