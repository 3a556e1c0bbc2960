"""NSS as a client, by its program tstclnt, with a database made by certutil."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients.program import (
    ANCHORS,
    CannotTryError,
    ClientAnswer,
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
    from pkcs12kit.tls.rehearsal.clients.process import ProcessResult

_VERSIONS: Final = {TLS_1_2: "tls1.2", TLS_1_3: "tls1.3"}
_DATABASE: Final = "sql:."  # the client's folder
_REQUEST: Final = "request"
_TLS_SERVERS: Final = "C,,"  # trusted as a CA for TLS servers
_SENT: Final = re.compile(
    r"^==== certificate\(s\) sent by server: ====$(.*?)^==== locally found issuer certificate", re.MULTILINE | re.DOTALL
)
_SECURED: Final = re.compile(r"^subject DN: ", re.MULTILINE)  # the first line about a handshake that is done
_REASON: Final = re.compile(
    r"^tstclnt: (?:authentication of server cert failed: (.*)"
    # Its reason before verification: each certificate must have a serial number of its own.
    r"|(?:read from socket|write to SSL socket) failed: (SEC_ERROR_REUSED_ISSUER_AND_SERIAL: .*))$",
    re.MULTILINE,
)
_ONLY_NAME: Final = "SSL_ERROR_BAD_CERT_DOMAIN:"


class NSSClient(ProgramClient):
    """NSS with the verification of its own library. Firefox has another one, mozilla::pkix.

    It gives one reason, and checks the name after everything else.
    """

    name = "nss"
    programs = ("tstclnt", "certutil")
    # tstclnt has no option for its version; modutil, of the same tools, prints that of the module that both load.
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
                ("certutil", "-A", "-d", _DATABASE, "-n", f"anchor {number}", "-t", _TLS_SERVERS, "-a", "-i", file.name)
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
            *("-A", _REQUEST, "-Q"),  # end after the handshake; without a request it can miss that and wait forever
        )

    def _judge(self, finished: ProcessResult) -> ClientAnswer:
        sent = _SENT.search(finished.errors)
        received = () if sent is None else printed_certificates(sent[1])
        if finished.status == 0 and _SECURED.search(finished.errors):
            return ClientAnswer(verdict=Verdict.ACCEPTED, received=received)
        reason = _REASON.search(finished.errors)
        if reason is None:
            return unclear(finished, received)
        why = reason[1] or reason[2]
        return refused(why, received, only_name=why.startswith(_ONLY_NAME))
