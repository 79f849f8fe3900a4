"""axe-core, which finds what keeps people with a keyboard or a screen reader from using a page."""

from __future__ import annotations

from pathlib import Path

from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait

AXE = (Path(__file__).parent / "axe-core" / "axe.min.js").read_text()
GRAVE = ("serious", "critical")


def use_theme(browser: Chrome, theme: str, *, width: int = 1280) -> None:
    """Show pages from now on as somebody has them who prefers light or dark, on a window so many pixels wide."""
    features = [{"name": "prefers-color-scheme", "value": theme}]
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def grave_problems(browser: Chrome, *rules: str) -> list[str]:
    """What axe-core finds serious or critical on this page: the rule, and the first element that breaks it.

    With `rules`, only these are tried.
    """
    browser.execute_script(AXE)
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = browser.execute_async_script("axe.run(arguments[0]).then(arguments[1])", options)
    return [
        f"{item['id']} ({item['impact']}): {item['nodes'][0]['html'][:200]}"
        for item in found["violations"]
        if item["impact"] in GRAVE
    ]


def overflows(browser: Chrome) -> bool:
    """Whether the page stays wider than its window, once charts have followed a change of its width."""
    fits = "return document.documentElement.scrollWidth <= window.innerWidth"
    try:
        WebDriverWait(browser, 3, poll_frequency=0.05).until(lambda driver: driver.execute_script(fits))
    except TimeoutException:
        return True
    return False
