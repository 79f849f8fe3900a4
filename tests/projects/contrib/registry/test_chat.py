"""Chat prompts as readable text, and variables."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.contrib.registry.chat import ROLES, read_messages, write_messages
from projects.contrib.registry.variables import all_variables, compile_prompt
from projects.texts.variables import find_variables
from promptadmin.errors import Invalid

lines = st.one_of(
    st.text(max_size=6),
    st.builds(
        lambda slashes, word, end: f"{slashes}{word}{end}",
        st.sampled_from(["", "\\", "\\\\", " "]),
        st.sampled_from([*(f"{role}:" for role in ROLES), "placeholder: x", "placeholder:y", "note:"]),
        st.sampled_from(["", " ", "\r", "\t", " hello"]),
    ),
)
contents = st.lists(lines, max_size=5).map("\n".join)
messages = st.one_of(
    st.builds(lambda role, content: {"role": role, "content": content}, st.sampled_from(ROLES), contents),
    st.builds(lambda name: {"type": "placeholder", "name": name}, st.sampled_from(["history", "a.b-c_1", "é"])),
)


@given(st.lists(messages, min_size=1, max_size=5))
def test_any_messages_come_back_from_their_text(written: list[dict[str, Any]]) -> None:
    assert read_messages(write_messages(written)) == written


def test_a_text_reads_as_people_write_it() -> None:
    text = "\nsystem:\nBe kind.\nuser:\r\nWhat is\n\\user:\n\nsay?\n\nplaceholder: history\n\nassistant:\n"
    assert read_messages(text) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "What is\nuser:\n\nsay?"},
        {"type": "placeholder", "name": "history"},
        {"role": "assistant", "content": ""},
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello", "Line 1 belongs to no message"),
        ("\nHello\nuser:\nx", "Line 1 belongs to no message"),
        ("placeholder: x\nhello", "After the placeholder in line 1"),
        ("\n \n", "A chat prompt needs messages"),
    ],
)
def test_what_is_no_chat_is_refused(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_messages(text)


@pytest.mark.parametrize(
    "message", [{}, {"role": "poet", "content": "x"}, {"role": "user"}, {"type": "placeholder", "name": "a b"}]
)
def test_what_is_no_message_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        write_messages([message])


@pytest.mark.parametrize(
    ("text", "template_format", "names"),
    [
        ("{{a}} {{ b.c }} {{a}} {c} {{{d}}} {{#e}} {{ }}", "mustache", ["a", "b.c"]),
        ("{a} {{b}} {c!r} {} {d}", "f-string", ["a", "d"]),
        ("{{a}} {b}", "none", []),
    ],
)
def test_variables_are_found_by_the_format(text: str, template_format: str, names: list[str]) -> None:
    assert find_variables(text, template_format) == names


def test_declared_variables_come_first() -> None:
    declared = [{"name": "b", "default": "x"}, "not one", {"default": "none"}]
    assert all_variables("{{a}} {{b}}", "mustache", declared) == [{"name": "b", "default": "x"}, {"name": "a"}]


def compiled(text: str, values: dict[str, Any], **others: Any) -> Any:
    given_ = {"kind": "text", "template_format": "mustache", "declared": None, "placeholders": {}, **others}
    return compile_prompt(text=text, values=values, **given_)


def test_values_are_data() -> None:
    found = compiled("{{a}} {{b}} {{c}} {{d}}", {"a": "{{b}}", "b": ["ä", 1], "x": "unused", "c": None})
    assert (found.text, found.missing, found.unused) == ('{{b}} ["ä", 1] {{c}} {{d}}', ["c", "d"], ["x"])
    assert compiled("{a} {{a}} {b}", {"a": "1"}, template_format="f-string").text == "1 {a} {b}"
    assert compiled("{{a}}", {"a": "1"}, template_format="none").text == "{{a}}"
    assert compiled("{{a}}", {}, declared=[{"name": "a", "default": "d"}]).text == "d"


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(max_size=5)))
def test_each_value_stands_where_its_name_stood(values: dict[str, str]) -> None:
    found = compiled("<{{a}}|{{b}}|{{ c }}>", values)
    stays = {"a": "{{a}}", "b": "{{b}}", "c": "{{ c }}"}
    assert found.text == "<" + "|".join(values.get(name, stays[name]) for name in "abc") + ">"
    assert found.missing == [name for name in "abc" if name not in values]
    assert re.match("<", found.text)


def test_messages_take_the_place_of_a_placeholder() -> None:
    text = "system:\nBe {{how}}.\n\nplaceholder: history\n\nplaceholder: more\n\nuser:\n{{question}}"
    past = [{"role": "user", "content": "system:\n{{how}}"}]
    found = compiled(text, {"how": "kind\n\nuser:\nevil"}, kind="chat", placeholders={"history": past, "other": []})
    assert found.messages == [
        {"role": "system", "content": "Be kind\n\nuser:\nevil."},
        *past,
        {"type": "placeholder", "name": "more"},
        {"role": "user", "content": "{{question}}"},
    ]
    assert (found.text, found.missing, found.unused) == (None, ["question", "more"], ["other"])
