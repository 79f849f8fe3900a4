"""What MLflow's client sends."""

from __future__ import annotations

from typing import Annotated

from ninja import Query, Schema
from pydantic import AfterValidator, Field

from projects.api.inputs import storable
from projects.contrib.registry.api.schemas import Reason
from promptadmin.db.fields import LARGEST_INTEGER

Text = Annotated[str, AfterValidator(storable)]
Name = Annotated[Text, Field(max_length=1000)]
NameQuery = Annotated[Text, Query(max_length=1000)]
Number = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]  # as text, which pydantic reads as a number


class TagIn(Schema):
    """A tag."""

    key: Text
    value: Text = ""


class PromptIn(Schema):
    """A prompt without a version."""

    name: Name
    tags: list[TagIn] = Field([], max_length=100)
    description: Text | None = None


class VersionIn(Schema):
    """A version: tags say what it is."""

    name: Name
    source: Text | None = None
    tags: list[TagIn] = Field([], max_length=100)
    description: Reason | None = None


class AliasIn(Schema):
    """An alias, and the version that it shall point to."""

    name: Name
    alias: Text
    version: Number


class NoAliasIn(Schema):
    """An alias that shall go."""

    name: Name
    alias: Text


class PromptTagIn(TagIn):
    """A tag of a prompt."""

    name: Name


class NameIn(Schema):
    """A prompt."""

    name: Name
