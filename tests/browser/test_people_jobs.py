"""What colleagues come to the back-office for: to write, to talk about it, and to tidy up. Clicks are counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.accessibility import overflows, suits_everybody, use_theme
from tests.browser.pages import begin_session, editor_of, next_page, open_page, text_of, type_into, wait_for
from tests.browser.test_jobs import Clicks, copied
from tests.support.processes import Scratch
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

PASSWORD = "a password of some length"
TEXT = "Answer {{customer}} about {{topic}}."
PEOPLE = f"""
import json
from django.contrib.auth.models import Group, User
from optimizations.repository import OptimizationRepository
from projects.repository import ProjectRepository
from promptadmin.db.sessions import write_session
for name in ("ana", "ben"):
    user = User.objects.create_user(name, password={PASSWORD!r}, is_staff=True)
    user.groups.add(Group.objects.get(name="editor"))
prompts = ProjectRepository()
made = {{}}
with write_session():
    for name in ("Written", "Edited", "Discussed"):
        project = prompts.create_project(name=name)
        made[name] = prompts.add_prompt(project_id=project.id, content={TEXT!r}).id
    project = prompts.create_project(name="Crowded")
    made["Crowded"] = project.id
    for number in range(10):
        prompts.add_prompt(project_id=project.id, content=f"Prompt {{number}} of ten.")
    long = prompts.create_project(name="Long " + "name " * 30)
    prompts.add_prompt(project_id=long.id, content="Write a very long letter to somebody. " * 20)
    for count in (2, 40):
        run = {{"raw_prompt": "x", "title": "A run with a title of many words. " * 5, "status": "cancelled"}}
        run |= {{"overall_score": 0.9, "strategy": "word-" * count, "model_used": "model-" * count}}
        run |= {{"tags": ["a long tag", "another tag"] * count}}
        OptimizationRepository().record_run(run | {{"project": "Long " + "name " * 30, "duration_ms": 7_654_321}})
    made["Tidy"] = prompts.create_project(name="Tidy").id
print(json.dumps(made))
"""


@dataclass(frozen=True)
class Desk:
    """A served file with two editors; `made` are the ids of prompts, and of projects, by name."""

    site: Site
    made: dict[str, str]

    def prompt(self, name: str) -> str:
        return f"/admin/projects/prompt/{self.made[name]}/change/"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("people")
    (directory / "new.db").write_bytes(new_file)
    url = f"sqlite:///{directory / 'new.db'}"
    made = Scratch(directory).manage("shell", "--no-imports", "--command", PEOPLE, DATABASE_URL=url)
    with serving(directory, url) as site:
        yield Desk(site, json.loads(made.stdout.splitlines()[-1]))


def sign_in_as(browser: Chrome, desk: Desk, user: str) -> None:
    browser.set_script_timeout(60)
    begin_session(browser, desk.site, user=user, password=PASSWORD)


def content(browser: Chrome) -> WebElement:
    return wait_for(browser, lambda driver: driver.find_element(By.NAME, "content"))


def press(browser: Chrome, *keys: str) -> None:
    """Keys for whatever has the focus."""
    ActionChains(browser).send_keys(*keys).perform()


def press_with_control(browser: Chrome, key: str) -> None:
    ActionChains(browser).key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()


def tab_to(browser: Chrome, selector: str, most: int = 40) -> WebElement:
    """Move the focus forwards with the Tab key until an element has it."""
    wanted = browser.find_element(By.CSS_SELECTOR, selector)
    for _ in range(most):
        press(browser, Keys.TAB)
        if browser.switch_to.active_element == wanted:
            return wanted
    raise AssertionError(f"{selector} isn't reached by the Tab key")


def test_write_save_by_key_find_and_leave_by_keyboard_alone(browser: Chrome, desk: Desk) -> None:
    """The editor has lines with numbers, finds, is left by Tab, and gives back the cursor after Ctrl + S."""
    sign_in_as(browser, desk, "ana")
    open_page(browser, desk.site, desk.prompt("Written"))
    editor = editor_of(browser, content(browser))
    tab_to(browser, ".cm-content")
    press_with_control(browser, Keys.END)
    press(browser, Keys.ENTER, "Be kind.")
    wait_for(browser, lambda _: content(browser).get_property("value") == f"{TEXT}\nBe kind.")
    numbers = browser.find_elements(By.CSS_SELECTOR, ".cm-lineNumbers .cm-gutterElement")
    assert [number.text for number in numbers if number.is_displayed()] == ["1", "2"]
    assert editor.get_attribute("aria-labelledby")
    with next_page(browser):
        press_with_control(browser, "s")
    assert "version 2" in text_of(browser)
    assert content(browser).get_property("value") == f"{TEXT}\nBe kind."
    press(browser, " And brief.")
    wait_for(browser, lambda _: content(browser).get_property("value") == f"{TEXT}\nBe kind. And brief.")

    press_with_control(browser, "f")
    wait_for(browser, lambda driver: driver.switch_to.active_element.get_attribute("name") == "search")
    press(browser, "topic", Keys.ENTER)
    assert browser.find_elements(By.CSS_SELECTOR, ".cm-searchMatch-selected")
    assert not suits_everybody(browser)
    press(browser, Keys.ESCAPE)
    wait_for(browser, lambda driver: "cm-content" in (driver.switch_to.active_element.get_attribute("class") or ""))
    press(browser, Keys.TAB)
    assert browser.switch_to.active_element.get_attribute("data-variable") == "customer"
    browser.execute_script("sessionStorage.clear()")


def test_edit_while_a_colleague_edits(browser: Chrome, desk: Desk) -> None:
    """Nothing is lost: theirs and mine stand beside each other, and saving again makes mine the next version."""
    sign_in_as(browser, desk, "ana")
    address = desk.prompt("Edited")
    open_page(browser, desk.site, address)
    mine = browser.current_window_handle
    browser.switch_to.new_window("tab")
    open_page(browser, desk.site, address)
    type_into(browser, "content", "Theirs.")
    with next_page(browser):
        press_with_control(browser, "s")
    browser.close()
    browser.switch_to.window(mine)
    clicks = Clicks(browser)
    type_into(browser, "content", "Mine.")
    clicks.count += 1
    clicks.on("[name=_save]")
    shown = text_of(browser)
    assert "it has version 2 now" in shown
    assert "Theirs." in shown
    assert content(browser).get_property("value") == "Mine."
    assert editor_of(browser, content(browser)).text == "Mine."
    assert not suits_everybody(browser)
    clicks.on("[name=_continue]")
    assert "version 3" in text_of(browser)
    clicks.tell("edit while a colleague edits", 3)


def test_a_draft_comes_back_into_the_editor_and_is_copied(browser: Chrome, desk: Desk) -> None:
    """The textarea below is what drafts fill and buttons copy: the editor shows the same."""
    permissions = {"origin": desk.site.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    sign_in_as(browser, desk, "ana")
    open_page(browser, desk.site, desk.prompt("Discussed"))
    type_into(browser, "content", "Left behind.")
    wait_for(browser, lambda driver: driver.execute_script("return sessionStorage.length"))
    open_page(browser, desk.site, "/admin/")
    open_page(browser, desk.site, desk.prompt("Discussed"))
    offer = "//*[@class='pa-draft']//button[.='Restore what you typed']"
    wait_for(browser, lambda driver: driver.find_element(By.XPATH, offer)).click()
    wait_for(browser, lambda _: editor_of(browser, content(browser)).text == "Left behind.")
    assert copied(browser, "[data-copy-from=id_content]") == "Left behind."
    browser.execute_script("sessionStorage.clear()")


def test_fill_in_variables_and_look_at_the_preview(browser: Chrome, desk: Desk) -> None:
    """By keyboard alone; the variables follow the text, a value that is typed is data, and nothing of it is stored."""
    sign_in_as(browser, desk, "ana")
    open_page(browser, desk.site, desk.prompt("Discussed"))
    clicks = Clicks(browser)
    tab_to(browser, "[data-variable=customer]")
    press(browser, "<b>{{topic}}</b>", Keys.TAB, "delays")
    clicks.count += 2
    preview = browser.find_element(By.CSS_SELECTOR, "[data-preview-text]")
    wait_for(browser, lambda _: preview.text == "Answer <b>{{topic}}</b> about delays.")
    clicks.tell("fill in variables and look at the preview", 2)
    asks = "const e = new Event('beforeunload', {cancelable: true}); dispatchEvent(e); return e.defaultPrevented"
    assert not browser.execute_script(asks)
    assert not suits_everybody(browser)

    type_into(browser, "content", "Answer {{customer}} in {{language}}.")
    wait_for(browser, lambda _: preview.text == "Answer <b>{{topic}}</b> in {{language}}.")
    assert "Without a value: language" in text_of(browser)
    names = [
        field.get_attribute("data-variable") for field in browser.find_elements(By.CSS_SELECTOR, "[data-variable]")
    ]
    assert [name for name in names if name] == ["customer", "language"]
    browser.execute_script("sessionStorage.clear()")


def test_comment_and_mention_a_colleague(browser: Chrome, desk: Desk) -> None:
    """From the prompt's page to the bell of the colleague, who reads it, goes there, and answers."""
    sign_in_as(browser, desk, "ana")
    open_page(browser, desk.site, desk.prompt("Discussed"))
    clicks = Clicks(browser)
    clicks.typed("#comment_form [name=text]", "@ben, is “topic” the right word?")
    clicks.on("//button[.='Add the comment']")
    shown = text_of(browser)
    assert "ben will be told" in shown
    assert "is “topic” the right word?" in shown
    clicks.tell("comment and mention a colleague", 2)
    assert not suits_everybody(browser)

    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    sign_in_as(browser, desk, "ben")
    open_page(browser, desk.site, "/admin/")
    bell = browser.find_element(By.CSS_SELECTOR, ".pa-bell")
    assert bell.get_attribute("aria-label") == "Notifications, 1 unread"
    clicks = Clicks(browser)
    clicks.on(".pa-bell")
    assert "ana: mentioned you in a comment “@ben, is “topic” the right word?”" in text_of(browser)
    assert not suits_everybody(browser)
    clicks.on("//button[starts-with(., 'Mark as read')]")
    assert browser.find_element(By.CSS_SELECTOR, ".pa-bell").get_attribute("aria-label") == "Notifications"
    clicks.on(".pa-comments li strong a")
    clicks.typed("#comment_form [name=text]", "It is.")
    clicks.on("//button[.='Add the comment']")
    assert [comment.text for comment in browser.find_elements(By.CSS_SELECTOR, ".pa-comment-text")] == [
        "It is.",
        "@ben, is “topic” the right word?",
    ]
    clicks.tell("read what one was told, and answer", 5)


def test_move_ten_prompts_to_another_project(browser: Chrome, desk: Desk) -> None:
    """From the list of a project's prompts; they stand in the other one in the same order."""
    sign_in_as(browser, desk, "ana")
    open_page(browser, desk.site, f"/admin/projects/prompt/?project__id__exact={desk.made['Crowded']}")
    clicks = Clicks(browser)
    clicks.here("#action-toggle")
    clicks.here("select[name=action] option[value=move_selected]")
    wait_for(browser, lambda _: clicks.find("[name=index]").is_displayed())
    clicks.on("[name=index]")
    assert "Move prompts to a project" in text_of(browser)
    assert not suits_everybody(browser)
    clicks.here(f"select[name=project] option[value='{desk.made['Tidy']}']")
    clicks.on("//button[normalize-space()='Move 10 prompts']")
    assert "Moved 10 prompts to “Tidy”." in text_of(browser)
    clicks.tell("move ten prompts to another project", 5)
    open_page(browser, desk.site, f"/admin/projects/project/{desk.made['Tidy']}/change/")
    texts = [link.text for link in browser.find_elements(By.CSS_SELECTOR, ".prompt-order .prompt-link")]
    assert texts == [f"Prompt {number} of ten." for number in range(10)]
    assert not suits_everybody(browser)


CARDS = "return [...document.querySelectorAll('#result_list .data-row')].map(row => row.getBoundingClientRect().height)"
#: Cells of cards that are cut without a title that has the whole.
UNTOLD = """
return [...document.querySelectorAll('#result_list .data-row > :is(td, th):not(.action-checkbox)')]
  .filter(cell => cell.checkVisibility() && !cell.title)
  .filter(cell => cell.scrollWidth > cell.clientWidth + 1 || cell.scrollHeight > cell.clientHeight + 1)
  .map(cell => cell.className + ': ' + cell.textContent.trim().slice(0, 60))
"""


@pytest.mark.parametrize("table", ["projects/prompt", "optimizations/optimization"])
def test_a_card_of_a_telephone_is_short_and_says_what_it_cuts(browser: Chrome, desk: Desk, table: str) -> None:
    sign_in_as(browser, desk, "ana")
    use_theme(browser, "light", width=400)
    open_page(browser, desk.site, f"/admin/{table}/")
    heights = browser.execute_script(CARDS)
    assert heights
    assert max(heights) <= 120
    assert browser.find_elements(By.CSS_SELECTOR, "#result_list .data-row > [title]")
    assert browser.execute_script(UNTOLD) == []
    assert not overflows(browser)
