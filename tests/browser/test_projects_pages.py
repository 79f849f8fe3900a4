"""Projects and prompts as an editor works on them in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.accessibility import use_theme
from tests.browser.pages import (
    begin_session,
    click,
    click_link,
    foreign_resources,
    open_page,
    text_of,
    type_into,
    wait_for,
)
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

TEXTS = ("First: greet the customer.", "Second: ask what happened.", "Third: offer a solution.")


def save(browser: Chrome) -> str:
    """Press the button that saves; what the next page says."""
    click(browser, browser.find_element(By.NAME, "_save"))
    return text_of(browser)


def confirm(browser: Chrome) -> str:
    """Press the button of the page that asks; what the next page says."""
    click(browser, browser.find_element(By.CSS_SELECTOR, "#content form [type=submit]"))
    return text_of(browser)


def shown_order(browser: Chrome) -> list[str]:
    """The first words of the prompts, from the top."""
    return [link.text.split(":")[0] for link in browser.find_elements(By.CSS_SELECTOR, ".prompt-order .prompt-link")]


def item(browser: Chrome, word: str) -> WebElement:
    return browser.find_element(By.XPATH, f"//ol[@class='prompt-order']/li[contains(., '{word}:')]")


def wait_until_saved(browser: Chrome, place: int) -> None:
    wait_for(browser, lambda driver: f"place {place}." in driver.find_element(By.CSS_SELECTOR, "[role=status]").text)


def test_a_project_from_its_first_prompt_to_its_end(browser: Chrome, tmp_path: Path, new_file: bytes) -> None:
    """Made, filled, edited, compared, restored, ordered, archived, and deleted; nothing comes from another host."""
    (tmp_path / "new.db").write_bytes(new_file)
    with serving(tmp_path, f"sqlite:///{tmp_path / 'new.db'}", "--no-upkeep") as site:
        begin_session(browser, site)
        make_project(browser, site)
        edit_and_restore(browser)
        put_in_order(browser)
        archive_and_delete(browser)


def make_project(browser: Chrome, site: Site) -> None:
    open_page(browser, site, "/admin/projects/project/add/")
    type_into(browser, "name", "Support")
    browser.find_element(By.TAG_NAME, "summary").click()
    type_into(browser, "context_language", "English")
    first, second = "Be kind", "Be brief"
    type_into(browser, "context_conventions", first)
    browser.find_elements(By.NAME, "context_conventions")[1].send_keys(second)
    assert "Support" in save(browser)
    click_link(browser, "Support")
    browser.find_element(By.TAG_NAME, "summary").click()
    fields = browser.find_elements(By.NAME, "context_conventions")
    assert [field.get_property("value") for field in fields] == [first, second, ""]

    for text in TEXTS:
        click_link(browser, "add Add a prompt")
        type_into(browser, "content", text)
        counted = browser.find_element(By.CSS_SELECTOR, "[data-count=characters]")
        wait_for(browser, lambda _: counted.text == str(len(text)))  # noqa: B023 - called at once
        save(browser)
        open_page(browser, site, "/admin/projects/project/")
        click_link(browser, "Support")
    assert foreign_resources(browser, site) == []


def edit_and_restore(browser: Chrome) -> None:
    """Edit the first prompt twice, the second time after somebody else; compare; go back to the first text."""
    click_link(browser, TEXTS[0])
    type_into(browser, "content", "First: greet the customer by name.")
    click(browser, browser.find_element(By.NAME, "_continue"))
    opened = browser.current_window_handle
    address = browser.current_url
    browser.switch_to.new_window("tab")
    browser.get(address)
    type_into(browser, "content", "First: say hello.")
    save(browser)
    browser.close()
    browser.switch_to.window(opened)
    type_into(browser, "content", "First: greet them warmly.")
    shown = save(browser)
    assert "it has version 3 now" in shown
    assert "First: say hello." in shown
    assert browser.find_element(By.NAME, "content").get_property("value") == "First: greet them warmly."
    save(browser)

    browser.get(address)
    frame = browser.find_element(By.CSS_SELECTOR, "[aria-label=Versions]")
    for width in (400, 1280):  # nothing of the versions is beside the screen
        use_theme(browser, "light", width=width)
        wait_for(browser, lambda _: frame.get_property("scrollWidth") <= frame.get_property("clientWidth"))  # type: ignore[operator]
    first = browser.find_element(By.CSS_SELECTOR, "[name=old][value='1']")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", first)
    first.click()
    click(browser, browser.find_element(By.XPATH, "//button[normalize-space()='Compare the two chosen']"))
    assert "Version 1" in text_of(browser)
    marked = [element.text.strip() for element in browser.find_elements(By.CSS_SELECTOR, ".diff ins")]
    assert "them warmly" in " ".join(marked)
    browser.find_element(By.CSS_SELECTOR, "select[name=view]").send_keys("unified")
    click(browser, browser.find_element(By.XPATH, "//button[normalize-space()='Compare']"))
    assert "-First: greet the customer." in text_of(browser)
    click_link(browser, "Restore version 1…")
    assert "is version 5 now" in confirm(browser)
    assert browser.find_element(By.NAME, "content").get_property("value") == TEXTS[0]
    click_link(browser, "Support")


def put_in_order(browser: Chrome) -> None:
    """By the arrow buttons, by keys, and by drag; what is shown is what is stored."""
    assert shown_order(browser) == ["First", "Second", "Third"]
    item(browser, "Third").find_element(By.CSS_SELECTOR, "[value$=':up']").send_keys(Keys.ENTER)
    wait_until_saved(browser, 2)
    assert "Move prompt up: Third" in str(browser.switch_to.active_element.get_attribute("aria-label"))
    ActionChains(browser).send_keys(Keys.ARROW_UP).perform()
    wait_until_saved(browser, 1)
    assert shown_order(browser) == ["Third", "First", "Second"]
    browser.refresh()
    assert shown_order(browser) == ["Third", "First", "Second"]

    handle = item(browser, "Third").find_element(By.CLASS_NAME, "prompt-handle")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", handle)
    target = item(browser, "Second")
    below = target.size["height"] // 2 - 4
    ActionChains(browser).click_and_hold(handle).move_to_element_with_offset(target, 0, below).release().perform()
    wait_until_saved(browser, 3)
    browser.refresh()
    assert shown_order(browser) == ["First", "Second", "Third"]


def archive_and_delete(browser: Chrome) -> None:
    project = browser.current_url
    click_link(browser, "archive Archive…")
    assert "Becomes read-only" in text_of(browser)
    assert "This project is archived" in confirm(browser)
    assert not browser.find_elements(By.CSS_SELECTOR, "[name=name], [name=move], [name=_save]")
    click_link(browser, TEXTS[0])
    assert "The project of this prompt is archived" in text_of(browser)
    assert not browser.find_elements(By.CSS_SELECTOR, "[name=content], [name=_save]")

    browser.get(project)
    click_link(browser, "delete Delete…")
    shown = text_of(browser)
    for number, what in ((3, "Prompts"), (4, "Earlier versions"), (0, "Runs")):
        assert f"{what}\n{number}" in shown
    type_into(browser, "typed", "Support")
    assert "Deleted “Support”" in confirm(browser)
    assert not browser.find_elements(By.LINK_TEXT, "Support")
