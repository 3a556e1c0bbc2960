"""Clients whose program is written here, for a platform that is a library and no program: Java and Go.

Both take the same arguments and say the same lines: ``received`` with base64, then ``accepted``, or ``refused`` or
``failed`` with the platform's words.
"""

from __future__ import annotations

from importlib.resources import files
from math import floor
from typing import TYPE_CHECKING

from pkcs12kit.tls.clients.program import ANCHORS, Answer, ProgramClient, not_tried, refused, unclear
from pkcs12kit.tls.handshake import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from pkcs12kit.tls.clients.process import Finished
    from pkcs12kit.tls.handshake import Endpoint


class ReportedClient(ProgramClient):
    """A client that reports in lines of its own."""

    takes_time = True

    def _judge(self, finished: Finished) -> Answer:
        lines = [line.partition(" ") for line in finished.output.splitlines()]
        received = tuple(text for what, _, text in lines if what == "received")
        what, _, words = lines[-1] if lines else ("", "", "")
        if finished.status == 0 and what == "accepted":
            return Answer(verdict=Verdict.ACCEPTED, received=received)
        if finished.status == 0 and what == "refused":
            return refused(words, received)
        if finished.status == 0 and what == "failed":
            return not_tried(words, received)
        return unclear(finished, received)


def options(endpoint: Endpoint, protocol: str) -> tuple[str, ...]:
    """Give the arguments after host and port."""
    return (
        protocol,
        ANCHORS,
        *(() if endpoint.server_name is None else (f"name={endpoint.server_name}",)),
        *(() if endpoint.time is None else (f"time={floor(endpoint.time.timestamp())}",)),
    )


def copy_source(name: str, folder: Path) -> None:
    """Put a source file beside this module into ``folder``, where it is read by a name without a path."""
    (folder / name).write_bytes((files(__package__) / name).read_bytes())
