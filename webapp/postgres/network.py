"""Whether and where the embedded Postgres listens on TCP: only while analysts have logins, and only for them.

It then listens on 127.0.0.1. Three files decide it, all in the folder of the embedded Postgres (SPENDAI_HOME/postgres):
`port`, the number chosen at the first start, which is also part of the socket's name; `analysts`, there while analysts
have logins; and pg_hba.conf in the data folder, which says who may log in from where.
"""

from __future__ import annotations

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
        draft.write_text(str(next(n for n in iter(lambda: secrets.choice(PORTS), None) if _free(n))))
        draft.rename(folder / "port")
    chosen, address = port(folder), ""
    if (folder / "analysts").exists():
        address = ADDRESS if _free(chosen) else ""
        if not address:
            say(f"another program uses port {chosen}, so analysts cannot log in: end it and start SpendAI again")
    return {"port": str(chosen), "listen_addresses": address}


def write_hba(data: Path) -> None:
    """Write pg_hba.conf into a data folder; initdb made the file, so it still belongs to the user Postgres runs as."""
    (data / "pg_hba.conf").write_text(HBA)


def _free(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, number))
        except OSError:
            return False
    return True
