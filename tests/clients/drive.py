"""Runs the snippets of docs/clients.md with the clients that .ci/clients/install installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from stack import ROOT

from webapp.pages.clients import Section, Snippet

HERE, LOCKS = ROOT / ".clients", ROOT / ".ci/clients"
SECONDS = 180
# What the clients would ask a person, or fetch from elsewhere than their base URL.
QUIET = {
    "AIDER_ANALYTICS_DISABLE": "true", "AIDER_CHECK_UPDATE": "false", "AIDER_GIT": "false", "AIDER_PRETTY": "false",
    "AIDER_SHOW_MODEL_WARNINGS": "false", "AIDER_YES_ALWAYS": "true", "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_COLOR": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
}  # fmt: skip


class Installed(NamedTuple):
    """Where a client is installed: a folder of .clients/ and its package there, both "" for curl."""

    environment: str
    package: str

    def missing(self) -> str:
        """Why it cannot be run here; "" if it can."""
        if not self.environment:
            return "" if shutil.which("curl") else "curl is not installed"
        lock = LOCKS / f"{self.environment}.lock"
        lock = lock if lock.exists() else LOCKS / "npm" / self.environment / "package-lock.json"
        stamp = HERE / self.environment / "installed"
        if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
            return "could not be installed"
        return "" if self.version() else "not for this Python"

    def version(self) -> str:
        if not self.environment:
            return subprocess.run(["curl", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
        lists = LOCKS / "npm" / self.environment / "package.json"
        if lists.exists():
            return json.loads(lists.read_text())["dependencies"][self.package]
        code = f"import importlib.metadata as m; print(m.version({self.package!r}))"
        python = HERE / self.environment / "bin/python"
        return subprocess.run([python, "-c", code], check=False, capture_output=True, text=True).stdout.strip()


PYTHON = {
    "openai-python": "openai", "LangChain": "langchain-openai", "pydantic-ai": "pydantic-ai-slim",
    "openai-agents": "openai-agents", "LiteLLM": "litellm", "DSPy": "dspy", "Haystack": "haystack-ai", "llm": "llm",
}  # fmt: skip
INSTALLED = {name: Installed("main", package) for name, package in PYTHON.items()} | {
    "curl": Installed("", ""),
    "openai-node": Installed("node", "openai"),
    "Vercel AI SDK": Installed("node", "ai"),
    "LlamaIndex": Installed("older", "llama-index-llms-openai"),
    "instructor": Installed("older", "instructor"),
    "aider": Installed("aider", "aider-chat"),
    "Codex": Installed("codex", "@openai/codex"),
    "opencode": Installed("opencode", "opencode-ai"),
}


def environ(environment: str, home: Path, certificate: Path) -> dict[str, str]:
    """Variables of a user who has nothing set but the path to the client, and trusts SpendAI's certificate."""
    kept = {name: value for name, value in os.environ.items() if re.fullmatch(r"LANG|LC_\w+|TMPDIR|TZ", name)}
    folder = HERE / environment
    path = os.pathsep.join([str(folder / "bin"), str(folder / "node_modules/.bin"), os.environ.get("PATH", os.defpath)])
    trusted = dict.fromkeys(("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"), str(certificate))
    return kept | QUIET | trusted | {"HOME": str(home), "PATH": path}


def prepare(client: Section, installed: Installed, home: Path) -> None:
    """Write the client's files; node finds packages beside the script or above it."""
    for snippet in [*client.setup, *client.more]:
        if snippet.file:
            path = home / snippet.file.removeprefix("~/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.text)
    modules = HERE / installed.environment / "node_modules"
    if installed.environment and modules.is_dir():
        (home / "node_modules").symlink_to(modules)


def run(snippet: Snippet, installed: Installed, home: Path, certificate: Path) -> tuple[int, str]:
    """Run one snippet; its exit status and what it printed. The status of one that does not end in time is -1.

    certificate: of SpendAI behind https.
    """
    script = home / {"python": "snippet.py", "js": "snippet.mjs", "sh": "snippet.sh"}[snippet.language]
    script.write_text(snippet.text + "\n")
    program = {"python": [str(HERE / installed.environment / "bin/python")], "js": ["node"], "sh": ["sh", "-e"]}
    work = home / "work"
    work.mkdir(exist_ok=True)
    try:
        done = subprocess.run(
            [*program[snippet.language], str(script)],
            check=False, cwd=work, env=environ(installed.environment, home, certificate), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        return -1, f"{(late.stdout or b'').decode(errors='replace')}\nstill running after {SECONDS} seconds"
    return done.returncode, done.stdout
