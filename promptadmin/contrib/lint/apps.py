"""Checks on the texts of prompts, as a plugin."""

from promptadmin.plugins import PluginConfig, PromptCheck


class LintConfig(PluginConfig):
    """Declares the checks; PROMPTADMIN_PROMPT_CHECKS_OFF switches single ones off."""

    name = "promptadmin.contrib.lint"
    label = "lint"
    verbose_name = "Checks on prompts"
    requires_plugins = ("projects",)
    prompt_checks = (
        PromptCheck("secrets", "Secrets", "promptadmin.contrib.lint.secrets.find_secrets"),
        PromptCheck(
            "unfilled_placeholders",
            "Unfilled placeholders",
            "promptadmin.contrib.lint.wording.find_unfilled_placeholders",
        ),
        PromptCheck(
            "contradictory_lengths",
            "Contradictory length limits",
            "promptadmin.contrib.lint.lengths.find_contradictory_lengths",
        ),
        PromptCheck(
            "missing_output_format",
            "Missing output format",
            "promptadmin.contrib.lint.wording.find_missing_output_format",
        ),
        PromptCheck("very_long", "Very long text", "promptadmin.contrib.lint.wording.find_very_long_text"),
        PromptCheck("duplicates", "Duplicated prompts", "promptadmin.contrib.lint.wording.find_duplicates"),
    )
