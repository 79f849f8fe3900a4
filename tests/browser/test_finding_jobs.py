"""Finding a prompt, labelling all runs of a filter, giving a colleague a role: each from its start page on."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from tests.browser.accessibility import suits_everybody, use_theme
from tests.browser.pages import begin_session, click_link, is_loaded, next_page, open_page, sign_in, text_of, wait_for
from tests.browser.test_jobs import Clicks, Desk, desk

assert desk  # the fixture, which makes a server of this module's own
pytestmark = pytest.mark.needs_chromium

MANY = 253
PASSWORD = "correct horse battery"
LONG = "Dear colleague. " * 30 + "Return the parcel of the aubergine merchant at once. " + "Kind regards. " * 60
#: The elements of a page that get the focus and then lie under something else.
HIDDEN_FOCUS = """
const hidden = [];
for (const element of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")) {
  const isShown = element.checkVisibility() && element.getBoundingClientRect().height > 0;
  if (!isShown || element.closest("[role=dialog]")) continue;
  element.focus();
  if (document.activeElement !== element) continue;
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + Math.min(box.width / 2, 20), box.top + box.height / 2);
  const bar = top?.closest("#submit-row, #header-inner");
  if (bar && !bar.contains(element)) hidden.push(element.outerHTML.slice(0, 100));
}
return hidden;
"""
#: The least contrast of the labels of a page's charts with the card that they are drawn on.
CONTRAST = """
const pixel = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
function luminance(color) {
  pixel.fillStyle = color;
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue] = [...pixel.getImageData(0, 0, 1, 1).data]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
let least = 99;
for (const canvas of document.querySelectorAll("canvas")) {
  const chart = Chart.getChart(canvas);
  if (!chart) continue;
  let behind = canvas;
  const isClear = (element) => /rgba\\(0, 0, 0, 0\\)|transparent/.test(getComputedStyle(element).backgroundColor);
  while (behind && isClear(behind)) behind = behind.parentElement;
  const back = luminance(behind ? getComputedStyle(behind).backgroundColor : "#fff");
  for (const scale of Object.values(chart.options.scales)) {
    const front = luminance(scale.ticks.color);
    least = Math.min(least, (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05));
  }
}
return least;
"""


def open_search(browser: Chrome) -> None:
    """By the keys alone; the field has the focus afterwards."""
    ActionChains(browser).key_down(Keys.CONTROL).send_keys("k").key_up(Keys.CONTROL).perform()
    wait_for(browser, lambda driver: driver.switch_to.active_element.get_attribute("id") == "search-input-command")


def said(browser: Chrome) -> str:
    return browser.find_element(By.ID, "command-results-note").text


def test_find_the_prompt_by_words_from_its_middle(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    address = desk.make_prompt("Letters", LONG)
    begin_session(browser, desk.site)
    open_page(browser, desk.site, "/admin/")
    wait_for(browser, is_loaded)
    open_search(browser)
    wait_for(browser, lambda driver: "What changed last" in said(driver))
    assert "Letters" in browser.find_element(By.ID, "command-results").text
    keys = browser.switch_to.active_element
    keys.send_keys("no such words anywhere")
    wait_for(browser, lambda driver: "Nothing found for “no such words anywhere”" in said(driver))
    keys.clear()
    keys.send_keys("aubergine merch")
    wait_for(browser, lambda driver: said(driver) == "1 found.")
    assert [mark.text for mark in browser.find_elements(By.CSS_SELECTOR, "#command-results mark")] == [
        "aubergine",
        "merch",
    ]
    assert not suits_everybody(browser)
    with next_page(browser):
        keys.send_keys(Keys.ENTER)
    assert urlsplit(browser.current_url).path == address
    clicks = Clicks(browser)
    clicks.count = 3  # the keys that open the search, the words, Enter
    clicks.tell("find the prompt by words from its middle", 3)


def test_tag_all_253_runs_of_a_filter(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    common = {"model_used": "model-of-many", "tags": ["long lists"]}
    runs = [
        {"id": f"of-many-{number}", "raw_prompt": f"Text {number}", "title": f"Run {number}", **common}
        for number in range(MANY)
    ]
    desk.call("POST", "/optimizations/import", "\n".join(map(json.dumps, runs)).encode())
    begin_session(browser, desk.site)
    open_page(browser, desk.site, "/admin/optimizations/optimization/")
    wait_for(browser, is_loaded)
    clicks = Clicks(browser)
    clicks.here("//a[normalize-space(text())='Filters']")
    field = wait_for(browser, lambda _: clicks.find("[name=model]"))
    wait_for(browser, lambda _: field.is_displayed())
    clicks.here("[name=model]")
    options = "#suggested-model option[value='model-of-many']"
    wait_for(browser, lambda driver: driver.find_elements(By.CSS_SELECTOR, options))
    clicks.typed("[name=model]", "model-of-many")
    clicks.on("#filter-form [type=submit]")
    assert "model: model-of-many" in " ".join(clicks.find(".pa-chips").text.split())
    assert not suits_everybody(browser)
    clicks.here("#action-toggle")
    clicks.here("//*[contains(@class, 'question')]//a")
    assert "runs that pass the filters selected" in text_of(browser)
    clicks.here("select[name=action] option[value=tag]")
    wait_for(browser, lambda _: clicks.find("[name=index]").is_displayed())
    clicks.on("[name=index]")
    assert f"{MANY} runs" in text_of(browser)
    clicks.typed("[name=add]", "checked")
    clicks.on("#content form [type=submit]")
    assert f"Changed {MANY} runs." in text_of(browser)
    assert "model=model-of-many" in browser.current_url
    clicks.tell("tag all 253 runs of a filter", 10)

    clicks.on(".pa-chips a")
    assert "model=" not in browser.current_url
    open_page(browser, desk.site, "/admin/optimizations/optimization/?tag=checked&p=3")
    click_link(browser, "Run ")
    click_link(browser, "Back to the list")
    assert browser.current_url.endswith("?tag=checked&p=3")


def test_give_a_colleague_viewer_rights(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    begin_session(browser, desk.site)
    open_page(browser, desk.site, "/admin/auth/user/")
    clicks = Clicks(browser)
    clicks.on("#main a[href*='/auth/user/add/']")
    assert not suits_everybody(browser)
    clicks.typed("[name=username]", "vera")
    clicks.here("//label[normalize-space()='viewer']//input")
    clicks.on("[name=_save]")
    link = str(clicks.find("#password-link").get_attribute("value"))
    clicks.here("[data-copy-from=password-link]")
    clicks.tell("give a colleague viewer rights", 5)
    assert not suits_everybody(browser)

    browser.delete_all_cookies()
    browser.get(link)
    assert "Your name to sign in is vera" in text_of(browser)
    assert not suits_everybody(browser)
    for name in ("new_password1", "new_password2"):
        browser.find_element(By.NAME, name).send_keys(PASSWORD)
    with next_page(browser):
        browser.find_element(By.NAME, "new_password2").send_keys(Keys.ENTER)
    assert "Your password is set" in text_of(browser)
    sign_in(browser, desk.site, user="vera", password=PASSWORD)
    navigation = browser.find_element(By.ID, "nav-sidebar").text
    assert "Prompts" in navigation
    assert "Users" not in navigation
    browser.get(link)
    assert "doesn’t work" in text_of(browser).replace("'", "’")


def test_lists_charts_and_bars_suit_small_windows_and_weak_eyes(browser: Chrome, desk: Desk) -> None:
    """Cards of runs and prompts are low; what has the focus is never under a bar; charts' labels can be read."""
    begin_session(browser, desk.site)
    use_theme(browser, "light", width=400)
    heights = "return [...document.querySelectorAll('.data-row')].map(row => row.getBoundingClientRect().height)"
    for path in ("optimizations/optimization/", "projects/prompt/", "projects/project/"):
        open_page(browser, desk.site, f"/admin/{path}?p=1")
        wait_for(browser, is_loaded)
        found = browser.execute_script(heights)
        assert found, path
        assert max(found) <= 120, path
    use_theme(browser, "light")
    for path in ("auth/user/1/change/", "projects/project/add/", "operations/"):
        open_page(browser, desk.site, f"/admin/{path}")
        wait_for(browser, is_loaded)
        assert not browser.execute_script(HIDDEN_FOCUS), path
    open_page(browser, desk.site, "/admin/projects/prompt/?q=money")
    prompt = browser.find_element(By.CSS_SELECTOR, "#result_list a[href*='/prompt/'][href*='/change/']").get_attribute(
        "href"
    )
    for theme in ("light", "dark"):
        use_theme(browser, theme)
        for address in (f"{desk.site.address}/admin/", str(prompt)):
            browser.get(address)
            wait_for(browser, lambda driver: driver.execute_script(CONTRAST) < 99)
            assert browser.execute_script(CONTRAST) >= 4.5, (theme, address)
    for path in ("auth/group/1/change/", "promptadmin/logentry/activity/", "operations/"):
        open_page(browser, desk.site, f"/admin/{path}")
        assert not suits_everybody(browser)
