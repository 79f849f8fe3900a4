"""docs/plugins.md names everything that there is, as it is."""

from __future__ import annotations

import dataclasses
import re
from importlib.util import find_spec
from typing import Any

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from optimizations.contrib.mcp.declarations import McpDeclarations, McpTool
from optimizations.declarations import RunDeclarations
from projects.declarations import PromptCheck, PromptDeclarations
from promptadmin.plugins import checks
from promptadmin.plugins.declarations import (
    DashboardFilter,
    DashboardPanel,
    NavigationPage,
    PluginConfig,
    RootApi,
    StartupStep,
    enabled_plugins,
    installed_plugins,
)
from promptadmin.plugins.events import known_events
from promptadmin.plugins.page_parts import Action, Box, Column, Filter
from promptadmin.plugins.plugin_settings import Setting
from tests.support.processes import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "plugins.md").read_text()
SETTINGS = (REPOSITORY / "docs" / "settings.md").read_text()


def test_every_attribute_is_documented_with_its_type() -> None:
    declared = {
        f"{name}: {kind.__annotations__[name].removeprefix('ClassVar[').removesuffix(']')}"
        for kind in (PluginConfig, PromptDeclarations, RunDeclarations, McpDeclarations)
        for name in checks.attribute_types(kind)
    }
    table = DOCUMENT.split("| attribute | what it is |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (`.+?`) \| ", table, re.MULTILINE)
    assert {found.replace("\\|", "|") for cell in cells for found in re.findall("`(.+?)`", cell)} == declared


@pytest.mark.parametrize(
    "kind",
    [
        *(RootApi, StartupStep, DashboardPanel, DashboardFilter, NavigationPage, Setting, PromptCheck),
        *(Box, Column, Filter, Action, McpTool),
    ],
)
def test_every_field_is_documented_with_its_type(kind: Any) -> None:
    section = DOCUMENT.split(f"### {kind.__name__}\n")[1].split("\n###")[0]
    declared = {f"{field.name}: {field.type}" for field in dataclasses.fields(kind)}
    assert set(re.findall(r"`(\w+: [^`]+)`", section)) == declared


def test_every_event_plugin_setting_and_check_is_documented() -> None:
    for name in (*known_events(), *installed_plugins()):
        assert f"`{name}`" in DOCUMENT, name
    for number in range(1, 6):
        assert f"`plugins.E00{number}`" in DOCUMENT
        assert f"plugins.E00{number}" in str(checks.__doc__)
    assert "`plugins.W001`" in DOCUMENT
    for plugin in enabled_plugins():
        for setting in plugin.settings:
            assert hasattr(settings, f"{plugin.label.upper()}_{setting.name}")
            assert f"`{setting.variable(plugin.label)}`" in SETTINGS


def test_every_name_that_it_mentions_is_there() -> None:
    names = re.findall(r"`((?:promptadmin|projects|optimizations)\.[\w.]+)`", DOCUMENT)
    assert len(names) > 10
    for name in names:
        assert _is_module(name) or import_string(name), name


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # what stands before the last dot is no package
        return False
