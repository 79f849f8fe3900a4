"""Understanding runs: which strategy works best, why runs failed, and a table made by hand; clicks are counted."""

from __future__ import annotations

import datetime as dt
import json
import urllib.request
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browser.accessibility import suits_everybody
from tests.browser.pages import open_page, sign_in, text_of, wait_for
from tests.browser.test_finding_jobs import HIDDEN_FOCUS
from tests.browser.test_jobs import Clicks, Desk, desk

assert desk  # the fixture, which makes a server of this module's own
pytestmark = pytest.mark.needs_chromium

TODAY = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
LAST_MONTH = (TODAY.replace(day=1) - dt.timedelta(days=1)).replace(day=12, hour=9)


def bring_in(desk: Desk, runs: Iterable[dict[str, Any]]) -> None:
    """Import these runs through the API."""
    of_all = {"raw_prompt": "text", "status": "completed", "created_at": dt.datetime.now(dt.UTC).isoformat()}
    lines = "\n".join(json.dumps({"id": str(uuid.uuid4()), **of_all, **run}) for run in runs)
    headers = {"Authorization": f"Bearer {desk.token}", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(f"{desk.site.address}/api/optimizations/import", lines.encode(), headers)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def test_which_strategy_works_best_for_coding_last_month(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    made = [
        {"strategy": strategy, "task_type": "coding", "overall_score": score, "project": "Best of last month"}
        | {"created_at": (LAST_MONTH + dt.timedelta(minutes=number)).isoformat()}
        for number in range(12)
        for strategy, score in (("co-star", 0.8 + number % 2 / 50), ("risen", 0.5))
    ]
    now = {"strategy": "risen", "task_type": "coding", "overall_score": 1.0, "project": "Best of last month"}
    bring_in(desk, [*made, *[now] * 12])
    sign_in(browser, desk.site)
    wait_for(browser, lambda driver: driver.find_element(By.ID, "panel-best_strategies"))
    clicks = Clicks(browser)
    clicks.here("select[name=period] option[value='last-month']")
    clicks.here("//select[@name='project']/option[.='Best of last month']")
    clicks.on("form.pa-filters [type=submit]:not([name])")
    panel = wait_for(browser, lambda driver: driver.find_element(By.ID, "panel-best_strategies"))
    assert "coding co-star\n12 runs; before risen, 5.0" in panel.text
    trend = browser.find_element(By.ID, "panel-trend").text
    assert "Whole days in UTC" in trend
    assert not suits_everybody(browser)
    clicks.on("#panel-best_strategies a")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#result_list .data-row")) == 12
    clicks.tell("which strategy works best for coding, last month", 4)
    open_page(browser, desk.site, "/admin/?period=last-month&by=strategy")
    wait_for(browser, lambda driver: driver.find_element(By.CSS_SELECTOR, ".pa-series"))
    assert not suits_everybody(browser)
    assert not browser.execute_script(HIDDEN_FOCUS)


def test_why_did_this_run_fail_and_which_others_failed_so(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    messages = [f"The tool {number} gave no answer within {number * 10} s" for number in range(1, 4)]
    bring_in(desk, [{"status": "error", "error_message": text, "title": text} for text in messages])
    sign_in(browser, desk.site)
    panel = wait_for(browser, lambda driver: driver.find_element(By.ID, "panel-failures_by_message"))
    assert "The tool <n> gave no answer within <n> s" in panel.text
    open_page(browser, desk.site, "/admin/optimizations/optimization/?status=error")
    clicks = Clicks(browser)
    clicks.on(f"//*[@id='result_list']//a[contains(., '{messages[1]}')]")
    assert "2 other runs failed so" in text_of(browser)
    assert not suits_everybody(browser)
    clicks.on("//a[.='2 other runs failed so']")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#result_list .data-row")) == 3
    clicks.tell("why did this run fail, and which others failed so", 2)
    assert not suits_everybody(browser)


def test_import_a_table_made_by_hand_and_take_the_good_rows(browser: Chrome, desk: Desk, tmp_path: Path) -> None:
    browser.set_script_timeout(60)
    table = tmp_path / "by hand.csv"
    table.write_text(
        "title,raw_prompt,status,overall_score\n"
        "By hand 1,Say hello,completed,0.8\n"
        "By hand 2,Say goodbye,done,0.7\n"
        "By hand 3,Say thanks,completed,very good\n"
        "By hand 4,Say sorry,completed,0.6\n"
    )
    sign_in(browser, desk.site)
    open_page(browser, desk.site, "/admin/optimizations/optimization/")
    clicks = Clicks(browser)
    clicks.on("#main a[href*='/import/']")
    clicks.count += 1
    clicks.find("input[type=file]").send_keys(str(table))
    clicks.on("#content form [type=submit]")
    shown = text_of(browser)
    assert "Nothing was imported. 2 rows can't be imported" in shown
    assert not suits_everybody(browser)
    clicks.on("//button[normalize-space()='Import the 2 good rows']")
    if "By hand 4" in text_of(browser) and browser.find_elements(By.XPATH, "//button[normalize-space()='Import']"):
        clicks.on("//button[normalize-space()='Import']")
    open_page(browser, desk.site, "/admin/optimizations/optimization/?q=By+hand&o=-7")
    listed = clicks.find("#result_list").text
    assert "By hand 1" in listed
    assert "By hand 4" in listed
    assert "By hand 2" not in listed
    clicks.tell("import a table made by hand with two wrong rows and take the good ones", 5)


def test_lists_with_folders_columns_and_marks_suit_everybody(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    for name in ("greetings/morning", "greetings/evening/late"):
        desk.call("PUT", f"/prompts/{name}", {"text": f"Greet the customer: {name}", "labels": ["production"]})
    sign_in(browser, desk.site)
    open_page(browser, desk.site, "/admin/projects/prompt/?folder=greetings/&q=greet")
    assert {mark.text for mark in browser.find_elements(By.CSS_SELECTOR, "#result_list mark")} >= {"Greet"}
    assert "evening/" in browser.find_element(By.CSS_SELECTOR, ".pa-folders").text
    assert not suits_everybody(browser)
    clicks = Clicks(browser)
    clicks.here("//summary[normalize-space()='Columns']")
    clicks.here("input[name=columns][value=created]")
    clicks.on("//button[normalize-space()='Show these columns']")
    assert "folder=greetings" in browser.current_url
    assert browser.find_elements(By.CSS_SELECTOR, "th.column-created")
    assert not browser.execute_script(HIDDEN_FOCUS)
    times = browser.find_elements(By.CSS_SELECTOR, "#result_list time")
    assert times[0].text == "just now" or "minute" in times[0].text
    assert str(times[0].get_attribute("title")).endswith(" UTC")
    clicks.on("#result_list a[href*='/change/']")
    assert "Usage" in text_of(browser)
    assert not suits_everybody(browser)
    clicks.tell("choose the columns of a list", 4)


def test_a_page_that_fails_stands_in_the_frame_and_knows_the_way_back(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    sign_in(browser, desk.site)
    open_page(browser, desk.site, "/admin/projects/prompt/")
    browser.execute_script("location.href = '/admin/projects/prompt/%00/change/'")
    wait_for(browser, lambda driver: driver.find_elements(By.CSS_SELECTOR, "main h1"))
    assert "Prompts" in browser.find_element(By.CSS_SELECTOR, "nav[aria-label=Back-office]").text
    back = browser.find_element(By.LINK_TEXT, "Back to where you came from")
    assert str(back.get_attribute("href")).endswith("/admin/projects/prompt/")
    assert not suits_everybody(browser)
