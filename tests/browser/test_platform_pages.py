"""The back-office as a whole, in a browser: dashboard, operations, history, roles; for every pair of eyes and hands."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.browser.accessibility import grave_problems, suits_everybody, use_theme
from tests.browser.pages import (
    begin_session,
    click,
    click_link,
    foreign_resources,
    is_loaded,
    next_page,
    open_page,
    sign_in,
    text_of,
    wait_for,
)
from tests.support.adopted_database import AdoptedDatabase
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

PASSWORD = "correct horse battery"
PAGES = (
    "",
    "operations/",
    "promptadmin/logentry/",
    "auth/user/1/change/",
    "projects/project/",
    "projects/prompt/",
    "optimizations/optimization/",
)
#: Sends a request as the page's own scripts would; gives the answer's status.
FETCH = """
const [method, address, body, token, done] = arguments;
const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
fetch(address, {method, headers, body: JSON.stringify(body)}).then(answer => done(answer.status));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, adopted_demo: bytes) -> Iterator[Site]:
    """A server for the module, on the demo's file."""
    directory = tmp_path_factory.mktemp("site")
    database = AdoptedDatabase(directory / "demo.db", adopted_demo)
    with serving(directory, database.url) as served:
        yield served


def panels(browser: Chrome) -> str:
    """The dashboard's text, once its panels are there."""
    wait_for(browser, lambda driver: driver.find_element(By.CSS_SELECTOR, "#dashboard[aria-busy=false]"))
    return text_of(browser)


def rows_of(browser: Chrome, site: Site, path: str) -> list[str]:
    """The addresses of the first rows of a list."""
    open_page(browser, site, path)
    wait_for(browser, is_loaded)
    links = browser.find_elements(By.CSS_SELECTOR, "#result_list a[href*='/change/']")
    return [str(link.get_attribute("href")) for link in links]


def make_staff(browser: Chrome, site: Site, name: str, role: str) -> None:
    """Make a member of staff with a role, as an administrator does."""
    open_page(browser, site, "/admin/auth/user/add/")
    browser.find_element(By.NAME, "username").send_keys(name)
    for field in ("password1", "password2"):
        browser.find_element(By.NAME, field).send_keys(PASSWORD)
    tick(browser, browser.find_element(By.XPATH, f"//label[normalize-space()='{role}']//input"))
    click(browser, browser.find_element(By.NAME, "_save"))


def tick(browser: Chrome, box: WebElement) -> None:
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()
    assert box.is_selected()


def test_an_administrators_round(browser: Chrome, site: Site) -> None:
    """The dashboard's filters, a new member of staff, the operators' buttons, and the change log of all that."""
    sign_in(browser, site)
    assert "Score by strategy" in panels(browser)
    assert "Customer support" in panels(browser)
    Select(browser.find_element(By.NAME, "project")).select_by_visible_text("Customer support")
    Select(browser.find_element(By.NAME, "period")).select_by_visible_text("Last 365 days")
    click(browser, browser.find_element(By.CSS_SELECTOR, ".pa-filters [type=submit]"))
    assert browser.current_url.endswith("?period=365&project=Customer+support&by=&from=&to=")
    panels(browser)
    assert Select(browser.find_element(By.NAME, "project")).first_selected_option.text == "Customer support"
    open_page(browser, site, "/admin/")
    panels(browser)
    drawn = "return Chart.getChart(document.querySelector('canvas[data-chart]')).data.labels.length"
    assert browser.execute_script(drawn) > 0
    assert not foreign_resources(browser, site)

    make_staff(browser, site, "vera", "editor")
    open_page(browser, site, "/admin/operations/")
    assert "there is none in" in text_of(browser)
    click(browser, browser.find_element(By.XPATH, "//button[normalize-space()='Make a backup now']"))
    assert "A backup is being made" in text_of(browser)
    until = time.monotonic() + 60
    while "Made and proved promptadmin-" not in text_of(browser):
        assert time.monotonic() < until
        open_page(browser, site, "/admin/operations/")
    click(browser, browser.find_element(By.XPATH, "//button[normalize-space()='End stale runs']"))
    assert "Stale runs: nothing to do." in text_of(browser)

    open_page(browser, site, "/admin/promptadmin/logentry/")
    shown = text_of(browser)
    for expected in ("user vera", "maintenance backup", "user admin", "serve by"):
        assert expected in shown
    click_link(browser, "vera")
    click(browser, browser.find_element(By.CSS_SELECTOR, "#main a[href$='/history/']"))
    assert "editor" in text_of(browser)


def test_viewers_and_editors_stay_in_their_rooms(browser: Chrome, site: Site) -> None:
    """Neither sees nor opens what isn't theirs; through the API, too, a viewer reads and changes nothing."""
    begin_session(browser, site)
    for role in ("viewer", "editor"):
        make_staff(browser, site, f"the-{role}", role)
    for role, writes in (("viewer", 403), ("editor", 201)):
        browser.delete_all_cookies()
        begin_session(browser, site, user=f"the-{role}", password=PASSWORD)
        open_page(browser, site, "/admin/")
        assert "Score by strategy" in panels(browser)
        navigation = browser.find_element(By.ID, "nav-sidebar").text
        assert "Optimisation runs" in navigation
        assert "Operations" not in navigation
        for path in ("operations/", "promptadmin/logentry/", "promptadmin/apitoken/add/", "auth/user/"):
            open_page(browser, site, f"/admin/{path}")
            assert "Not allowed" in text_of(browser), path
            assert browser.find_elements(By.CSS_SELECTOR, "#nav-sidebar a[href='/admin/']"), path
        open_page(browser, site, "/admin/projects/prompt/")
        token = browser.get_cookie("csrftoken")
        assert token
        project = {"name": f"by {role}"}
        status = browser.execute_async_script(FETCH, "POST", "/api/projects", project, token["value"])
        assert status == writes, role


def test_pages_suit_every_eye_and_hand(browser: Chrome, site: Site) -> None:
    """No grave problem for axe-core, light and dark, and nothing wider than a telephone."""
    browser.set_script_timeout(60)
    open_page(browser, site, "/admin/login/")
    assert not grave_problems(browser)
    begin_session(browser, site)
    prompt = rows_of(browser, site, "/admin/projects/prompt/")[0]
    project = rows_of(browser, site, "/admin/projects/project/")[0]
    run = rows_of(browser, site, "/admin/optimizations/optimization/")[0]
    addresses = [
        *(
            f"{site.address}/admin/{path}"
            for path in ("", "operations/", "promptadmin/logentry/", "auth/user/1/change/")
        ),
        *(
            f"{site.address}/admin/{path}/"
            for path in ("projects/project", "projects/prompt", "optimizations/optimization")
        ),
        *(row.split("?")[0] for row in (project, prompt, run)),
        f"{project.split('/change/')[0]}/history/",
    ]
    problems = []
    for address in addresses:
        browser.get(address)
        wait_for(browser, is_loaded)
        if address.endswith("/admin/"):
            panels(browser)
        problems += suits_everybody(browser)
    assert not problems, "\n".join(problems)


def test_a_keyboard_is_enough(browser: Chrome, site: Site) -> None:
    """Skip the navigation, open it on a narrow window, leave by the account's menu."""
    begin_session(browser, site)
    open_page(browser, site, "/admin/")
    wait_for(browser, is_loaded)
    keys = ActionChains(browser)
    keys.send_keys(Keys.TAB).perform()
    assert browser.switch_to.active_element.text == "Skip to the content"
    keys.send_keys(Keys.ENTER).perform()
    assert browser.switch_to.active_element.get_attribute("id") == "content"

    use_theme(browser, "light", width=400)
    opener = browser.find_element(
        By.CSS_SELECTOR, "#header-inner [role=button][aria-label='Open or close the navigation']"
    )
    assert not browser.find_element(By.ID, "nav-sidebar").is_displayed()
    opener.send_keys(Keys.ENTER)
    wait_for(browser, lambda driver: driver.find_element(By.ID, "nav-sidebar").is_displayed())
    account = browser.find_element(By.CSS_SELECTOR, "#nav-sidebar [title='Your account and the colours']")
    account.send_keys(Keys.SPACE)
    leave = wait_for(browser, lambda driver: driver.find_element(By.XPATH, "//button[contains(., 'Log out')]"))
    wait_for(browser, lambda driver: leave.is_displayed())
    with next_page(browser):
        leave.send_keys(Keys.ENTER)
    assert "Log in" in text_of(browser) or "logged out" in text_of(browser).lower()
