"""`make prove-container`: builds the image, starts compose.yaml, uses it, stops it in a stream, starts it again.

Debian's and Python's packages come from their own registries; no registry of images is asked: debootstrap makes the
base, and tests/container/Containerfile stands in for Postgres' image. The containers run in namespaces of the proof's
own, so that no port, network or process is left. Exit status 1 when something is not as it must be, 2 without root.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from container import engine
from container.engine import Compose, say
from container.slow_upstream import SlowUpstream
from stack import ROOT

URL = "http://127.0.0.1:8000"
SECRETS = re.compile(r"```\n(mkdir -m 700 secrets\n.*?)```", re.S)
SUMS = (
    "select upstream, state, cost_status, count(*), sum(cost) from public.usage_logs group by 1, 2, 3 order by 1, 2, 3"
)
DAYS = "select day, calls, tokens_in, tokens_out, cost from public.spend_daily order by 1, 2, 3"
CALL = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
PATIENCE = 120  # seconds for whatever must happen


class Proof:
    """One run: what was found, as rows of a table; ``check`` adds one."""

    def __init__(self, compose: Compose) -> None:
        self.compose, self.rows, self.wrong = compose, [], 0

    def check(self, what: str, found: object, good: bool = True) -> None:
        self.rows.append((what, found))
        self.wrong += not good
        print("ok  " if good else "FAIL", f"{what}: {found}", flush=True)

    def start(self) -> None:
        """Everything is started in order and becomes healthy."""
        self.compose.run("up", "-d", "--no-build")
        until(lambda: self.compose.health("gateway") == "healthy", "a healthy gateway")

    def first_start(self) -> None:
        began = time.monotonic()
        self.start()
        self.check("seconds from nothing to a healthy gateway", f"{time.monotonic() - began:.0f}")
        ready = requests.get(f"{URL}/readyz", timeout=10)
        self.check("/readyz through the published port", ready.text.strip(), ready.ok)
        doctor = self.compose.run("run", "--rm", "migrate", "flask", "doctor")
        self.check("flask doctor, as the owner", doctor.splitlines()[-1] if doctor else "", "fail" not in doctor)

    def rights(self) -> None:
        """What the process may do: nothing that it does not need."""
        inside = self.compose.inside
        status = dict(line.split(":\t") for line in inside("gateway", "cat", "/proc/1/status").splitlines())
        self.check("user of process 1", status["Uid"].split()[0], set(status["Uid"].split()) == {"10001"})
        self.check("its capabilities", status["CapEff"], int(status["CapEff"], 16) == 0)
        self.check("no new privileges", status["NoNewPrivs"], status["NoNewPrivs"] == "1")
        for service, folder in (("gateway", "/opt/spendai"), ("database", "/usr/local/bin")):
            try:
                said = inside(service, "touch", f"{folder}/new")
            except RuntimeError as error:
                said = str(error)
            self.check(
                f"writing to {folder} of {service}", said.strip().rpartition(": ")[2], "Read-only file system" in said
            )
        owner = self.sql("select rolsuper, rolcreaterole from pg_roles where rolname = 'spendai'")
        self.check("the owner: superuser, may create roles", owner, owner == "f|t")
        values = [file.read_text().strip() for file in (self.compose.folder / "secrets").iterdir()]
        told = str(self.compose.state("gateway")["Config"]) + say("podman", "logs", self.compose.name("gateway"))
        self.check("secrets in settings or log", "none", not any(value in told for value in values if value))

    def use(self) -> None:
        """Somebody signs up, makes a key, calls the sandbox and looks at a page."""
        words = {"email": "ada@example.test", "password": "correct horse", "organization": "Acme"}
        self.token = self.api("POST", "/auth/signup", words)["access_token"]
        project = self.api("POST", "/projects", {"name": "chat"})["id"]
        self.key = self.api("POST", f"/projects/{project}/keys", {"name": "main"})["key"]
        answer = self.call()
        self.check("a call of the sandbox", answer.json()["choices"][0]["message"]["content"][:40], answer.ok)
        page = requests.get(f"{URL}/login", timeout=10)
        self.check("a page", re.search(r"<title>(.*?)</title>", page.text)[1], page.ok)
        self.check("calls by state", self.sql(SUMS), self.sql(SUMS).startswith("sandbox|settled|priced|1|"))

    def stop_in_a_stream(self) -> None:
        """SIGTERM while a stream is half way: no new calls, the stream ends normally, the call is settled."""
        with SlowUpstream() as upstream:
            self._send_to(f"http://{self.compose.address()}:{upstream.port}/v1")
            answer = self.call(stream=True)
            lines = answer.iter_lines()
            first = next(lines)
            began = time.monotonic()
            stopping = subprocess.Popen(
                self.compose.command("stop", "gateway"), cwd=self.compose.folder, env=self.compose.environ,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            until(refused, "that new calls are refused")
            running = stopping.poll() is None
            upstream.go_on.set()
            rest = b"\n".join([first, *lines])
            stopping.wait(PATIENCE)
        self.check("new connections after SIGTERM, while the stream runs", "refused", running)
        events = rest.count(b"data: ")
        self.check("events of the stream", events, events == upstream.events and rest.strip().endswith(b"[DONE]"))
        self.check("seconds until it had stopped", f"{time.monotonic() - began:.1f}")
        code = self.compose.state("gateway")["State"]["ExitCode"]
        self.check("exit status", code, code == 0)
        found = "state, cost_status, tokens_in, tokens_out, cost"
        call = self.sql(f"select {found} from public.usage_logs where id = '{call_id(answer)}'")
        self.check("that call", call, call.startswith("settled|priced|1000|500|"))

    def _send_to(self, url: str) -> None:
        """Start the gateway again with an OpenAI key, which calls then go to ``url`` with."""
        (self.compose.folder / "secrets/openai_api_key").write_text("sk-upstream\n")
        override = {"services": {"gateway": {"environment": {"OPENAI_BASE_URL": url}}}}
        (self.compose.folder / "override.yaml").write_text(json.dumps(override))
        self.compose.files.append("override.yaml")
        self.start()

    def start_again(self) -> None:
        """All containers are removed and made again on the same volumes."""
        before = self.sql(SUMS), self.sql(DAYS)
        self.compose.run("down")
        self.start()
        after = self.sql(SUMS), self.sql(DAYS)
        self.check("sums after a restart with the same volumes", after[0].replace("\n", ", "), before == after)
        self.check("the same person is let in", self.api("GET", "/projects")["data"][0]["name"])

    def sql(self, query: str) -> str:
        return self.compose.inside("database", "psql", "--no-align", "--tuples-only", "--command", query, "spendai")

    def api(self, method: str, path: str, words: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}
        answer = requests.request(method, f"{URL}/api/v1{path}", json=words, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def call(self, **words: Any) -> requests.Response:
        headers, url = {"Authorization": f"Bearer {self.key}"}, f"{URL}/api/v1/proxy/chat/completions"
        return requests.post(url, json=CALL | words, headers=headers, timeout=PATIENCE, stream=bool(words))


def call_id(answer: requests.Response) -> str:
    return answer.headers["x-spendai-call-id"]


def refused() -> bool:
    """Whether the gateway takes no new connections."""
    try:
        requests.get(f"{URL}/healthz", timeout=1)
    except requests.ConnectionError:
        return True
    return False


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(RuntimeError, TypeError):  # no container yet, or not checked yet
            if condition():
                return
        if time.monotonic() > end:
            raise RuntimeError(f"waited in vain for {what}")
        time.sleep(0.2)


def inside(folder: Path) -> int:
    """The part with containers, in namespaces of its own; its exit status."""
    subprocess.run(
        ["umount", "/sys/fs/cgroup/unified"], check=False, capture_output=True
    )  # crun wants one kind of cgroups
    say("mount", "-t", "tmpfs", "tmpfs", "/run")
    loopback_up()
    project = folder / "project"
    shutil.copytree(ROOT / "db", project / "db")
    shutil.copy(ROOT / "compose.yaml", project)
    say("sh", "-eu", "-c", SECRETS.search((ROOT / "docs/deploy.md").read_text())[1], cwd=project)
    compose = Compose(project, folder)
    proof = Proof(compose)
    try:
        until((folder / "podman.sock").exists, "podman")
        for step in (proof.first_start, proof.rights, proof.use, proof.stop_in_a_stream, proof.start_again):
            step()
    except (RuntimeError, requests.RequestException) as error:
        proof.check("it ran to its end", error, False)
        for service in ("migrate", "gateway"):
            compose.tell(service)
    finally:
        compose.close()
    print("\n| checked | |\n|---|---|")
    print("\n".join(f"| {what} | {str(found).replace('|', ' ')} |" for what, found in proof.rows))
    return 1 if proof.wrong else 0


def loopback_up() -> None:
    """``ip link set lo up``, without that program."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS, up and running


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--folder", type=Path, help="folder to keep the images in, so that the next run is quicker")
    asked.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    words = asked.parse_args()
    if words.inside:
        engine.settle_in(words.folder)
        return inside(words.folder)
    if os.geteuid() != 0:
        print("building and running images takes root here", file=sys.stderr)
        return 2
    folder = words.folder.resolve() if words.folder else Path(tempfile.mkdtemp(prefix="spendai-container-"))
    folder.mkdir(exist_ok=True)
    try:
        engine.settle_in(folder)
        engine.base(folder)
        engine.build(folder)
        print(say("podman", "images", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}"), flush=True)
        shutil.rmtree(folder / "project", ignore_errors=True)
        namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        again = [sys.executable, "-m", "container.trial", "--inside", "--folder", str(folder)]
        return subprocess.run([*namespaces, *again], check=False).returncode
    finally:
        subprocess.run(["umount", "--recursive", folder / "graph/overlay"], check=False, capture_output=True)
        if not words.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
