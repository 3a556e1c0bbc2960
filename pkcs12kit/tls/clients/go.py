"""Go as a client: crypto/tls and crypto/x509."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.address import host_and_port
from pkcs12kit.tls.clients.program import CannotTryError, one_line
from pkcs12kit.tls.clients.reported import ReportedClient, copy_source, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.tls.clients.program import Session
    from pkcs12kit.tls.handshake import Endpoint

_SOURCE: Final = "rehearsal_client.go"
_PROGRAM: Final = "./rehearsal_client"


class GoClient(ReportedClient):
    """Go with its default configuration, narrowed to one version of TLS.

    It is compiled each time, with a cache that is thrown away, so that nothing is left behind: about a second where
    the standard library comes compiled (before Go 1.20), some more where it does not. Which certificates it received,
    Go says only if it accepted them.
    """

    name = "go"
    programs = ("go",)
    version_command = ("go", "version")
    version_pattern = re.compile(r"^go version go(\S+)")
    version_form = r"Go \1"

    def _prepare(self, session: Session) -> None:
        super()._prepare(session)
        copy_source(_SOURCE, session.folder)
        environment = {
            "GOCACHE": str(session.folder / "cache"),
            "GOENV": "off",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",  # this Go and no other, whatever it would like to fetch
            "GOWORK": "off",
        }
        built = session.run(("go", "build", "-o", _PROGRAM, _SOURCE), environment=environment)
        if built.status != 0:
            raise CannotTryError(one_line(f"go build failed: {built.ended or built.errors}"))

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        return (_PROGRAM, host_and_port(endpoint.host, endpoint.port), *options(endpoint, protocol))
