"""WSGI entry point `wsgi:app`. gevent replaces blocking sockets before anything else is imported."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from webapp import create_app  # noqa: E402  # psycopg must be imported after the patch
from webapp.config import ConfigError  # noqa: E402

try:
    app = create_app()
except ConfigError as error:
    print(f"spendai: {error}", file=sys.stderr)
    sys.exit(3)  # gunicorn ends when a worker ends so; with any other status it would start the next one
