"""The HTML report in a real browser: read, searched, clicked through, attacked, and looked at as a few people do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Optional

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.reports.html.page import render
from flake8_ckpt.reports.report import Entry
from flake8_ckpt.reports.report import Evidence
from flake8_ckpt.reports.report import Report
from flake8_ckpt.reports.report import RuleText
from flake8_ckpt.reports.report import Source
from tests.front_end import CLEAN
from tests.front_end import check
from tests.front_end import run
from tests.front_end import write
from tests.reports.projects import HOSTILE
from tests.reports.projects import HOSTILE_NAME
from tests.reports.projects import reported

pytestmark = pytest.mark.xdist_group("browser")
# .ci/run names the browser, so that there nothing can be skipped.
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PHONE = {"width": 360, "height": 740}
WITHOUT_JINJA = """\
import sys

from flake8_ckpt.cli import main

sys.modules["jinja2"] = None
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser once."""
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of the report of a project that tries to break out of it."""
    folder = tmp_path_factory.mktemp("project")
    done = reported(folder, "html", "--output-file=report.html")
    assert (done.code, done.out, done.err) == (1, "", "")
    return (folder / "report.html").as_uri()


@pytest.fixture
def messages() -> list[str]:
    """Return what the browser complains of, dialogs and requests among it."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, messages: list[str]) -> Iterator[Page]:
    """Open the report in a new window."""
    with browser.new_context() as context:
        yield opened(context.new_page(), address, messages)
        assert messages == []


def opened(page: Page, address: str, messages: list[str]) -> Page:
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.on("request", lambda request: messages.extend({request.url} - {address}))
    page.goto(address)
    return page


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def visible(page: Page) -> list[str]:
    return [
        each.get_attribute("data-rule") or "" for each in page.locator(".finding").all() if each.is_visible()
    ]


def test_code_of_the_project_is_text(page: Page) -> None:
    assert page.locator("script, img, iframe, object").count() == 1
    assert HOSTILE_NAME in page.locator("#findings").inner_text()
    assert "'<script>alert(1)</script>,::error::x%0A" in page.locator(".finding h4").first.inner_text()
    assert "<script>alert(1)</script>" in (page.locator(".key.broken title").first.text_content() or "")


def test_what_slips_in_does_not_run(browser: Browser, address: str, messages: list[str]) -> None:
    with browser.new_context() as context:
        page = opened(context.new_page(), address, messages)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
        page.wait_for_function("document.querySelector('img').complete")
    refused = [each for each in messages if "violates the following Content Security Policy" in each]
    assert len(refused) == 2 and "1" not in messages


def test_search_and_rules_choose_findings(page: Page) -> None:
    assert visible(page) == ["CKP202", "CKP001", "CKP101", "CKP101"]
    page.get_by_label("Search").fill("MEAN wide.py")
    assert visible(page) == ["CKP101"]
    assert page.locator("#shown").inner_text() == "1 of 4 shown"
    page.get_by_label("CKP202").check()
    assert visible(page) == [] and page.locator("#nothing").is_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("CKP202").check()
    page.get_by_label("CKP001").check()
    assert visible(page) == ["CKP202", "CKP001"]
    assert page.locator(".file:visible").count() == 2


def test_links_lead_to_rule_and_finding(page: Page) -> None:
    page.locator(".finding .rule").first.click()
    assert page.locator("#rule-CKP202 .prose").is_visible()
    page.locator(".checkpoint .words > summary").first.click()
    page.locator(".checkpoint tr.bad a").click()
    assert page.locator(".finding:target h4").inner_text().startswith("'<script>")


def test_missing_link_is_drawn(page: Page) -> None:
    picture = page.locator(".checkpoint .picture.wide").first
    assert picture.is_visible() and picture.locator(".cross").count() == 1
    assert picture.locator(".key").count() == 2 and picture.locator(".key.broken").count() == 1
    assert picture.locator(".box.writer .name").text_content() == "save"


def test_pointer_shows_the_links_of_a_key(page: Page) -> None:
    picture = page.locator(".checkpoint .picture.wide").first
    picture.locator(".key.broken").hover()
    assert picture.locator(".line.lit").count() == 2
    page.mouse.move(0, 0)
    assert "asked" not in (picture.get_attribute("class") or "")


def test_finding_shows_code_and_fix(page: Page) -> None:
    finding = page.locator(".finding[data-rule=CKP101]").first
    assert finding.locator(".row.here mark").all_inner_texts() != []
    assert "".join(finding.locator(".row.here mark").all_inner_texts()) == "self.mean = torch.zeros(size)"
    assert 'self.register_buffer("mean", torch.zeros(size))' in finding.locator(".row.added").inner_text()
    assert finding.locator(".row.removed .spoken").text_content() == "removed"


def test_keyboard_reaches_everything(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("#shown").inner_text() == "1 of 4 shown"


def test_page_without_scripts(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        assert page.locator(".finding:visible").count() == 4
        assert not page.locator("#filter").is_visible()
        page.locator("#rule-CKP101 > summary").click()
        assert page.locator("#rule-CKP101 .prose").is_visible()


def test_phone_needs_no_sideways_scrolling(browser: Browser, address: str) -> None:
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]
        page = opened(context.new_page(), address, [])
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        assert page.locator(".picture.narrow").first.is_visible()
        assert page.locator(".checkpoint .below code").first.is_visible()


@pytest.mark.parametrize(
    ("device", "asked"),
    [({"color_scheme": "light"}, None), ({"color_scheme": "dark", "viewport": PHONE}, ["color-contrast"])],
    ids=["light", "dark phone"],
)
def test_anybody_can_read_it(
    browser: Browser, address: str, device: dict[str, Any], asked: Optional[list[str]]
) -> None:
    """What axe checks: contrast, names, roles, order of headings, and more."""
    with browser.new_context(bypass_csp=True, **device) as context:
        page = context.new_page()
        page.goto(address)
        unfold(page)
        found = Axe().run(page, options={"runOnly": asked} if asked else {})
        assert found.violations_count == 0, found.generate_report()


def test_dark_page_is_dark(browser: Browser, address: str) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto(address)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 19, 25)"


def test_nothing_found_says_so(browser: Browser, tmp_path: Path, messages: list[str]) -> None:
    done = check(write(tmp_path, {"a.py": CLEAN}), "--output-format=html", "--output-file=report.html")
    assert done.code == 0
    with browser.new_context() as context:
        page = opened(context.new_page(), (tmp_path / "report.html").as_uri(), messages)
        assert "Nothing found" in page.locator(".lead").inner_text() and messages == []


def test_evidence_of_a_run_is_shown() -> None:
    rule = RuleText("CKP101", "unregistered-tensor-state", "s", "# p", "warning")
    lost = Evidence("confirmed", "<b>mean</b> changed (0 -> 4.7)")
    entry = Entry(Finding("a.py", Position(1, 0, 1, 1), "CKP101", "m"), "f", evidence=lost)
    shown = render(Report("1.0", [entry], {"CKP101": rule}, {"a.py": Source("a.py", "a.py")}), (), "project")
    assert "A run has confirmed it.</b> &lt;b&gt;mean&lt;/b&gt; changed (0 -&gt; 4.7)" in shown


def test_missing_library_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLEAN, "report.html": "the last one"})
    done = run(tmp_path, "-c", WITHOUT_JINJA, "check", "--output-format=html", "--output-file=report.html")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "flake8-ckpt: error: --output-format html needs jinja2: pip install 'flake8-ckpt[html]'\n"
    )
    assert (tmp_path / "report.html").read_text() == "the last one"


def test_silenced_findings_leave_no_page_that_says_all_is_well(tmp_path: Path) -> None:
    write(tmp_path, {"agent.py": HOSTILE, "setup.cfg": "[flake8]\nextend-ignore = CKP202\n"})
    check(tmp_path, "--output-format=html", "--output-file=report.html")
    shown = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No finding is listed, but a checkpoint has broken links" in shown and "Nothing found" not in shown
