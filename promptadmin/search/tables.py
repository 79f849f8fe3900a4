"""What is said of a table that is searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SearchedTable:
    """A table whose texts are in the search index.

    `key` is its primary key, of text. A row's text is that of the columns `texts` and of `json_texts`, which hold JSON.
    `facets` are what a search may be narrowed by: name → columns, of which the first that isn't NULL counts.
    """

    name: str
    texts: tuple[str, ...]
    json_texts: tuple[str, ...] = ()
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: str = "id"

    @property
    def text_columns(self) -> tuple[str, ...]:
        """All columns with text."""
        return (*self.texts, *self.json_texts)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the index is made from."""
        of_facets = (column for columns in self.facets.values() for column in columns)
        return tuple(dict.fromkeys((*self.text_columns, *of_facets)))
