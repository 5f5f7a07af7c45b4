"""Whether and where the embedded Postgres listens on TCP: only while analysts have logins, and only for them.

It then listens on 127.0.0.1. Three files decide it, all in the folder of the embedded Postgres (SPENDAI_HOME/postgres):
`port`, the number chosen at the first start, which is also part of the socket's name; `analysts`, there while analysts
have logins; and pg_hba.conf in the data folder, which says who may log in from where.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
from pathlib import Path

from webapp.postgres.cluster import PORT
from webapp.postgres.programs import say

ADDRESS = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below the ports that the system gives to outgoing connections
HBA = f"""\
# Written at every start. Over TCP only members of spendai_analyst may log in. The owner is refused by name, since it
# may be a member of that role.
local all all scram-sha-256
host all postgres {ADDRESS}/32 reject
host all +spendai_analyst {ADDRESS}/32 scram-sha-256
"""


def port(folder: Path) -> int:
    """Port of the server in this folder, whether it listens or not; PORT before its first start."""
    file = folder / "port"
    return int(file.read_text()) if file.exists() else PORT


def let_analysts_in(folder: Path, let: bool) -> None:
    """Decide whether the server listens for analysts from its next start on."""
    if let:
        (folder / "analysts").touch()
    else:
        (folder / "analysts").unlink(missing_ok=True)


def settings(folder: Path) -> dict[str, str]:
    """Settings `port` and `listen_addresses` of a server about to start; its caller must hold the folder's lock."""
    if not (folder / "port").exists():
        draft = folder / "port.new"
        numbers = iter(lambda: secrets.choice(PORTS), None)
        draft.write_text(str(next(number for number in numbers if _error(number) != errno.EADDRINUSE)))
        draft.rename(folder / "port")
    chosen, address = port(folder), ""
    if (folder / "analysts").exists():
        error = _error(chosen)
        if not error:
            address = ADDRESS
        elif error == errno.EADDRINUSE:
            say(f"another program uses port {chosen}, so analysts cannot log in: end it and start SpendAI again")
        else:
            say(f"no program can listen on {ADDRESS} here ({os.strerror(error)}), so analysts cannot log in")
    return {"port": str(chosen), "listen_addresses": address}


def write_hba(data: Path) -> None:
    """Write pg_hba.conf into a data folder; initdb made the file, so it still belongs to the user Postgres runs as."""
    (data / "pg_hba.conf").write_text(HBA)


def _error(number: int) -> int:
    """Why nobody can listen on this port now, as an errno; 0: it is free. A machine with IPv6 alone has no ADDRESS."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((ADDRESS, number))
    except OSError as error:
        return error.errno
    return 0
