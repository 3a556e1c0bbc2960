"""What the clients have in common that are programs of their own."""

from __future__ import annotations

import re
import shutil
from abc import ABC, abstractmethod
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
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
    from pkcs12kit.tls.rehearsal.clients.process import Finished

ANCHORS: Final = "anchors.pem"
"""The file of all trust anchors, in the client's folder."""

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_WORDS_AT_MOST: Final = 500  # characters of a reason; those known take under 200


class CannotTryError(Exception):
    """Raised by a client that fails before a handshake; the text says why, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a program made of the server.

    ``received`` are base64 of DER, in the order of the wire. ``name_alone`` is whether it refused for the name alone.
    """

    verdict: Verdict
    why: str = ""
    received: tuple[str, ...] = ()
    name_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A client's folder, with the endpoint for which it is."""

    endpoint: Endpoint
    folder: Path

    def run(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Finished:
        """Run a program in the folder, by the endpoint's deadline."""
        return run(
            command,
            folder=self.folder,
            seconds=self.endpoint.seconds,
            cancelled=self.endpoint.cancelled,
            environment=environment,
        )


class ProgramClient(ABC):
    """A client that is run for each handshake, in an environment and a temporary folder of its own.

    Nothing is inherited but PATH, so that no variable of the user's adds a trust anchor, a proxy or a setting; the
    folder holds public certificates alone.

    It is REFUSED only where the program says that the certificates are why. A program that cannot be run or told,
    that ends in no known way or too late, or whose handshake fails for another reason (a version of TLS that its
    policy has not, no common cipher suite) says nothing about the certificates: NOT_TRIED, with its words. One that
    always checks a name and is to check none is given the address as the name; what it says of that does not count.
    """

    name: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    """What has to be on PATH."""
    version_command: ClassVar[tuple[str, ...]]
    version_pattern: ClassVar[re.Pattern[str]]
    version_form: ClassVar[str]
    """How the version is shown, with the groups of the pattern."""
    takes_time: ClassVar[bool]
    """Whether it can be told at which time to verify."""

    def missing(self) -> str | None:
        """Say which program is not on PATH."""
        absent = [program for program in self.programs if shutil.which(program) is None]
        return f"needs {' and '.join(absent)}" if absent else None

    def shake_hands(self, endpoint: Endpoint) -> Iterator[Handshake]:
        """Connect once for each protocol."""
        version, problem = "", self.missing()
        with private_folder() as folder:
            session = Session(endpoint=endpoint, folder=folder)
            if problem is None:
                version = self._version(session)
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

    def _version(self, session: Session) -> str:
        said = session.run(self.version_command)
        found = self.version_pattern.search(said.output + said.errors)
        return self.name if found is None else found.expand(self.version_form)

    def _prepare(self, session: Session) -> None:
        """Make what the program needs in its folder. Raises :class:`CannotTryError`."""
        if session.endpoint.time is not None and not self.takes_time:
            raise CannotTryError(f"{self.programs[0]} cannot be told the time at which it is to verify")
        pem = "".join(anchor.to_pem() for anchor in session.endpoint.trust_anchors)
        (session.folder / ANCHORS).write_text(pem, encoding="ascii")

    def _ask(self, session: Session, protocol: str) -> Answer:
        if protocol not in {TLS_1_2, TLS_1_3}:
            return not_tried(f"it cannot be asked for {protocol}")
        finished = session.run(self._command(session.endpoint, protocol))
        if finished.ended:
            return not_tried(finished.ended)
        answer = self._judge(finished)
        if answer.name_alone and session.endpoint.server_name is None:
            return Answer(verdict=Verdict.ACCEPTED, received=answer.received)
        return answer

    @abstractmethod
    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        """Say how to connect once, in the client's folder."""

    @abstractmethod
    def _judge(self, finished: Finished) -> Answer:
        """Read what it said."""


def not_tried(why: str, received: tuple[str, ...] = ()) -> Answer:
    """Answer that nothing can be said."""
    return Answer(verdict=Verdict.NOT_TRIED, why=one_line(why), received=received)


def refused(why: str, received: tuple[str, ...] = (), *, name_alone: bool = False) -> Answer:
    """Answer with the program's own reason."""
    return Answer(verdict=Verdict.REFUSED, why=one_line(why), received=received, name_alone=name_alone)


def unclear(finished: Finished, received: tuple[str, ...] = ()) -> Answer:
    """Answer for a program that said neither yes nor no to the certificates: with the last line that it wrote."""
    lines = [line for said in (finished.output, finished.errors) for line in said.splitlines() if line.strip()]
    ended = f"it ended with status {finished.status}"
    return not_tried(f"{ended}: {lines[-1]}" if lines else ended, received)


def one_line(text: str) -> str:
    """Return text from outside as one line that is safe to print, without the end of a long one."""
    return harmless(" ".join(text.split()), longest=_WORDS_AT_MOST)


def printed_certificates(text: str) -> tuple[str, ...]:
    """Give the base64 of each certificate that a program printed in PEM."""
    return tuple(_PEM.findall(text))


def _message(received: Iterable[str], protocol: str) -> CertificateMessage | None:
    try:
        encoded = tuple(map(b64decode, received))
        return CertificateMessage.from_der(encoded, protocol=protocol) if encoded else None
    except (Base64Error, MalformedCertificateError):  # better nothing than what was perhaps not sent
        return None
