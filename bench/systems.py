"""What is compared: nothing in between, nginx, LiteLLM, Portkey; each started, checked and ended the same way."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from stack import free_port

from bench import tools
from bench.procs import end, memory_mb, tree
from webapp.postgres.cluster import die_with_parent

CORES = os.cpu_count() or 1
PATH = "/v1/chat/completions"
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


class System:
    """``with System(…) as system`` runs it. url, headers: for its chat completions; pid: the root of its processes."""

    name, version = "", ""
    headers: dict[str, str] = {}  # noqa: RUF012
    path = PATH
    pid = 0

    def __init__(self, upstream: int, folder: Path) -> None:
        self.upstream, self.folder, self.port = upstream, folder, free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self) -> None:
        """Start it, without waiting until it answers: see ``wait``."""

    def stop(self) -> None:
        """End it and everything it started."""

    def __enter__(self) -> System:
        try:
            self.start()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def memory(self) -> float:
        """MB of all its processes that stand between client and upstream."""
        return memory_mb(tree(self.pid)) if self.pid else 0.0

    def wait(self, seconds: float = 240) -> None:
        """Wait until it answers a call and a stream as it should. Raises Missing."""
        limit, said = time.monotonic() + seconds, ""
        while time.monotonic() < limit:
            try:
                answer, stream = self.call(CHAT), self.call(CHAT | {"stream": True})
                if b'"usage"' in answer and stream.rstrip().endswith(b"data: [DONE]"):
                    return
                said = f"{answer[-200:]!r} {stream[-200:]!r}"
            except (OSError, http.client.HTTPException) as error:
                said = repr(error)
            time.sleep(0.05)
        raise tools.Missing(f"{self.name} did not answer as it should: {said}")

    def call(self, body: dict[str, object], seconds: float = 20) -> bytes:
        """Make one call; returns the answer's body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            headers = {"Content-Type": "application/json"} | self.headers
            connection.request("POST", urlsplit(self.url).path, json.dumps(body), headers)
            return connection.getresponse().read()
        finally:
            connection.close()


class Process(System):
    """A system that is one command; its output goes to NAME.log in its folder."""

    process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str], *, passed: tuple[int, ...] = (), **environ: str) -> None:
        """Start the command, so that it ends when this process ends, even when this process is killed.

        passed: open files of this process that the command uses too.
        """
        with (self.folder / f"{self.name}.log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "DATABASE_"))} | environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=passed,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )
        self.pid = self.process.pid

    def stop(self) -> None:
        if self.process:
            end(self.process)


class Upstream(Process):
    """The stand-in for OpenAI, a process of its own; see upstream.c."""

    name, version = "direct", ""

    def __init__(self, folder: Path, events: int, pause_ms: int) -> None:
        super().__init__(0, folder)
        self.events, self.pause_ms = events, pause_ms

    def start(self) -> None:
        self.run([str(tools.compiled("upstream")), str(self.port), str(self.events), str(self.pause_ms)])

    def posts(self, whose: str = "spendai") -> int:
        """Calls that reached it so far: from SpendAI ("spendai"), or from all systems ("posts")."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with suppress(OSError):
            connection.request("GET", "/")
            return json.loads(connection.getresponse().read())[whose]
        return -1


class Direct(System):
    """No proxy: calls go straight to the upstream. It has no pid, so the upstream's CPU and memory do not count."""

    name = "direct"

    def __init__(self, upstream: int, folder: Path) -> None:
        super().__init__(upstream, folder)
        self.port = upstream


class Nginx(Process):
    """A plain reverse proxy without any log: the least that a proxy can cost."""

    name = "nginx"
    passes = 'proxy_set_header Connection "";'

    def start(self) -> None:
        program = tools.find("nginx")
        self.version = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr.split("/")[-1]
        config = self.folder / "nginx.conf"
        config.write_text(f"""
            daemon off; worker_processes {CORES}; worker_rlimit_nofile 20000; pid {self.folder}/nginx.pid;
            error_log stderr error;
            events {{ worker_connections 9000; }}
            http {{
                access_log off; client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
                fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
                keepalive_requests 100000000;
                upstream openai {{ server 127.0.0.1:{self.upstream}; keepalive 128; keepalive_requests 100000000; }}
                server {{
                    listen 127.0.0.1:{self.port} backlog=4096;
                    location / {{
                        proxy_pass http://openai; proxy_http_version 1.1; {self.passes}
                        proxy_buffering off;
                    }}
                }}
            }}""")
        self.run([program, "-p", str(self.folder), "-c", str(config)])


class LiteLLM(Process):
    """Set up as its production page says: only errors logged, a worker per core, a master key. No database."""

    name, model = "LiteLLM", "gpt-4o-mini"
    headers = {"Authorization": "Bearer sk-bench"}  # noqa: RUF012

    def start(self) -> None:
        command, self.version = tools.litellm()
        route = {
            "model": f"openai/{self.model}",
            "api_base": f"http://127.0.0.1:{self.upstream}/v1",
            "api_key": "sk-up",
        }
        config = {
            "model_list": [{"model_name": self.model, "litellm_params": route}],
            "general_settings": {"master_key": "sk-bench"},
            "litellm_settings": {"request_timeout": 600, "set_verbose": False, "json_logs": True},
        }
        (self.folder / "litellm.yaml").write_text(json.dumps(config))  # JSON is YAML
        options = ["--config", "litellm.yaml", "--host", "127.0.0.1", "--port", str(self.port), "--telemetry", "False"]
        quiet = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        self.run([*command, *options, "--num_workers", str(CORES)], **quiet)


class Portkey(Process):
    """Started as its README says: one Node process, which records no calls."""

    name = "Portkey"

    def start(self) -> None:
        command, self.version = tools.portkey()
        host = f"http://127.0.0.1:{self.upstream}/v1"
        self.headers = {
            "Authorization": "Bearer sk-up", "x-portkey-provider": "openai", "x-portkey-custom-host": host,
        }  # fmt: skip
        self.run([*command, f"--port={self.port}"], NODE_ENV="production")
