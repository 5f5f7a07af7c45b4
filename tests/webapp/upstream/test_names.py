"""A name server that does not answer delays neither log-ins nor calls to OpenAI or the operator's base URL."""

from __future__ import annotations

import subprocess
import sys

# Names below slow.test are answered once nobody holds `silence`, a lock of the system: gevent's are not for threads.
PROGRAM = """
from gevent import monkey
monkey.patch_all()
import socket, _socket
import gevent
from webapp.upstream import names
from webapp.upstream.addresses import connect

silence, asked, resolve = monkey.get_original("_thread", "allocate_lock")(), [], _socket.getaddrinfo
silence.acquire()

def slowly(host, *rest):
    name = host.decode() if isinstance(host, bytes) else host
    asked.append(name)
    if name.endswith("slow.test"):
        with silence:
            pass
        raise _socket.gaierror(-2, "unknown")
    return resolve("127.0.0.1", *rest)

_socket.getaddrinfo = slowly
monkey.saved["socket"]["getaddrinfo"] = slowly
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]

def failure(host, seconds):
    try:
        connect(host, port, seconds)
    except OSError as error:
        return type(error).__name__

names.operators.add("proxy.operator.test")
waiting = [gevent.spawn(failure, f"{n}.slow.test", 50) for n in range(30)]
same = [gevent.spawn(failure, "0.slow.test", 50) for _ in range(30)]
gevent.sleep(0)
with gevent.Timeout(20):
    assert gevent.get_hub().threadpool.apply(len, ("abc",)) == 3
    connect("eu.api.openai.com", port, 5).close()
    connect("proxy.operator.test", port, 5).close()
    assert failure("x.slow.test", 0.01) == "TimeoutError"
silence.release()
with gevent.Timeout(20):
    assert {one.get() for one in waiting + same} == {"gaierror"}
    connect("llm.customer.test", port, 5).close()
    while names._under_way:  # x.slow.test's, for which nobody waits any more
        gevent.sleep(0.001)
assert asked.count("0.slow.test") == 1
"""


def test_many_names_without_an_answer_leave_the_workers_threads_to_others() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
