from __future__ import annotations

from typing import Any

import pytest

from projects.contexts import normalize_context


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
