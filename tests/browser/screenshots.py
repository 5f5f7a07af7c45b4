"""`make screenshots`: every page of the demo, of a huge organization and of an empty one, as admin and as developer;
and what strangers see; light, dark, narrow.

The pictures go to screenshots/, which git does not keep.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import huge
from everything import ADMINS_ONLY, SIGNED_IN, SIGNED_OUT, chromium_path, log_in, words_of
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
FOLDER = ROOT / "screenshots"
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1180, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1180, "height": 800}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 420, "height": 860}},
}
PEOPLE = {
    "admin": "demo@spendai.test", "developer": "sam@spendai.test", "huge": "huge@spendai.test",
    "huge-developer": "huge-developer@spendai.test", "empty": "empty@spendai.test",
    "empty-developer": "empty-developer@spendai.test",
}  # fmt: skip


def shoot(browser: Browser, url: str, who: str, password: str) -> None:
    for look, options in LOOKS.items():
        context = browser.new_context(base_url=url, **options)
        page = context.new_page()
        if who == "stranger":
            pages, words = SIGNED_OUT, {}
        else:
            log_in(page, PEOPLE[who], password)
            pages, words = SIGNED_IN | ({} if "developer" in who else ADMINS_ONLY), words_of(page, who)
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
            [sys.executable, "-m", "webapp.launch.demo"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
        ) as demo:
            password = next(line for line in demo.stdout if "password" in line).split()[-1]
            next(line for line in demo.stdout if "runs at" in line)
            huge.load_into(environ, password)
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
                for who in only.split() or (*PEOPLE, "stranger"):
                    shoot(browser, f"http://127.0.0.1:{port}", who, password)
                browser.close()
            demo.terminate()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.name}/")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
