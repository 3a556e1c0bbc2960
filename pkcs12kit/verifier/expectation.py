"""The file that a server should serve from, compared with the certificates that it sends: the forgotten reload."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from os import PathLike
from typing import TYPE_CHECKING, TypeAlias

from pkcs12kit.certificates.choice import are_akin
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.findings import Check, not_ok, note, ok
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.arrangement import KeyLink, arrange
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.pkcs12_files import SourceContent, naming_pkcs12
from pkcs12kit.sources.sniffing import Kind
from pkcs12kit.times import format_time
from pkcs12kit.tls.probing.key_types import server_key_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import Finding
    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source
    from pkcs12kit.verifier.probed_chains import ProbedChain

ExpectArgument: TypeAlias = "Source | ExpectedFile | Iterable[Source | ExpectedFile]"
"""The files that a server should serve from: one, or several for several types of keys."""

_ONE: tuple[type, ...] = (str, bytes, bytearray, memoryview, PathLike)


class ServedAs(Enum):
    """The certificate that a server sends, compared with that of a file. The value is printed by ``probe --json``."""

    SAME = "same"
    OLDER = "older"
    """A certificate for the same server that began to be valid earlier: the file may not have been loaded yet."""
    NEWER = "newer"
    """A certificate for the same server that began to be valid later: the file may be an old one."""
    OTHER = "other"
    """A certificate for another name and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFile:
    """The certificates of a file that a server should serve from. It holds no key."""

    name: str
    """The name of the file."""
    targets: tuple[Certificate, ...] = field(repr=False)
    """The certificates of the keys, of a file without keys those that are not a CA's."""
    certificates: tuple[Certificate, ...] = field(repr=False)
    """All certificates, in the order of the file."""

    def chain(self, target: Certificate) -> tuple[Certificate, ...]:
        """Return the certificates from a target upwards, as far as the file has issuers."""
        link = KeyLink(local_key_id=None, certificate=target)
        return arrange([link], [(certificate, None) for certificate in self.certificates]).chain


@dataclass(frozen=True, slots=True, kw_only=True)
class FileComparison:
    """A file compared with one chain that the server sends."""

    file: str
    """The name of the file."""
    served_as: ServedAs
    """The result for the server's own certificate."""
    expected: Certificate
    """The certificate of the file."""
    served: Certificate
    """The certificate that the server sends."""
    handshakes: str
    """The handshakes in which it is sent, for example ``RSA in TLSv1.3 and TLSv1.2``."""
    differences: tuple[str, ...] = ()
    """The certificates above it that differ, one sentence each; empty unless the certificate is the same."""
    remarks: tuple[str, ...] = ()
    """Differences that change nothing for clients: the anchor's own certificate, the order."""

    @property
    def is_same(self) -> bool:
        """True where the certificate and those above it are the same."""
        return self.served_as is ServedAs.SAME and not self.differences

    def to_json(self) -> dict[str, object]:
        """Return the comparison as ``--json`` prints it."""
        return {
            "file": self.file,
            "same": self.is_same,
            "served_as": self.served_as.value,
            "expected": self.expected.to_json(),
            "served": self.served.to_json(),
            "handshakes": self.handshakes,
            "differences": list(self.differences),
            "remarks": list(self.remarks),
        }

    def __str__(self) -> str:
        if self.served_as is ServedAs.SAME:
            beside = "; ".join((*self.differences, *self.remarks))
            what = f"{_identified(self.served)} ({self.handshakes}) is the certificate of {self.file}"
            return f"{what}; {beside}" if beside else what
        words = {
            ServedAs.OLDER: "an older certificate than",
            ServedAs.NEWER: "a newer certificate than",
            ServedAs.OTHER: "another certificate than",
        }[self.served_as]
        cure = "; has the server loaded the file since it was replaced?" if self.served_as is ServedAs.OLDER else ""
        return (
            f"it sends {words} that of {self.file} ({self.handshakes}): {_identified(self.served)}; {self.file} has"
            f" {_identified(self.expected)}{cure}"
        )


def load_expected(
    source: Source, *, password: str | None = None, time: datetime, limits: Limits = DEFAULT_LIMITS
) -> ExpectedFile:
    """Read the certificates of a file that a server should serve from: PKCS#12, PEM, PKCS#7 or DER.

    ``password`` opens a PKCS#12 file; of several certificates of one key the one that is used at ``time`` counts.
    Raises as :func:`~pkcs12kit.decode_pfx` and :func:`~pkcs12kit.load_certificates` do, also where only a part of the
    certificates can be read.
    """
    content = SourceContent.read(source, limits)
    if content.kind is Kind.PKCS12:
        with naming_pkcs12(content.name, content.der):
            decoded = decode_pfx(content.der, password=password, limits=limits)
        certificates = decoded.certificates
        found = (key.certificate_at(time) for key in decoded.keys)
        targets = tuple(dict.fromkeys(one for one in found if one is not None))
        rejects = decoded.rejects
    else:
        collector = Collector(password=password, limits=limits)
        collector.collect_content(content.name, content.data)
        certificates, targets, rejects = tuple(collector.certificates), (), tuple(collector.rejects)
    if rejects:
        raise InputError(f"{content.name}: not every certificate can be read: {rejects[0]}")
    if not certificates:
        raise InputError(f"{content.name}: there is no certificate in it to compare with")
    targets = targets or tuple(one for one in certificates if not one.is_ca) or certificates[:1]
    return ExpectedFile(name=content.name, targets=targets, certificates=certificates)


def as_expected(
    given: ExpectArgument, *, password: str | None, time: datetime, limits: Limits
) -> tuple[ExpectedFile, ...]:
    """Return the files of an argument, loaded. Raises :class:`~pkcs12kit.ArgumentError` for other values."""
    kinds = (*_ONE, ExpectedFile)
    several = tuple(given) if isinstance(given, Iterable) and not isinstance(given, kinds) else (given,)
    for one in several:
        if not isinstance(one, kinds):
            raise ArgumentError(f"expect: expected a path or bytes, not {type(one).__name__}")
    return tuple(
        one if isinstance(one, ExpectedFile) else load_expected(one, password=password, time=time, limits=limits)  # type: ignore[arg-type]
        for one in several
    )


def compare(files: Sequence[ExpectedFile], chains: Sequence[ProbedChain]) -> tuple[FileComparison, ...]:
    """Return the comparisons of files with the chains that a server sends, at least one for each file.

    A file is compared with each chain for a key of a type that it has, except for chains that are another file's. A
    file of which no type is served is compared with the first chain.
    """
    return tuple(one for file in files for one in _compare_file(file, files, chains))


def _compare_file(
    file: ExpectedFile, files: Sequence[ExpectedFile], chains: Sequence[ProbedChain]
) -> Iterator[FileComparison]:
    types = {server_key_type(target) for target in file.targets}
    of_others = {target for other in files if other is not file for target in other.targets} - {*file.targets}
    served = [(chain.report.message.certificates, str(chain)) for chain in chains]
    alike = [(sent, where) for sent, where in served if server_key_type(sent[0]) in types and sent[0] not in of_others]
    for sent, where in alike or served[:1]:
        target = _nearest(file, sent[0])
        differences, remarks = _differences(file, target, sent) if target == sent[0] else ((), ())
        yield FileComparison(
            file=file.name,
            served_as=_served_as(target, sent[0]),
            expected=target,
            served=sent[0],
            handshakes=where,
            differences=differences,
            remarks=remarks,
        )


def _nearest(file: ExpectedFile, served: Certificate) -> Certificate:
    """Return the certificate of the file to compare with: the same, else one for the same server, else any."""
    if served in file.targets:
        return served
    of_type = [one for one in file.targets if server_key_type(one) is server_key_type(served)]
    akin = [one for one in of_type if are_akin(one, served)]
    return next(iter((*akin, *of_type, *file.targets)))


def _served_as(expected: Certificate, served: Certificate) -> ServedAs:
    if served == expected:
        return ServedAs.SAME
    ages = [(one.not_before, one.not_after) for one in (served, expected)]
    if not are_akin(expected, served) or ages[0] == ages[1]:
        return ServedAs.OTHER
    return ServedAs.OLDER if ages[0] < ages[1] else ServedAs.NEWER


def _differences(
    file: ExpectedFile, target: Certificate, sent: Sequence[Certificate]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the differences above a certificate that both have, and those that change nothing for clients."""
    expected, served = file.chain(target)[1:], sent[1:]
    missing = [one for one in expected if one not in served]
    extra = [one for one in served if one not in file.certificates]
    worded = {
        **{one: f"it does not send {_described(one)}, which {file.name} has" for one in missing},
        **{one: f"it sends {_described(one)}, which {file.name} does not have" for one in extra},
    }
    differences = tuple(words for one, words in worded.items() if not one.is_self_issued)
    remarks = [words for one, words in worded.items() if one.is_self_issued]
    if [one for one in served if one in expected] != [one for one in expected if one in served]:
        remarks.append(f"the certificates above it are in another order than in {file.name}")
    return differences, tuple(remarks)


def _described(certificate: Certificate) -> str:
    number = serial_number_label(certificate.serial_number)
    return f"{certificate.label} (issued by {certificate.issuer.label}, {number})"


def _identified(certificate: Certificate) -> str:
    number = serial_number_label(certificate.serial_number)
    span = f"{format_time(certificate.not_before)} to {format_time(certificate.not_after)}"
    return f"{certificate.label} {number}, {span}, SHA-256 {certificate.sha256}"


def check_expected(comparisons: Sequence[FileComparison], chains: Sequence[ProbedChain]) -> Finding:
    """Check that the server sends the certificates of the files, and note those that no file was given for."""
    check = Check.EXPECTED
    different = [str(one) for one in comparisons if not one.is_same]
    if different:
        return not_ok(check, "; ".join(different))
    compared = {one.served for one in comparisons}
    others = [str(one) for one in chains if one.report.message.certificates[0] not in compared]
    words = "; ".join(map(str, comparisons))
    if others:
        return note(check, f"{words}; not compared, no file was given for it: {', '.join(others)}")
    return ok(check, words)
