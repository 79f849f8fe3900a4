"""A real browser that keeps a picture of each failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from tests.support.processes import REPOSITORY

ARTIFACTS = REPOSITORY / "test-artifacts"
CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
    # What no test looks at, and takes a third of what a page costs otherwise.
    "--disable-extensions",
    "--disable-site-isolation-trials",
    "--disable-features=site-per-process,Translate,OptimizationHints,MediaRouter,PaintHolding",
    "--force-prefers-reduced-motion",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and browser is not None:  # type: ignore[attr-defined]
        ARTIFACTS.mkdir(exist_ok=True)
        with contextlib.suppress(WebDriverException):  # of a browser that hangs: the other tests go on
            browser.save_screenshot(str(ARTIFACTS / f"{item.name}.png"))
    return report


def complaints(driver: webdriver.Chrome) -> list[str]:
    """What scripts failed at, and what the content policy refused them, on every page since the last time."""
    entries = driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's
    return [
        entry["message"]
        for entry in entries
        if entry["source"] in ("javascript", "security") or "Content Security Policy" in entry["message"]
    ]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Headless Chromium, which all of this process's tests use one after the other."""
    options = Options()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = "/usr/bin/chromium"
    for argument in (*CHROMIUM_ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """A new window of a browser that has seen nothing; a test fails if any of its pages breaks its content policy."""
    first = chromium.current_window_handle
    chromium.switch_to.new_window("window")
    complaints(chromium)  # nobody asks for those of a test that failed
    try:
        yield chromium
        assert not complaints(chromium)
    finally:
        origin = chromium.execute_script("return location.origin")
        chromium.get("about:blank")  # asks nobody whether to leave
        chromium.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
        chromium.execute_cdp_cmd("Network.clearBrowserCache", {})
        chromium.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "default"})
        for window in set(chromium.window_handles) - {first}:
            chromium.switch_to.window(window)
            chromium.close()
        chromium.switch_to.window(first)
