"""Builds images and runs compose.yaml with what Debian has: buildah, podman and docker-compose."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from stack import ROOT

DATABASE = "docker.io/library/postgres:18-bookworm"
CERTIFICATES = Path("/etc/ssl/certs")
PROJECT = "spendai"


def say(*words: str, **options: Any) -> str:
    """Run a command and return what it says; its complaint is shown when it fails."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)[:200]}: {(done.stderr or done.stdout)[-3000:]}")
    return done.stdout.strip()


def settle_in(folder: Path) -> None:
    """Have podman and buildah keep everything in this folder, with limits that may be set here."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 65536 if allowed == resource.RLIM_INFINITY else allowed // 2  # not more than the engine itself has
    written = {
        "storage.conf": f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n',
        "containers.conf": (
            f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]\n'
            '[engine]\nruntime = "crun"\n'
            f'[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "{folder}/networks"\n'
        ),
        # Behind a proxy that inspects TLS, pip must trust what the machine trusts.
        "pip.conf": f"[global]\ncert = {CERTIFICATES}/ca-certificates.crt\n",
    }
    for name, text in written.items():
        (folder / name).write_text(text)
    os.environ["CONTAINERS_STORAGE_CONF"] = str(folder / "storage.conf")
    os.environ["CONTAINERS_CONF"] = str(folder / "containers.conf")


def base(folder: Path) -> None:
    """The image ``base``: Debian with Python, in place of python:slim, which no registry gives out here."""
    if subprocess.run(["podman", "image", "exists", "base"], check=False).returncode == 0:
        return
    root, packages = folder / "base", "--include=python3-venv,ca-certificates"
    say("debootstrap", "--variant=minbase", packages, "bookworm", str(root), "http://deb.debian.org/debian")
    for rest in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / rest)
    say("tar", "--create", "--file", str(folder / "base.tar"), "--directory", str(root), ".")
    say("podman", "import", str(folder / "base.tar"), "localhost/base")


def build(folder: Path) -> None:
    """The product's image, from this working tree, and the stand-in for Postgres' image."""
    build = ("buildah", "build", "--layers", "--isolation", "chroot")
    mounts = ("-v", f"{folder}/pip.conf:/etc/pip.conf:ro", "-v", f"{CERTIFICATES}:{CERTIFICATES}:ro")
    ours = ("--build-arg", "BASE=localhost/base", *mounts, "-t", "localhost/spendai")
    say(*build, *ours, "-f", str(ROOT / "Containerfile"), str(ROOT))
    stand_in = ROOT / "tests/container"
    say(*build, "-t", DATABASE, "-f", str(stand_in / "Containerfile"), str(stand_in))


class Compose:
    """docker-compose on the project in ``folder``, with a podman of our own as its engine."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.files, self.over = folder, ["compose.yaml"], threading.Event()
        socket = f"unix://{home}/podman.sock"
        self.environ = os.environ | {"DOCKER_HOST": socket, "COMPOSE_HTTP_TIMEOUT": "300"}
        with (home / "podman.log").open("ab") as log:
            command = ["podman", "system", "service", "--time", "0", socket]
            self.service = subprocess.Popen(command, stdout=log, stderr=log)
        self.nurse = threading.Thread(target=self._look_after, daemon=True)
        self.nurse.start()

    def command(self, *words: str) -> list[str]:
        return ["docker-compose", "-p", PROJECT, *(part for file in self.files for part in ("-f", file)), *words]

    def run(self, *words: str) -> str:
        return say(*self.command(*words), cwd=self.folder, env=self.environ)

    def inside(self, service: str, *words: str) -> str:
        """What a command says that is run in the container of a service."""
        return say("podman", "exec", self.name(service), *words)

    def name(self, service: str) -> str:
        return f"{PROJECT}_{service}_1"

    def state(self, service: str) -> dict[str, Any]:
        """What podman knows of a service's container."""
        return json.loads(say("podman", "inspect", self.name(service)))[0]

    def tell(self, service: str) -> None:
        """Print the state of a service's container and the end of its log, for a person to find out what is wrong."""
        with suppress(RuntimeError):
            print(service, self.state(service)["State"])
            subprocess.run(["podman", "logs", "--tail", "10", self.name(service)], check=False)

    def health(self, service: str) -> str:
        state = self.state(service)["State"]
        return (state.get("Health") or state.get("Healthcheck"))["Status"]

    def address(self) -> str:
        """This machine's address in the network of the containers."""
        return json.loads(say("podman", "network", "inspect", f"{PROJECT}_default"))[0]["subnets"][0]["gateway"]

    def _look_after(self) -> None:
        """Run the health checks, as podman has systemd do it where there is one."""
        while not self.over.wait(1):
            for service in ("database", "gateway"):
                with suppress(OSError):
                    command = ["podman", "healthcheck", "run", self.name(service)]
                    subprocess.run(command, check=False, capture_output=True)

    def close(self) -> None:
        """Remove containers, network and volumes, and end the engine."""
        self.over.set()
        self.nurse.join()
        with suppress(RuntimeError):
            self.run("down", "--volumes", "--timeout", "5")
        self.service.terminate()
        self.service.wait()
