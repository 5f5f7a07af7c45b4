"""The network side of the embedded Postgres: closed, unless analysts have logins of their own.

Then it listens on 127.0.0.1 alone, and lets nobody but them in there. Beside the data lie `port`, chosen at the first
start and kept because it names the socket too, and `analysts`, while there are any; in the data lies pg_hba.conf.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from webapp.postgres.cluster import PORT
from webapp.postgres.programs import say

ADDRESS = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below those the system gives to outgoing connections
HBA = f"""\
# Written at every start. Over the network only analysts get in; the owner may count as one of them, so it is named.
local all all scram-sha-256
host all postgres {ADDRESS}/32 reject
host all +spendai_analyst {ADDRESS}/32 scram-sha-256
"""


def port(place: Path) -> int:
    """Port of the server in this place, in use or not; PORT before its first start."""
    file = place / "port"
    return int(file.read_text()) if file.exists() else PORT


def want(place: Path, wanted: bool) -> None:
    """Open or close the door from the next start on."""
    if wanted:
        (place / "analysts").touch()
    else:
        (place / "analysts").unlink(missing_ok=True)


def settings(place: Path) -> dict[str, str]:
    """Settings of a server about to start; only for whoever holds the lock of the place."""
    if not (place / "port").exists():
        draft = place / "port.new"
        draft.write_text(str(next(n for n in iter(lambda: secrets.choice(PORTS), None) if _free(n))))
        draft.rename(place / "port")
    chosen, address = port(place), ""
    if (place / "analysts").exists():
        address = ADDRESS if _free(chosen) else ""
        if not address:
            say(f"another program uses port {chosen}, so analysts cannot log in; end it and start SpendAI again")
    return {"port": str(chosen), "listen_addresses": address}


def guard(data: Path) -> None:
    """Say who may come in from where; writing into the file leaves it to the user Postgres runs as."""
    (data / "pg_hba.conf").write_text(HBA)


def _free(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, number))
        except OSError:
            return False
    return True
