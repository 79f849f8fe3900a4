"""Plugins that are wrong in each way: refused by `check` with an id, their name and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.installed import announce, install
from tests.support.processes import REPOSITORY, Scratch

HEAD = """
from projects.declarations import PromptCheck
from promptadmin.plugins import Box, DashboardPanel, Filter, PluginConfig, Setting, StartupStep

class Config(PluginConfig):
    name = "broken"
"""


def check(scratch: Scratch, *command: str, plugins: str = "projects,optimizations,broken") -> tuple[int, str]:
    done = scratch.manage(
        *(command or ("check",)),
        PYTHONPATH=f"{scratch.directory / 'site'}:{REPOSITORY}",
        PROMPTADMIN_PLUGINS=plugins,
    )
    assert "__main__.py" not in done.stderr, done.stderr  # as in the traceback of a command that crashed
    return done.returncode, done.stderr


DECLARATIONS = {
    "type": ("    strategies = ['x']\n", "E001", "strategies"),
    "type_inside": (
        "    startup_steps = (StartupStep(name='x', title='x', position='last', function='broken.x'),)\n",
        "E001",
        "startup_steps[0]['position']",
    ),
    "a_text_for_a_list": ("    background_commands = 'check'\n", "E001", "background_commands"),
    "duplicate_step": (
        "    startup_steps = (StartupStep('link_prompts', 'x', 9, 'broken.parts.fine'),)\n",
        "E002",
        "'optimizations' has already",
    ),
    "duplicate_platform_step": (
        "    startup_steps = (StartupStep('tables', 'x', 9, 'broken.parts.fine'),)\n",
        "E002",
        "'promptadmin' has already",
    ),
    "duplicate_section": ("    statistics_sections = {'win_rates': 'broken.parts.fine'}\n", "E002", "'win_rates'"),
    "alias_that_is_a_strategy": ("    strategy_aliases = {'risen': 'co-star'}\n", "E002", "'risen'"),
    "needs_a_plugin": ("    requires_plugins = ('nonesuch',)\n", "E003", "needs the plugin 'nonesuch'"),
    "unknown_event": ("    event_receivers = {'prompt_made': 'broken.parts.fine'}\n", "E003", "There are: *, opt"),
    "alias_of_nothing": ("    strategy_aliases = {'x': 'nonesuch'}\n", "E003", "There are: chain-of-thought"),
    "unknown_kind": ("    settings = (Setting('X', 'colour'),)\n", "E001", "settings[0]['kind']"),
    "no_addresses": ("    page_urls = 'broken.parts.fine'\n", "E004", "is no list of `django.urls.path`s"),
    "filter_without_choices": (
        "    prompt_filters = (Filter('x', 'x', 'broken.parts.nonesuch', 'broken.parts.fine'),)\n",
        "E004",
        "prompt_filters names 'bad_filter_without_choices.parts.nonesuch'",
    ),
    "duplicate_box": (
        "    prompt_boxes = 2 * (Box('x', 'x', 'broken.parts.fine', 'x.html'),)\n",
        "E002",
        "prompt_boxes has 'x'",
    ),
    "unknown_command": ("    background_commands = ('nonesuch',)\n", "E003", "'nonesuch'"),
    "no_such_module": ("    api_router = 'broken.nonesuch.router'\n", "E004", "ModuleNotFoundError"),
    "no_such_name": ("    event_receivers = {'*': 'broken.parts.nonesuch'}\n", "E004", 'does not define a "nonesuch"'),
    "raises_at_import": ("    asgi_application = 'broken.failing.application'\n", "E004", "ZeroDivisionError"),
    "no_router": ("    api_router = 'broken.parts.fine'\n", "E004", "is no ninja.Router"),
    "not_callable": (
        "    prompt_checks = (PromptCheck('x', 'x', 'broken.parts.NUMBER'),)\n",
        "E004",
        "is no callable, but of type int",
    ),
    "too_new": ("    requires_promptadmin = '>=99'\n", "E005", "made for promptadmin >=99"),
    "no_window": ("    requires_promptadmin = 'newest'\n", "E005", "no version window"),
}


def test_every_wrong_declaration_is_named_with_its_plugin(scratch: Scratch, subtests: pytest.Subtests) -> None:
    """One process for all of one stage: those whose kinds of check don't hide each other."""
    for stage in (("E001",), ("E002", "E003", "E004", "E005")):
        names = [name for name, (_, number, _) in DECLARATIONS.items() if number in stage]
        site = scratch.directory / "site"
        for name in names:
            plugin = f"bad_{name}"
            text = (HEAD + DECLARATIONS[name][0]).replace("'broken.", f"'{plugin}.").replace('"broken"', f'"{plugin}"')
            parts = {"parts": "NUMBER = 1\ndef fine(*args):\n    return 1\n", "failing": "1 / 0\n"}
            install(site, plugin, text, **parts)
        plugins = ",".join(["projects", "optimizations", *(f"bad_{name}" for name in names)])
        status, said = check(scratch, plugins=plugins)
        assert status != 0
        findings = said.split("?: (")
        for name in names:
            _, number, words = DECLARATIONS[name]
            with subtests.test(name):
                about = [text for text in findings if f"Plugin 'bad_{name}':" in text]
                assert [text for text in about if text.startswith(f"plugins.{number})") and words in text], about
                assert all("HINT:" in text for text in about)


def test_start_up_checks_declarations_before_it_touches_a_database(scratch: Scratch) -> None:
    install(scratch.directory / "site", "broken", HEAD + DECLARATIONS["needs_a_plugin"][0])
    status, said = check(scratch, "startup")
    assert status != 0
    assert "(plugins.E003) Plugin 'broken'" in said
    assert not scratch.database.exists()


@pytest.mark.parametrize(
    ("apps", "words"),
    [("import nonesuch", "No module named 'nonesuch'"), ("class Config(:", "SyntaxError"), ("1 / 0", "ZeroDivision")],
)
def test_a_plugin_that_cannot_be_imported_is_named(scratch: Scratch, apps: str, words: str) -> None:
    install(scratch.directory / "site", "broken", apps)
    status, said = check(scratch)
    assert status != 0
    assert said.startswith("Wrong setting: (plugins.E004) The plugin 'broken' can't be imported"), said
    assert words in said
    assert "take it out of PROMPTADMIN_PLUGINS" in said


def test_a_package_that_is_gone_is_named(scratch: Scratch) -> None:
    announce(scratch.directory / "site", "broken", "broken.apps:Config")
    assert "The plugin 'broken' can't be imported" in check(scratch)[1]


def test_an_entry_point_to_no_plugin_is_named(scratch: Scratch) -> None:
    plain = "from django.apps import AppConfig\nclass Config(AppConfig):\n    name = 'broken'\n"
    install(scratch.directory / "site", "broken", plain)
    status, said = check(scratch)
    assert status != 0
    assert "(plugins.E001) Plugin 'broken'" in said


def test_names_in_the_setting_must_be_known_and_stand_once(scratch: Scratch) -> None:
    assert "(plugins.E003) PROMPTADMIN_PLUGINS: no plugin 'x'" in check(scratch, plugins="x")[1]
    assert "(plugins.E002) PROMPTADMIN_PLUGINS names 'lint' twice" in check(scratch, plugins="lint,lint")[1]


def test_no_plugin_at_all_always_starts(scratch: Scratch, tmp_path: Path) -> None:
    """The commands one after the other in one process."""
    program = "from django.core.management import call_command as call; call('check'); call('startup'); call('plugins')"
    status, said = check(scratch, "shell", "--no-imports", "-c", program, plugins="")
    assert status == 0, said


MIGRATION = "from django.db import migrations\nclass Migration(migrations.Migration):\n    dependencies = [{}]\n"


@pytest.mark.parametrize(
    "files",
    [
        {"a": "('broken', 'nonesuch')"},
        {"a": "('broken', 'b')", "b": "('broken', 'a')"},
        {"a": "", "b": ""},
    ],
    ids=["missing-parent", "loop", "two-ends"],
)
def test_migrations_that_do_not_belong_together_are_refused_in_one_line(
    scratch: Scratch, files: dict[str, str]
) -> None:
    site = scratch.directory / "site"
    install(site, "broken", HEAD)
    (site / "broken" / "migrations").mkdir()
    (site / "broken" / "migrations" / "__init__.py").touch()
    for name, parents in files.items():
        (site / "broken" / "migrations" / f"{name}.py").write_text(MIGRATION.format(parents))
    for command in ("startup", "doctor"):
        status, said = check(scratch, command)
        assert status != 0
        assert "Traceback" not in said
        assert "broken" in said
