"""What tests of TLS share: a chain to serve, and a look at what is left behind."""

from __future__ import annotations

import threading
from contextlib import contextmanager
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
    """Check that a block leaves no thread, socket or file, also where it raises: ``with nothing_left(): ...``."""

    @contextmanager
    def check():
        threads, files = set(threading.enumerate()), _open_files()
        try:
            yield
        finally:
            assert set(threading.enumerate()) <= threads
            assert _open_files() <= files

    return check
