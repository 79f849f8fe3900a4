"""Two texts beside each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projects.texts.side_by_side import CONTEXT, LONGEST_COMPARED, Row, Side, compare_lines

TEXTS = st.lists(st.sampled_from(["", "a", "a b", "b a", "c\r", "a b c d"]), max_size=30).map("\n".join)


def text_of(side: Side) -> str:
    return "".join(piece.text for piece in side.pieces)


def marked(side: Side | None) -> list[str]:
    return [piece.text for piece in side.pieces if piece.changed] if side else []


@given(TEXTS, TEXTS)
def test_nothing_is_lost_and_only_what_differs_is_marked(old: str, new: str) -> None:
    """Shown and skipped lines make up both texts, each line under its own number."""
    rows = list(compare_lines(old, new))
    assert (rows == []) == (old == new)
    for text, sides in ((old, [row.old for row in rows]), (new, [row.new for row in rows])):
        lines = text.split("\n")
        shown = [side for side in sides if side]
        assert [lines[side.number - 1] for side in shown] == [text_of(side) for side in shown]
        if rows:
            assert len(shown) + sum(row.skipped for row in rows) == len(lines)
    for row in rows:
        if row.changed:
            assert (row.old and text_of(row.old)) != (row.new and text_of(row.new))
        else:
            assert not marked(row.old)
            assert not marked(row.new)


def test_the_words_that_differ_are_marked() -> None:
    [row] = compare_lines("keep old words", "keep new words")
    assert (marked(row.old), marked(row.new)) == (["old"], ["new"])


def test_unchanged_lines_far_from_a_change_are_skipped() -> None:
    old = [f"line {number}" for number in range(100)]
    rows = list(compare_lines("\n".join(old), "\n".join([*old[:50], "new", *old[50:]])))
    assert rows[0] == Row(skipped=50 - CONTEXT)
    assert rows[-1] == Row(skipped=50 - CONTEXT)
    [added] = [row for row in rows if row.changed]
    assert added.old is None
    assert added.new is not None
    assert added.new.number == 51


def test_a_very_long_line_is_marked_as_a_whole() -> None:
    line = "word " * LONGEST_COMPARED
    [row] = compare_lines(line, line + "more")
    assert marked(row.old) == [line]
