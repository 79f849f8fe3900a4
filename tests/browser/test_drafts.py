"""What is typed into a form is there again after whatever came between, in a real browser."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.accessibility import grave_problems, overflows, use_theme
from tests.browser.pages import begin_session, click, click_link, next_page, open_page, sign_in, text_of, wait_for
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

TEXT = "An hour of work"
PASSWORD = "correct horse battery 9"
NEW = "/admin/projects/project/add/"
#: Whether the page would ask before it is left.
ASKS = """
const event = new Event("beforeunload", {cancelable: true});
window.dispatchEvent(event);
return event.defaultPrevented;
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    (directory / "new.db").write_bytes(new_file)
    with serving(directory, f"sqlite:///{directory / 'new.db'}", "--no-upkeep") as served:
        (directory / "data").mkdir(exist_ok=True)
        yield served


@pytest.fixture
def database(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """The file, as another program has it."""
    path = next(Path(tmp_path_factory.getbasetemp()).glob("site*/new.db"))
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def signed_in(browser: Chrome, site: Site) -> Chrome:
    begin_session(browser, site)
    return browser


def field(browser: Chrome, name: str) -> WebElement:
    return wait_for(browser, lambda driver: driver.find_element(By.NAME, name))


def value(browser: Chrome, name: str) -> str:
    return str(field(browser, name).get_property("value"))


def shows(browser: Chrome, name: str, text: str) -> bool:
    return bool(wait_for(browser, lambda driver: value(driver, name) == text))


def offers(browser: Chrome) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, ".pa-draft")


def drafts(browser: Chrome) -> dict[str, str]:
    return dict(browser.execute_script("return {...sessionStorage}"))


def press(browser: Chrome, text: str) -> None:
    wait_for(
        browser, lambda driver: driver.find_element(By.XPATH, f"//*[@class='pa-draft']//button[.='{text}']")
    ).click()


def save(browser: Chrome, button: str = "_continue") -> None:
    click(browser, field(browser, button))


def typed(browser: Chrome, site: Site, name: str) -> None:
    """A new project's form with something in it, kept by now."""
    open_page(browser, site, NEW)
    field(browser, "name").send_keys(name)
    field(browser, "description").send_keys(TEXT)
    wait_for(browser, lambda driver: any(TEXT in text for text in drafts(driver).values()))


def end_sessions(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM django_session")


def type_password(browser: Chrome, site: Site) -> None:
    field(browser, "username").send_keys(site.user)
    with next_page(browser):
        field(browser, "password").send_keys(site.password + Keys.ENTER)


def test_a_session_that_is_over_loses_nothing(signed_in: Chrome, site: Site, database: sqlite3.Connection) -> None:
    """Saving leads through signing in to the form with the text, and then saves it."""
    browser = signed_in
    typed(browser, site, "over")
    end_sessions(database)
    save(browser)
    type_password(browser, site)
    assert browser.current_url.endswith(NEW)
    assert shows(browser, "description", TEXT)
    assert "was not saved. It is in the form again" in text_of(browser)
    assert browser.execute_script(ASKS)
    save(browser)
    assert "was added successfully" in text_of(browser)
    assert shows(browser, "description", TEXT)
    wait_for(browser, lambda driver: not drafts(driver))
    open_page(browser, site, NEW)
    time.sleep(0.5)
    assert (value(browser, "name"), offers(browser)) == ("", [])


def test_the_end_of_a_session_is_told_while_somebody_types(
    signed_in: Chrome, site: Site, database: sqlite3.Connection
) -> None:
    """And signing in in another tab makes this one's form good again, without its being loaded anew."""
    browser = signed_in
    open_page(browser, site, NEW)
    end_sessions(database)
    field(browser, "name").send_keys("told")
    wait_for(browser, lambda driver: "You aren't signed in any more" in text_of(driver))
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    sign_in(browser, site)
    browser.close()
    browser.switch_to.window(first)
    token = value(browser, "csrfmiddlewaretoken")
    time.sleep(5.1)  # a page asks no sooner after its last look
    browser.execute_script("window.dispatchEvent(new Event('focus'))")
    wait_for(browser, lambda driver: value(driver, "csrfmiddlewaretoken") != token)
    assert "You aren't signed in" not in text_of(browser)
    save(browser)
    assert "was added successfully" in text_of(browser)


def test_an_expired_form_and_a_busy_database(signed_in: Chrome, site: Site, database: sqlite3.Connection) -> None:
    """Both pages have the text, send it again, and Back has it in the form."""
    browser = signed_in
    typed(browser, site, "expired")
    browser.execute_script("document.getElementsByName('csrfmiddlewaretoken').forEach(f => f.value = 'x'.repeat(64))")
    save(browser)
    assert "This form has expired" in text_of(browser)
    with next_page(browser):
        browser.back()
    assert shows(browser, "description", TEXT)

    database.execute("BEGIN IMMEDIATE")
    save(browser)
    assert "The database is busy: nothing was changed" in text_of(browser)
    database.execute("ROLLBACK")
    for theme, width in (("light", 400), ("dark", 1280)):
        use_theme(browser, theme, width=width)
        assert not grave_problems(browser)
        assert not overflows(browser)
    assert value(browser, "description") == TEXT
    click(browser, browser.find_element(By.XPATH, "//button[.='Send it again']"))
    assert "was added successfully" in text_of(browser)
    wait_for(browser, lambda driver: not drafts(driver))
    assert database.execute("SELECT COUNT(*) FROM projects WHERE name = 'expired'").fetchone() == (1,)


def test_a_link_asks_and_what_was_left_is_offered(signed_in: Chrome, site: Site) -> None:
    """A form that is as it was loaded asks nothing; what was typed is offered once, restored or discarded."""
    browser = signed_in
    open_page(browser, site, NEW)
    assert not browser.execute_script(ASKS)
    field(browser, "name").send_keys("x" + Keys.BACKSPACE)
    assert not browser.execute_script(ASKS)
    typed(browser, site, "left")
    browser.find_element(By.TAG_NAME, "summary").click()
    first, second = "Be kind", "Be brief"
    field(browser, "context_conventions").send_keys(first)
    browser.find_elements(By.NAME, "context_conventions")[1].send_keys(second)
    assert browser.execute_script(ASKS)
    open_page(browser, site, "/admin/")
    open_page(browser, site, NEW)
    wait_for(browser, offers)
    for theme, width in (("light", 400), ("dark", 1280)):
        use_theme(browser, theme, width=width)
        assert not grave_problems(browser)
        assert not overflows(browser)
    assert value(browser, "name") == ""
    press(browser, "Restore what you typed")
    assert shows(browser, "description", TEXT)
    lists = browser.find_elements(By.NAME, "context_conventions")
    assert [item.get_property("value") for item in lists] == [first, second, ""]
    press(browser, "Discard it")
    assert shows(browser, "description", "")
    assert not browser.execute_script(ASKS)
    wait_for(browser, lambda driver: not drafts(driver))


def test_a_refused_form_still_asks_and_an_older_version_meets_the_newer(
    signed_in: Chrome, site: Site, database: sqlite3.Connection
) -> None:
    """What is restored on top of another's change is written with the version that was read: it meets the conflict."""
    browser = signed_in
    typed(browser, site, "taken")
    save(browser)
    page = browser.current_url
    typed(browser, site, "taken")
    save(browser)
    assert "Please correct" in text_of(browser) or "already" in text_of(browser)
    assert wait_for(browser, lambda driver: driver.execute_script(ASKS))
    browser.execute_script("sessionStorage.clear()")

    browser.get(page)
    field(browser, "description").send_keys(", and mine")
    wait_for(browser, drafts)
    open_page(browser, site, "/admin/")
    database.execute("UPDATE projects SET description = 'theirs' WHERE name = 'taken'")
    browser.get(page)
    wait_for(browser, offers)
    assert "What is stored has changed since" in text_of(browser)
    press(browser, "Restore what you typed")
    save(browser)
    assert "Somebody else has changed this project" in text_of(browser)
    assert value(browser, "description") == f"{TEXT}, and mine"
    assert database.execute("SELECT description FROM projects WHERE name = 'taken'").fetchone() == ("theirs",)


def forget_session(browser: Chrome) -> None:
    """The session's cookie, which has a name of the installation's own."""
    for cookie in browser.get_cookies():
        if cookie["name"].startswith("sessionid"):
            browser.delete_cookie(cookie["name"])


def test_drafts_are_their_users_and_hold_no_secrets(signed_in: Chrome, site: Site) -> None:
    browser = signed_in
    open_page(browser, site, "/admin/auth/user/add/")
    field(browser, "username").send_keys("kim")
    for name in ("password1", "password2"):
        field(browser, name).send_keys(PASSWORD)
    wait_for(browser, drafts)
    assert "kim" in str(drafts(browser))
    assert PASSWORD not in str(drafts(browser))
    save(browser, "_save")
    wait_for(browser, lambda driver: not drafts(driver))
    browser.execute_script("arguments[0].click()", field(browser, "is_superuser"))  # is staff from the first
    save(browser, "_save")

    typed(browser, site, "of the first")
    open_page(browser, site, "/admin/login/")
    forget_session(browser)
    sign_in(browser, site, user="kim", password=PASSWORD)
    open_page(browser, site, NEW)
    time.sleep(0.5)
    assert (value(browser, "name"), offers(browser)) == ("", [])
    forget_session(browser)
    sign_in(browser, site)
    open_page(browser, site, NEW)
    wait_for(browser, offers)
    browser.execute_script("document.querySelector(\"form[action$='/logout/']\").requestSubmit()")
    wait_for(browser, lambda driver: not [key for key in drafts(driver) if " 1 " in key])


def test_a_double_click_and_the_filters_by_keyboard(
    signed_in: Chrome, site: Site, database: sqlite3.Connection
) -> None:
    browser = signed_in
    typed(browser, site, "clicked")
    with next_page(browser):
        browser.execute_script("const b = arguments[0]; b.click(); b.click()", field(browser, "_save"))
    assert "was added successfully" in text_of(browser)
    assert database.execute("SELECT COUNT(*) FROM projects WHERE name = 'clicked'").fetchone() == (1,)
    click_link(browser, "clicked")
    open_page(browser, site, "/admin/optimizations/optimization/")
    opener = browser.find_element(By.XPATH, "//*[@role='button'][starts-with(normalize-space(), 'Filters')]")
    browser.execute_script("document.getElementById('searchbar').focus()")
    for _ in range(10):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        if browser.switch_to.active_element == opener:
            break
    assert browser.switch_to.active_element == opener
    opener.send_keys(Keys.ENTER)
    panel = browser.find_element(By.ID, "changelist-filter")
    wait_for(browser, lambda driver: panel.is_displayed() and opener.get_attribute("aria-expanded") == "true")
    inside = "return document.getElementById('changelist-filter').contains(document.activeElement)"
    wait_for(browser, lambda driver: driver.execute_script(inside))
    assert not grave_problems(browser)
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(browser, lambda driver: driver.switch_to.active_element == opener)
    assert opener.get_attribute("aria-expanded") == "false"
