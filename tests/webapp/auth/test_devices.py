"""User-Agents in words."""

from __future__ import annotations

import pytest

from webapp.auth.devices import device

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(("agent", "words"), [
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/130.0.0.0 Safari/537.36", "Chrome on Windows"),
    (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0", "Edge on Windows"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
    (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) {WEBKIT} Version/17.0 Safari/605.1.15", "Safari on macOS"),
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) {WEBKIT} CriOS/130.0 Safari/604.1", "Chrome on iPhone"),
    (f"Mozilla/5.0 (Linux; Android 14) {WEBKIT} Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
    ("python-requests/2.32.3", "python-requests"),
    ("curl/8.5.0", "curl"),
    ("<script>", None),
    ("", None),
    (None, None),
])  # fmt: skip
def test_a_user_agent_is_told_in_words(agent: str | None, words: str | None) -> None:
    assert device(agent) == words
