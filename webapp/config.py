"""Settings: read once from the environment, checked at the start, never changed afterwards.

Every setting is one line of SETTINGS. ``NAME_FILE`` may name a file that holds the value (for secrets).
A wrong value stops the start with a message that names the setting and does not show the value.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parent.parent


class ConfigError(Exception):
    """A setting has a value that cannot work; the message names the setting."""


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("expected 0 or 1")


def _whole(low: int, high: int = 2**53) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdecimal() or not low <= int(value) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(value)

    return parse


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:  # its message quotes the value
        raise ValueError("expected a URL like https://host[:port][/path]") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("expected a URL like https://host[:port][/path]")
    if parts.username or parts.password:
        raise ValueError("a URL with a user name or password in it is not accepted here")
    return value.rstrip("/")


def _conninfo(value: str) -> str:
    try:
        for host in str(conninfo_to_dict(value).get("host", "")).split(","):
            if not host.startswith("/"):
                host.encode("idna")  # as the look-up of its address does; it fails for db..example
    except (ProgrammingError, UnicodeError):  # their messages may quote a password
        raise ValueError("expected a connection string like postgresql://host:port/database") from None
    return value


def _addresses(value: str) -> str:
    try:
        for word in value.split(","):
            if word.strip() not in ("", "*"):
                ip_network(word.strip())
    except ValueError:
        raise ValueError("expected addresses or networks like 10.0.0.1, 10.0.1.0/24, or *") from None
    return value


def _choice(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError("expected one of " + ", ".join(words))
        return value

    return parse


class Setting(NamedTuple):
    """One setting. default: text as it would be in the environment, "" for not set; help: for docs and .env.example."""

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str


SETTINGS = (
    Setting("HOST", "127.0.0.1", _text, "Address to listen on."),
    Setting("PORT", "8000", _whole(1, 65535), "Port to listen on."),
    Setting("PUBLIC_URL", "", _url, "URL people use (links, cookies, Origin check). Empty: http://HOST:PORT."),
    Setting("FORWARDED_ALLOW_IPS", "", _addresses, "Proxies whose X-Forwarded-* headers are believed. Empty: none."),
    Setting("WORKERS", "", _whole(1, 256), "Gateway processes. Empty: one per core."),
    Setting("DATABASE_URL", "", _conninfo, "Postgres 15 to 18 to use, as its owner. Empty: the embedded Postgres."),
    Setting("DATABASE_URL_READ", "", _conninfo, "Read replica of that database, for pages and the API's reading."),
    Setting("DATABASE_PREPARED", "", _flag, "Prepared statements. Empty: 1 embedded, 0 with DATABASE_URL."),
    Setting("SPENDAI_HOME", "var", _text, "Folder for the embedded database, generated secrets and the spool."),
    Setting("OPENAI_API_KEY", "", _text, "OpenAI key of the install. Empty: the sandbox answers."),
    Setting("OPENAI_API_KEY_SHARED", "0", _flag, "1: that key serves every organization, not only the first."),
    Setting("OPENAI_BASE_URL", "https://api.openai.com/v1", _url, "Where OpenAI's API is."),
    Setting("ALLOW_PRIVATE_BASE_URLS", "1", _flag, "0: an OpenAI key's own base URL must lead to a public address."),
    Setting("CORS", "1", _flag, "0: pages of other sites cannot call the proxy from a browser."),
    Setting("SUPABASE_URL", "", _url, "Supabase project whose Auth signs people in. Empty: SpendAI does."),
    Setting("SUPABASE_PUBLISHABLE_KEY", "", _text, "Publishable (anon) key of that project."),
    Setting("SUPABASE_JWT_SECRET", "", _text, "JWT secret, only for projects that still sign with HS256."),
    Setting("SIGNUP_MODE", "open", _choice("open", "invite"), "invite: only the first person signs up uninvited."),
    Setting("SECRET_KEY", "", _text, "Signs tokens and derives database passwords. Empty: generated once."),
    Setting("SPENDAI_ENCRYPTION_KEYS", "", _text, 'Key ring "1:base64,2:base64" of 32-byte keys. Empty: generated.'),
    Setting("METRICS_TOKEN", "", _text, "Bearer token that /metrics asks other machines for. Empty: refused."),
    Setting("UPSTREAM_CONNECT_TIMEOUT", "10", _whole(1, 600), "Seconds to reach OpenAI before 502."),
    Setting("UPSTREAM_READ_TIMEOUT", "600", _whole(1, 86400), "Seconds without a byte from OpenAI before 504."),
    Setting("CALL_MAX_SECONDS", "3600", _whole(1, 86400), "Seconds one call may take in all."),
    Setting("DRAIN_SECONDS", "120", _whole(0, 3600), "Seconds to read on for the usage after a client hung up."),
    Setting("DRAIN_BYTES", "16777216", _whole(0), "Bytes to read on after a client hung up."),
    Setting("MAX_BODY_BYTES", "67108864", _whole(1), "Largest JSON request body; it is held in memory."),
    Setting("MAX_UPLOAD_BYTES", "1073741824", _whole(1), "Largest multipart or binary request body; it is streamed."),
    Setting("WEBSOCKET_SECONDS", "3900", _whole(1, 86400), "Seconds one WebSocket session may last."),
    Setting("WEBSOCKET_IDLE_SECONDS", "1800", _whole(1, 86400), "Seconds without a message, then it is closed."),
    Setting("WEBSOCKET_MESSAGE_BYTES", "33554432", _whole(1024), "Largest WebSocket message, both ways."),
    Setting("MAX_CONNECTIONS", "5000", _whole(10, 30000), "Client connections of one gateway process."),
    Setting("MAX_CONNECTIONS_PER_ADDRESS", "4000", _whole(1), "The same from one address."),
    Setting("MAX_CALLS", "4000", _whole(1), "Calls under way in one gateway process."),
    Setting("MAX_CALLS_PER_ORGANIZATION", "3000", _whole(1), "The same of one organization."),
    Setting("MAX_CALLS_PER_KEY", "3000", _whole(1), "The same of one SpendAI key."),
    Setting("HEAD_SECONDS", "20", _whole(1, 3600), "Seconds in which the head of a request must arrive."),
    Setting("CLIENT_SECONDS", "30", _whole(1, 3600), "Seconds a client may keep a gateway waiting, beyond its rate."),
    Setting("CLIENT_BYTES_PER_SECOND", "500", _whole(1), "Least rate of request bodies, and of reading answers."),
)


class Config(SimpleNamespace):
    """The settings by lower-case name, None where not set and without a default; and what follows from them:

    home: absolute Path of SPENDAI_HOME; listens_at: HOST:PORT as a URL has it; embedded: whether SpendAI runs Postgres
    itself; key_ring: number → 32-byte key of SPENDAI_ENCRYPTION_KEYS; install_key: which organizations OPENAI_API_KEY
    serves, as app.open_calls takes it: "none", "first" or "shared".
    """

    def __repr__(self) -> str:
        """No values, since some are secrets and a repr may end up in a log."""
        return "Config(…)"


def _read(setting: Setting, environ: Mapping[str, str]) -> Any:
    value = environ.get(setting.name, "").strip()
    file = environ.get(setting.name + "_FILE", "").strip()
    if value and file:
        raise ConfigError(f"{setting.name} and {setting.name}_FILE are both set; keep one")
    if file:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{setting.name}_FILE: {error}") from None
    value = value or setting.default
    if not value:
        return None
    try:
        return setting.parse(value)
    except ValueError as error:
        raise ConfigError(f"{setting.name}: {error}") from None  # the value itself may be a secret: not shown


def generated_secret(home: Path, name: str, make: Callable[[], str]) -> str:
    """Content of SPENDAI_HOME/secrets/name, made once by ``make``, the same for processes that start together."""
    path = home / "secrets" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(make())
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, path)  # fails when another process was first: its value counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _key_ring(text: str) -> dict[int, bytes]:
    """Number → key of "1:base64,2:base64"; raises ConfigError."""
    ring = {}
    for part in text.split(","):
        number, _, key = part.strip().partition(":")
        try:
            ring[int(number)] = base64.b64decode(key, validate=True)
        except ValueError:
            raise ConfigError('SPENDAI_ENCRYPTION_KEYS: expected "1:base64,2:base64"') from None
    if any(len(key) != 32 or not 0 < number < 65536 for number, key in ring.items()):
        raise ConfigError("SPENDAI_ENCRYPTION_KEYS: numbers from 1 to 65535, keys of 32 bytes")
    return ring


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Read every setting; generate SECRET_KEY and SPENDAI_ENCRYPTION_KEYS if they are not set. Raises ConfigError."""
    config = Config(**{s.name.lower(): _read(s, environ) for s in SETTINGS})
    config.home = (ROOT / config.spendai_home).resolve()
    config.embedded = config.database_url is None
    config.workers = config.workers or os.cpu_count() or 1
    if config.database_prepared is None:
        config.database_prepared = config.embedded
    host = f"[{config.host}]" if ":" in config.host else config.host
    config.listens_at = f"{host}:{config.port}"
    config.public_url = config.public_url or f"http://{config.listens_at}"
    try:
        config.secret_key = config.secret_key or generated_secret(
            config.home, "SECRET_KEY", lambda: secrets.token_urlsafe(48)
        )
        keys = config.spendai_encryption_keys or generated_secret(
            config.home, "SPENDAI_ENCRYPTION_KEYS", lambda: "1:" + base64.b64encode(secrets.token_bytes(32)).decode()
        )
    except OSError as error:
        raise ConfigError(f"SPENDAI_HOME: {error.filename or config.home}: {error.strerror}") from None
    if len(config.secret_key) < 32:
        raise ConfigError("SECRET_KEY: expected at least 32 characters")
    config.key_ring = _key_ring(keys)
    config.install_key = "none" if not config.openai_api_key else "shared" if config.openai_api_key_shared else "first"
    if config.metrics_token and len(config.metrics_token) < 16:
        raise ConfigError("METRICS_TOKEN: expected at least 16 characters")
    if config.supabase_url and not config.supabase_publishable_key:
        raise ConfigError("SUPABASE_PUBLISHABLE_KEY: needed when SUPABASE_URL is set")
    return config
