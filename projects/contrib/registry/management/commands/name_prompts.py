"""`promptadmin name_prompts`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from projects.contrib.registry.proposals import propose
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.conf.counted import counted
from promptadmin.db.chunks import in_chunks
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError

#: In one transaction.
NAMES_AT_ONCE = 100


class Command(BaseCommand):
    """Proposes names for prompts that have none, or gives them."""

    help = "Proposes names for prompts that have none, from project and first words (--plan), or gives them (--apply)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--plan", action="store_true", help="Show the names, and change nothing.")
        what.add_argument("--apply", action="store_true", help="Give the names that --plan shows.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show the plan, or carry it out in short transactions: what is interrupted goes on where it was left."""
        with read_session():
            plan = list(propose(DEFAULT_DB_ALIAS))
        if not plan:
            self.stdout.write("No prompt needs a name: there is nothing to do.")
            return
        for proposal in plan:
            self.stdout.write(f"{proposal.name}  ←  {proposal.beginning}")
        if options["plan"]:
            self.stdout.write(f"{counted(len(plan), 'prompt')} would get a name: --apply gives it.")
            return
        try:
            for some in in_chunks(plan, NAMES_AT_ONCE):
                with write_session():
                    for proposal in some:
                        RegistryRepository().give_name(prompt_id=proposal.prompt_id, name=proposal.name)
        except DomainError as refused:
            raise CommandError(f"{refused}. Run it again for what is left.") from refused
        self.stdout.write(f"Named {counted(len(plan), 'prompt')}.")
