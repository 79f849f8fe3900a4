"""What a newcomer sees: serve a legacy file, sign in, walk through the four tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from optimizations.tools.demo import PROMPTS, make_demo_file
from tests.browser.pages import click, click_link, foreign_resources, open_page, sign_in, text_of
from tests.support.servers import serving

pytestmark = pytest.mark.needs_chromium


def test_a_legacy_file_is_served_and_its_rows_are_found_by_clicking(browser: Chrome, tmp_path: Path) -> None:
    """The printed password signs in; projects lead to prompts, prompts to runs; nothing comes from another host."""
    path = tmp_path / "old file.db"
    make_demo_file(path)
    with serving(tmp_path, f"sqlite:///{path}") as site:
        assert "Backup of the file as it was" in site.printed
        sign_in(browser, site)
        assert "Dashboard" in text_of(browser)

        click(browser, browser.find_element(By.CSS_SELECTOR, "#nav-sidebar a[href$='/projects/project/']"))
        for project in PROMPTS:
            assert project in text_of(browser)
        click_link(browser, "Customer support")
        assert "Migrated from optimization history" in text_of(browser)

        open_page(browser, site, "/admin/projects/prompt/?q=refund+money")
        assert "Write an answer to a customer" not in text_of(browser)
        open_page(browser, site, "/admin/projects/prompt/?q=money+back")
        assert "Write an answer to a customer" in text_of(browser)
        runs = "#result_list a[href*='optimizations/optimization/?']"
        click(browser, browser.find_element(By.CSS_SELECTOR, runs))
        assert "Refund reply" in text_of(browser)
        click_link(browser, "Refund reply")
        assert "Write an answer to a customer" in text_of(browser)

        for page in ("projects/promptversion/", "optimizations/optimization/?status=error", "promptadmin/apitoken/"):
            open_page(browser, site, f"/admin/{page}")
            assert browser.find_elements(By.ID, "changelist"), page
        assert not foreign_resources(browser, site)


def test_a_token_made_in_the_admin_opens_the_api(browser: Chrome, tmp_path: Path, new_file: bytes) -> None:
    """Its secret is shown once, works, and stops working when it is revoked."""
    (tmp_path / "new.db").write_bytes(new_file)
    with serving(tmp_path, f"sqlite:///{tmp_path / 'new.db'}", "--no-upkeep") as site:
        sign_in(browser, site)
        open_page(browser, site, "/admin/promptadmin/apitoken/add/")
        browser.find_element(By.NAME, "name").send_keys("nightly job")
        click(browser, browser.find_element(By.NAME, "_save"))
        secret = text_of(browser).split("it is not shown again: ")[1].split()[0]

        def version() -> object:
            return browser.execute_async_script(
                "const done = arguments[1];"
                "fetch('/api/health', {credentials: 'omit', headers: {Authorization: 'Bearer ' + arguments[0]}})"
                ".then(answer => answer.json()).then(answer => done(answer.version))",
                secret,
            )

        assert version() == "0.1.0"
        browser.find_element(By.CSS_SELECTOR, "input.action-select").click()
        browser.find_element(By.CSS_SELECTOR, "select[name=action] option[value=revoke]").click()
        click(browser, browser.find_element(By.CSS_SELECTOR, "[name=index]"))
        assert "Revoked 1 token." in text_of(browser)
        assert version() is None
