"""The folders of prompts' names, beside the list of prompts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

from projects.contrib.registry.pages.access import may
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.repository.browsing import Folder
from projects.models import Prompt

MOST_FOLDERS = 60


class FolderFilter(SimpleListFilter):
    """The prompts whose names are in a folder; offers the folders in it, with how many prompts each has."""

    title = "folder"
    parameter_name = "folder"
    template = "registry/folder_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.folders: list[Folder] = []
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not may(request.user, "read"):
            return []
        self.folders = RegistryRepository().list_folders(self.value() or "", limit=MOST_FOLDERS)
        chosen = self.value()
        within = [(chosen, chosen)] if chosen else []
        return [*within, *((folder.path, f"{folder.path} ({folder.prompts:,})") for folder in self.folders)]

    def has_output(self) -> bool:
        return bool(self.folders or self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> QuerySet[Prompt]:
        if not self.value() or not may(request.user, "read"):
            return queryset
        names = RegistryRepository().names_in(self.value() or "")
        return queryset.filter(pk__in=names.values("prompt_id"))

    def steps(self) -> Iterator[tuple[str, str]]:
        """The folders that the chosen one stands in, and itself: each by its own name and its path."""
        path = ""
        for name in filter(None, (self.value() or "").split("/")):
            path += f"{name}/"
            yield name, path
