"""Chromium in front of the running product; an error that the browser reports fails the test in which it happens."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from clients.openai_stand_in import OpenAI
from everything import chromium_path
from fake_upstream import FakeUpstream
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from stack import Stack

from webapp.config import ROOT

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--js-flags=--no-opt",  # a page is there for a second: faster code, made for it in the background, comes too late
]  # fmt: skip
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """async ([rules, without]) => {
    const where = without ? { exclude: [[without]] } : document;
    const { violations } = await axe.run(where, { runOnly: rules, resultTypes: ["violations"], elementRef: false });
    return violations.map(rule => [rule.id, rule.nodes.map(node => node.html.slice(0, 160))]);
}"""
TELL = (
    "document.addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Where there is none these tests cannot run; in CI that is a failure."""
    path = chromium_path()
    if path is None:
        explain = "no Chromium: install it (Debian: apt-get install chromium) to run the browser tests"
        if os.environ.get("CI") == "true":
            pytest.fail(explain)
        pytest.skip(explain)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(stack_dsns: Callable[[str], tuple[str, str]]) -> Iterator[Stack]:
    """The product without any OpenAI key: the sandbox answers."""
    with Stack(*stack_dsns("spendai_browser")) as running:
        yield running


@pytest.fixture(scope="session")
def stand_in() -> OpenAI:
    """OpenAI, which tells what it has answered."""
    return OpenAI()


@pytest.fixture(scope="session")
def openai(stand_in: OpenAI) -> Iterator[FakeUpstream]:
    with FakeUpstream(stand_in) as upstream:
        yield upstream


@pytest.fixture(scope="session")
def voice(stack_dsns: Callable[[str], tuple[str, str]], openai: FakeUpstream) -> Iterator[Stack]:
    """The product in front of OpenAI's stand-in, whose key several organizations share."""
    environ = {"OPENAI_API_KEY": "sk-upstream", "OPENAI_API_KEY_SHARED": "1", "OPENAI_BASE_URL": openai.url}
    with Stack(*stack_dsns("spendai_voice"), **environ) as running:
        yield running


class Complaints(list[str]):
    """Errors of a page, violations of its Content-Security-Policy, and requests to other sites."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def watch(self, page: Page) -> Page:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.append(f"page error: {error}"))
        page.on("request", self._request)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        looked_for = message.location.get("url", "").endswith(("/nowhere", "/nonsense"))  # pages that are not there
        if message.type in ("error", "warning") and not looked_for:
            self.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url + "/", "data:", "blob:")):
            self.append(f"request to {request.url}")


@pytest.fixture
def complaints(site: Stack) -> Iterator[Complaints]:
    found = Complaints(site.url)
    yield found
    assert found == []


@pytest.fixture
def open_page(chromium: Browser, site: Stack, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser profile of its own; options as of playwright's new_context."""
    contexts = []

    def open_one(**options: object) -> Page:
        context = chromium.new_context(base_url=site.url, **({"viewport": {"width": 1180, "height": 800}} | options))
        context.set_default_timeout(15_000)
        context.add_init_script(TELL)
        contexts.append(context)
        return complaints.watch(context.new_page())

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core. Where it is not installed these tests cannot run; in CI that is a failure."""
    path = ROOT / ".venv/axe/node_modules/axe-core/axe.min.js"
    if not path.exists():
        explain = "axe-core is not installed: run .ci/axe"
        if os.environ.get("CI") == "true":
            pytest.fail(explain)
        pytest.skip(explain)
    return path.read_text()


@pytest.fixture
def accessible(axe: str) -> Callable[..., None]:
    """Asserts that nothing on a page breaks a rule of WCAG 2.2 A or AA that a machine can check.

    ``rule``: only this one. ``without``: a CSS selector of what is not looked at.
    """

    def check(page: Page, rule: str | None = None, without: str | None = None) -> None:
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe)
        found = page.evaluate(LOOK, [[rule] if rule else TAGS, without])
        assert [f"{page.url}: {rule} {places}" for rule, places in found] == []

    return check


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()
