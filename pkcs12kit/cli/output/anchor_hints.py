"""Hints for a trust anchor that is missing, unreadable or does not fit: the self-signed certificates that were given.

And for a self-signed CA that is not the trust anchor: its cross-certificates among those that were given.

Self-signed certificates are candidates to compare with the fingerprint that their CA publishes. None is recommended:
anyone can make a self-signed certificate with any name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.display.cross_certificates import in_words
from pkcs12kit.display.labels import short_serial
from pkcs12kit.errors import FailureReason, InputError, LimitExceededError
from pkcs12kit.hints import Hint
from pkcs12kit.paths.calls import Call
from pkcs12kit.shell_words import join_words
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.sources.collecting import Location

ANCHOR: Final = "trust_anchors"
"""The name of the parameter for trust anchors, in every command."""
_SOURCES: Final = (
    "certificate",
    "source",
    "file",
    "pkcs12",
    "key",
    "target_file",
    "expect",
    "certificates",
    "sources",
    "more_sources",
    "before",
    "after",
    "targets",
)
_PASSWORDS: Final = ("pkcs12_password_file", "password_file")
_CHAIN: Final = "the chain"
_MOST_NAMED: Final = 5
_DIGITS: Final = 16
"""Digits of the fingerprint that names a certificate in a command."""
_COMPARE: Final = Hint(
    text="a self-signed certificate proves nothing by itself: name one with --anchor only if its SHA-256 is the one"
    " that its CA publishes (the page 'Get the anchor' of the documentation says where)"
)
_NONE: Final = Hint(
    text="no self-signed certificate is among the given files: get the root that the clients trust from its CA, and"
    " compare its SHA-256 (the page 'Get the anchor' of the documentation says where)"
)


@dataclass(slots=True)
class _Candidates:
    """Self-signed certificates, each with the place where it was found first: a file rather than a chain."""

    excluded: frozenset[str] = frozenset()
    """The SHA-256 of those that are trust anchors already."""
    found: dict[str, tuple[Certificate, str]] = field(default_factory=dict)
    issuers: set[Name] = field(default_factory=set)
    """The issuers of the other certificates."""

    def add(self, certificates: Iterable[Certificate], place: str) -> None:
        """Add those that are self-signed. The signatures checked share one budget."""
        from pkcs12kit.limits import DEFAULT_LIMITS
        from pkcs12kit.paths.budget import SearchBudget
        from pkcs12kit.paths.signatures import is_self_signed

        budget = SearchBudget(DEFAULT_LIMITS)
        for certificate in certificates:
            if not certificate.is_self_issued:
                self.issuers.add(certificate.issuer)
            elif certificate.sha256 in self.found and self.found[certificate.sha256][1] == _CHAIN:
                self.found[certificate.sha256] = (certificate, place)
            elif certificate.sha256 not in self.excluded and is_self_signed(certificate, budget):
                self.found.setdefault(certificate.sha256, (certificate, place))

    def hints(self) -> Iterator[Hint]:
        """Yield one for each certificate up to a number, the number of the others, and what to compare.

        Those that have issued another certificate come first.
        """
        found = sorted(self.found.values(), key=lambda one: one[0].subject not in self.issuers)
        for certificate, place in found[:_MOST_NAMED]:
            yield Hint(text=f"self-signed, in {place}: {certificate.label}, SHA-256 {certificate.sha256}")
        if len(self.found) > _MOST_NAMED:
            others = counted(len(self.found) - _MOST_NAMED, "other self-signed certificate")
            yield Hint(text=f"and {others}; pkcs12kit show lists all of them")
        yield _COMPARE if self.found else _NONE


def hints_for_missing_anchor(given: Mapping[str, object]) -> tuple[Hint, ...]:
    """Return the hints for a call without a trust anchor, or with a file that is none; ``given`` has its parameters.

    The given files are read as far as they can be: without standard input, prompts and the network.
    """
    candidates = _Candidates()
    _add_given(candidates, given, (ANCHOR, *_SOURCES))
    if candidates.found or not given.get(ANCHOR):
        return tuple(candidates.hints())
    return ()


def hints_for_unfitting_anchor(rejected: Iterable[RejectedPath]) -> tuple[Hint, ...]:
    """Return the hints for a search whose closest attempt leads to no trust anchor; none for another reason.

    The self-signed certificates of the attempts come first, then those of the files of the current command.
    """
    attempts = tuple(rejected)
    if not attempts or attempts[0].reason is not FailureReason.NO_TRUST_ANCHOR:
        return ()
    context = click.get_current_context(silent=True)
    given = {} if context is None else context.params
    candidates = _Candidates(excluded=_trusted(given))
    candidates.add((one for attempt in attempts for one in attempt.certificates), _CHAIN)
    _add_given(candidates, given, _SOURCES)
    return tuple(candidates.hints()) if candidates.found else ()


def _trusted(given: Mapping[str, object]) -> frozenset[str]:
    """Return the SHA-256 of the certificates that are trust anchors of the call."""
    trusted = _Candidates()
    _add_given(trusted, given, (ANCHOR,))
    return frozenset(trusted.found)


def _add_given(candidates: _Candidates, given: Mapping[str, object], names: Iterable[str]) -> None:
    """Add the certificates of the files that these parameters name; what cannot be read is left out."""
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.collecting import Collector
    from pkcs12kit.sources.reading import shown_path

    class PlacedCollector(Collector):
        """A collector that knows the file or the part of an archive that each certificate is in."""

        places: dict[int, str] = {}  # noqa: RUF012  # this class is made for one object

        def _member(self, location: Location, data: bytes) -> None:
            begin = len(self.certificates)
            super()._member(location, data)
            for index in range(begin, len(self.certificates)):
                self.places.setdefault(index, location.name)

    collector = PlacedCollector(password=_password(given), limits=DEFAULT_LIMITS)  # one: its limits are for all files
    remaining = DEFAULT_LIMITS.archive_bytes
    for path in _files(given, names):
        before = len(collector.certificates)
        try:
            remaining -= Path(path).stat().st_size
            if remaining < 0:
                return
            collector.collect(path)
        except LimitExceededError:
            return
        except (InputError, OSError):
            continue
        finally:
            for index, certificate in enumerate(collector.certificates[before:], before):
                candidates.add([certificate], collector.places.get(index) or shown_path(path))


def _files(given: Mapping[str, object], names: Iterable[str]) -> Iterator[str]:
    """Yield the files that parameters name, and those in the folders that they name, each once; no pipes or devices."""
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.reading import folder_files

    seen = set()
    for value in (one for name in names for one in _values(given.get(name))):
        try:
            if os.path.isdir(value):  # noqa: PTH112  # it may have a NUL, for which Path raises in some versions
                paths = [one.path for one in folder_files(value, DEFAULT_LIMITS) if one.fault is None]
            else:
                paths = [value] if os.path.isfile(value) else []  # noqa: PTH113
        except (LimitExceededError, OSError, ValueError):
            continue
        for path in paths:
            if path not in seen:
                seen.add(path)
                yield path


def _values(value: object) -> tuple[str, ...]:
    each = value if isinstance(value, tuple) else (value,)
    return tuple(one for one in each if isinstance(one, str))


def _password(given: Mapping[str, object]) -> str | None:
    """Return the password of the call's PKCS#12 file if a file holds it."""
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.password_text import first_line
    from pkcs12kit.sources.reading import read_source

    for name in _PASSWORDS:
        value = given.get(name)
        if isinstance(value, str) and os.path.isfile(value):  # noqa: PTH113
            try:
                return first_line(read_source(value, DEFAULT_LIMITS), value)
            except InputError:
                return None
    return None


def hints_for_cross_certificates(report: PathReport) -> tuple[Hint, ...]:
    """Return the hint that names the best cross-certificate, with the call that shows its paths; none without one."""
    if report.valid or not report.cross_certificates:
        return ()
    best = report.cross_certificates[0]
    number = short_serial(best.certificate.serial_number_text)
    named = f"its cross-certificate #{number}, issued by {best.certificate.issuer.label},"
    if best.leads_to_anchor:
        text = f"{named} {in_words(best)}; the paths of certificates that this CA issued go through it"
    else:
        text = f"{named} does not help: it {in_words(best)}; see what is missing there"
    return (Hint(text=text, command=_command(best.certificate, Call.current())),)


def _command(certificate: Certificate, call: Call) -> str:
    words = ["pkcs12kit", "paths", certificate.sha256[:_DIGITS]]
    for option, values in {
        "--certs": call.certificates,
        "--anchor": call.trust_anchors,
        "--at": () if call.time is None else (format_time(call.time),),
    }.items():
        words += [word for value in values for word in (option, value)]
    return join_words(words)
