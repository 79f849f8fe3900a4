"""What plugins may put on the back-office's pages of rows that aren't theirs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A box on a row's page, below what the page itself shows.

    `function` is the dotted path of a callable that takes the request and the row, and returns what `template` shows,
    as a mapping; it runs in a read session, and None means that there is nothing to show. On a prompt's page, what
    `line_template` makes of the same stands at the top, behind the version, and what `version_template` makes of it and
    a `version` beside each number in the table of versions. `version_function` is the path of a callable that takes the
    request, the prompt and the number of an earlier version, for a box on the page of that version. `permission`, as in
    "registry.view_label", is what somebody needs to see the box; an empty one lets all see it who see the row.
    """

    name: str
    title: str
    function: str
    template: str
    line_template: str = ""
    permission: str = ""
    version_template: str = ""
    version_function: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a list, behind those that it has.

    `function` is the dotted path of a callable that takes the user and the keys of a page's rows, and returns a mapping
    from keys to what stands there: a text, or HTML that Django's `format_html` has made. It runs in a read session,
    once a page. `permission` is what somebody needs to see the column; an empty one lets all see it who see the list.
    """

    name: str
    title: str
    function: str
    permission: str = ""


@dataclass(frozen=True)
class Filter:
    """A filter beside a list.

    `choices` is the dotted path of a callable without arguments that returns a mapping from values, as they stand in
    addresses, to labels. `function` is that of a callable that takes one of these values and returns a Django `Q` of
    the list's rows. `permission` is what somebody needs to be offered it; empty for all who see the list.
    """

    name: str
    title: str
    choices: str
    function: str
    permission: str = ""


@dataclass(frozen=True)
class Action:
    """Something to do with the rows that are ticked in a list, or with the one whose page is open.

    `function` is the dotted path of a callable that takes a list of keys and returns how many rows it has changed; it
    runs in a write session, for up to 200 rows at a time, and refuses by a `promptadmin.plugins.DomainError`.
    `permission` is what somebody needs to be offered it, and to do it; an empty one lets all who see the list.
    With a `question`, a page asks it before anything is done.
    """

    name: str
    title: str
    function: str
    permission: str = ""
    question: str = ""
