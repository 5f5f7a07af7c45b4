"""A User-Agent in words, so that people recognize where they are signed in."""

from __future__ import annotations

import re

# The first pattern that fits names the browser or client; Chromium's relatives also say Chrome, and Chrome says Safari.
BROWSERS = (
    (r"Edg(e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrom(e|ium)/|CriOS/", "Chrome"),
    (r"Safari/", "Safari"),
)
SYSTEMS = (
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "Android"),
    (r"CrOS", "ChromeOS"),
    (r"Windows", "Windows"),
    (r"Mac OS X|Macintosh", "macOS"),
    (r"Linux|X11", "Linux"),
)


def device(agent: str | None) -> str | None:
    """Browser and system of a User-Agent, such as Firefox on Windows; the name of another client; None if unknown."""
    if not agent:
        return None
    browser = next((name for pattern, name in BROWSERS if re.search(pattern, agent)), None)
    system = next((name for pattern, name in SYSTEMS if re.search(pattern, agent)), None)
    if browser:
        return f"{browser} on {system}" if system else browser
    client = re.match(r"[\w.-]{1,40}", agent)
    return client.group() if client else None
