"""GnuTLS as a client, by its program gnutls-cli."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.address import ServerAddress
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients.program import (
    ANCHORS,
    ClientAnswer,
    ProgramClient,
    printed_certificates,
    refused,
    unclear,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.tls.handshake import Endpoint
    from pkcs12kit.tls.rehearsal.clients.process import ProcessResult

_VERSIONS: Final = {TLS_1_2: "VERS-TLS1.2", TLS_1_3: "VERS-TLS1.3"}
_TRUSTED: Final = re.compile(r"^- Status: The certificate is trusted\.", re.MULTILINE)
_COMPLETED: Final = re.compile(r"^- Handshake was completed", re.MULTILINE)
_REASON: Final = re.compile(
    r"^- (?:Status: The certificate is NOT trusted\. (.*)|(Could not verify certificate.*))$", re.MULTILINE
)
_FAILED: Final = re.compile(r"^\*\*\* PKI verification of server certificate failed", re.MULTILINE)
# Reasons about certificates that do not come from its verification.
_FATAL: Final = re.compile(
    r"^\*\*\* Fatal error: "
    r"(The handshake data size is too large\.|Key usage violation in certificate has been detected\.)",
    re.MULTILINE,
)
_ONLY_NAME: Final = "The name in the certificate does not match the expected."


class GnuTLSClient(ProgramClient):
    """GnuTLS with its default priorities, narrowed to one version of TLS.

    It lists all its objections, so that a wrong name as the only one is recognized.
    """

    name = "gnutls"
    programs = ("gnutls-cli",)
    version_command = ("gnutls-cli", "--version")
    version_pattern = re.compile(r"^gnutls-cli (\S+)", re.MULTILINE)
    version_form = r"GnuTLS \1"
    takes_time = False

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        name = endpoint.server_name
        # It would send an address in SNI, which servers may refuse (RFC 6066 section 3).
        nameless = name is None or ServerAddress(host=name).is_ip_address
        return (
            "gnutls-cli",
            f"--priority=NORMAL:-VERS-ALL:+{_VERSIONS[protocol]}",
            f"--x509cafile={ANCHORS}",
            "--disable-sni" if nameless else f"--sni-hostname={name}",
            *(() if name is None else (f"--verify-hostname={name}",)),
            "--print-cert",
            f"--port={endpoint.port}",
            endpoint.host,
        )

    def _judge(self, finished: ProcessResult) -> ClientAnswer:
        received = printed_certificates(finished.output)
        if finished.status == 0 and _TRUSTED.search(finished.output) and _COMPLETED.search(finished.output):
            return ClientAnswer(verdict=Verdict.ACCEPTED, received=received)
        if fatal := _FATAL.search(finished.errors):
            return refused(fatal[1], received)
        reason = _REASON.search(finished.output)
        if reason is None or not _FAILED.search(finished.output):
            return unclear(finished, received)
        # It gives no reason for an algorithm that it does not have.
        why = (reason[1] or reason[2] or "The certificate is NOT trusted.").strip()
        return refused(why, received, only_name=why == _ONLY_NAME)
