"""How long a text is, in the measures that writers of prompts think in."""

from __future__ import annotations

from dataclasses import dataclass

#: Tokenizers of language models take about so many bytes of UTF-8 for a token, in most languages.
BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class TextCounts:
    """Characters, words between blanks, and about how many tokens."""

    characters: int
    words: int
    tokens: int


def count_text(text: str) -> TextCounts:
    """The counts of a text. `projects/static/projects/prompt_text.js` counts what is being typed in the same way."""
    size = len(text.encode(errors="surrogatepass"))
    return TextCounts(len(text), len(text.split()), -(-size // BYTES_PER_TOKEN))
