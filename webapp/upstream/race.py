"""Connects to the address of a host that accepts first, so that dead addresses do not hold up calls (RFC 8305).

Where IPv6 is broken, as in many networks, nothing answers at half of OpenAI's addresses. So an address that has not
accepted after HEAD_START gets a rival, the next one, and may still win. In the usual case the first one accepts at
once, and all this is a plain connect.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections import Counter

from webapp.upstream.names import Found

HEAD_START = 0.25  # seconds until the next address is tried too, as RFC 8305 recommends
_won: list[int] = [0]  # the address family that won the last race: it goes first, so that the next one needs no race


def first_to_accept(addresses: Found, seconds: float) -> socket.socket:
    """A connection to one of these addresses, of which there is at least one.

    seconds: the time-out for all together. Raises TimeoutError, or the OSError of the address that failed last.
    """
    until, (first, *rest) = time.monotonic() + seconds, in_turn(addresses)
    sock = socket.socket(*first[:3])
    try:
        sock.settimeout(min(seconds, HEAD_START) if rest else seconds)
        sock.connect(first[4])
    except OSError as failure:
        late = [sock] if isinstance(failure, TimeoutError) else []
        if not late or not rest:
            sock.close()
        if not rest:
            raise
        sock = _race(late, rest, until)
    except BaseException:
        sock.close()
        raise
    sock.settimeout(seconds)
    return sock


def in_turn(addresses: Found) -> Found:
    """Addresses in the order in which they are tried: alternately of each family, else in the system's order."""
    nth, ranked = Counter[int](), []
    for one in addresses:
        ranked.append((nth[one[0]], one[0] != _won[0], len(ranked), one))
        nth[one[0]] += 1
    return [one for *_, one in sorted(ranked)]


def _race(late: list[socket.socket], rest: Found, until: float) -> socket.socket:
    """The socket that is connected first: one that is connecting already, or one to the rest of the addresses.

    until: the moment of time.monotonic() at which it raises TimeoutError. The other sockets are closed.
    """
    error: OSError = TimeoutError()
    connecting, ready = {sock.fileno(): sock for sock in late}, select.poll()
    for sock in late:
        ready.register(sock, select.POLLOUT)
    try:
        while rest or connecting:
            if rest:
                sock, rival = None, rest.pop(0)
                try:
                    sock = socket.socket(*rival[:3])
                    sock.setblocking(False)
                    sock.connect(rival[4])
                except BlockingIOError:  # as usual: it is connecting
                    pass
                except OSError as failure:
                    error = failure
                    if sock:
                        sock.close()
                    continue
                connecting[sock.fileno()] = sock
                ready.register(sock, select.POLLOUT)
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError
            for number, _ in ready.poll(1000 * (min(left, HEAD_START) if rest else left)):
                code = connecting[number].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    _won[0] = connecting[number].family
                    return connecting.pop(number)
                ready.unregister(number)
                connecting.pop(number).close()
                error = OSError(code, os.strerror(code))
        raise error
    finally:
        for sock in connecting.values():
            sock.close()
