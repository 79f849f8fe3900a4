"""A real browser that keeps a picture of each failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
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
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and browser is not None:  # type: ignore[attr-defined]
        ARTIFACTS.mkdir(exist_ok=True)
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


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """Headless Chromium with an empty profile; a test fails if any of its pages breaks its content policy."""
    options = Options()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = "/usr/bin/chromium"
    for argument in (*CHROMIUM_ARGUMENTS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield driver
        assert not complaints(driver)
    finally:
        driver.quit()
