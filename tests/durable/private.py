"""`make prove-private`: sends words nobody else uses through every route, then looks for them wherever bytes are kept.

Prompts, answers, keys, passwords, file names, error texts, headers, query strings, WebSocket frames: as they came, as
base64 or as hex, none may be found in the database's files, its write-ahead log, a dump of it, logs, the spool or
temporary files. What may be kept (end user, tags, names) is sent too and must be found: the search works. Exit status 1
otherwise.
"""

from __future__ import annotations

import base64
import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import fake_openai
import psycopg
import requests
from durable.private_sockets import Sockets, send_signal
from durable.product import Product
from fake_admin_api import FakeAdmin
from fake_replies import Reply, Wire, cut_off, hang, raw, reply, reply_json, reply_sse, reset, truncate
from fake_upstream import FakeUpstream
from processes import empty_folder

from webapp.postgres import embedded
from webapp.postgres.cluster import SUPERUSER
from webapp.postgres.programs import find_bindir

CHAT = "/chat/completions"


class Words:
    """``word("prompt")`` makes up a word that must not be kept; ``kept("tag")`` one that must."""

    def __init__(self) -> None:
        self.secret: dict[str, str] = {}
        self.public: dict[str, str] = {}

    def word(self, what: str) -> str:
        return self.secret.setdefault(f"{what} {len(self.secret)}", f"zq{secrets.token_hex(14)}")

    def kept(self, what: str) -> str:
        return self.public.setdefault(what, f"zk{secrets.token_hex(14)}")


def forms(word: str) -> Iterator[bytes]:
    """A word as it looks inside base64 and hex."""
    data = word.encode()
    yield data.hex().encode()
    for before in range(3):  # where it begins in a group of three bytes
        text = base64.b64encode(b"\0" * before + data)
        yield text[(0, 2, 3)[before] : len(text) - 4]


class Routes:
    """Every route, in success and in failure."""

    def __init__(self, product: Product, upstream: FakeUpstream, words: Words) -> None:
        self.product, self.upstream, self.words = product, upstream, words
        self.found: list[str] = []
        self.url = f"http://127.0.0.1:{product.port}"
        password, self.email = words.word("password"), "ada@example.test"
        account = {"email": self.email, "password": password, "organization": words.kept("organization")}
        self.token = self._api("POST", "/auth/signup", account)["access_token"]
        project = self._api("POST", "/projects", {"name": words.kept("project")})["id"]
        self.key = self._api("POST", f"/projects/{project}/keys", {"name": "main"})["key"]
        words.secret |= {"proxy key": self.key.split("-", 3)[3], "access token": self.token.rpartition(".")[2]}

    def _api(self, method: str, path: str, body: object) -> dict:
        headers = {"Authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}
        return requests.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=30).json()

    def call(self, path: str, answer: Reply | None = None, **what: object) -> requests.Response | None:
        """One call through the proxy, with words in all that surrounds its body; None when it broke off."""
        if answer:
            self.upstream.queue("/v1" + path, answer)
        tags = f"team={self.words.kept('tag')}"
        headers = {"Authorization": f"Bearer {self.key}", "X-Note": self.words.word("header"), "x-spendai-tags": tags,
                   "Cookie": f"a={self.words.word('cookie')}", **what.pop("headers", {})}  # fmt: skip
        with suppress(requests.RequestException):
            url = f"{self.url}/api/v1/proxy{path}?q={self.words.word('query')}"
            return requests.request(what.pop("method", "POST"), url, headers=headers, timeout=30, **what)
        return None

    def body(self, **more: object) -> dict:
        """A chat request that says something in every place that can hold text."""
        word = self.words.word
        said = [{"role": "system", "content": word("system")}, {"role": "user", "content": word("prompt")}]
        tool = {"type": "function", "function": {"name": word("function"), "description": word("description")}}
        return {"model": "gpt-4o-mini", "messages": said, "tools": [tool], "metadata": {"note": word("metadata")},
                "user": self.words.kept("end user"), **more}  # fmt: skip

    def answer(self) -> dict:
        whole = fake_openai.chat({"model": "gpt-4o-mini"})
        whole["choices"][0]["message"]["content"] = self.words.word("answer")
        whole["usage"] = {**whole["usage"], "note": self.words.word("usage") * 3}
        return whole

    def events(self) -> list[bytes]:
        delta = {"choices": [{"index": 0, "delta": {"content": self.words.word("streamed answer")}}]}
        asked = {"model": "gpt-4o-mini", "stream_options": {"include_usage": True}}
        return [fake_openai.data(delta), *fake_openai.chat_events(asked)]

    def good(self) -> None:
        """What goes well."""
        self.call(
            CHAT, reply_json(self.answer(), headers=[("x-note", self.words.word("answer header"))]), json=self.body()
        )
        self.call(CHAT, reply_sse(self.events()), json=self.body(stream=True))
        for path, field in (("/responses", "input"), ("/embeddings", "input"), ("/moderations", "input"),
                            ("/images/generations", "prompt"), ("/audio/speech", "input")):  # fmt: skip
            said = {"model": "gpt-4o-mini", field: self.words.word(path)}
            self.call(path, reply_json({"id": "x", "note": self.words.word(f"answer of {path}")}), json=said)
        file = (self.words.word("file name"), self.words.word("file").encode() * 1000, "audio/wav")
        form = {"model": "whisper-1", "prompt": self.words.word("form field")}
        for path in ("/audio/transcriptions", "/files", "/images/edits"):
            self.call(path, reply_json({"text": self.words.word("transcript")}), files={"file": file}, data=form)
        for method in ("GET", "DELETE"):
            self.call(f"/responses/{self.words.word('object id')}", method=method)

    def bad(self) -> None:
        """What goes wrong, at OpenAI, on the way and in the request itself."""
        word = self.words.word
        for status in (400, 401, 404, 429, 500, 503):
            self.call(
                CHAT, reply_json(fake_openai.error(word("error text"), word("error code")), status), json=self.body()
            )
        whole, events = json.dumps(self.answer()).encode(), self.events()
        odd = b"HTTP/1.1 200 " + word("reason").encode() + b"\r\nbad header " + word("raw").encode()
        typed = reply(200, [("content-type", word("type"))], word("text").encode())
        broken = [reset(), hang(), typed, raw(odd), raw(word("garbage").encode()), truncate(whole)]
        broken += [truncate(whole[:300], 1000), cut_off(events[:2]), cut_off(events[:-1])]
        for answer in broken:
            self.call(CHAT, answer, json=self.body())
        for data in (
            word("no json"),
            '{"a": "' + word("half json"),
            "[" * 9000 + word("deep json"),
            "\x00" + word("nul"),
        ):
            self.call(CHAT, data=data, headers={"Content-Type": "application/json"})
        self.call(CHAT, data=word("packed"), headers={"Content-Encoding": "gzip"})
        self.call("/" + word("path"), json=self.body())
        for key in (word("unknown key"), f"sk-spend-{'0' * 32}-{word('bad key')}"):
            self.call(CHAT, json=self.body(), headers={"Authorization": f"Bearer {key}"})
        requests.get(f"{self.url}/{word('page')}?a={word('page query')}", timeout=30)
        requests.post(f"{self.url}/login", data={"email": self.email, "password": word("form password")}, timeout=30)
        self._api("POST", "/auth/login", {"email": self.email, "password": word("wrong password")})
        self._api("PUT", "/provider-key", {"key": f"sk-{word('refused OpenAI key')}\n"})
        self._api("POST", "/auth/refresh", {"refresh_token": word("refresh token")})
        self._api("POST", f"/auth/refresh?x={word('api query')}", {word("api field"): "x"})

    def spooled(self) -> None:
        """Calls whose settle finds the database frozen, and one that dies with its worker."""
        frozen = self.product.postgres()

        def freeze(wire: Wire) -> None:
            send_signal(frozen, signal.SIGSTOP)
            reply_json(self.answer())(wire)

        try:
            self.call(CHAT, freeze, json=self.body())
            spool = self.product.home / "spool"
            assert any(file.stat().st_size for file in spool.glob("*.spool")), "nothing was spooled"
            self.look("spool", spool)
        finally:
            send_signal(frozen, signal.SIGCONT)

        def kill(wire: Wire) -> None:
            send_signal(self.product.workers(), signal.SIGKILL)

        self.call(CHAT, kill, json=self.body())
        self.product.whole(0)

    def own_key(self) -> None:
        """An OpenAI key of the organization's own, stored and used."""
        own = f"sk-{self.words.word('OpenAI key')}"
        assert self._api("PUT", "/provider-key", {"key": own, "base_url": self.upstream.url}).get("last4"), "not stored"
        self.call(CHAT, reply_json(self.answer()), json=self.body())
        assert self.upstream.requests[-1].header("authorization") == f"Bearer {own}"

    def admin_key(self) -> None:
        """An OpenAI admin key that is refused, then one that is stored and used by flask books fetch."""
        with FakeAdmin() as openai:
            admin = f"sk-admin-{self.words.word('admin key')}"
            body = {"key": admin, "base_url": openai.url}
            said = {
                "error": {"message": f"Incorrect API key provided: {admin}", "note": self.words.word("error of books")}
            }
            openai.queue("costs", reply_json(said, 401))
            assert "error" in self._api("PUT", "/admin-key", body), "not refused"
            openai.keys[admin] = {"api.usage.read", "api.management.read"}
            assert self._api("PUT", "/admin-key", body).get("last4"), "not stored"
            for fault in (None, reply_json(said, 401), raw(self.words.word("garbage of books").encode())):
                if fault:
                    openai.queue("costs", fault)
                done = subprocess.run(
                    [sys.executable, "-m", "flask", "--app", "wsgi", "books", "fetch"], env=self.product.environ,
                    capture_output=True, check=False,
                )  # fmt: skip
                (self.product.home / f"books-{len(openai.requests)}.log").write_bytes(done.stdout + done.stderr)
                assert done.returncode == (1 if fault else 0), done.stderr.decode()

    def look(self, where: str, folder: Path) -> None:
        """Look for every secret word in the files below a folder; inside base64 and hex where there is text."""
        for path in folder.rglob("*"):
            with suppress(OSError):
                if path.is_file() and "secrets" not in path.parts and "pginstall" not in path.parts:
                    data = path.read_bytes()
                    binary = b"\0" in data
                    self.found += [
                        f"{what} in {where}: {path.relative_to(folder)}"
                        for what, word in self.words.secret.items()
                        if word.encode() in data or (not binary and any(form in data for form in forms(word)))
                    ]


def dump(product: Product, file: Path) -> None:
    """All of the database as text, for values that its files hold compressed; what memory holds goes to disk."""
    password = (product.home / "secrets" / f"postgres-{SUPERUSER}").read_text().strip()
    dsn = embedded.conninfo(product.config, SUPERUSER, password)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("checkpoint")
    subprocess.run([find_bindir() / "pg_dump", "--dbname", dsn, "--file", file], check=True)


def prove(step: Callable[[str], None] = lambda _: None) -> tuple[list[str], list[str], int]:
    """Words that were found and must not be, words that must be found and were not, and how many were looked for."""
    words = Words()
    with FakeUpstream() as upstream, empty_folder("spendai-private-") as home:
        (home / "tmp").mkdir()
        (home / "tmp").chmod(0o777)
        openai_key = f"sk-{words.word('OpenAI key of the install')}"
        product = Product(home, upstream.url, OPENAI_API_KEY=openai_key, TMPDIR=str(home / "tmp"))
        product.start()
        try:
            product.whole(0)
            routes = Routes(product, upstream, words)
            sockets = Sockets(routes)
            for part in (
                routes.good,
                routes.bad,
                sockets.talk,
                routes.spooled,
                sockets.spooled,
                routes.own_key,
                routes.admin_key,
            ):
                step(part.__doc__)
                part()
            product.whole(0)
            dump(product, home / "dump.sql")
            routes.look("temporary files", home / "tmp")
        finally:
            product.stop()
        routes.look("the product's files", home)
        text = (home / "dump.sql").read_text()
    missing = [what for what, word in words.public.items() if word not in text]
    return sorted(set(routes.found)), missing, len(words.secret)


def main() -> int:
    found, missing, number = prove(print)
    print(f"{number} words were sent that nobody may keep; found {len(found)}")
    for line in [*found, *(f"not found, but it is kept: {what}" for what in missing)]:
        print(line)
    return 1 if found or missing else 0


if __name__ == "__main__":
    sys.exit(main())
