"""What the search folds, held against the plain statement of it."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from optimizations.repository import OptimizationRepository
from optimizations.search_index import RUNS
from promptadmin.db.lookups import FOLDS_TO_ASCII, MEANS_ASCII, fold, folded_contains, folded_json_contains
from promptadmin.search import postgresql
from promptadmin.search.ranking import newest_matches
from promptadmin.search.words import read_query
from tests.optimizations.searched_files import containing, index_everything
from tests.projects.making import make_run

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


STORED_TAGS = (
    '["caf\\u00e9", "plain"]',
    '["caf\u00e9"]',
    r'["\u0041scii", "a\"quoted\""]',
    r'["\\u0041scii"]',
    r'["back\\slash", "new\nline"]',
    r'["\u212aelvin", "stra\u00dfe"]',
    "[not JSON \\",
    None,
)
PARTS = (
    "caf", "FÉ\"", "café", "u00e9", "plain", "ascii", "Ascii", 'a"q', 'a\\"', "k\\s", "back\\\\s", "w\nl", "elvin",
    "straß", "json", "100%", "r_s", "a", "title\nraw", "nothing", "\\",
)  # fmt: skip
NOWHERE = {"title\nraw", "nothing"}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="of the trigrams of PostgreSQL")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("few", [0, 1000])
def test_with_trigrams_the_same_is_found_as_without(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Texts in escapes, escapes of ASCII, other cases, special characters; where each text is common, and none is."""
    for number, tags in enumerate(STORED_TAGS):
        make_run(title="title", raw_prompt=f"raw 100% under_score Größe {number}", tags=tags, status="completed")
    with monkeypatch.context() as without:
        without.setattr(postgresql, "has_trigrams", lambda *args: False)
        plain = [containing("default", part) for part in PARTS]
    assert {part for part, found in zip(PARTS, plain, strict=True) if not found} == NOWHERE
    former = postgresql.FORMER.format("optimizations")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS promptadmin_derived_search_optimizations_escaped")
        cursor.execute(f"CREATE INDEX {former} ON optimizations (id)")
        index_everything("default")
        cursor.execute("SELECT to_regclass(%s)", [former])
        assert cursor.fetchone() == (None,)
    monkeypatch.setattr(postgresql, "FEW", few)
    assert [containing("default", part) for part in PARTS] == plain


#: Words that tags have behind, between and within escapes, and how many runs have all of them.
WORDS = {"latte": 4, "satte": 1, "café": 2, "mug latte": 1, "large raw": 1, "u2014latte": 0, "raw 7": 1, "atte": 0}
TAGS_OF_WORDS = (
    r'["x\u2014latte", "large"]',
    r'["\u017fatte"]',
    r'["l\u0061tte"]',
    r'["caf\u00e9", "mug\u00a0latte"]',
    '["latte"]',
    '["café"]',
    r'["\u00e9clair"]',
    None,
)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="of the words of PostgreSQL")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("many", [1, 1000])
def test_words_in_escapes_are_found_whether_rows_are_sorted_or_walked(
    monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    for number, tags in enumerate(TAGS_OF_WORDS):
        make_run(id=str(number), raw_prompt=f"raw {number}", tags=tags)
    index_everything("default")
    monkeypatch.setattr(postgresql, "MANY_TO_SORT", many)
    runs = OptimizationRepository().runs
    found = {words: len(newest_matches(runs, RUNS, read_query(words), weights={}, facets={}).found) for words in WORDS}
    assert found == WORDS


def test_letters_that_fold_to_ascii_are_known() -> None:
    """Those and no others, so that any other escape hides no word of ASCII."""
    beyond = (chr(number) for number in range(128, 0x30000) if not 0xD800 <= number < 0xE000)
    assert set(FOLDS_TO_ASCII) == {letter for letter in beyond if any(other.isascii() for other in fold(letter))}
    for letter in (*FOLDS_TO_ASCII, "a", "\n", '"'):
        for escape in (json.dumps(letter)[1:-1], json.dumps(letter)[1:-1].upper().replace("\\U", "\\u")):
            assert bool(re.search(MEANS_ASCII, escape)) == (escape.lower() != letter), escape
    assert not re.search(MEANS_ASCII, json.dumps("é日😀"))
