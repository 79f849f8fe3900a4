"""Tools as the SDK runs them, but for how it reads arguments.

It would drop those that a tool hasn't, refuse null where there is a default, and read a text that looks like JSON as
JSON.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from optimizations.contrib.mcp.registry import ToolSpec
from promptadmin.api.unknown_arguments import Unknown, alternatives, unknown_names


class Arguments(FuncMetadata):
    """What a tool takes."""

    parameters: dict[str, Any]

    def validate_arguments(self, arguments_to_validate: dict[str, Any]) -> dict[str, Any]:
        """The arguments as the tool's function takes them. Raises pydantic's ValidationError."""
        given = {name: self._given(name, value) for name, value in arguments_to_validate.items()}
        unknown = unknown_names(given, self.parameters, self.parameters.get("$defs", {}))
        if unknown:
            raise ValidationError.from_exception_data("arguments", [_error(each) for each in unknown])
        has_default = self.parameters["properties"].keys() - self.parameters.get("required", ())
        kept = {name: value for name, value in given.items() if value is not None or name not in has_default}
        return self.arg_model.model_validate(kept).model_dump_one_level()

    def _given(self, name: str, value: Any) -> Any:
        """An argument as it is; but some agents send lists and objects as JSON texts, where no text can be meant."""
        kinds = self._kinds(name) if isinstance(value, str) else set()
        if kinds & {"array", "object"} and "string" not in kinds:
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return value
        return value

    def _kinds(self, name: str) -> set[str]:
        """The JSON types that an argument may have."""
        described = self.parameters["properties"].get(name)
        found = alternatives([described], self.parameters.get("$defs", {})) if described else ()
        return {str(each.get("type", "string")) for each in found}


def _error(unknown: Unknown) -> InitErrorDetails:
    error = PydanticCustomError("extra_forbidden", "{message}", {"message": unknown.message})
    return InitErrorDetails(type=error, loc=unknown.place, input=unknown.value)


def as_tool(spec: ToolSpec) -> Tool:
    """A tool of ours as the SDK's."""
    tool = Tool.from_function(spec.in_session, name=spec.name, title=spec.title, annotations=spec.annotations)
    tool.parameters["additionalProperties"] = False
    read = tool.fn_metadata
    tool.fn_metadata = Arguments(
        arg_model=read.arg_model,
        output_schema=read.output_schema,
        output_model=read.output_model,
        wrap_output=read.wrap_output,
        parameters=tool.parameters,
    )
    return tool
