"""WSGI entry point `wsgi:app`. gevent replaces blocking sockets before anything else is imported."""

from gevent import monkey

monkey.patch_all()

from webapp import create_app  # noqa: E402  # psycopg must be imported after the patch

app = create_app()
