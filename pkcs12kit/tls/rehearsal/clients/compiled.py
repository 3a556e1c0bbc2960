"""Java and Go as clients, by small programs in this folder that are compiled once for each compiler, and kept.

Both programs have the same arguments and print the same lines: ``received`` with base64, then ``accepted``, or
``refused`` or ``failed`` with the platform's words.
"""

from __future__ import annotations

import re
import shutil
from abc import abstractmethod
from importlib.resources import files
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final
from zipfile import ZipFile

from pkcs12kit.tls.address import host_and_port
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients.kept_programs import keep_program, kept_program, key_of
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

_EXECUTABLE: Final = 0o700


class CompiledClient(ProgramClient):
    """A client whose program is one of this folder."""

    takes_time = True
    source: ClassVar[str]
    program: ClassVar[str]
    """The name of the compiled program in the client's folder."""

    def _prepare(self, session: Session) -> None:
        super()._prepare(session)
        source = (files(__package__) / self.source).read_bytes()
        compiler = self._compiler()
        key = None if session.version is None else key_of(source, compiler, session.version)
        program = None if key is None else kept_program(self.name, key)
        if program is not None:
            (session.folder / self.program).write_bytes(program)
        else:
            (session.folder / self.source).write_bytes(source)
            self._compile(session, compiler)
            if key is not None:
                keep_program(self.name, key, (session.folder / self.program).read_bytes())
        (session.folder / self.program).chmod(_EXECUTABLE)

    @abstractmethod
    def _compiler(self) -> str:
        """Return the file of the compiler."""

    @abstractmethod
    def _compile(self, session: Session, compiler: str) -> None:
        """Write the program from the source in the client's folder. Raises :class:`CannotTryError`."""

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


class GoClient(CompiledClient):
    """Go with its default configuration, narrowed to one version of TLS.

    The program is compiled with a cache that is removed afterwards: in about a second where the standard library comes
    compiled (before Go 1.20), in some more where it does not. Go reports the certificates that it received only if it
    accepts them.
    """

    source = "rehearsal_client.go"
    program = "rehearsal_client.exe"  # Windows runs no program without an ending; others do not mind

    name = "go"
    programs = ("go",)
    version_command = ("go", "version")
    version_pattern = re.compile(r"^go version go(\S+)")
    version_form = r"Go \1"

    def _compiler(self) -> str:
        return shutil.which("go") or ""

    def _compile(self, session: Session, compiler: str) -> None:  # noqa: ARG002  # run by its name, as in version_command
        environment = {
            "GOCACHE": str(session.folder / "cache"),
            "GOENV": "off",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",  # only this Go; it must not fetch another one
            "GOWORK": "off",
        }
        built = session.run(("go", "build", "-o", f"./{self.program}", self.source), environment=environment)
        if built.status != 0 or not (session.folder / self.program).is_file():
            raise CannotTryError(one_line(f"go build failed: {built.ended or built.errors or 'it wrote no program'}"))

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        return (f"./{self.program}", host_and_port(endpoint.host, endpoint.port), *_arguments(endpoint, protocol))


_JAVA_CLASS: Final = "RehearsalClient"
_JAVA_OPTIONS: Final = (
    "-XX:TieredStopAtLevel=1",  # it runs for a second
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",  # no file in the system's temporary folder, which a killed Java would leave behind
    "-Djava.io.tmpdir=.",
)
_JAVA: Final = ("java", *_JAVA_OPTIONS)
_CLASSES: Final = "classes"


class JavaClient(CompiledClient):
    """Java with the limits and the algorithm constraints of its java.security, without a check of revocation.

    The program is compiled, which needs a JDK.
    """

    source = f"{_JAVA_CLASS}.java"
    program = "client.jar"

    name = "java"
    programs = ("java",)
    version_command = (*_JAVA, "-version")
    version_pattern = re.compile(r' version "([^"]+)".*\n(.+) Runtime Environment')
    version_form = r"\2 \1"

    def missing(self) -> str | None:
        """Return that there is no Java, or one without its compiler; None where there is."""
        return None if self._compiler() else "needs a JDK (java with javac beside it)"

    def _compiler(self) -> str:
        java = shutil.which("java")
        return (java and shutil.which("javac", path=Path(java).resolve().parent)) or ""

    def _compile(self, session: Session, compiler: str) -> None:
        options = (*(f"-J{option}" for option in _JAVA_OPTIONS), "-proc:none", "-d", _CLASSES)
        built = session.run((compiler, *options, self.source))
        classes = sorted((session.folder / _CLASSES).glob("*.class"))
        if built.status != 0 or not classes:
            raise CannotTryError(one_line(f"javac failed: {built.ended or built.errors or 'it wrote no class'}"))
        with ZipFile(session.folder / self.program, "w") as archive:
            for one in classes:
                archive.write(one, one.name)

    def _command(self, endpoint: Endpoint, protocol: str) -> Sequence[str]:
        run = (*_JAVA, "-cp", self.program, _JAVA_CLASS, endpoint.host, str(endpoint.port))
        return (*run, *_arguments(endpoint, protocol))
