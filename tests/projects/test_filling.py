"""Variables beside the editor: found in the text, filled in for a preview, by the server alone."""

from __future__ import annotations

import pytest
from django.test import Client

from projects.contrib.registry.repository import RegistryRepository
from projects.models import Prompt
from projects.texts.variables import fill_variables, find_variables, guess_format
from promptadmin.conf.limits import PROMPT_LENGTH
from promptadmin.db.sessions import write_session
from tests.projects.making import make_project, make_prompt
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/projects/prompt/preview/"


@pytest.fixture
def client() -> Client:
    return signed_in("editor")


@pytest.mark.parametrize(
    ("text", "names", "filled"),
    [
        ("{{a}} and {{ b }}", ["a", "b"], "1 and {{ b }}"),
        ("{a} and {b}", ["a", "b"], "1 and {b}"),
        ("{{a}} and {b}", ["a"], "1 and {b}"),
        ('{"a": {"b": 1}}', [], '{"a": {"b": 1}}'),
        ("{{{a}}}", [], "{{{a}}}"),
    ],
)
def test_variables_of_either_kind_are_found_and_filled(text: str, names: list[str], filled: str) -> None:
    written = guess_format(text)
    assert find_variables(text, written) == names
    assert fill_variables(text, written, {"a": "1"}) == filled


def test_without_scripts_a_button_shows_the_preview_and_saves_nothing(client: Client) -> None:
    """What was typed stays in the form, also what couldn't be saved; values are data."""
    prompt = make_prompt(make_project(), "Hello {{name}}")
    address = f"/admin/projects/prompt/{prompt.pk}/change/"
    page = client.get(address).content.decode()
    assert 'name="value of name"' in page
    assert 'name="_preview"' in page
    sent = {"content": "Bye {{name}}, {{when}}", "reason": "", "value of name": "{{when}} <b>", "_preview": "yes"}
    answer = client.post(address, sent)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Bye {{when}} &lt;b&gt;, {{when}}</pre>" in page
    assert "Without a value: when" in page
    assert "\nBye {{name}}, {{when}}</textarea>" in page
    assert 'name="value of when"' in page
    assert "Please correct" not in page
    stored = Prompt.objects.get(pk=prompt.pk)
    assert (stored.content, stored.version) == ("Hello {{name}}", 1)
    blank = client.post(address, {"content": "", "reason": "why", "_preview": "yes"})
    assert "This field is required" not in blank.content.decode()


def test_a_named_prompt_has_the_format_and_the_defaults_of_the_registry(client: Client) -> None:
    with write_session():
        RegistryRepository().save(
            name="support/refund",
            text="Hello {name}, {{not}}",
            template_format="f-string",
            variables=[{"name": "name", "default": "Ana"}],
        )
    prompt = Prompt.objects.get()
    page = client.get(f"/admin/projects/prompt/{prompt.pk}/change/").content.decode()
    assert 'data-format="f-string"' in page
    assert "Hello Ana, {not}</pre>" in page


def test_the_live_preview_answers_those_who_may_see_prompts(client: Client) -> None:
    sent = {"content": "a {x}\r\nb {y}", "value of x": "1\x07", "format": ""}
    answer = client.post(PREVIEW, sent)
    assert answer.json() == {"variables": ["x", "y"], "text": "a 1␇\nb {y}", "missing": ["y"]}
    assert client.post(PREVIEW, sent).status_code == 200  # it reads: it may be asked any number of times
    assert client.get(PREVIEW).status_code == 405
    assert client.post(PREVIEW, {"content": "x" * (PROMPT_LENGTH + 1)}).status_code == 400
    assert signed_in().post(PREVIEW, sent).status_code == 403
