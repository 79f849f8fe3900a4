"""Runs as somebody who looks for what works finds, labels, moves between files and deletes them in a browser."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser.pages import begin_session, click, click_link, foreign_resources, open_page, text_of, wait_for
from tests.support.adopted_database import AdoptedDatabase
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

LIST = "/admin/optimizations/optimization/"
SCRIPT = "<script>document.title = 'harmed'</script>"


def submit(browser: Chrome, form: str = "#content form") -> str:
    """Press the button that a page is about; what the next page says."""
    click(browser, browser.find_element(By.CSS_SELECTOR, f"{form} [type=submit]"))
    return text_of(browser)


def rows_shown(browser: Chrome) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, "#result_list tr.data-row"))


def run_action(browser: Chrome, name: str, count: int) -> str:
    """Tick the first runs, and run an action; what its page says."""
    for box in browser.find_elements(By.CSS_SELECTOR, "input.action-select")[:count]:
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
        box.click()
    Select(browser.find_element(By.NAME, "action")).select_by_visible_text(name)
    button = wait_for(browser, lambda driver: driver.find_element(By.NAME, "index"))
    wait_for(browser, lambda driver: button.is_displayed())
    click(browser, button)
    return text_of(browser)


def test_runs_are_found_labelled_moved_between_files_and_deleted(
    browser: Chrome, tmp_path: Path, adopted_demo: bytes
) -> None:
    """One walk through the list, a run, the actions, and both directions of files; nothing comes from another host."""
    database = AdoptedDatabase(tmp_path / "demo.db", adopted_demo)
    downloads = tmp_path / "downloads"
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    with serving(tmp_path, database.url, "--no-upkeep") as site:
        begin_session(browser, site)
        find_and_read(browser, site)
        label(browser)
        content = export(browser, site, downloads)
        bring_in(browser, site, tmp_path, content)
        delete(browser, site)
        assert foreign_resources(browser, site) == []
    with closing(sqlite3.connect(database.path)) as connection:
        (left,) = connection.execute("SELECT COUNT(*) FROM optimizations WHERE id = 'brought in'").fetchone()
    assert left == 0


def find_and_read(browser: Chrome, site: Site) -> None:
    open_page(browser, site, LIST)
    everything = rows_shown(browser)
    browser.find_element(By.ID, "searchbar").send_keys("money back")
    click(browser, browser.find_element(By.ID, "searchbar-submit"))
    assert 0 < rows_shown(browser) < everything
    assert "Refund reply" in text_of(browser)
    click_link(browser, "Refund reply")
    page = text_of(browser)
    for heading in ("Original and optimised prompt", "Scores", "Strategy", "Analysis", "Tokens"):
        assert heading in page
    assert browser.find_elements(By.CSS_SELECTOR, ".run-compared ins")
    drawn = "return Chart.getChart(document.querySelector('canvas.chart')).data.datasets[0].data.length"
    assert wait_for(browser, lambda driver: driver.execute_script(drawn)) > 1

    open_page(browser, site, LIST)
    browser.find_element(By.XPATH, "//a[normalize-space(text())='Filters']").click()
    status = wait_for(browser, lambda driver: driver.find_element(By.NAME, "status"))
    browser.execute_script(
        "arguments[0].value = 'error'; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", status
    )
    assert "ERROR" in submit(browser, "#filter-form")
    labels = {label.text for label in browser.find_elements(By.CSS_SELECTOR, "#result_list .field-state span")}
    assert labels == {"ERROR"}
    open_page(browser, site, f"{LIST}?status=completed&score_from=10&score_to=1")
    assert rows_shown(browser) == 0


def label(browser: Chrome) -> None:
    address = browser.current_url.split("?")[0]
    browser.get(address)
    assert "2 runs" in run_action(browser, "Add or remove tags", 2)
    browser.find_element(By.NAME, "add").send_keys("checked in a browser")
    assert "Changed 2 runs." in submit(browser)
    browser.get(f"{address}?tag=checked+in+a+browser")
    assert rows_shown(browser) == 2


def export(browser: Chrome, site: Site, downloads: Path) -> list[dict[str, object]]:
    """The two runs with the tag, as JSON Lines."""
    open_page(browser, site, f"{LIST}export/?tag=checked+in+a+browser")
    Select(browser.find_element(By.NAME, "format")).select_by_visible_text("JSON Lines")
    browser.find_element(By.CSS_SELECTOR, "#content form [type=submit]").click()
    wait_for(browser, lambda _: list(downloads.glob("*.jsonl")))
    (file,) = downloads.glob("*.jsonl")
    exported = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(exported) == 2
    assert all("checked in a browser" in run["tags"] for run in exported)
    return exported


def bring_in(browser: Chrome, site: Site, directory: Path, exported: list[dict[str, object]]) -> None:
    """What was exported is the same; a new run beside it comes in once the error in the file is corrected."""
    new = {"id": "brought in", "raw_prompt": SCRIPT, "title": SCRIPT, "overall_score": 8}
    assert "overall_score" in upload(browser, site, directory, [*exported, new])
    assert "Nothing was imported" in text_of(browser)
    shown = upload(browser, site, directory, [*exported, new | {"overall_score": 0.8}])
    assert "1 new, 2 there already" in shown
    assert "1 imported, 2 there already" in submit(browser, ".exchange-buttons")
    open_page(browser, site, f"{LIST}brought%20in/change/")
    assert SCRIPT in text_of(browser)
    assert browser.title != "harmed"


def upload(browser: Chrome, site: Site, directory: Path, rows: list[dict[str, object]]) -> str:
    file = directory / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    open_page(browser, site, f"{LIST}import/")
    browser.find_element(By.NAME, "import_file").send_keys(str(file))
    Select(browser.find_element(By.NAME, "format")).select_by_visible_text("JSON Lines")
    return submit(browser, ".exchange-card")


def delete(browser: Chrome, site: Site) -> None:
    open_page(browser, site, f"{LIST}brought%20in/change/")
    click(browser, browser.find_element(By.CSS_SELECTOR, ".run-actions [value=delete_runs]"))
    assert "1 run will be deleted for good" in text_of(browser)
    assert "Deleted 1 run." in submit(browser, ".run-form")
