from __future__ import annotations

from typing import Any

import pytest

from projects.contexts import merge_contexts, normalize_context


@pytest.mark.parametrize(
    ("profile", "normalized"),
    [
        (None, None),
        ({}, None),
        ({"language": "Go"}, {"language": "Go"}),
        ({"language": "", "framework": None, "conventions": [], "patterns": [None]}, None),
        ({"language": 3, "framework": True}, {"language": "3", "framework": "True"}),
        ({"language": [], "framework": {}}, None),
        ({"conventions": "PEP 8"}, {"conventions": ["PEP 8"]}),
        ({"conventions": ""}, {"conventions": [""]}),
        ({"conventions": ["PEP 8", None, 257]}, {"conventions": ["PEP 8", "257"]}),
        ({"conventions": {"a": 1}, "patterns": 5}, None),
        ({"unknown": "x", "language": "Go"}, {"language": "Go"}),
        ({"language": "ünï 日本"}, {"language": "ünï 日本"}),
    ],
)
def test_known_fields_that_hold_something_stay(profile: dict[str, Any] | None, normalized: object) -> None:
    assert normalize_context(profile) == normalized


def test_every_known_field_has_its_kind() -> None:
    texts = ("language", "framework", "description", "documentation", "test_framework")
    lists = ("conventions", "patterns", "code_snippets", "test_patterns")
    profile = dict.fromkeys(texts, "x") | {key: ["x"] for key in lists}
    assert normalize_context(profile) == profile
    assert normalize_context(dict.fromkeys(lists, "x")) == {key: ["x"] for key in lists}


@pytest.mark.parametrize(
    ("base", "override", "merged"),
    [
        (None, None, None),
        ({"language": "Go"}, None, {"language": "Go"}),
        (None, {"language": "Go"}, {"language": "Go"}),
        ({"language": "Go", "framework": "gin"}, {"language": "Rust"}, {"language": "Rust", "framework": "gin"}),
        ({"language": "Go"}, {"language": ""}, {"language": "Go"}),
        ({"patterns": ["a", "b"]}, {"patterns": ["c"]}, {"patterns": ["c"]}),
        ({"patterns": ["a"]}, {"patterns": []}, {"patterns": ["a"]}),
        ({"unknown": 1}, {"other": 2}, None),
    ],
)
def test_the_overrides_filled_fields_replace_the_bases(
    base: dict[str, Any] | None, override: dict[str, Any] | None, merged: object
) -> None:
    assert merge_contexts(base, override) == merged


def test_a_merge_changes_neither_side() -> None:
    base, override = {"language": "Go"}, {"language": "Rust"}
    merge_contexts(base, override)
    assert (base, override) == ({"language": "Go"}, {"language": "Rust"})
