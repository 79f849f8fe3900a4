import time
from typing import Any

from django.core.management.base import BaseCommand
from dummy.models import Note

from promptadmin.plugins import write_session


class Command(BaseCommand):
    """Notes that it runs, and then waits."""

    def handle(self, *args: Any, **options: Any) -> None:
        with write_session():
            Note.objects.create(text="background command runs")
        while True:
            time.sleep(60)
