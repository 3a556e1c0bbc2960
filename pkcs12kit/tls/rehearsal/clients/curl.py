"""curl as a client, with the TLS library that it was built with."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.address import host_and_port
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients.program import ANCHORS, ClientAnswer, ProgramClient, not_tried, refused, unclear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.tls.handshake import Endpoint
    from pkcs12kit.tls.rehearsal.clients.process import ProcessResult
    from pkcs12kit.tls.rehearsal.clients.program import Session

_VERSIONS: Final = {TLS_1_2: "1.2", TLS_1_3: "1.3"}
_NO_ANCHORS: Final = "empty"
_REASON: Final = re.compile(r"^curl: \(\d+\) (.*)$", re.MULTILINE)
# Exit statuses of curl(1). Once TLS is established, errors of HTTP do not matter.
_CERTIFICATE: Final = frozenset({51, 60})  # not verified; 51 in older versions for a wrong name
_TLS_ESTABLISHED: Final = frozenset({0, 1, 8, 52, 56})  # no HTTP, a strange reply, an empty one, or one cut off
_TLS_FAILED: Final = 35
_TOO_LARGE: Final = "excessive message size"  # OpenSSL's words for a chain longer than max_cert_list
_ONLY_NAME: Final = re.compile(r"no alternative certificate subject name matches|does not match target host name")


class CurlClient(ProgramClient):
    """curl without its configuration, proxies, environment and the folder of anchors that it was built with.

    It gives one reason, and checks the name after its TLS library has verified the rest. It does not report the
    certificates that it received.
    """

    name = "curl"
    programs = ("curl",)
    version_command = ("curl", "-q", "--version")
    version_pattern = re.compile(
        r"^curl (\S+).*?\b((?:OpenSSL|quictls|LibreSSL|BoringSSL|AWS-LC|GnuTLS|NSS|wolfSSL|mbedTLS|rustls-ffi)/[^\s)]+)"
    )
    version_form = r"curl \1 (\2)"
    takes_time = False

    def _prepare(self, session: Session) -> None:
        super()._prepare(session)
        (session.folder / _NO_ANCHORS).mkdir()

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        version, address = _VERSIONS[protocol], host_and_port(endpoint.host, endpoint.port)
        asked = address if endpoint.server_name is None else host_and_port(endpoint.server_name, endpoint.port)
        return (
            *("curl", "-q"),  # no ~/.curlrc; must be the first option
            *("--silent", "--show-error", "--globoff"),
            *(f"--tlsv{version}", "--tls-max", version),
            *("--cacert", ANCHORS),
            *("--capath", _NO_ANCHORS),  # for Debian's curl this is /etc/ssl/certs, and --cacert adds to it
            # Every connection goes to the endpoint, whatever the URL says; --resolve would not do this for an address.
            *("--connect-to", f"::{address}"),
            *(
                "--output",
                os.devnull,
                "--write-out",
                r"%{time_appconnect}\n",
            ),  # seconds until TLS was established; 0 where it was not
            f"https://{asked}/",
        )

    def _judge(self, finished: ProcessResult) -> ClientAnswer:
        if finished.status in _TLS_ESTABLISHED and re.search(r"[1-9]", finished.output):
            return ClientAnswer(verdict=Verdict.ACCEPTED)
        said = _REASON.search(finished.errors)
        if said is None:
            return unclear(finished)
        why = said[1]
        if finished.status in _CERTIFICATE:
            return refused(why, only_name=_ONLY_NAME.search(why) is not None)
        too_large = finished.status == _TLS_FAILED and _TOO_LARGE in why
        return refused(why) if too_large else not_tried(why)
