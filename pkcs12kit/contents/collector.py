"""The collection of everything in several sources that can be shown."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from pkcs12kit.certificates.algorithm_names import key_info_in_words
from pkcs12kit.certificates.der import read_name
from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.certificates.serial_numbers import serial_number_text
from pkcs12kit.contents.items import ListedCrl, ListedKey, OtherContent, UnreadPart
from pkcs12kit.contents.keys import KEYS, KeyReader, key_of_bag
from pkcs12kit.errors import InputError, MalformedCertificateError, PasswordError, PfxPasswordError
from pkcs12kit.paths.revocation.crl import read_crl
from pkcs12kit.paths.revocation.ocsp import read_ocsp_response
from pkcs12kit.pkcs12.budget import SharedWork
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import AS_IT_WAS_SET
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.containers import pkcs7_crls
from pkcs12kit.sources.elements import children, elements
from pkcs12kit.sources.key_sources import open_with
from pkcs12kit.sources.kind_hints import Taken, hints_for_kind, kinds_in
from pkcs12kit.sources.reading import name_of
from pkcs12kit.sources.sniffing import UNRECOGNIZED, Kind
from pkcs12kit.text import harmless, shortened
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation.ocsp import OcspResponse, SingleAnswer
    from pkcs12kit.pkcs12.inspection import BagReport, PfxReport, SafeContentsReport
    from pkcs12kit.sources.collecting import Location
    from pkcs12kit.sources.containers import PemBlock
    from pkcs12kit.sources.reading import Source

Item = TypeVar("Item", ListedKey, ListedCrl, OtherContent)
_ANSWERS_SHOWN: Final = 3
_KEY_BAGS: Final = frozenset({"keyBag", "pkcs8ShroudedKeyBag"})


class ContentsCollector(Collector):
    """A collector that also lists keys, CRLs and other contents, and goes on after a source that cannot be read.

    ``password`` opens PKCS#12 files and encrypted private keys. A function is called once, for the first PKCS#12 file
    whose certificates need a password, and only for PKCS#12 files.
    """

    def __init__(self, *, password: str | Callable[[], str] | None, limits: Limits) -> None:
        given = password if isinstance(password, str) else None
        super().__init__(password=given, limits=limits)
        self.sources: dict[Certificate, dict[str, None]] = {}
        """The names of the files of each certificate."""
        self.keys: dict[object, ListedKey] = {}
        self.crls: dict[object, ListedCrl] = {}
        self.others: dict[object, OtherContent] = {}
        self.closed: list[UnreadPart] = []
        """The parts that cannot be read, beside :attr:`rejects`."""
        self.failed: dict[str, None] = {}
        """The names of the sources in which nothing can be read."""
        self._ask = None if isinstance(password, str) else password
        self._shared, self._guesses = SharedWork(), SharedWork()
        self._keys = KeyReader(password=given, limits=limits, work=self._shared)
        self._readable = self._before = self._closed = 0
        self._names: set[str] = set()
        self._objects = limits.revocation_objects
        self._rewritable_bytes = limits.crl_rewritten_bytes

    def collect(self, source: Source, *, content: bytes | None = None) -> None:
        """Add everything in a source that the user named. One in which nothing can be read is among :attr:`failed`."""
        name = name_of(source)
        self._before, self._closed = self._readable, len(self.closed)
        try:
            super().collect(source, content=content)
        except InputError as error:
            self._close(name, str(error).removeprefix(f"{name}: "))
        if self._readable == self._before:
            self.failed[name] = None

    @property
    def unread(self) -> Iterator[UnreadPart]:
        """Every part that cannot be read."""
        several = Counter(reject.source for reject in self.rejects)
        for reject in self.rejects:
            is_only = several[reject.source] == 1 and reject.source not in self._names
            yield UnreadPart(
                source=reject.source, position=None if is_only else reject.position, reason=harmless(reject.reason)
            )
        yield from self.closed

    def _require_certificate(self, name: str, certificates: int, rejects: int, found: str, data: bytes | None) -> None:
        """Raise where a source has nothing that can be shown, and no part that is among the unread ones."""
        is_empty = (len(self.certificates), len(self.rejects), len(self.closed)) == (
            certificates,
            rejects,
            self._closed,
        )
        if is_empty and self._readable == self._before:
            error = InputError(f"{name}: expected certificates, keys or CRLs, found {found}")
            raise error.hinting(*(() if data is None else hints_for_kind(Taken.CERTIFICATE, kinds_in(data, name))))

    def _found(self) -> int:
        return super()._found() + len(self.keys) + len(self.crls) + len(self.others) + len(self.closed)

    def _add(self, location: Location, certificate: Certificate) -> None:
        before = len(self.certificates)
        super()._add(location, certificate)
        if len(self.certificates) > before:
            self._note_readable(location)
            self.sources.setdefault(certificate, {})[location.name] = None

    def _note_readable(self, location: Location) -> None:
        self._readable += 1
        self._names.add(location.name)

    def _close(self, name: str, reason: str, *, needs_password: bool = False) -> None:
        self.closed.append(UnreadPart(source=name, position=None, reason=reason, needs_password=needs_password))

    def _list(self, location: Location, items: dict[object, Item], identity: object, item: Item) -> None:
        """Add an item; one that is listed already gets one more file."""
        self._note_readable(location)
        if identity not in items:
            location.position += 1
            items[identity] = item
            self._count(location)
        elif location.name not in items[identity].sources:
            items[identity] = replace(items[identity], sources=(*items[identity].sources, location.name))

    def _pass_over(self, location: Location, kind: Kind, data: bytes) -> None:
        if kind in KEYS:
            self._list_key(location, self._keys.read(location.name, kind, data), data)
        elif kind not in UNRECOGNIZED and kind is not Kind.OTHER_DER:
            self._other(location, kind, data)

    def _pass_over_block(self, location: Location, block: PemBlock) -> None:
        is_key = block.kind in KEYS or block.label.endswith("PRIVATE KEY")
        if block.fault is not None:
            self._reject(location, f"{block.label} block: {block.fault}")
        elif is_key:
            self._list_key(location, self._keys.read_block(location.name, block), block.content)
        elif block.kind not in {*UNRECOGNIZED, Kind.OTHER_DER, Kind.OTHER_PEM}:
            self._other(location, block.kind, block.content)

    def _list_key(self, location: Location, key: ListedKey, content: bytes) -> None:
        identity = (key.is_private, key.is_encrypted, key.friendly_name, key.public_key or content)
        self._list(location, self.keys, identity, key)

    def _other(self, location: Location, kind: Kind, data: bytes) -> None:
        text = None
        try:
            if kind is Kind.REVOCATION_LIST:
                self._crl(location, data)
                return
            if kind is Kind.REQUEST:
                text = _describe_request(data)
            elif kind is Kind.OCSP_RESPONSE:
                self._spend_object()
                response = read_ocsp_response(data, limits=self._limits)
                text = _describe_response(response)
                for der in response.certificates:
                    self._certificate(location, der)
        except InputError as error:
            self._reject(location, harmless(error))
            return
        content = OtherContent(kind=str(kind.value), text=text, sources=(location.name,))
        self._list(location, self.others, (kind, data), content)

    def _crl(self, location: Location, der: bytes) -> None:
        self._spend_object()
        crl = read_crl(der, limits=replace(self._limits, crl_rewritten_bytes=self._rewritable_bytes))
        self._rewritable_bytes -= crl.rewritten_bytes
        self._list(location, self.crls, crl.signed.sha256, ListedCrl(crl=crl, sources=(location.name,)))

    def _spend_object(self) -> None:
        """Count a CRL or an OCSP response, before it is read."""
        if not self._objects:
            allowed = self._limits.revocation_objects
            raise InputError(f"more than {allowed:,} CRLs and OCSP responses (limits.revocation_objects)")
        self._objects -= 1

    def _encoding(self, location: Location, kind: Kind, data: bytes) -> None:
        super()._encoding(location, kind, data)
        if kind is not Kind.PKCS7:
            return
        try:
            for part in pkcs7_crls(data):
                self._other(location, Kind.REVOCATION_LIST, part.encoding or b"")
        except ValueError:
            self._reject(location, "the bundle is cut short or damaged here")

    def _pkcs12(self, location: Location, data: bytes) -> None:
        try:
            report = self._open(data)
        except InputError as error:
            raise error.placed(f"{location.name}:") from None
        for number, safe in enumerate(report.safe_contents, start=1):
            if safe.bags is None:
                self._closed_safe(location, safe, number, report)
            for position, bag in enumerate(safe.bags or (), start=1):
                place = f"bag {position} of SafeContents {number}"
                self._bag(location, bag, place, report, in_encrypted_contents=safe.encryption is not None)

    def _open(self, data: bytes) -> PfxReport:
        """Inspect a PKCS#12 file with the password, if it needs one; otherwise return what can be seen without."""
        report = inspect_pfx(data, password=self._password, limits=self._limits, work=self._shared)
        if not _is_closed(report):
            return report
        with suppress(InputError):
            guess = inspect_pfx(data, password="", limits=self._limits, work=self._guesses)
            if not _is_closed(guess):
                return guess
        if self._ask is None:
            return report
        ask, self._ask = self._ask, None
        with suppress(PasswordError):  # without a terminal, or after too many wrong answers
            return open_with(lambda password: self._with_answer(data, password), ask)
        return inspect_pfx(data, password=self._password, limits=self._limits, work=self._shared)

    def _with_answer(self, data: bytes, password: str | None) -> PfxReport:
        """Inspect a PKCS#12 file with an answer, which is kept for other files.

        Raises :class:`~pkcs12kit.errors.PfxPasswordError` where it is wrong.
        """
        report = inspect_pfx(data, password=password, limits=self._limits, work=self._shared)
        if password is None or report.mac_verified is False:
            raise PfxPasswordError("the password does not open the PKCS#12 file").hinting(AS_IT_WAS_SET)
        self._password = password
        return report

    def _closed_safe(self, location: Location, safe: SafeContentsReport, number: int, report: PfxReport) -> None:
        can_help = safe.encryption is not None and safe.encryption.is_supported
        reasons = [why for why in report.unopened if f"SafeContents {number}" in why] or list(report.unopened)
        why = reasons[0] if reasons else "encrypted, so it cannot be read without the password"
        self._close(location.name, f"SafeContents {number}: {harmless(why)}", needs_password=can_help)

    def _bag(
        self, location: Location, bag: BagReport, place: str, report: PfxReport, *, in_encrypted_contents: bool
    ) -> None:
        if bag.certificate is not None:
            self._add(location, bag.certificate)
        elif bag.type in _KEY_BAGS:
            key = key_of_bag(location.name, bag, in_encrypted_contents=in_encrypted_contents)
            if report.mac_verified is False and key.public_key is None:
                key = replace(key, why="encrypted: the password does not open it")
            self._list_key(location, key, f"{location.name} {place}".encode())
        elif bag.crl is not None:
            self._other(location, Kind.REVOCATION_LIST, bag.crl)
        elif bag.type == "secretBag":
            content = OtherContent(kind="a secret in a PKCS#12 file", text=None, sources=(location.name,))
            self._list(location, self.others, (location.name, place), content)
        else:
            found = (note for note in report.notes if note.startswith((f"{place}:", f"{place},")))
            self._reject(location, harmless(next(found, f"{place}: a {bag.type} that is not read")))


def _is_closed(report: PfxReport) -> bool:
    """Return True where a password may open contents of a PKCS#12 file; encrypted keys do not count."""
    return any(
        safe.bags is None and safe.encryption is not None and safe.encryption.is_supported
        for safe in report.safe_contents
    )


def _describe_request(data: bytes) -> str:
    """Return the subject and the key of a certificate request (RFC 2986 section 4.1).

    Raises :class:`~pkcs12kit.errors.InputError` where it cannot be read.
    """
    try:
        to_be_signed = children(next(elements(data)))[0]
        _, subject, key_info = children(to_be_signed)[:3]
        name = read_name(subject.contents)
        key = key_info_in_words(key_info.encoding or b"")
    except (*UNREADABLE, StopIteration, MalformedCertificateError) as error:
        raise InputError(f"a certificate request that cannot be read: {harmless(error)}") from None
    return f"for {harmless(name) or 'an empty name'}, {key}"


def _describe_response(response: OcspResponse) -> str:
    """Return the responder and the answers of a response, or its error."""
    if response.signed is None:
        return f"the responder's error {response.response_status}"
    answers = shortened(response.answers, _ANSWERS_SHOWN, _answer)
    return harmless("; ".join([str(response).removeprefix("the response "), *answers]))


def _answer(answer: SingleAnswer) -> str:
    until = "" if answer.next_update is None else f" to {format_time(answer.next_update)}"
    return (
        f"serial {serial_number_text(answer.serial_number)} is {answer.status.value},"
        f" {format_time(answer.this_update)}{until}"
    )
