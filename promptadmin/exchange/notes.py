"""What was assumed of a file, and told in the preview."""

from __future__ import annotations

from collections.abc import Iterator

#: As many places does a note name.
MOST_PLACES = 5


class Notes:
    """Notes, each with the places that it is about. They are told in the order in which they came first."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, note: str, place: str = "") -> None:
        """Tell this once, about this place too."""
        places = self._places.setdefault(note, [])
        self._counts[note] = self._counts.get(note, 0) + 1
        if place and len(places) < MOST_PLACES:
            places.append(place)

    def __iter__(self) -> Iterator[str]:
        for note, places in self._places.items():
            more = self._counts[note] - len(places)
            named = ", ".join(places) + (f" and {more:,} more" if places and more else "")
            yield f"{named}: {note}" if named else note
