"""Fixtures for the tests of TLS: a chain to serve, and a check of open sockets and threads."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pkcs12kit import lab


@pytest.fixture(scope="session")
def chain():
    """A server below two CAs: ``EE<B<A<TA``."""
    return lab.Topology.from_edges("EE<B<A<TA")


def _open_files():
    """Count what the process has open, sockets too."""
    return len(list(Path("/dev/fd").iterdir()))


@pytest.fixture
def nothing_left():
    """A context manager that checks that its block leaves no thread, socket or file, also where it raises."""

    @contextmanager
    def check():
        threads, files = set(threading.enumerate()), _open_files()
        try:
            yield
        finally:
            assert set(threading.enumerate()) <= threads
            assert _open_files() <= files

    return check


@pytest.fixture
def listening():
    """Yield a port of loopback, and run a script with each connection to it in a thread of its own."""

    @contextmanager
    def listen(script, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        connections = []

        def run(over):
            with over, suppress(OSError):
                script(over)

        def accept():
            with suppress(OSError):
                while True:
                    over, _ = listener.accept()
                    connections.append((over, threading.Thread(target=run, args=(over,))))
                    connections[-1][1].start()

        with socket.create_server((host, 0), family=family) as listener:
            acceptor = threading.Thread(target=accept)
            acceptor.start()
            try:
                yield listener.getsockname()[1]
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                acceptor.join()
                for over, thread in connections:
                    with suppress(OSError):
                        over.shutdown(socket.SHUT_RDWR)
                    thread.join()

    return listen
