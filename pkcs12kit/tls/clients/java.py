"""Java as a client: its own TLS and its own verification (PKIX)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.clients.reported import ReportedClient, copy_source, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.tls.clients.program import Session
    from pkcs12kit.tls.handshake import Endpoint

_SOURCE: Final = "RehearsalClient.java"
_JAVA: Final = (
    "java",
    "-XX:TieredStopAtLevel=1",  # it runs for a second
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",  # no file in the system's temporary folder, which a Java that is ended leaves behind
    "-Djava.io.tmpdir=.",
)


class JavaClient(ReportedClient):
    """Java with the limits and the algorithm constraints of its java.security; revocation is not asked for.

    It is run from source, which takes a JDK.
    """

    name = "java"
    programs = ("java",)
    version_command = (*_JAVA, "-version")
    version_pattern = re.compile(r' version "([^"]+)".*\n(.+) Runtime Environment')
    version_form = r"\2 \1"

    def missing(self) -> str | None:
        """Say that there is no Java, or one without its compiler."""
        java = shutil.which("java")
        compiler = java and shutil.which("javac", path=Path(java).resolve().parent)
        return None if compiler else "needs a JDK (java with javac beside it)"

    def _prepare(self, session: Session) -> None:
        super()._prepare(session)
        copy_source(_SOURCE, session.folder)

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        return (*_JAVA, _SOURCE, endpoint.host, str(endpoint.port), *options(endpoint, protocol))
