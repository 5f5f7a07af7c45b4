"""The request path of a proxied call, top to bottom: open → forward → meter → settle → answer.

A WSGI application in front of Flask; requests that are not below /api/v1/proxy go to Flask. The row of a call is
committed as open before anything goes upstream, and committed as settled before the last byte of the answer goes to
the client. Bytes pass unchanged, with one exception: a streamed chat or text completion that does not ask for its usage
is edited to ask (see metering.request), and what comes only because of that is left out of the client's answer.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from webapp.config import Config
from webapp.errors import DEFECT, ApiError
from webapp.gateway.base_urls import below_proxy, is_lost_call, wrong_base_url
from webapp.gateway.body import is_large, read_body
from webapp.gateway.bookkeeping import Bookkeeper
from webapp.gateway.bounds import Bounds, Place
from webapp.gateway.call import Call
from webapp.gateway.cors import answer_preflight, for_browser, is_preflight
from webapp.gateway.forward import Forwarder
from webapp.gateway.headers import answer_headers
from webapp.gateway.key_check import KeyCheck, bearer
from webapp.gateway.loops import refuse_loop
from webapp.gateway.pace import Pace
from webapp.gateway.refusals import HUNG_UP, CallFailed, refuse, refuse_early, status_line
from webapp.gateway.refused_keys import RefusedKeys
from webapp.gateway.routes import target_of
from webapp.ledger.ledger import Ledger
from webapp.logs import raised
from webapp.metering import AnswerFacts, Meter, parse_tags
from webapp.metrics.measured import count_refused
from webapp.pause import Pause
from webapp.secrets.hashing import sha256_of
from webapp.server.response import Last
from webapp.upstream import names
from webapp.upstream.client import Answer, Client, Interrupted

log = logging.getLogger("spendai.gateway")
TAIL_SECONDS = 2  # for which usage is awaited after the end marker of a stream that had none before
Start = Callable[..., Any]


class Gateway:
    """``Gateway(flask_app.wsgi_app, config)``; ``start()`` once the worker has forked, ``stop()`` before it ends."""

    def __init__(self, flask_app: Callable[..., Any], config: Config) -> None:
        self.flask_app, self.config = flask_app, config
        only_private = None if config.allow_private_base_urls else config.openai_base_url
        names.operators.add(urlsplit(config.openai_base_url).hostname or "")
        self.client = Client(config.upstream_connect_timeout, config.upstream_read_timeout, only_private)
        self.forwarder = Forwarder(self.client, config)
        self.bounds = Bounds(config, config.max_connections)
        self.ledger: Ledger | None = None
        self.pace = Pace()
        self.refused_keys = RefusedKeys()
        self._check_key = KeyCheck(self.refused_keys)

    def start(self, connections: int) -> None:
        """Connect to the ledger; not before, because its connection cannot cross a fork.

        connections: of clients, which the server accepts at most.
        """
        self.bounds = Bounds(self.config, connections)
        self.ledger = Ledger(self.config)
        self.pace.start()

    def stop(self) -> None:
        """Close the ledger, which spools the calls that are still under way."""
        if self.ledger:
            self.ledger.close()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Any:
        """WSGI: answer what is below the proxy's path, hand everything else to Flask."""
        raw = environ.get("RAW_URI") or quote(environ["PATH_INFO"]) + "?" + environ.get("QUERY_STRING", "")
        path, mark, query = raw.partition("?")
        below = below_proxy(path)
        if below is None and not is_lost_call(environ, path):
            return self.flask_app(environ, start_response)
        if "HTTP_ORIGIN" in environ:  # from a browser
            if self.config.cors and is_preflight(environ):
                return answer_preflight(environ, start_response)
            start_response = for_browser(start_response, allowed=self.config.cors)
        try:
            if below is None:
                raise wrong_base_url(self.config.public_url)
            return self._proxy(environ, start_response, below, mark + query)
        except ApiError as error:
            count_refused(error.status)
            return refuse_early(error, start_response, environ) if is_large(environ) else refuse(error, start_response)

    def _proxy(self, environ: dict[str, Any], start_response: Start, path: str, query: str) -> Iterator[bytes]:
        refuse_loop(environ, self.config.secret_key)
        key = bearer(environ)
        target = target_of(environ, path, query)
        check = partial(self._check_key, self.ledger, key)
        body = read_body(environ, target, self.config.max_body_bytes, self.config.max_upload_bytes, check)
        tags = parse_tags(environ.get("HTTP_X_SPENDAI_TAGS"))
        call = Call(target.route, environ["REQUEST_METHOD"], body, tags, target.raw)
        call.client = environ.get("spendai.client")
        place = self.bounds.enter(sha256_of(key))
        try:
            self._open(call, key)
        except BaseException:
            place.leave()
            raise
        try:
            place.opened(call.opened["org_id"])
            answer = self.forwarder.forward(call, environ, target.raw)
            return self._answer(call, answer, start_response, place)
        except Exception as error:  # whatever it is, the call is settled
            failed = failure(call, error)
            place.leave()
            self._settle(call, failed.status, failed.outcome)
            return refuse(failed.error, start_response, call.id)

    def _open(self, call: Call, key: str) -> None:
        """Check the key and write the open row, or raise; nothing has gone upstream until this returns."""
        try:
            Bookkeeper(self.ledger, self.config.call_max_seconds).open(call, sha256_of(key))
        except ApiError:
            self.refused_keys.count(self.ledger, sha256_of(key), call.opened.get("outcome"))
            raise
        if call.client:
            call.client.kept = True

    def _answer(self, call: Call, answer: Answer, start_response: Start, place: Place) -> Iterator[bytes]:
        """Begin the client's answer: status, headers (see headers.py), the call's id. Returns the body, yet unread."""
        kind, encoding, facts = answer.header("content-type"), answer.header("content-encoding"), call.body.facts()
        try:
            meter = Meter(call.endpoint, call.method, facts, answer.status, kind, encoding, Pause())
            is_stream = kind.lower().startswith("text/event-stream")
            headers = answer_headers(answer.headers, resized=meter.edits, shared=call.opened["shared"])
            start_response(status_line(answer.status, answer.reason), headers + call.headers())
        except Exception:
            answer.close()
            raise
        call.answering = True
        body = place.until_end(self._body(call, answer, meter, head_first=is_stream and call.method != "HEAD"))
        next(body)
        return body

    def _body(self, call: Call, answer: Answer, meter: Meter, *, head_first: bool) -> Iterator[bytes]:
        """The answer's bytes, the last of them only after the call is settled and committed."""
        complete = False
        try:
            yield b""  # taken by _answer: a generator that never started would not settle its call when it is closed
            if head_first and not answer.begun:
                yield b""  # the head goes out before the first event is there
            for chunk in answer.chunks:
                call.heard = time.monotonic()
                first = call.first_byte is None
                call.first_byte = call.first_byte or call.heard
                if (ready := meter.feed(chunk)) or (first and head_first):
                    yield ready
                if meter.ended and not call.settled:
                    yield self._at_end(call, answer, meter)
                elif head_first and self.pace.seconds:
                    self.pace.wait(call.heard - call.first_byte, len(chunk))
            complete = True
            yield from call.probe()
        except GeneratorExit:  # the client hung up
            if not call.settled:
                complete = self._drain(call, answer, meter)
                self._settle_metered(call, answer, meter, HUNG_UP, complete=complete)
            raise
        except Interrupted as interrupted:
            call.heard = time.monotonic()
            complete = interrupted.timeout and meter.ended and not call.settled
        except Exception as error:
            log_defect(call, error)
        finally:
            answer.close()
        self._settle_metered(call, answer, meter, answer.status, complete=complete or meter.ended)
        if last := meter.release():
            yield Last(last) if complete else last
        if not complete:
            # The client must notice that the answer is cut off: the connection closes without the end of the framing.
            raise ConnectionResetError(errno.ECONNRESET, "the upstream broke its answer off")

    def _at_end(self, call: Call, answer: Answer, meter: Meter) -> bytes:
        """The end of the answer is held back: settle and return it, or let TAIL_SECONDS pass for usage after it."""
        if meter.terminal:
            self._settle_metered(call, answer, meter, answer.status, complete=True)
            return Last(meter.release()) if answer.ended else meter.release()
        call.end_seen = call.end_seen or time.monotonic()
        answer.stop_at(call.end_seen + TAIL_SECONDS)
        return b""

    def _drain(self, call: Call, answer: Answer, meter: Meter) -> bool:
        """The client left: read on to the usage, up to DRAIN_BYTES and DRAIN_SECONDS. Returns whether the end came."""
        left = self.config.drain_bytes
        try:
            answer.stop_at(time.monotonic() + self.config.drain_seconds)
            for chunk in answer.chunks:
                meter.feed(chunk)
                left -= len(chunk)
                if meter.terminal or left < 0:
                    return meter.terminal
        except Interrupted:
            return meter.ended
        except Exception as error:
            log_defect(call, error)
            return False
        return True

    def _settle_metered(self, call: Call, answer: Answer, meter: Meter, status: int, *, complete: bool) -> None:
        """Settle with what the meter read. OpenAI's errors are free; an answer cut off before its usage is no_usage."""
        if call.settled:
            return
        try:
            meter.finish()
            facts, failure = meter.result(complete), meter.failure
        except Exception as error:
            facts, failure = AnswerFacts(complete=False), error
        if failure:
            log_defect(call, failure)
        if answer.status >= 400:
            outcome = "error"
        elif facts.pending:  # also when its stream broke off: OpenAI goes on with it
            outcome = "pending"
        else:
            outcome = "complete" if facts.complete or facts.usage is not None else "no_usage"
        self._settle(call, status, outcome, facts)

    def _settle(self, call: Call, status: int, outcome: str, facts: AnswerFacts | None = None) -> None:
        """Settle the call, exactly once; with status HUNG_UP when the client is gone."""
        if not call.settled and call.client_gone():
            status = HUNG_UP
        Bookkeeper(self.ledger, self.config.call_max_seconds).settle(call, status, outcome, facts)


def failure(call: Call, error: Exception) -> CallFailed:
    """How a call ends before its answer began. Any other error is a defect of ours, and OpenAI may bill the call."""
    if isinstance(error, CallFailed):
        return error
    log_defect(call, error)
    return CallFailed("no_usage", DEFECT)


def log_defect(call: Call, error: BaseException) -> None:
    """Log where an exception was raised."""
    log.error("call=%s %s", call.id, raised(error))
