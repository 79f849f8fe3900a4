"""Keys and passwords in prompts, as detect-secrets knows them."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from detect_secrets.core.plugins.initialize import from_plugin_classname
from detect_secrets.filters import heuristic
from detect_secrets.filters.allowlist import is_line_allowlisted
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.util.code_snippet import CodeSnippet

from projects.prompt_checks import CheckedPrompt, Finding, Severity

#: Those that know a secret by its form; guesses by the randomness of a word would find every id.
DETECTORS = (
    "ArtifactoryDetector",
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "IbmCloudIamDetector",
    "IbmCosHmacDetector",
    "JwtTokenDetector",
    "KeywordDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "SoftlayerDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)
#: What a value that only looks like a secret is known by.
FILTERS = (
    heuristic.is_sequential_string,
    heuristic.is_potential_uuid,
    heuristic.is_templated_secret,
    heuristic.is_prefixed_with_dollar_sign,
    heuristic.is_not_alphanumeric_string,
)
#: A detector takes up to the square of a line's length: longer lines are looked at in parts, which overlap.
PART, OVERLAP = 1_000, 250
#: So much of a text is looked at: lines that are there twice, once; none that is too short for a secret.
MOST_LINES, MOST_CHARACTERS, SHORTEST = 1_500, 40_000, 6
#: A file's name that detect-secrets knows no language by.
NO_FILE = "prompt"


def find_secrets(prompt: CheckedPrompt) -> Iterator[Finding]:
    """Keys, tokens and passwords: whoever can read the prompt, and every model that gets it, can use them."""
    known: dict[str, list[tuple[str, str]]] = {}
    left, start = MOST_CHARACTERS, 0
    for line in prompt.text.splitlines(keepends=True):
        text = line.rstrip("\r\n")
        if text not in known and len(text) >= SHORTEST:
            if len(known) == MOST_LINES or left <= 0:
                break
            known[text] = sorted(_secrets(text[:left]), key=lambda secret: (line.find(secret[0]), secret))
            left -= len(text)
        for value, kind in known.get(text, ()):
            place = start + max(0, line.find(value))
            message = f"This looks like a secret ({kind}): take it out, and replace it where it is used."
            yield Finding(Severity.ERROR, message, place, place + len(value))
        start += len(line)
    end = start + min(0, left)  # of the last line, a part may not have been looked at
    if end < len(prompt.text):
        message = "From here on the text was not searched for secrets, because it is long."
        yield Finding(Severity.NOTE, message, end, len(prompt.text))


@functools.cache
def _detectors() -> list[BasePlugin]:
    return [from_plugin_classname(name) for name in DETECTORS]


def _secrets(line: str) -> set[tuple[str, str]]:
    """The secrets of a line, each with its kind, as detect-secrets' own `scan_line` tells them.

    That one takes its detectors from settings of the whole process, which only one thread at a time may change.
    """
    found: set[tuple[str, str]] = set()
    for start in range(0, max(1, len(line) - OVERLAP), PART - OVERLAP):
        part = line[start : start + PART]
        for detector in _detectors():
            for secret in detector.analyze_line(filename=NO_FILE, line=part) or ():
                value = secret.secret_value or ""
                if not (
                    any(is_harmless(value) for is_harmless in FILTERS)
                    or heuristic.is_likely_id_string(value, part, detector)
                    or is_line_allowlisted(NO_FILE, part, CodeSnippet([part], 0, 0))
                ):
                    found.add((value, secret.type))
    return found
