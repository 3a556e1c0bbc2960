"""The base of the clients that are separate programs."""

from __future__ import annotations

import re
import shutil
import signal
from abc import ABC, abstractmethod
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import harmless
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3, CertificateMessage
from pkcs12kit.tls.handshake import Handshake, Verdict
from pkcs12kit.tls.rehearsal.clients.process import private_folder, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pkcs12kit.tls.handshake import Endpoint
    from pkcs12kit.tls.rehearsal.clients.process import ProcessResult

ANCHORS: Final = "anchors.pem"
"""The file of all trust anchors, in the client's folder."""

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_WORDS_AT_MOST: Final = 500  # characters of a reason; those known take under 200


class CannotTryError(Exception):
    """A client that fails before a handshake. The text is the reason, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAnswer:
    """The answer of a program to the server.

    ``received`` are the certificates in base64 of DER, in the order of the wire. ``only_name`` is True where the name
    is its only reason to refuse.
    """

    verdict: Verdict
    why: str = ""
    received: tuple[str, ...] = ()
    only_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A client's folder and the endpoint to connect to."""

    endpoint: Endpoint
    folder: Path
    version: str | None = None
    """The version of the program as it is shown; None where it is not known, or not yet."""

    def run(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> ProcessResult:
        """Run a program in the folder, within the endpoint's time."""
        return run(
            command,
            folder=self.folder,
            seconds=self.endpoint.seconds,
            cancelled=self.endpoint.cancelled,
            environment=environment,
        )


class ProgramClient(ABC):
    """A client whose program is run for each handshake, in an environment and a temporary folder of its own.

    The program inherits only PATH, so that no variable of the user adds a trust anchor, a proxy or a setting. The
    folder holds only public certificates.

    The result is REFUSED only where the program gives the certificates as the reason. It is NOT_TRIED, with the
    program's words, where the program cannot be run or given the time, ends in an unknown way or too late, or fails in
    the handshake for another reason (a version of TLS that its policy forbids, no common cipher suite). A program that
    always checks a name, and should check none, gets the address as the name; its answer about the name is ignored.
    """

    name: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    """The programs that must be on PATH."""
    version_command: ClassVar[tuple[str, ...]]
    version_pattern: ClassVar[re.Pattern[str]]
    version_form: ClassVar[str]
    """The form of the version for display, with the groups of the pattern."""
    takes_time: ClassVar[bool]
    """True where the program can verify at a given time."""

    def missing(self) -> str | None:
        """Return which programs are not on PATH; None where all are."""
        absent = [program for program in self.programs if shutil.which(program) is None]
        return f"needs {' and '.join(absent)}" if absent else None

    def shake_hands(self, endpoint: Endpoint) -> Iterator[Handshake]:
        """Connect once for each protocol and yield the results."""
        version, problem = "", self.missing()
        with private_folder() as folder:
            session = Session(endpoint=endpoint, folder=folder)
            if problem is None:
                session = replace(session, version=self._version(session))
                version = session.version or self.name
                try:
                    self._prepare(session)
                except CannotTryError as error:
                    problem = str(error)
            for protocol in endpoint.protocols:
                answer = self._ask(session, protocol) if problem is None else not_tried(problem)
                yield Handshake(
                    client=self.name,
                    version=version,
                    protocol=protocol,
                    verdict=answer.verdict,
                    why=answer.why,
                    received=_message(answer.received, protocol),
                )

    def _version(self, session: Session) -> str | None:
        said = session.run(self.version_command)
        found = self.version_pattern.search(said.output + said.errors)
        return None if found is None else found.expand(self.version_form)

    def _prepare(self, session: Session) -> None:
        """Write the files that the program needs. Raises :class:`CannotTryError`."""
        if session.endpoint.time is not None and not self.takes_time:
            raise CannotTryError(f"{self.programs[0]} cannot verify at a given time")
        pem = "".join(anchor.to_pem() for anchor in session.endpoint.trust_anchors)
        (session.folder / ANCHORS).write_text(pem, encoding="ascii")

    def _ask(self, session: Session, protocol: str) -> ClientAnswer:
        if protocol not in {TLS_1_2, TLS_1_3}:
            return not_tried(f"it cannot be restricted to {protocol}")
        finished = session.run(self._command(session.endpoint, protocol))
        if finished.ended:
            return not_tried(finished.ended)
        answer = self._judge(finished)
        if answer.only_name and session.endpoint.server_name is None:
            return ClientAnswer(verdict=Verdict.ACCEPTED, received=answer.received)
        return answer

    @abstractmethod
    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        """Return the command for one connection, which is run in the client's folder."""

    @abstractmethod
    def _judge(self, finished: ProcessResult) -> ClientAnswer:
        """Return the answer in the program's output."""


def not_tried(why: str, received: tuple[str, ...] = ()) -> ClientAnswer:
    """Return the answer of a client that could not be tried."""
    return ClientAnswer(verdict=Verdict.NOT_TRIED, why=one_line(why), received=received)


def refused(why: str, received: tuple[str, ...] = (), *, only_name: bool = False) -> ClientAnswer:
    """Return a refusal with the program's own reason."""
    return ClientAnswer(verdict=Verdict.REFUSED, why=one_line(why), received=received, only_name=only_name)


def unclear(finished: ProcessResult, received: tuple[str, ...] = ()) -> ClientAnswer:
    """Return NOT_TRIED, with the last line of a program that neither accepted nor refused the certificates."""
    lines = [line for said in (finished.output, finished.errors) for line in said.splitlines() if line.strip()]
    ended = f"it ended with status {finished.status}"
    if finished.status is not None and finished.status < 0:
        ended = f"it crashed, or was ended, by signal {-finished.status}{_signal_name(-finished.status)}"
    return not_tried(f"{ended}: {lines[-1]}" if lines else ended, received)


def _signal_name(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""


def one_line(text: str) -> str:
    """Return text from outside as one line that is safe to print, without the end of a long one."""
    return harmless(" ".join(text.split()), longest=_WORDS_AT_MOST)


def printed_certificates(text: str) -> tuple[str, ...]:
    """Return the base64 of each certificate that a program printed in PEM."""
    return tuple(_PEM.findall(text))


def _message(received: Iterable[str], protocol: str) -> CertificateMessage | None:
    try:
        encoded = tuple(map(b64decode, received))
        return CertificateMessage.from_der(encoded, protocol=protocol) if encoded else None
    except (Base64Error, MalformedCertificateError):  # no certificates are better than wrong ones
        return None
