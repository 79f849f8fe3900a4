"""axe-core, which finds what keeps people with a keyboard or a screen reader from using a page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from django.urls import resolve
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.rounds import WHOLE

AXE = (Path(__file__).parent / "axe-core" / "axe.min.js").read_text()
#: A list has a table of rows, or one whose rows are bodies of their own.
FURTHER_ROWS = ("#result_list tr.data-row:nth-child(n+11)", "#result_list tbody:nth-of-type(n+11)")
_looked_at: set[str] = set()
GRAVE = ("serious", "critical")


def use_theme(browser: Chrome, theme: str, *, width: int = 1280) -> None:
    """Show pages from now on as somebody has them who prefers light or dark, on a window so many pixels wide."""
    features = [{"name": "prefers-color-scheme", "value": theme}]
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def grave_problems(browser: Chrome, *rules: str) -> list[str]:
    """What axe-core finds serious or critical on this page: the rule, and the first element that breaks it.

    With `rules`, only these are tried. Of a list's rows, which are alike, it looks at the first ones.
    """
    browser.execute_script(f"if (!window.axe) {{ {AXE} }}")
    options = {"resultTypes": ["violations"], "preload": False, **({"runOnly": list(rules)} if rules else {})}
    found = browser.execute_async_script(
        "axe.run({exclude: arguments[0]}, arguments[1]).then(arguments[2])", [[rows] for rows in FURTHER_ROWS], options
    )
    return [
        f"{item['id']} ({item['impact']}): {item['nodes'][0]['html'][:200]}"
        for item in found["violations"]
        if item["impact"] in GRAVE
    ]


def suits_everybody(browser: Chrome) -> list[str]:
    """What keeps somebody from using this page: light, dark, and on a telephone.

    The last two are looked at once for each kind of page that this process opens; `make proof` does so every time.
    """
    problems = grave_problems(browser)
    kind = resolve(urlsplit(browser.current_url).path).view_name
    if WHOLE or kind not in _looked_at:
        _looked_at.add(kind)
        use_theme(browser, "dark")
        problems += grave_problems(browser, "color-contrast")
        use_theme(browser, "light", width=400)
        problems += ["wider than 400 pixels"] * overflows(browser)
        use_theme(browser, "light")
    return [f"{browser.current_url}: {problem}" for problem in problems]


def overflows(browser: Chrome) -> bool:
    """Whether the page stays wider than its window, once charts have followed a change of its width."""
    fits = "return document.documentElement.scrollWidth <= window.innerWidth"
    try:
        WebDriverWait(browser, 3, poll_frequency=0.05).until(lambda driver: driver.execute_script(fits))
    except TimeoutException:
        return True
    return False
