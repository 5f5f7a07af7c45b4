"""The embedded Postgres of one SPENDAI_HOME: created once, used by every process started with this SPENDAI_HOME.

Its files are in one folder, SPENDAI_HOME/postgres: data, socket, port and lock. The process that holds the lock runs
the server as its child; other processes connect to it, and one of them takes over when the lock is released.
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
from webapp.postgres import network
from webapp.postgres.cluster import SUPERUSER, Cluster, dsn, trim_log
from webapp.postgres.programs import ClusterError, account, check_owner, copied, find_bindir, major, may_enter, say

OWNER = "postgres"  # owns the database and is no superuser, as on Supabase
SHIM = (ROOT / "db/supabase.sql", ROOT / "db/local_auth.sql")  # roles and schemas that a Supabase database has
RESTORING = "restoring"  # see EmbeddedServer.restoring
LIMITS = ROOT / "db/superuser.sql"  # a query for the statements that limit what analysts can do to the server
STATISTICS_OFF = """
do $$ begin if to_regprocedure('app.statistics_off()') is not null then perform app.statistics_off(); end if; end $$
"""
# Locks that all sessions share in one table: four times the default, since an analyst's query can lock every month.
SETTINGS = {"max_locks_per_transaction": "256"}
NOTIFY_PAGES = {"max_notify_queue_pages": "16384"}  # 128 MB instead of 8 GB on disk; SpendAI sends no notifications
SYSTEM = Path("/var/lib/spendai")  # for the files when we are root and Postgres' user may not enter SPENDAI_HOME
STARTING_SECONDS = 20.0  # in which another process gives its server the owner's password, once that takes connections
REFUSED = "password authentication"
SOCKET_BYTES = 90  # the kernel takes 107 for the folder and "/.s.PGSQL.5432" together


class EmbeddedServer:
    """A running embedded Postgres.

    owned: whether this process runs it, or another one does; host: folder of its socket; port: part of the socket's
    name; owner_dsn, admin_dsn: connection strings of role postgres, which owns the database, and of the superuser;
    restoring: a file that is there while flask restore fills the database.
    """

    def __init__(self, home: Path, folder: Path, lock: int, cluster: Cluster | None) -> None:
        self.host, self.port, self.owned = str(socket_dir(folder)), network.port(folder), cluster is not None
        self.owner_dsn = _dsn(folder, OWNER, _password(home, OWNER))
        self.admin_dsn = _dsn(folder, SUPERUSER, _password(home, SUPERUSER))
        self.restoring = folder / RESTORING
        self._cluster, self._lock = cluster, lock

    def alive(self) -> bool:
        """Whether the server runs; of another process's, whether that process still holds the lock. Also trims the
        server's log when it is ours."""
        if self._cluster:
            trim_log(self._cluster.log)
            return self._cluster.alive()
        if not _locked(self._lock):
            return True
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        return False

    def stop(self) -> None:
        """Stop the server if this process runs it, and release the lock."""
        if self._cluster:
            self._cluster.stop()
        os.close(self._lock)


def limits(connection: psycopg.Connection) -> list[str]:
    """The statements of LIMITS that have not been run in this database; a superuser may run them."""
    return [statement for (statement,) in connection.execute(LIMITS.read_text(encoding="utf-8")).fetchall()]


def ensure(config: Config) -> EmbeddedServer:
    """Start the Postgres of config.home, or connect to the one that runs already. Raises ClusterError."""
    folder = _folder(config.home)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    server, refused = None, 0.0
    try:
        while not _locked(lock):
            shared = EmbeddedServer(config.home, folder, lock, None)
            try:
                psycopg.connect(shared.owner_dsn).close()
                return shared
            except psycopg.OperationalError as error:
                refused = refused or time.monotonic() if REFUSED in str(error) else 0.0
                if refused and time.monotonic() - refused > STARTING_SECONDS:
                    raise ClusterError(
                        "SPENDAI_HOME/secrets does not fit the database, which runs: it was changed or lost since the "
                        f"start; restart SpendAI: {error}"
                    ) from None
            time.sleep(0.05)  # the process that holds the lock is still starting it, or has just ended
        if (folder / RESTORING).exists():  # tables may be there, and what protects their rows not yet
            raise ClusterError(f"flask restore was cut off: delete {folder}, then run flask restore again")
        cluster = _cluster(config.home, folder)
        server = EmbeddedServer(config.home, folder, lock, cluster)
        if not cluster.data.exists():
            cluster.create(_password(config.home, SUPERUSER))
        network.write_hba(cluster.data)
        cluster.start()
        apply_shim(config.home, server)
        return server
    except BaseException:
        if server:
            server.stop()
        else:
            os.close(lock)
        raise


def conninfo(config: Config, user: str, password: str) -> str:
    """Connection string for a role of the embedded Postgres of config.home; does not start it."""
    return _dsn((config.home / "postgres").resolve(), user, password)


def let_analysts_in(config: Config, let: bool) -> tuple[str, int]:
    """Decide whether the server listens for analysts from its next start on; returns the address and port for them."""
    folder = (config.home / "postgres").resolve()
    network.let_analysts_in(folder, let)
    return network.ADDRESS, network.port(folder)


def _dsn(folder: Path, user: str, password: str) -> str:
    return dsn(socket_dir(folder), user, password, port=network.port(folder))


def socket_dir(folder: Path) -> Path:
    """Folder of the Unix socket: beside the data, or in /tmp when that path is too long for a socket."""
    socket = folder / "socket"
    if len(os.fsencode(socket)) <= SOCKET_BYTES:
        return socket
    return Path("/tmp") / f"spendai-{_digest(str(folder))}"  # noqa: S108  # made 0700 and checked in _cluster


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]


def _password(home: Path, role: str) -> str:
    return generated_secret(home, f"postgres-{role}", lambda: secrets.token_urlsafe(32))


def _locked(lock: int) -> bool:
    """Whether we have the lock now; the kernel releases it when the process ends, however it ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder(home: Path) -> Path:
    """Folder of data, socket, port and lock, made if missing: SPENDAI_HOME/postgres. That is a link into SYSTEM when
    we are root and the user Postgres runs as may not enter SPENDAI_HOME."""
    link = home / "postgres"
    if link.is_symlink() and not link.exists():
        raise ClusterError(f"{link} points to {os.readlink(link)}, which is gone; remove the link to start empty")
    user = account(next(link.glob("pg*"), None))
    home.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        if user and not may_enter(user, home):
            # The password is part of the name: a SPENDAI_HOME that was deleted and made again never finds the data of
            # the one before it.
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
    folder = link.resolve()
    if user and not may_enter(user, folder):
        raise ClusterError(
            f"user {user.pw_name}, which Postgres runs as, may not enter {folder}: chmod o+x its parents"
        )
    check_owner(folder, user)
    return folder


def _cluster(home: Path, folder: Path) -> Cluster:
    """The cluster in this folder, with programs that its user may run; copied there when they are closed to it."""
    bindir = find_bindir()
    data = folder / f"pg{major(bindir)}"
    others = [p.name for p in folder.glob("pg[0-9]*") if p.name[2:].isdigit()]
    if others and not data.exists():
        raise ClusterError(
            f"{folder} holds data of {', '.join(others)} and the programs are for {data.name}: "
            "dump it with the old programs (PG_BINDIR) and restore it"
        )
    user = account(data)
    if user and not may_enter(user, bindir / "postgres"):
        bindir = copied(bindir, folder)
    log = home / "log" / "postgres.log"
    log.parent.mkdir(mode=0o700, exist_ok=True)
    settings = SETTINGS | network.settings(folder) | (NOTIFY_PAGES if major(bindir) >= 17 else {})
    cluster = Cluster(data, socket_dir(folder), bindir=bindir, log=log, settings=settings)
    _make_private(cluster)
    return cluster


def _make_private(cluster: Cluster) -> None:
    """Make the socket's folder with mode 0700 for the user Postgres runs as. Raises ClusterError for a folder that
    somebody else made, as anybody can in /tmp."""
    with suppress(FileExistsError):
        cluster.socket.mkdir(mode=0o700)
        cluster.own(cluster.socket)
    found, uid = cluster.socket.lstat(), cluster.user.pw_uid if cluster.user else os.geteuid()
    if cluster.socket.is_symlink() or found.st_uid != uid or found.st_mode & 0o077:
        raise ClusterError(f"{cluster.socket} is not a private folder of the user Postgres runs as: remove it")


def apply_shim(home: Path, server: EmbeddedServer) -> None:
    """Make the roles and schemas of SHIM and set the owner's password (sent as its SCRAM verifier); one transaction.

    To be done at each start and after a restore: an earlier version made some of it differently.
    """
    password = _password(home, OWNER)
    try:
        connection = psycopg.connect(server.admin_dsn)
    except psycopg.OperationalError as error:
        wrong = "SPENDAI_HOME/secrets does not fit the database: " if REFUSED in str(error) else ""
        raise ClusterError(f"{wrong}{error}") from None
    with connection:
        for file in SHIM:
            try:
                connection.execute(file.read_text(encoding="utf-8"))
            except psycopg.Error as error:
                raise ClusterError(f"{file.name}: {error.diag.message_primary or error}") from error
        for statement in limits(connection):
            connection.execute(statement)
        if connection.info.server_version < 180000:  # only a superuser can delete what was collected before it was off
            connection.execute(STATISTICS_OFF)
        verifier = connection.pgconn.encrypt_password(password.encode(), OWNER.encode(), b"scram-sha-256")
        connection.execute(f"alter role {OWNER} password '{verifier.decode()}'")
