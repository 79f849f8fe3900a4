"""What every browser test does: sign in, go somewhere, wait, read, take a picture."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from typing import TypeVar
from urllib.parse import urlencode

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.servers import Site

SECONDS = 20
Answer = TypeVar("Answer")


def wait_for(browser: Chrome, condition: Callable[[Chrome], Answer]) -> Answer:
    """What the condition answers, as soon as that counts as true."""
    expected = [NoSuchElementException, StaleElementReferenceException]
    return WebDriverWait(browser, SECONDS, poll_frequency=0.05, ignored_exceptions=expected).until(condition)


def is_loaded(browser: Chrome) -> bool:
    return bool(browser.execute_script("return document.readyState") == "complete")


@contextmanager
def next_page(browser: Chrome) -> Iterator[None]:
    """Around what leaves a page: ends once the next one is loaded, which a click alone doesn't wait for."""
    browser.execute_script("window.isLeft = true")
    yield
    wait_for(browser, lambda driver: is_loaded(driver) and not driver.execute_script("return window.isLeft"))


def click(browser: Chrome, element: WebElement) -> None:
    """Click what leads to another page, wherever on this one it stands."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    with next_page(browser):
        element.click()


def click_link(browser: Chrome, text: str) -> None:
    """Follow the first link of the page's content that begins with this text; the navigation doesn't count."""
    link = f"//*[@id='main']//a[starts-with(normalize-space(), {_quoted(text)})]"
    click(browser, browser.find_element(By.XPATH, link))


def editor_of(browser: Chrome, field: WebElement) -> WebElement:
    """Where somebody types who sees this field: in the editor over it, if there is one."""
    found: WebElement | None = browser.execute_script(
        "return arguments[0].hidden ? arguments[0].parentElement.querySelector('.cm-content') : null", field
    )
    return found or field


def type_into(browser: Chrome, name: str, text: str) -> None:
    """Type a text in the place of what is in a field."""
    field = wait_for(browser, lambda driver: driver.find_element(By.NAME, name))
    editor = editor_of(browser, field)
    if editor == field:
        field.clear()
        field.send_keys(text)
        return
    editor.send_keys(Keys.CONTROL + "a")
    editor.send_keys(text)
    wait_for(browser, lambda _: field.get_property("value") == text)


def open_page(browser: Chrome, site: Site, path: str) -> None:
    browser.get(f"{site.address}/{path.lstrip('/')}")


def sign_in(browser: Chrome, site: Site, *, user: str = "", password: str = "") -> None:
    """Sign in as somebody, or as the administrator that the first start made."""
    open_page(browser, site, "/admin/login/?next=/admin/")
    browser.find_element(By.NAME, "username").send_keys(user or site.user)
    browser.find_element(By.NAME, "password").send_keys(password or site.password)
    click(browser, browser.find_element(By.CSS_SELECTOR, "form [type=submit]"))


def begin_session(browser: Chrome, site: Site, *, user: str = "", password: str = "") -> None:
    """Let the browser have a session that a program began: no page is opened, of which `sign_in` takes two."""
    cookies = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    address = f"{site.address}/admin/login/?next=/api/health"
    with opener.open(address) as answer:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())
    assert token
    typed = {"username": user or site.user, "password": password or site.password, "csrfmiddlewaretoken": token[1]}
    with opener.open(address, urlencode(typed).encode()) as answer:
        assert answer.url == f"{site.address}/api/health", "not signed in"
    for cookie in cookies:
        values = {"name": cookie.name, "value": cookie.value, "url": site.address, "sameSite": "Lax"}
        browser.execute_cdp_cmd("Network.setCookie", values | {"httpOnly": cookie.has_nonstandard_attr("HttpOnly")})


def text_of(browser: Chrome) -> str:
    """What the page shows once it is loaded."""
    wait_for(browser, is_loaded)
    return wait_for(browser, lambda driver: driver.find_element(By.TAG_NAME, "body").text)


def foreign_resources(browser: Chrome, site: Site) -> list[str]:
    """The addresses of everything that the page loaded from another host; there must be none."""
    names = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert names, "the page loaded nothing at all"
    return [name for name in names if not name.startswith((site.address, "data:"))]


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"
