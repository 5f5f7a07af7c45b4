"""Settings: defaults, generated secrets, and messages that name a wrong setting without its value."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from stack import free_port

from webapp.config import ROOT, SETTINGS, ConfigError, load

KEY = base64.b64encode(b"k" * 32).decode()


def test_nothing_set_is_a_working_install(tmp_path: Path) -> None:
    config = load({"SPENDAI_HOME": str(tmp_path)})
    assert config.public_url == "http://127.0.0.1:8000"
    assert config.embedded and config.database_prepared and config.openai_api_key is None
    assert config.workers == os.cpu_count()
    assert not config.openai_api_key_shared and config.signup_mode == "open"


def test_secrets_are_made_once_and_for_us_alone(tmp_path: Path) -> None:
    first, second = (load({"SPENDAI_HOME": str(tmp_path)}) for _ in range(2))
    assert (first.secret_key, first.key_ring) == (second.secret_key, second.key_ring)
    assert len(first.secret_key) >= 32 and len(first.key_ring[1]) == 32
    for file in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^SPENDAI_HOME: .*/file/secrets: Not a directory$"):
        load({"SPENDAI_HOME": str(tmp_path / "file")})


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    program = "import sys; from webapp.config import load; print(load({'SPENDAI_HOME': sys.argv[1]}).secret_key)"
    command = [sys.executable, "-c", program, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in running}) == 1
    assert [process.returncode for process in running] == [0] * 4


def test_an_empty_variable_is_as_if_it_were_not_set(tmp_path: Path) -> None:
    config = load({setting.name: "" for setting in SETTINGS} | {"SPENDAI_HOME": str(tmp_path)})
    assert config.port == 8000 and config.embedded


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n")
    environ = {"SPENDAI_HOME": str(tmp_path), "OPENAI_API_KEY_FILE": str(tmp_path / "key")}
    assert load(environ).openai_api_key == "sk-from-a-file"
    with pytest.raises(ConfigError, match="OPENAI_API_KEY and OPENAI_API_KEY_FILE"):
        load(environ | {"OPENAI_API_KEY": "sk-x"})
    with pytest.raises(ConfigError, match="OPENAI_API_KEY_FILE"):
        load({"SPENDAI_HOME": str(tmp_path), "OPENAI_API_KEY_FILE": str(tmp_path / "missing")})


@pytest.mark.parametrize(("name", "value"),
    [("PORT", "0"), ("PORT", "65536"), ("PORT", "canary"), ("PUBLIC_URL", "spend.acme.test"),
    ("PUBLIC_URL", "ftp://x"), ("PUBLIC_URL", "https://canary:pw@x"), ("PUBLIC_URL", "https://x:canary"),
    ("PUBLIC_URL", "https://[canary"), ("PUBLIC_URL", "https://canary\u2100.test"), ("WORKERS", "0"), ("WORKERS", "-1"),
    ("WORKERS", "9" * 5000), ("FORWARDED_ALLOW_IPS", "10.0.0.1, canary"), ("FORWARDED_ALLOW_IPS", "10.0.0.1/8"),
    ("DRAIN_BYTES", "1_0"),
    ("DATABASE_URL_READ", "postgresql://a:canary@["), ("DATABASE_URL_READ", "host=/tmp,db..example"),
    ("DATABASE_URL", "host=db password=two canary"), ("DATABASE_URL", "postgresql://a:canary@db..example/x"),
    ("SIGNUP_MODE", "closed"), ("OPENAI_API_KEY_SHARED", "maybe"), ("SECRET_KEY", "canary"),
    ("OPENAI_BASE_URL", "https://api.openai.com/v1?x=1"), ("MAX_BODY_BYTES", "0"),
    ("SPENDAI_ENCRYPTION_KEYS", "canary"),
    ("SPENDAI_ENCRYPTION_KEYS", "1:canary"), ("SPENDAI_ENCRYPTION_KEYS", "1:" + KEY[:-4]),
    ("SPENDAI_ENCRYPTION_KEYS", "0:" + KEY),
    ("SPENDAI_ENCRYPTION_KEYS", "70000:" + KEY), ("UPSTREAM_READ_TIMEOUT", "ten")])  # fmt: skip
def test_a_wrong_value_stops_the_start_and_names_the_setting(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        load({"SPENDAI_HOME": str(tmp_path), name: value})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("program", ["-m flask doctor", "-m gunicorn -c gunicorn.conf.py wsgi:app"])
@pytest.mark.parametrize(("name", "said"), [
    ("PORT", "a whole number from 1 to 65535"), ("SUPABASE_JWT_SECRET", "at least 32 bytes")
])  # fmt: skip
def test_programs_say_in_one_line_which_setting_is_wrong(tmp_path: Path, program: str, name: str, said: str) -> None:
    supabase = {"SUPABASE_URL": "https://x.supabase.co", "SUPABASE_PUBLISHABLE_KEY": "key"}
    environ = (
        os.environ
        | supabase
        | {"SPENDAI_HOME": str(tmp_path), "PORT": str(free_port()), "WORKERS": "1", name: "canary"}
    )
    command = [sys.executable, *program.split()]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode and f"spendai: {name}: expected {said}\n" in done.stderr and "Traceback" not in done.stderr


def test_supabase_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SUPABASE_PUBLISHABLE_KEY"):
        load({"SPENDAI_HOME": str(tmp_path), "SUPABASE_URL": "https://x.supabase.co"})


def test_a_ring_of_several_keys_is_read(tmp_path: Path) -> None:
    ring = load({"SPENDAI_HOME": str(tmp_path), "SPENDAI_ENCRYPTION_KEYS": f"1:{KEY}, 2:{KEY}"}).key_ring
    assert ring == {1: b"k" * 32, 2: b"k" * 32}


def test_a_database_of_ones_own_is_not_embedded_and_not_prepared(tmp_path: Path) -> None:
    config = load({"SPENDAI_HOME": str(tmp_path), "DATABASE_URL": "postgresql://x"})
    assert not config.embedded and config.database_prepared is False
    assert load({"SPENDAI_HOME": str(tmp_path), "DATABASE_URL": "dbname=x", "DATABASE_PREPARED": "1"}).database_prepared


def test_an_ipv6_host_makes_a_url(tmp_path: Path) -> None:
    assert load({"SPENDAI_HOME": str(tmp_path), "HOST": "::1", "PORT": "81"}).public_url == "http://[::1]:81"


def test_a_home_that_is_no_absolute_path_is_one_of_the_project() -> None:
    assert load({"SECRET_KEY": "x" * 32, "SPENDAI_ENCRYPTION_KEYS": f"1:{KEY}"}).home == (ROOT / "var").resolve()
