"""Passes the messages of one session on, in both directions, and ends it: once, for both sides, with one reason."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import gevent
from gevent.event import Event

from webapp.errors import DEFECT
from webapp.gateway.refusals import HUNG_UP
from webapp.logs import raised
from webapp.websocket.end import ABNORMAL, GONE, NO_CODE, PING_SECONDS, End, Gone, Message
from webapp.websocket.meaning import POLICY, Meaning

UNEXPECTED, TOO_LONG = 1011, 1001  # close codes
RESTARTS = (1012, "SpendAI restarts; connect again", "spendai")
FAREWELL_SECONDS = 5
# The proxy key is checked whenever a call begins, and after so many times PING_SECONDS: in a Live session an hour may
# pass without a new call.
KEY_TICKS = 3

log = logging.getLogger("spendai.websocket")


class Seconds(NamedTuple):
    """idle: without a message; total: of the session; drain: longest wait for the end of what is under way."""

    idle: int
    total: int
    drain: int


class Relay:
    """``run`` returns when the session is over; ``stop`` ends it as soon as nothing is under way."""

    def __init__(self, name: str, client: End, upstream: End, meaning: Meaning, seconds: Seconds) -> None:
        self._client, self._upstream, self._meaning, self._seconds = client, upstream, meaning, seconds
        self._name, self._began = name, time.monotonic()
        self._quiet, self._ended, self._ticks = Event(), False, 0
        self._why, self._farewell = RESTARTS, False  # how SpendAI ends it; whether OpenAI was asked to end it
        self.code, self.closed_by = ABNORMAL, "client"

    def run(self) -> None:
        """Pass messages on until both sides are closed."""
        timer = gevent.get_hub().loop.timer(PING_SECONDS, PING_SECONDS, ref=False)
        timer.start(self._tick)
        answers = gevent.spawn(self._guarded, self._from_upstream)
        try:
            self._guarded(self._from_client)
            answers.join()
        finally:
            timer.close()
            answers.kill()
            self._meaning.finish(HUNG_UP if self.closed_by == "client" else 502)

    def stop(self) -> None:
        """The worker is stopping: end now, or when the responses under way are over."""
        self._wind_up(*RESTARTS)

    def _wind_up(self, code: int, reason: str, closed_by: str) -> None:
        """Begin nothing more, and end as ``stop`` does. Only the first call counts. Does not wait."""
        if not self._meaning.stopping:
            self._meaning.stopping, self._why = True, (code, reason, closed_by)
            gevent.spawn(self._wound_up)

    def _wound_up(self) -> None:
        self._drain()
        self._end(*self._why)

    def _guarded(self, part: Callable[[], None]) -> None:
        """Run one direction. A defect ends the session."""
        try:
            part()
        except Exception as error:
            log.error("session=%s %s", self._name, raised(error))
            self._end(UNEXPECTED, DEFECT.message, "spendai")

    def _from_client(self) -> None:
        while (message := self._client.take()) is not None:
            before = self._meaning.newest
            refusal = self._meaning.asked(message.data)
            if refusal is None:
                try:
                    self._upstream.send(message)
                except Gone:
                    if (call := self._meaning.newest) is not before:  # OpenAI did not get what would have begun it
                        call.settle(502, outcome="error")
                    return  # the other direction passes OpenAI's last messages on, and ends the session
            else:
                try:
                    self._client.send(Message.text(refusal))
                except Gone:
                    break
        if not self._ended:
            if self._client.code != ABNORMAL:  # it has closed, and waits until its connection is closed, too
                gevent.spawn(self._client.close, NO_CODE)
            self._drain()
            if fault := self._client.fault:
                self._end(fault, "", "spendai")
            else:
                self._end(self._client.code, self._client.reason, "client")

    def _drain(self) -> None:
        """Wait for the end of what is under way, also with the client gone: OpenAI goes on with it, and bills it."""
        seconds = self._seconds.drain
        if (farewell := self._meaning.farewell()) is not None:
            seconds = min(seconds, FAREWELL_SECONDS)
            try:
                if not self._farewell:
                    self._farewell = True
                    self._upstream.send(Message.text(farewell))
            except Gone:
                return
        if self._meaning.under_way:
            self._quiet.clear()
            self._quiet.wait(seconds)

    def _from_upstream(self) -> None:
        client_gone = False
        while (message := self._upstream.take()) is not None:
            self._meaning.answered(message.data)
            if not client_gone and not self._meaning.withholds(message.data):
                try:
                    self._client.send(message)
                except Gone:
                    client_gone = True
            if closing := self._meaning.closing:
                self._wind_up(closing.code, closing.reason, "spendai")
            if not self._meaning.under_way:
                self._quiet.set()
                if self._meaning.stopping:
                    self._end(*self._why)
        self._quiet.set()
        fault = self._upstream.fault
        if fault:
            self._end(UNEXPECTED, "OpenAI's API sent what cannot be passed on", "spendai")
        elif self._upstream.code == ABNORMAL:
            self._end(ABNORMAL, "the connection to OpenAI's API broke", "openai")
        else:
            self._end(self._upstream.code, self._upstream.reason, "openai")

    def _end(self, code: int, reason: str, closed_by: str) -> None:
        """Close both sides. Only the first call counts."""
        if self._ended:
            return
        self._ended = True
        self.code, self.closed_by = code, closed_by
        closer = gevent.spawn(self._upstream.close, GONE if code == ABNORMAL else code, reason)
        self._client.close(UNEXPECTED if code == ABNORMAL else code, reason)
        closer.join()

    def _tick(self) -> None:
        """Runs in the event loop, so it must not wait."""
        now = time.monotonic()
        idle = now - max(self._client.moved, self._upstream.moved)
        if now - self._began > self._seconds.total:
            self._wind_up(TOO_LONG, "the session has lasted too long", "spendai")
        elif idle > self._seconds.idle and not self._meaning.under_way:
            self._wind_up(TOO_LONG, "no message for too long", "spendai")
        for end in (self._client, self._upstream):
            if not end.tick(now):
                end.give_up()
        self._ticks += 1
        if self._ticks % KEY_TICKS == 0:
            gevent.spawn(self._check_key)

    def _check_key(self) -> None:
        """End the session of a key that was revoked or has expired, when what is under way is over."""
        if not self._ended and (refusal := self._meaning.session.refusal()):
            self._wind_up(POLICY, refusal.message, "spendai")
