"""The embedded Postgres of one SPENDAI_HOME: made once, shared by all launchers of that home.

The only module that knows it exists. Whoever holds the lock beside the data runs the server; the others connect to it
and take over when the lock comes free.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from webapp.config import ROOT, Config, generated_secret
from webapp.postgres import network as door
from webapp.postgres.cluster import SUPERUSER, Cluster, dsn, trim_log
from webapp.postgres.programs import ClusterError, account, copied, find_bindir, major, may_enter, say

OWNER = "postgres"  # owns the database and is no superuser, as on Supabase
SHIM = (ROOT / "db/supabase.sql", ROOT / "db/local_auth.sql")
SYSTEM = Path("/var/lib/spendai")  # for root, when Postgres' user may not enter SPENDAI_HOME
SOCKET_BYTES = 90  # the kernel takes 107 for the folder and "/.s.PGSQL.5432" together


class EmbeddedServer:
    """A running embedded Postgres, ours (``owned``) or another launcher's.

    host: folder of its socket; port: names the socket; owner_dsn, admin_dsn: for role postgres and for the superuser.
    """

    def __init__(self, home: Path, place: Path, lock: int, cluster: Cluster | None) -> None:
        self.host, self.port, self.owned = str(socket_dir(place)), door.port(place), cluster is not None
        self.owner_dsn = _dsn(place, OWNER, _password(home, OWNER))
        self.admin_dsn = _dsn(place, SUPERUSER, _password(home, SUPERUSER))
        self._cluster, self._lock = cluster, lock

    def alive(self) -> bool:
        """Whether our server runs, or whether the launcher that runs it does; keeps the log small on the way."""
        if self._cluster:
            trim_log(self._cluster.log)
            return self._cluster.alive()
        if not _locked(self._lock):
            return True
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        return False

    def stop(self) -> None:
        """Stop the server if it is ours; let go of it in any case."""
        if self._cluster:
            self._cluster.stop()
        os.close(self._lock)


def ensure(config: Config) -> EmbeddedServer:
    """Start the Postgres of config.home, or share the one that runs. Raises ClusterError."""
    place = _place(config.home)
    lock = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    server = None
    try:
        while not _locked(lock):
            shared = EmbeddedServer(config.home, place, lock, None)
            with suppress(psycopg.OperationalError), psycopg.connect(shared.owner_dsn):
                return shared
            time.sleep(0.05)  # its launcher is still starting it, or just went away
        cluster = _cluster(config.home, place)
        server = EmbeddedServer(config.home, place, lock, cluster)
        if not cluster.data.exists():
            cluster.create(_password(config.home, SUPERUSER))
        door.guard(cluster.data)
        cluster.start()
        _apply_shim(server, _password(config.home, OWNER))
        return server
    except BaseException:
        if server:
            server.stop()
        else:
            os.close(lock)
        raise


def conninfo(config: Config, user: str, password: str) -> str:
    """Connection string for a process that only connects to the embedded Postgres of config.home."""
    return _dsn((config.home / "postgres").resolve(), user, password)


def network_door(config: Config, wanted: bool) -> tuple[str, int]:
    """Say whether analysts shall get in over TCP, from the next start on; where that is."""
    place = (config.home / "postgres").resolve()
    door.want(place, wanted)
    return door.ADDRESS, door.port(place)


def _dsn(place: Path, user: str, password: str) -> str:
    return dsn(socket_dir(place), user, password, port=door.port(place))


def socket_dir(place: Path) -> Path:
    """Folder of the Unix socket: beside the data, or a short one when that path is too long for a socket."""
    folder = place / "socket"
    if len(os.fsencode(folder)) <= SOCKET_BYTES:
        return folder
    return Path("/tmp") / f"spendai-{_digest(str(place))}"  # noqa: S108  # made 0700 and checked in _cluster


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def _password(home: Path, role: str) -> str:
    return generated_secret(home, f"postgres-{role}", lambda: secrets.token_urlsafe(32))


def _locked(lock: int) -> bool:
    """Try to take the lock; it goes with the process, however that ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _place(home: Path) -> Path:
    """Folder of data, socket and lock: SPENDAI_HOME/postgres, which is a link when root's home is closed to others."""
    link = home / "postgres"
    if link.is_symlink() and not link.exists():
        raise ClusterError(f"{link} points to {os.readlink(link)}, which is gone; remove the link to start empty")
    user = account(next(link.glob("pg*"), None))
    home.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        if user and not may_enter(user, home):
            # Named after the password too: a home made anew never meets the data of the one before it.
            away = SYSTEM / _digest(f"{home} {_password(home, SUPERUSER)}")
            away.mkdir(parents=True, exist_ok=True)
            SYSTEM.chmod(0o755)
            away.chmod(0o755)
            with suppress(FileExistsError):
                link.symlink_to(away)
            say(f"{home} is closed to user {user.pw_name}, which Postgres runs as: its data is in {away}")
        else:
            link.mkdir(mode=0o755, exist_ok=True)
            link.chmod(0o755)
    place = link.resolve()
    if user and not may_enter(user, place):
        raise ClusterError(f"user {user.pw_name}, which Postgres runs as, may not enter {place}: chmod o+x its parents")
    return place


def _cluster(home: Path, place: Path) -> Cluster:
    """The cluster below this place, with programs and folders its user can reach."""
    bindir = find_bindir()
    data = place / f"pg{major(bindir)}"
    others = [p.name for p in place.glob("pg[0-9]*") if p.name[2:].isdigit()]
    if others and not data.exists():
        raise ClusterError(
            f"{place} holds data of {', '.join(others)} and the programs are for {data.name}: "
            "dump it with the old programs (PG_BINDIR) and restore it"
        )
    user = account(data)
    if user and not may_enter(user, bindir / "postgres"):
        bindir = copied(bindir, place)
    log = home / "log" / "postgres.log"
    log.parent.mkdir(mode=0o700, exist_ok=True)
    cluster = Cluster(data, socket_dir(place), bindir=bindir, log=log, settings=door.settings(place))
    _make_private(cluster)
    return cluster


def _make_private(cluster: Cluster) -> None:
    """Make the socket folder, 0700 and Postgres'; one that somebody else made in /tmp is refused."""
    with suppress(FileExistsError):
        cluster.socket.mkdir(mode=0o700)
        cluster.own(cluster.socket)
    found, uid = cluster.socket.lstat(), cluster.user.pw_uid if cluster.user else os.geteuid()
    if cluster.socket.is_symlink() or found.st_uid != uid or found.st_mode & 0o077:
        raise ClusterError(f"{cluster.socket} is not a private folder of the user Postgres runs as: remove it")


def _apply_shim(server: EmbeddedServer, password: str) -> None:
    """Make the roles and schemas of SHIM and set the owner's password (sent as its SCRAM verifier); one transaction."""
    try:
        connection = psycopg.connect(server.admin_dsn)
    except psycopg.OperationalError as error:
        raise ClusterError(f"SPENDAI_HOME/secrets does not fit the database: {error}") from None
    with connection:
        for file in SHIM:
            try:
                connection.execute(file.read_text(encoding="utf-8"))
            except psycopg.Error as error:
                raise ClusterError(f"{file.name}: {error.diag.message_primary or error}") from error
        verifier = connection.pgconn.encrypt_password(password.encode(), OWNER.encode(), b"scram-sha-256")
        connection.execute(f"alter role {OWNER} password '{verifier.decode()}'")
