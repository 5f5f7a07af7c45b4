"""The versions of gunicorn and gevent that the overrides in this room are written for; others are refused at start-up.

The overrides rely on what the methods they replace do and on names that gunicorn and gevent do not promise to keep.
With another version they may fail subtly: a header that is not checked, a connection that is never closed.
"""

import gevent
import gunicorn

VERSIONS = {"gunicorn": "27.0.1", "gevent": "26.9.0"}  # as in requirements.txt


def check() -> None:
    """Exit with a message when gunicorn or gevent is not exactly of the version in ``VERSIONS``."""
    installed = {"gunicorn": gunicorn.__version__, "gevent": gevent.__version__}
    for name, version in VERSIONS.items():
        if installed[name] != version:
            raise SystemExit(
                f"{name} {installed[name]} is installed, but webapp/server/ overrides parts of {name} {version}.\n"
                "Either install the pinned versions: .venv/bin/pip install -r requirements.lock\n"
                f"or move to {name} {installed[name]}: compare what webapp/server/worker.py, requests.py, response.py "
                "and shares.py override with the new source, change VERSIONS in webapp/server/versions.py and "
                "requirements.txt, run `make lock`, then tests/webapp/server and bench/server.py."
            )
