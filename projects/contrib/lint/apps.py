"""Checks on the texts of prompts, as a plugin."""

from importlib.util import find_spec
from typing import Any

from django.core import checks

from projects.declarations import PromptCheck, PromptDeclarations
from promptadmin.plugins import PluginConfig

#: Only where the package is installed that knows secrets: it is optional.
HAS_DETECTORS = find_spec("detect_secrets") is not None
SECRETS = (PromptCheck("secrets", "Secrets", "projects.contrib.lint.secrets.find_secrets"),) if HAS_DETECTORS else ()


class LintConfig(PromptDeclarations, PluginConfig):
    """Declares the checks; PROMPTADMIN_PROMPT_CHECKS_OFF switches single ones off."""

    name = "projects.contrib.lint"
    label = "lint"
    verbose_name = "Checks on prompts"
    requires_plugins = ("projects",)
    prompt_checks = (
        *SECRETS,
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

    def ready(self) -> None:
        """Tell what isn't looked for."""
        checks.register(check_detectors, checks.Tags.compatibility)


def check_detectors(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Whether prompts are searched for secrets."""
    if HAS_DETECTORS:
        return []
    install = "pip install 'promptadmin[lint]'"
    in_checkout = ".venv/bin/pip install --require-hashes -r requirements-lint.lock"
    problem = "Plugin 'lint': prompts aren't searched for secrets, because detect-secrets isn't installed."
    return [checks.Warning(problem, hint=f"Run `{install}`, in a checkout `{in_checkout}`.", id="lint.W001")]
