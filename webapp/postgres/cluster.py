"""A Postgres data folder and the server on it, a child of this process: created, started, stopped, cleaned up after.

Nothing here is about SpendAI, so tests use it for throw-away servers of any major version.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import make_conninfo

from webapp.postgres.programs import ClusterError, account, find_bindir, major, run_as

SUPERUSER = "supabase_admin"  # as on Supabase; role postgres is the owner and no superuser
LOG_BYTES = 10_000_000  # a log beyond this size becomes postgres.log.1
PORT = 5432  # part of the socket's file name, also when the server does not listen on TCP
SETTINGS = {
    "port": str(PORT),
    "listen_addresses": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Messages and details of errors quote values (keys, e-mail addresses), so the log must not have them: it keeps only
    # messages about the server itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # for the data of tests


def die_with_parent(sent: signal.Signals) -> Callable[[], None]:
    """A ``preexec_fn`` for Popen: the child gets this signal when the thread that started it ends (Linux only)."""
    libc, parent = ctypes.CDLL(None), os.getpid()

    def set_signal() -> None:
        if sys.platform == "linux":
            libc.prctl(1, sent)  # PR_SET_PDEATHSIG
            if os.getppid() != parent:  # the parent ended before prctl
                os.kill(os.getpid(), sent)

    return set_signal


class Cluster:
    """A data directory with its server.

    data: the folder that ``create`` makes; the caller names it after the major version; socket: folder of the Unix
    socket; bindir: folder of the programs, see ``find_bindir``; log: the server's log file; durable: False only for
    tests, whose data need not survive a power cut; settings: of the server, beside SETTINGS.
    """

    def __init__(  # noqa: PLR0913
        self,
        data: Path,
        socket: Path,
        *,
        bindir: Path | None = None,
        log: Path | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data, self.socket, self.durable = data.resolve(), socket, durable  # resolved: compared with /proc
        self.bindir = bindir or find_bindir()
        self.log = log or data.with_name("postgres.log")
        self.settings = SETTINGS | ({} if durable else VOLATILE) | dict(settings or {})
        self.user = account(data)
        self.process: subprocess.Popen[bytes] | None = None

    def own(self, path: Path) -> None:
        """Give a file or folder to the user Postgres runs as."""
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def create(self, password: str) -> None:
        """Run initdb with this superuser password. Raises ClusterError; a crash leaves no data folder behind."""
        draft = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.own(draft)
        locale = ["--locale=C.UTF-8"]
        if major(self.bindir) >= 17:  # the same order and case rules on every operating system
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        secret = draft.with_suffix(".password")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(password)
        self.own(secret)
        command = [self.bindir / "initdb", "-D", draft, "-U", SUPERUSER, "--auth=scram-sha-256"]
        command += [f"--pwfile={secret}", "--encoding=UTF8", "--data-checksums", *locale]
        command += [] if self.durable else ["--no-sync"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, **run_as(self.user))  # noqa: S603
        secret.unlink()
        if done.returncode:
            raise ClusterError(f"initdb failed: {done.stderr.strip()}")
        draft.rename(self.data)

    def start(self) -> None:
        """Start the server as our child and wait until it takes connections, however long its recovery takes.

        Raises ClusterError with the server's log when it ends instead.
        """
        self._clear()
        trim_log(self.log)
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        options += [f"-cunix_socket_directories={_quoted(self.socket)}"]
        with open(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb") as log:
            before = log.seek(0, os.SEEK_END)
            self.process = subprocess.Popen(  # noqa: S603
                [self.bindir / "postgres", "-D", self.data, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C must reach the launcher only, which stops everything in order
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509  # SIGINT: a clean, fast shutdown
                **run_as(self.user),
            )
        while not self._ready():
            if self.process.poll() is not None:
                words = self.log.read_bytes()[before:].decode(errors="replace").strip()
                raise ClusterError(f"Postgres did not start ({self.data}):\n{words}")
            time.sleep(0.005)

    def _ready(self) -> bool:
        """Whether the server wrote its process number and "ready" into its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return lines[0] == str(self.process.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _clear(self) -> None:
        """End the processes that a killed launcher or postmaster left running on our data, then remove its pid files.

        Processes are found by their working folder: the number in a pid file may be a zombie's or another program's.
        """
        lock, asked, since = self.data / "postmaster.pid", None, time.monotonic()
        while running := self._running():
            first = lock.read_text().split("\n")[0] if lock.exists() else ""
            head = [pid for pid in running if str(pid) == first]
            waited = time.monotonic() - since
            # A postmaster ends its backends. Backends without one get SIGQUIT, as a postmaster would send.
            wanted = signal.SIGINT if head and waited < 30 else signal.SIGQUIT if waited < 40 else signal.SIGKILL
            if wanted != asked:
                asked = wanted
                for pid in head or running:
                    with suppress(ProcessLookupError):
                        os.kill(pid, wanted)
            time.sleep(0.01)
        if sys.platform == "linux":  # elsewhere there is no /proc: Postgres has to check its pid file itself
            for file in (lock, self.socket / f".s.PGSQL.{self.settings['port']}.lock"):
                file.unlink(missing_ok=True)

    def _running(self) -> list[int]:
        """Numbers of the Postgres processes whose working folder is our data; a zombie has no working folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.readlink(entry / "cwd") == str(self.data) and (entry / "comm").read_text() == "postgres\n":
                    found.append(int(entry.name))
        return found

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stop the server cleanly; after 30 s with SIGQUIT, so that it recovers at its next start; then SIGKILL."""
        for sent, seconds in ((signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, None)):
            if self.alive():
                self.process.send_signal(sent)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(seconds)

    def dsn(self, user: str, password: str, dbname: str = "postgres") -> str:
        """Connection string over the Unix socket."""
        return dsn(self.socket, user, password, dbname, int(self.settings["port"]))


def dsn(socket: Path, user: str, password: str, dbname: str = "postgres", port: int = PORT) -> str:
    """Connection string for the server whose Unix socket is in this folder."""
    return make_conninfo(host=str(socket), port=port, user=user, password=password, dbname=dbname)


def trim_log(log: Path) -> None:
    """Copy a log beyond LOG_BYTES to <log>.1 and empty it; the server, which appends, goes on writing at its start."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)


def _quoted(path: Path) -> str:
    """A folder as unix_socket_directories, a list, needs it."""
    return '"' + str(path).replace('"', '""') + '"'


@contextmanager
def temporary(bindir: Path | None = None, **settings: str) -> Iterator[Cluster]:
    """A throw-away server, in memory (/dev/shm) when that has room; superuser SUPERUSER, password "temporary"."""
    memory = Path("/dev/shm")  # noqa: S108
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 1 << 30
    base = Path(tempfile.mkdtemp(prefix="spendai-", dir=memory if roomy else None))
    base.chmod(0o755)
    cluster = Cluster(base / "data", base / "socket", bindir=bindir, durable=False, settings=settings)
    try:
        cluster.socket.mkdir(mode=0o700)
        cluster.own(cluster.socket)
        cluster.create("temporary")
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(base, ignore_errors=True)
