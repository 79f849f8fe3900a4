"""Keys and passwords in prompts, as detect-secrets knows them."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

from projects.findings import CheckedPrompt, Finding, Severity

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
_SETTINGS = {"plugins_used": [{"name": name} for name in DETECTORS]}
#: detect-secrets keeps its settings in one place for the whole process.
_one_at_a_time = Lock()


def find_secrets(prompt: CheckedPrompt) -> Iterator[Finding]:
    """Keys, tokens and passwords: whoever can read the prompt, and every model that gets it, can use them."""
    lines = prompt.text.splitlines(keepends=True)
    # Once for all lines: each change of the settings empties caches.
    with _one_at_a_time, transient_settings(_SETTINGS):
        scanned = [
            {(found.secret_value or "", found.type) for found in scan_line(line.rstrip("\r\n"))} for line in lines
        ]
    start = 0
    for line, found in zip(lines, scanned, strict=True):
        for value, kind in sorted(found, key=lambda secret: (line.find(secret[0]), secret)):
            place = start + max(0, line.find(value))
            message = f"This looks like a secret ({kind}): take it out, and replace it where it is used."
            yield Finding(Severity.ERROR, message, place, place + len(value))
        start += len(line)
