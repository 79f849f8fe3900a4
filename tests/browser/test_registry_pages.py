"""A prompt from its name to production and back, as an editor and a second person take it there in a browser."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from tests.browser.accessibility import grave_problems, overflows, use_theme
from tests.browser.pages import begin_session, click, click_link, open_page, sign_in, text_of, type_into, wait_for
from tests.browser.test_jobs import copied
from tests.support.processes import REPOSITORY, Scratch, environment
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

PASSWORD = "a password of some length"
PEOPLE = f"""
from django.contrib.auth.models import Group, Permission, User
from projects.contrib.registry.models import LabelRule
from projects.repository import ProjectRepository
from promptadmin.db.sessions import write_session
for name in ("ana", "ben"):
    user = User.objects.create_user(name, password={PASSWORD!r}, is_staff=True)
    user.groups.add(Group.objects.get(name="editor"))
user.user_permissions.add(Permission.objects.get(codename="promote_label"))
LabelRule.objects.create(label="production", is_protected=True, needs_second_person=True)
with write_session():
    project = ProjectRepository().create_project(name="Support")
    print(ProjectRepository().add_prompt(project_id=project.id, content="Answer {{{{customer}}}} politely.").id)
"""
#: Where pictures of the pages are kept, for somebody to look at.
PICTURES = os.environ.get("PROMPTADMIN_TEST_PICTURES")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[tuple[Site, str, str]]:
    """A served file with two editors, the address of a prompt's page, and a token."""
    directory = tmp_path_factory.mktemp("registry")
    (directory / "new.db").write_bytes(new_file)
    url = f"sqlite:///{directory / 'new.db'}"
    prompt = (
        Scratch(directory).manage("shell", "--no-imports", "--command", PEOPLE, DATABASE_URL=url).stdout.split()[-1]
    )
    token = Scratch(directory).manage("create_api_token", "program", DATABASE_URL=url).stdout.strip()
    with serving(directory, url) as site:
        yield site, f"/admin/projects/prompt/{prompt}/change/", token


def press_button(browser: Chrome, text: str) -> str:
    """Press the first button of the page's content that begins with this text; what the next page says."""
    path = f"//*[@id='main']//button[starts-with(normalize-space(), '{text}')]"
    click(browser, browser.find_element(By.XPATH, path))
    return text_of(browser)


def suits_everybody(browser: Chrome, name: str) -> list[str]:
    """What keeps somebody from using this page, at two widths, light and dark."""
    problems: list[str] = []
    for theme in ("light", "dark"):
        for width in (1280, 400):
            use_theme(browser, theme, width=width)
            if theme == "dark" and width == 1280:
                browser.refresh()  # the page asks for the theme while it loads
            problems += grave_problems(browser) if width == 1280 else ["too wide"] * overflows(browser)
            if PICTURES:
                taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
                (Path(PICTURES) / f"{name}-{theme}-{width}.png").write_bytes(base64.b64decode(taken["data"]))
    use_theme(browser, "light")
    return [f"{name}: {problem}" for problem in problems]


def test_a_prompt_from_its_name_to_production_and_back(browser: Chrome, desk: tuple[Site, str, str]) -> None:
    site, page, token = desk
    browser.set_script_timeout(60)
    permissions = {"origin": site.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    begin_session(browser, site, user="ana", password=PASSWORD)
    problems: list[str] = []

    open_page(browser, site, page)
    click_link(browser, "Give it a name…")
    problems += suits_everybody(browser, "name")
    type_into(browser, "name", "support/refund")
    assert "The prompt is called support/refund." in press_button(browser, "Save")

    click_link(browser, "Promote version 1…")
    type_into(browser, "label", "staging")
    press_button(browser, "Show")
    assert "“staging” points to v1 now." in press_button(browser, "Promote version 1")
    type_into(browser, "content", "Answer {{customer}} politely, in three sentences.")
    type_into(browser, "reason", "answers were too long")
    click(browser, browser.find_element(By.NAME, "_continue"))
    assert "staging v1" in text_of(browser)

    click_link(browser, "Promote version 2…")
    type_into(browser, "label", "staging")
    press_button(browser, "Show")
    assert [element.text.strip() for element in browser.find_elements(By.CSS_SELECTOR, ".diff ins")]
    problems += suits_everybody(browser, "promote")
    type_into(browser, "reason", "to try it")
    assert "“staging” points to v2 now." in press_button(browser, "Promote version 2")

    click_link(browser, "Promote version 2…")
    assert "wants a second person" in text_of(browser)
    type_into(browser, "reason", "it was fine on staging")
    assert "until somebody else approves v2" in press_button(browser, "Ask for version 2")
    problems += suits_everybody(browser, "prompt-waiting")

    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    sign_in(browser, site, user="ben", password=PASSWORD)
    wait_for(browser, lambda driver: "it was fine on staging" in driver.find_element(By.ID, "main").text)
    problems += suits_everybody(browser, "dashboard")
    click_link(browser, "Look…")
    assert "it was fine on staging" in text_of(browser)
    problems += suits_everybody(browser, "request")
    assert "Approved: “production” points to v2 now." in press_button(browser, "Approve")

    fetched = fetch_by_copied_programs(browser, token)
    assert fetched == ["Answer … politely, in three sentences.", "Answer {{customer}} politely, in three sentences."]

    open_page(browser, site, "/admin/")
    click(browser, browser.find_element(By.CSS_SELECTOR, "a[href='/admin/registry/promptname/live/']"))
    row = browser.find_element(By.CSS_SELECTOR, ".panel-table tbody tr").text
    for fact in ("support/refund", "v2", "ana", "it was fine on staging"):
        assert fact in row
    problems += suits_everybody(browser, "live")
    moment = browser.find_element(By.NAME, "at")
    browser.execute_script("arguments[0].value = '2026-01-01T00:00'", moment)
    assert "No prompt had the label production then." in press_button(browser, "Show")

    open_page(browser, site, page)
    shown = text_of(browser)
    assert "production: nothing → v2, by ana, approved by ben, because “it was fine on staging”" in shown
    assert "staging: v1 → v2, by ana, because “to try it”" in shown
    problems += suits_everybody(browser, "prompt")
    undo = "//li[contains(., 'to try it')]//button"
    click(browser, browser.find_element(By.XPATH, undo))
    assert "“staging” points to v1 now." in text_of(browser)
    assert "staging: v2 → v1, by ben, because “undo: to try it”" in text_of(browser)
    open_page(browser, site, "/admin/projects/prompt/")
    assert "support/refund" in browser.find_element(By.ID, "result_list").text
    assert not problems


def fetch_by_copied_programs(browser: Chrome, token: str) -> list[str]:
    """The texts that the programs fetch which the page of a prompt offers to be copied."""
    summary = "//details/summary[normalize-space()='Fetch it by name']"
    browser.find_element(By.XPATH, summary).send_keys(Keys.ENTER)
    variables = environment(TOKEN=token, PYTHONPATH=str(REPOSITORY / "clients" / "python"))
    printed = []
    for program, name in ((sys.executable, "python"), ("sh", "curl")):
        text = copied(browser, f"[data-copy-from=code-named-{name}]")
        ran = subprocess.run([program, "-c", text], env=variables, capture_output=True, text=True, check=False)
        assert not ran.stderr
        printed.append(ran.stdout.strip())
    return [printed[0], json.loads(printed[1])["text"]]
