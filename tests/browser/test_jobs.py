"""What people come to the back-office for, each from its start page on; prints how many clicks each took."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.accessibility import suits_everybody
from tests.browser.pages import begin_session, click, next_page, open_page, text_of, type_into, wait_for
from tests.support.adopted_database import AdoptedDatabase
from tests.support.processes import Scratch, environment
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

TEXTS = ("Greet the customer.", "Greet the customer by name.", "Say hello.", "Say hello, and ask what happened.")


@dataclass(frozen=True)
class Desk:
    """A served demo, and a token of its API."""

    site: Site
    token: str

    def call(self, method: str, path: str, body: object = None) -> dict[str, str]:
        """What the API answers the token; bytes are sent as they are, and are lines of JSON."""
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.site.address}/api{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def make_prompt(self, name: str, *texts: str) -> str:
        """The address of a new prompt's page; each text becomes a version."""
        project = self.call("POST", "/projects", {"name": name})["id"]
        prompt = self.call("POST", f"/projects/{project}/prompts", {"content": texts[0]})["id"]
        for text in texts[1:]:
            self.call("PUT", f"/projects/{project}/prompts/{prompt}", {"content": text})
        return f"/admin/projects/prompt/{prompt}/change/"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, adopted_demo: bytes) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("desk")
    database = AdoptedDatabase(directory / "demo.db", adopted_demo)
    made = Scratch(directory).manage("create_api_token", "nightly job", DATABASE_URL=database.url)
    with serving(directory, database.url) as site:
        yield Desk(site, made.stdout.strip())


class Clicks:
    """A browser whose clicks and typed texts are counted."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser
        self.count = 0

    def on(self, selector: str) -> None:
        """Click what leads to another page."""
        self.count += 1
        click(self.browser, self.find(selector))

    def here(self, selector: str) -> None:
        """Click what stays on the page."""
        self.count += 1
        element = self.find(selector)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def typed(self, selector: str, text: str) -> None:
        self.count += 1
        element = self.find(selector)
        element.clear()
        element.send_keys(text)

    def find(self, selector: str) -> WebElement:
        """The element of this selector, or of the path that begins with //."""
        return self.browser.find_element(By.XPATH if selector.startswith("//") else By.CSS_SELECTOR, selector)

    def tell(self, job: str, most: int) -> None:
        print(f"{job}: {self.count} clicks")  # noqa: T201 - `pytest -rP` shows it
        assert self.count <= most


def test_compare_two_runs(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    for text, score in ((TEXTS[1], 0.6), (TEXTS[3], 0.9)):
        run = {"raw_prompt": TEXTS[0], "optimized_prompt": text, "overall_score": score, "status": "completed"}
        desk.call("POST", "/optimizations", run | {"strategy": "few-shot", "model_used": "model-a"})
    begin_session(browser, desk.site)
    clicks = Clicks(browser)
    open_page(browser, desk.site, "/admin/optimizations/optimization/?status=completed")
    for place in (1, 2):
        clicks.here(
            f"#result_list tr.data-row:nth-child({place}) input.action-select, "
            f"#result_list tbody:nth-of-type({place}) input.action-select"
        )
    clicks.here("select[name=action] option[value=compare]")
    wait_for(browser, lambda _: clicks.find("[name=index]").is_displayed())
    clicks.on("[name=index]")
    shown = text_of(browser)
    for fact in ("Run 1", "Run 2", "Overall", "Strategy", "Model", "Run 2 beside run 1"):
        assert fact in shown
    clicks.tell("compare two runs", 4)
    assert not suits_everybody(browser)


def test_compare_runs_of_a_prompt_and_make_one_the_next_version(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    address = desk.make_prompt("Compared", TEXTS[0])
    prompt = address.split("/")[4]
    for text, score in ((TEXTS[1], 0.6), (TEXTS[2], 0.9)):
        run = {"raw_prompt": TEXTS[0], "optimized_prompt": text, "overall_score": score, "prompt_id": prompt}
        desk.call("POST", "/optimizations", run | {"title": text, "model_used": "model-a"})
    begin_session(browser, desk.site)
    open_page(browser, desk.site, address)
    clicks = Clicks(browser)
    for box in browser.find_elements(By.CSS_SELECTOR, "input[name=run]"):
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
        box.click()
        clicks.count += 1
    clicks.on("//button[normalize-space()='Compare the chosen runs']")
    assert "9.0 best" in text_of(browser)
    clicks.on(f"//a[normalize-space()='{TEXTS[2]}']")
    clicks.on("//a[normalize-space()='Make this the next version…']")
    assert not suits_everybody(browser)
    clicks.typed("[name=reason]", "it scored best")
    clicks.on("//button[normalize-space()='Make it version 2']")
    assert "a run: it scored best" in text_of(browser)
    assert clicks.find("[name=content]").get_property("value") == TEXTS[2]
    clicks.tell("from the runs of a prompt to its next version", 7)
    assert not suits_everybody(browser)


def test_see_what_changed_between_version_2_and_5_and_who_did_it(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    address = desk.make_prompt("Changed", *TEXTS)
    begin_session(browser, desk.site)
    open_page(browser, desk.site, address)
    clicks = Clicks(browser)
    type_into(browser, "content", "Say hello, and ask whose fault it was.")
    clicks.typed("[name=reason]", "what happened was known")
    clicks.on("[name=_continue]")

    clicks.count = 0
    clicks.here("[name=old][value='2']")
    clicks.here("[name=new][value='5']")
    clicks.on("//button[normalize-space()='Compare the two chosen']")
    rows = [row.text for row in browser.find_elements(By.CSS_SELECTOR, "#content .panel-table tbody tr")]
    assert "nightly job" in rows[0]
    assert "admin" in rows[1]
    assert "what happened was known" in rows[1]
    assert [element.text for element in browser.find_elements(By.CSS_SELECTOR, ".diff ins")]
    clicks.tell("see what changed between version 2 and 5, and who did it", 3)
    assert not suits_everybody(browser)

    clicks.on("#content .panel-table tbody tr:first-child a")
    assert "nightly job" in text_of(browser)
    assert not suits_everybody(browser)
    clicks.on("a[rel=next]")
    clicks.on("a[rel=next]")
    assert TEXTS[3] in text_of(browser)


def test_restore_and_undo(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    address = desk.make_prompt("Restored", *TEXTS[:3])
    begin_session(browser, desk.site)
    open_page(browser, desk.site, address)
    clicks = Clicks(browser)
    clicks.on("//tr[td[1][normalize-space()='1']]//a[normalize-space()='Restore…']")
    assert not suits_everybody(browser)
    clicks.on("#content form [type=submit]")
    assert "The text of version 1 is version 4 now." in text_of(browser)
    assert "version 1, restored" in text_of(browser)
    clicks.on("//a[normalize-space()='Undo…']")
    clicks.on("#content form [type=submit]")
    assert "The text of version 3 is version 5 now." in text_of(browser)
    assert clicks.find("[name=content]").get_property("value") == TEXTS[2]
    clicks.tell("restore and undo", 4)


def test_copy_a_prompt_into_code_and_run_it(browser: Chrome, desk: Desk) -> None:
    """By keyboard alone once the page is there; what is copied runs as it is, with a token in its environment."""
    browser.set_script_timeout(60)
    address = desk.make_prompt("Copied", "  First line\nand “second” <line>  ")
    permissions = {"origin": desk.site.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    begin_session(browser, desk.site)
    open_page(browser, desk.site, address)
    clicks = Clicks(browser)
    clicks.count += 2
    clicks.find(".pa-code > summary").send_keys(Keys.ENTER)
    program = copied(browser, "[data-copy-from=code-python]")
    variables = environment(TOKEN=desk.token)
    ran = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("  First line\nand “second” <line>  \n", "")
    clicks.tell("copy a prompt into code and run it", 2)

    program = copied(browser, "[data-copy-from=code-curl]", Keys.SPACE)
    ran = subprocess.run(["sh", "-c", program], env=variables, capture_output=True, text=True, check=False)
    assert json.loads(ran.stdout)["content"] == "  First line\nand “second” <line>  "
    assert copied(browser, "[data-copy-from=id_content]") == "  First line\nand “second” <line>  "
    assert copied(browser, "button[data-copy]") == address.split("/")[4]
    assert not suits_everybody(browser)


def copied(browser: Chrome, selector: str, key: str = Keys.ENTER) -> str:
    """What the clipboard has once a key was pressed on the button."""
    browser.execute_async_script("navigator.clipboard.writeText('').then(arguments[0])")
    browser.find_element(By.CSS_SELECTOR, selector).send_keys(key)
    text = wait_for(
        browser, lambda driver: driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    )
    assert browser.find_elements(By.CSS_SELECTOR, "#pa-copied[role=status]")
    return str(text)


def test_a_new_token_is_copied_where_it_is_shown(browser: Chrome, desk: Desk) -> None:
    browser.set_script_timeout(60)
    permissions = {"origin": desk.site.address, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    begin_session(browser, desk.site)
    open_page(browser, desk.site, "/admin/promptadmin/apitoken/add/")
    browser.find_element(By.NAME, "name").send_keys("copied")
    with next_page(browser):
        browser.find_element(By.NAME, "_save").click()
    secret = copied(browser, "button[data-copy]")
    assert secret.startswith("pa_")
    assert secret in text_of(browser)
    click(browser, browser.find_element(By.CSS_SELECTOR, "#result_list a[href*='/change/']"))
    assert "Use in code" in text_of(browser)
    assert not suits_everybody(browser)
