"""Java and Go as clients, by small programs in this folder that are compiled for each rehearsal.

Both programs have the same arguments and print the same lines: ``received`` with base64, then ``accepted``, or
``refused`` or ``failed`` with the platform's words.
"""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.address import host_and_port
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients.program import (
    ANCHORS,
    CannotTryError,
    ClientAnswer,
    ProgramClient,
    not_tried,
    one_line,
    refused,
    unclear,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.tls.handshake import Endpoint
    from pkcs12kit.tls.rehearsal.clients.process import ProcessResult
    from pkcs12kit.tls.rehearsal.clients.program import Session


class CompiledClient(ProgramClient):
    """A client whose program is one of this folder."""

    takes_time = True

    def _judge(self, finished: ProcessResult) -> ClientAnswer:
        lines = [line.partition(" ") for line in finished.output.splitlines()]
        received = tuple(text for what, _, text in lines if what == "received")
        what, _, words = lines[-1] if lines else ("", "", "")
        if finished.status == 0 and what == "accepted":
            return ClientAnswer(verdict=Verdict.ACCEPTED, received=received)
        if finished.status == 0 and what == "refused":
            return refused(words, received)
        if finished.status == 0 and what == "failed":
            return not_tried(words, received)
        return unclear(finished, received)


def _arguments(endpoint: Endpoint, protocol: str) -> tuple[str, ...]:
    """Return the arguments after host and port."""
    return (
        protocol,
        ANCHORS,
        *(() if endpoint.server_name is None else (f"name={endpoint.server_name}",)),
        *(() if endpoint.time is None else (f"time={floor(endpoint.time.timestamp())}",)),
    )


def _copy_source(name: str, folder: Path) -> None:
    """Copy a source file of this folder into ``folder``."""
    (folder / name).write_bytes((files(__package__) / name).read_bytes())


_GO_SOURCE: Final = "rehearsal_client.go"
_PROGRAM: Final = "./rehearsal_client.exe"  # Windows runs no program without an ending; others do not mind


class GoClient(CompiledClient):
    """Go with its default configuration, narrowed to one version of TLS.

    The program is compiled each time, with a cache that is removed afterwards: in about a second where the standard
    library comes compiled (before Go 1.20), in some more where it does not. Go reports the certificates that it
    received only if it accepts them.
    """

    name = "go"
    programs = ("go",)
    version_command = ("go", "version")
    version_pattern = re.compile(r"^go version go(\S+)")
    version_form = r"Go \1"

    def _prepare(self, session: Session) -> None:
        super()._prepare(session)
        _copy_source(_GO_SOURCE, session.folder)
        environment = {
            "GOCACHE": str(session.folder / "cache"),
            "GOENV": "off",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",  # only this Go; it must not fetch another one
            "GOWORK": "off",
        }
        built = session.run(("go", "build", "-o", _PROGRAM, _GO_SOURCE), environment=environment)
        if built.status != 0:
            raise CannotTryError(one_line(f"go build failed: {built.ended or built.errors}"))

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        return (_PROGRAM, host_and_port(endpoint.host, endpoint.port), *_arguments(endpoint, protocol))


_JAVA_SOURCE: Final = "RehearsalClient.java"
_JAVA: Final = (
    "java",
    "-XX:TieredStopAtLevel=1",  # it runs for a second
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",  # no file in the system's temporary folder, which a killed Java would leave behind
    "-Djava.io.tmpdir=.",
)


class JavaClient(CompiledClient):
    """Java with the limits and the algorithm constraints of its java.security, without a check of revocation.

    The program is run from source, which needs a JDK.
    """

    name = "java"
    programs = ("java",)
    version_command = (*_JAVA, "-version")
    version_pattern = re.compile(r' version "([^"]+)".*\n(.+) Runtime Environment')
    version_form = r"\2 \1"

    def missing(self) -> str | None:
        """Return that there is no Java, or one without its compiler; None where there is."""
        java = shutil.which("java")
        compiler = java and shutil.which("javac", path=Path(java).resolve().parent)
        return None if compiler else "needs a JDK (java with javac beside it)"

    def _prepare(self, session: Session) -> None:
        super()._prepare(session)
        _copy_source(_JAVA_SOURCE, session.folder)

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        return (*_JAVA, _JAVA_SOURCE, endpoint.host, str(endpoint.port), *_arguments(endpoint, protocol))
