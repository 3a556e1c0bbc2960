"""NSS as a client: its program tstclnt, with a database that certutil makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients.program import (
    ANCHORS,
    Answer,
    CannotTryError,
    ProgramClient,
    Session,
    one_line,
    printed_certificates,
    refused,
    unclear,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.tls.handshake import Endpoint
    from pkcs12kit.tls.rehearsal.clients.process import Finished

_VERSIONS: Final = {TLS_1_2: "tls1.2", TLS_1_3: "tls1.3"}
_DATABASE: Final = "sql:."  # the client's folder
_REQUEST: Final = "request"
_SSL_ALONE: Final = "C,,"  # trusted as a CA for TLS servers
_SENT: Final = re.compile(
    r"^==== certificate\(s\) sent by server: ====$(.*?)^==== locally found issuer certificate", re.MULTILINE | re.DOTALL
)
_SECURED: Final = re.compile(r"^subject DN: ", re.MULTILINE)  # the first line on a handshake that is done
_REASON: Final = re.compile(
    r"^tstclnt: (?:authentication of server cert failed: (.*)"
    # What it says of certificates before it verifies them: each has to have a serial number of its own.
    r"|(?:read from socket|write to SSL socket) failed: (SEC_ERROR_REUSED_ISSUER_AND_SERIAL: .*))$",
    re.MULTILINE,
)
_NAME_ALONE: Final = "SSL_ERROR_BAD_CERT_DOMAIN:"


class NSSClient(ProgramClient):
    """NSS with the verification of its own library, which is not Firefox's: that has mozilla::pkix.

    It gives one reason, and looks at the name after everything else.
    """

    name = "nss"
    programs = ("tstclnt", "certutil")
    # tstclnt does not say its version; modutil, of the same tools, says that of the module that both load.
    version_command = ("modutil", "-nocertdb", "-list")
    version_pattern = re.compile(r"library-description=NSS[^;]*;library-version=(\S+)")
    version_form = r"NSS \1"
    takes_time = False

    def _prepare(self, session: Session) -> None:
        super()._prepare(session)
        (session.folder / _REQUEST).write_bytes(b"HEAD / HTTP/1.0\r\n\r\n")
        commands: list[tuple[str, ...]] = [("certutil", "-N", "-d", _DATABASE, "--empty-password")]
        for number, anchor in enumerate(session.endpoint.trust_anchors):
            file = session.folder / f"{number}-{ANCHORS}"
            file.write_text(anchor.to_pem(), encoding="ascii")
            commands.append(
                ("certutil", "-A", "-d", _DATABASE, "-n", f"anchor {number}", "-t", _SSL_ALONE, "-a", "-i", file.name)
            )
        for command in commands:
            done = session.run(command)
            if done.status != 0:
                raise CannotTryError(one_line(f"certutil failed: {done.ended or done.errors}"))

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        name, version = endpoint.server_name, _VERSIONS[protocol]
        return (
            *("tstclnt", "-h", endpoint.host, "-p", str(endpoint.port), "-d", _DATABASE),
            *(() if name is None else ("-a", name)),
            *("-V", f"{version}:{version}"),
            *("-C", "-C", "-C"),  # print the certificates in PEM
            *("-A", _REQUEST, "-Q"),  # end after the handshake; without a request it can miss that, and wait for ever
        )

    def _judge(self, finished: Finished) -> Answer:
        sent = _SENT.search(finished.errors)
        received = () if sent is None else printed_certificates(sent[1])
        if finished.status == 0 and _SECURED.search(finished.errors):
            return Answer(verdict=Verdict.ACCEPTED, received=received)
        reason = _REASON.search(finished.errors)
        if reason is None:
            return unclear(finished, received)
        why = reason[1] or reason[2]
        return refused(why, received, name_alone=why.startswith(_NAME_ALONE))
