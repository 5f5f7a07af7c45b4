"""Leads OpenAI's regional hosts (eu.api.openai.com …) to this machine, in the servers that tests start."""

import _socket  # what both socket.getaddrinfo and gevent's replacement for it call

_resolve = _socket.getaddrinfo


def _here(host, *rest, **more):
    name = host.decode() if isinstance(host, bytes) else host
    return _resolve("127.0.0.1" if (name or "").endswith(".api.openai.com") else host, *rest, **more)


_socket.getaddrinfo = _here
