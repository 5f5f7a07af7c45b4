"""`make screenshots`: every page of the demo as admin and developer, and of an empty organization; light, dark, narrow.

The pictures go to screenshots/, which git does not keep.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from everything import ADMINS_ONLY, SIGNED_IN, SIGNED_OUT
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
FOLDER = ROOT / "screenshots"
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1180, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1180, "height": 800}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 420, "height": 860}},
}
PASSWORD = "correct horse"


def log_in(page: Page, email: str, password: str) -> None:
    page.goto("/login")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("main button").first.click()
    page.wait_for_selector(".who")


def sign_up(page: Page) -> None:
    page.goto("/signup")
    fields = {"email": f"new-{time.time_ns()}@example.test", "password": PASSWORD, "organization": "New"}
    for name, words in fields.items():
        page.locator(f"[name={name}]").fill(words)
    page.locator("main button").click()
    page.wait_for_load_state()


def words_of(page: Page) -> dict[str, str]:
    """What the addresses are filled in with."""

    def first(path: str, pattern: str) -> str:
        page.goto(path)
        found = re.search(pattern, page.content())
        return found[1] if found else "00000000-0000-0000-0000-000000000000"

    uuid = "([0-9a-f-]{36})"
    now = datetime.now(UTC).date()
    return {
        "project": first("/projects", f"/projects/{uuid}"), "key": first("/keys", f"/?key={uuid}"),
        "call": first("/calls", f"/calls/{uuid}"), "member": first("/team", f"/team/{uuid}"), "model": "gpt-5",
        "quarter": str(now - timedelta(days=100)), "tomorrow": str(now + timedelta(days=1)),
    }  # fmt: skip


def shoot(browser: Browser, url: str, who: str, password: str) -> None:
    for look, options in LOOKS.items():
        context = browser.new_context(base_url=url, **options)
        page = context.new_page()
        pages = SIGNED_IN
        if who == "stranger":
            pages = SIGNED_OUT
        elif who == "empty":
            sign_up(page)
        else:
            log_in(page, {"admin": "demo@spendai.test", "developer": "sam@spendai.test"}[who], password)
        pages = pages | (ADMINS_ONLY if who == "admin" else {})
        words = words_of(page) if who != "stranger" else {}
        for name, address in pages.items():
            page.goto(address.format(**words))
            if page.locator("[data-figure]").count():
                page.wait_for_selector("[data-figure] .main-svg")
            page.screenshot(path=FOLDER / f"{who}-{name}-{look}.png", full_page=True)
        context.close()


def main(only: str = "") -> None:
    """Start the demo on a free port with a home of its own, take every picture, stop it."""
    from stack import free_port

    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with tempfile.TemporaryDirectory(prefix="spendai-demo-") as home:
        Path(home).chmod(0o755)  # Postgres may run as another user
        port = str(free_port())
        environ = os.environ | {"SPENDAI_HOME": home, "PORT": port, "WORKERS": "1"}
        with subprocess.Popen(
            [sys.executable, "-m", "webapp.demo"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
        ) as demo:
            password = next(line for line in demo.stdout if "password" in line).split()[-1]
            next(line for line in demo.stdout if "runs at" in line)
            with sync_playwright() as driver:
                path = shutil.which("chromium") or shutil.which("google-chrome")
                browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
                for who in only.split() or ("admin", "developer", "empty", "stranger"):
                    shoot(browser, f"http://127.0.0.1:{port}", who, password)
                browser.close()
            demo.terminate()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.name}/")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
