"""The output of ``show``: a table of certificates, or one certificate whole, and lists of everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.algorithm_names import signature_algorithm_in_words
from pkcs12kit.certificates.lint.certificate_notes import lint_certificates
from pkcs12kit.cli.output.console import print_lines, terminal_width
from pkcs12kit.cli.output.tables import styled, table, unambiguous, wrapped
from pkcs12kit.contents.items import CertificateKind, State
from pkcs12kit.display.certificate_facts import (
    extension_facts,
    public_key_in_words,
    sha1_fingerprint,
)
from pkcs12kit.display.columns import Column
from pkcs12kit.display.labels import day, named, short_serial
from pkcs12kit.display.notes import refusals
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import counted, harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.contents.items import ListedCertificate, ListedCrl, ListedKey, OtherContent
    from pkcs12kit.contents.listing import Contents

_STATES: Final = {State.VALID: "", State.EXPIRED: "expired", State.NOT_YET_VALID: "not yet"}
_KINDS: Final = {
    CertificateKind.ROOT: "root",
    CertificateKind.CA: "CA",
    CertificateKind.SELF_SIGNED: "self-signed",
    CertificateKind.END_ENTITY: "",
}
_NAME: Final = 24
"""The fewest characters of a name in a row; with less room a certificate has two lines."""
_FILE: Final = 16
_NARROW_NAME: Final = 12
_LABEL: Final = 28


def print_contents(contents: Contents) -> None:
    """Print the contents of files for people."""
    print_lines("\n".join(_lines(contents, terminal_width())).removeprefix("\n"))


def _lines(contents: Contents, width: int | None) -> Iterator[str]:
    several_files = len(_files(contents)) > 1
    if len(contents.certificates) == 1:
        yield from _whole(contents.certificates[0], contents.time, width)
    elif contents.certificates:
        yield from _table(contents, width, with_files=several_files)
    parts = (
        ("Keys", [_key(key, with_files=several_files) for key in contents.keys]),
        ("CRLs", [_crl(crl, contents.time, with_files=several_files) for crl in contents.crls]),
        ("Other contents", [_other(one, with_files=several_files) for one in contents.others]),
        ("Not read", [harmless(part) for part in contents.unread]),
    )
    for title, lines in parts:
        if lines:
            yield ""
            yield styled(f"{title}:", bold=True)
            yield from (one for line in lines for one in wrapped(f"  {line}", 4, width))
    yield ""
    yield from wrapped(_summary(contents), 2, width)


def _files(contents: Contents) -> set[str]:
    listed = (contents.certificates, contents.keys, contents.crls, contents.others)
    sources = (one.sources for several in listed for one in several)
    return {name for names in sources for name in names} | {part.source for part in contents.unread}


def _summary(contents: Contents) -> str:
    """Return the number of things of each kind in one line."""
    found = contents.summary
    kinds = [
        text
        for number, text in (
            (found["roots"], counted(found["roots"], "root")),
            (found["other_cas"], counted(found["other_cas"], "other CA")),
            (found["self_signed"], f"{found['self_signed']:,} self-signed"),
        )
        if number
    ]
    words = [counted(found["certificates"], "certificate") + (f" ({', '.join(kinds)})" if kinds else "")]
    words += [
        f"{found[name]:,} {text}"
        for name, text in (("expired", "expired"), ("not_yet_valid", "not yet valid"))
        if found[name]
    ]
    words += [
        counted(found[name], noun)
        for name, noun in (("keys", "key"), ("crls", "CRL"), ("others", "other part"))
        if found[name]
    ]
    if found["unread"]:
        words.append(f"{found['unread']:,} not read")
    return f"{', '.join(words)}; as of {format_time(contents.time)}"


def _table(contents: Contents, width: int | None, *, with_files: bool) -> Iterator[str]:
    """Yield a table with one line for each certificate, or with two where the terminal is too narrow for that."""
    listed = contents.certificates
    states = [one.state(contents.time) for one in listed]
    certificates = [one.certificate for one in listed]
    names = [(one.subject, one.issuer) for one in certificates]
    labels = unambiguous([name for pair in names for name in pair])
    subjects, issuers = ([labels[pair[number].relative_distinguished_names] for pair in names] for number in (0, 1))
    serials = [_serials(one, width) for one in certificates]
    keys = [public_key_in_words(one) or "not read" for one in certificates]
    kinds = [_KINDS[one.kind] for one in listed]
    begins = [day(one.not_before) for one in certificates]
    ends = [day(one.not_after) for one in certificates]
    files = [_file_names(one.sources) for one in listed] if with_files else None
    columns = [
        Column("subject", subjects, _NAME),
        Column("kind", kinds),
        Column("issuer", issuers, _NAME),
        Column("serial", serials),
        Column("from", begins),
        Column("until", ends),
        Column("state", [_STATES[state] for state in states]),
        Column("key", keys),
        *([Column("file", files, _FILE)] if files is not None else []),
    ]
    first = [
        Column("subject", subjects, _NARROW_NAME),
        Column("kind", kinds),
        Column("until", ends),
        Column("state", [_STATES[state] for state in states]),
    ]
    others = [
        [f"by {issuer}", f"#{serial}", f"from {begin}", key, *([file] if file else [])]
        for issuer, serial, begin, key, file in zip(
            issuers, serials, begins, keys, files or [""] * len(listed), strict=True
        )
    ]
    yield from table(columns, first, others, width, shown=lambda row, line: _coloured(line, states[row]))


def _serials(certificate: Certificate, width: int | None) -> str:
    number = certificate.serial_number_text
    return number if width is None else short_serial(number)


def _file_names(sources: Sequence[str]) -> str:
    return sources[0] if len(sources) == 1 else f"{sources[0]} and {len(sources) - 1:,} more"


def _whole(listed: ListedCertificate, time: datetime, width: int | None) -> Iterator[str]:
    """Yield every field and extension of a certificate, in plain words."""
    certificate = listed.certificate
    state = listed.state(time)
    kind = "CA certificate" if listed.kind is CertificateKind.CA else listed.kind.value
    mark = "" if state is State.VALID else f", {state.value.replace('-', ' ')}"
    yield styled(harmless(certificate.label), bold=True) + f"  {kind}{mark}"
    fields = [
        ("subject", str(certificate.subject) or "(empty)"),
        ("issuer", str(certificate.issuer) or "(empty)"),
        ("serial number", f"{certificate.serial_number_text} ({certificate.serial_number:#x})"),
        ("valid from", format_time(certificate.not_before)),
        ("valid until", f"{format_time(certificate.not_after)} ({_distance(certificate, time)})"),
        ("public key", _public_key(certificate)),
        ("signature algorithm", signature_algorithm_in_words(certificate)),
        ("version", str(certificate.version)),
        ("SHA-256", certificate.sha256),
        ("SHA-1", sha1_fingerprint(certificate)),
        ("encoding error", certificate.encoding_error or ""),
        ("file", ", ".join(listed.sources)),
    ]
    for label, value in fields:
        if value:
            yield from _field(label, [value], width)
    yield styled("Extensions:", bold=True)
    try:
        facts = list(extension_facts(certificate.extensions))
    except MalformedCertificateError as error:
        yield f"  {harmless(error)}"
    else:
        for fact in facts:
            yield from _field(fact.name, fact.values, width)
        if not facts:
            yield "  none"
    notes = lint_certificates([certificate])
    if notes:
        yield styled("Notes:", bold=True)
        for note in notes:
            clients = refusals(note)
            line = harmless(f"{note.why} [{note.source}]{f'; {clients}' if clients else ''}")
            yield from wrapped(f"  {line}", 4, width)


def _field(label: str, values: Sequence[str], width: int | None) -> Iterator[str]:
    """Yield a field: the values below each other, beside the label or, in a narrow terminal, below it."""
    if width is not None and width < 2 * _LABEL + _NAME:
        yield f"  {label}:"
        yield from (line for value in values for line in wrapped(f"    {harmless(value)}", 4, width))
        return
    for number, value in enumerate(values):
        head = f"  {label}:" if number == 0 else ""
        yield from wrapped(f"{head:<{_LABEL}} {harmless(value)}", _LABEL + 1, width)


def _distance(certificate: Certificate, time: datetime) -> str:
    days = (certificate.not_after - time).days
    return f"{counted(days, 'day')} left" if days >= 0 else f"expired {counted(-days, 'day')} ago"


def _public_key(certificate: Certificate) -> str:
    known = public_key_in_words(certificate)
    try:
        _ = certificate.public_key
    except MalformedCertificateError as error:
        return f"not read: {error}" if known is None else f"{known} (not supported)"
    return known or ""


def _key(key: ListedKey, *, with_files: bool) -> str:
    words = ["private key" if key.is_private else "public key"]
    if key.algorithm is not None:
        words.append(key.algorithm)
    if key.is_private and key.why is None:
        words.append("encrypted" if key.is_encrypted else "not encrypted")
    if key.friendly_name is not None:
        words.append(f"named {key.friendly_name!r}")
    if key.why is not None:
        words.append(key.why)
    elif key.certificates:
        words.append(f"fits {', '.join(map(named, key.certificates))}")
    else:
        words.append("fits no certificate here")
    return _with_files(", ".join(words), key.sources, with_files)


def _crl(listed: ListedCrl, time: datetime, *, with_files: bool) -> str:
    crl = listed.crl
    until = "without an end" if crl.next_update is None else f"until {format_time(crl.next_update)}"
    words = [
        f"{str(crl).removeprefix('the ')}, from {format_time(crl.this_update)} {until}",
        f"{crl.entry_count:,} {'entry' if crl.entry_count == 1 else 'entries'}",
        *(["indirect"] if crl.scope.is_indirect else []),
        *([_STATES[listed.state(time)]] if listed.state(time) is not State.VALID else []),
        *([f"not usable: it {crl.fault}"] if crl.fault is not None else []),
    ]
    return _with_files(", ".join(words), listed.sources, with_files)


def _other(other: OtherContent, *, with_files: bool) -> str:
    text = other.kind if other.text is None else f"{other.kind} {other.text}"
    return _with_files(text, other.sources, with_files)


def _with_files(text: str, sources: Sequence[str], with_files: bool) -> str:  # noqa: FBT001  # one line of each caller
    return harmless(f"{text}  [{', '.join(sources)}]" if with_files else text)


def _coloured(line: str, state: State) -> str:
    if state is State.VALID:
        return line
    return styled(line, fg="red" if state is State.EXPIRED else "yellow")
