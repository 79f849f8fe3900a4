"""What the search folds, held against the plain statement of it."""

from __future__ import annotations

import json
import sys

from hypothesis import given
from hypothesis import strategies as st

from promptadmin.lookups import LAST_CASED, fold, folded_contains, folded_json_contains

# Letters with more or other forms than two, and others.
LETTERS = "aAsSkK\N{KELVIN SIGN}ſßẞtTiIİıﬁﬅfFσςΣüÜnŉN1%_ 日😀"
texts = st.text(LETTERS, max_size=6) | st.text(max_size=6)


@given(text=texts, needle=st.text(LETTERS, min_size=1, max_size=3))
def test_a_text_contains_what_its_folded_form_does(text: str, needle: str) -> None:
    assert folded_contains(text.encode(), fold(needle)) == (fold(needle) in fold(text))


@given(tags=st.lists(texts, max_size=3), needle=st.text(LETTERS, min_size=1, max_size=3), ensure_ascii=st.booleans())
def test_json_contains_what_it_holds_and_what_it_is(tags: list[str], needle: str, ensure_ascii: bool) -> None:
    stored = json.dumps(tags, ensure_ascii=ensure_ascii)
    expected = any(fold(needle) in fold(text) for text in (*tags, stored))
    assert folded_json_contains(stored.encode(), fold(needle)) == expected


def test_other_values_than_text() -> None:
    assert folded_contains(None, "A") is None
    assert folded_json_contains(None, "A") is None
    assert folded_contains(b"\xffa", "A") is True
    assert folded_contains(b"a\xc3", "Ã") is False
    assert folded_json_contains(b'["\\u00fc', "Ü") is False


def test_no_character_beyond_the_last_cased_one_folds() -> None:
    beyond = range(LAST_CASED + 1, sys.maxunicode + 1)
    assert all(fold(chr(number)) == chr(number) for number in beyond if not 0xD800 <= number < 0xE000)
