"""Checks on the texts of prompts, as a plugin."""

from projects.declarations import PromptCheck, PromptDeclarations
from promptadmin.plugins import PluginConfig


class LintConfig(PromptDeclarations, PluginConfig):
    """Declares the checks; PROMPTADMIN_PROMPT_CHECKS_OFF switches single ones off."""

    name = "projects.contrib.lint"
    label = "lint"
    verbose_name = "Checks on prompts"
    requires_plugins = ("projects",)
    prompt_checks = (
        PromptCheck("secrets", "Secrets", "projects.contrib.lint.secrets.find_secrets"),
        PromptCheck(
            "unfilled_placeholders",
            "Unfilled placeholders",
            "projects.contrib.lint.wording.find_unfilled_placeholders",
        ),
        PromptCheck(
            "contradictory_lengths",
            "Contradictory length limits",
            "projects.contrib.lint.lengths.find_contradictory_lengths",
        ),
        PromptCheck(
            "missing_output_format",
            "Missing output format",
            "projects.contrib.lint.wording.find_missing_output_format",
        ),
        PromptCheck("very_long", "Very long text", "projects.contrib.lint.wording.find_very_long_text"),
        PromptCheck("duplicates", "Duplicated prompts", "projects.contrib.lint.wording.find_duplicates"),
    )
