"""Checks of PKCS#12 files: each function makes one or two checks and returns or yields their findings."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.authority_key import AUTHORITY_KEY_IDENTIFIER
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.devices.named_issuers import SECTION as SECTION_OF_NAMED_ISSUERS
from pkcs12kit.devices.named_issuers import NamedIssuerMismatch, named_issuer_mismatches
from pkcs12kit.devices.self_signed import describe_own_anchor, is_own_anchor
from pkcs12kit.errors import FailureReason
from pkcs12kit.findings import Answer, Check, Finding, not_checked, not_ok, note, ok
from pkcs12kit.paths.confirmation import Opinion
from pkcs12kit.paths.named_issuers import names_another
from pkcs12kit.paths.revocation import RevocationMode, check_revocation
from pkcs12kit.pkcs12.arrangement import is_readable
from pkcs12kit.pkcs12.java_entries import is_marked
from pkcs12kit.pkcs12.passwords import usual_encodings
from pkcs12kit.sources.delivered_files import FileFormat
from pkcs12kit.text import counted
from pkcs12kit.times import format_time
from pkcs12kit.verifier.anchor_certificates import own_certificates
from pkcs12kit.verifier.delivered import describe, drawn, labels, name_mismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.revocation import Revocation, RevocationReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.compatibility import Reader
    from pkcs12kit.pkcs12.decoded_keys import DecodedKey
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.verifier.delivered import ChainPaths, DeliveredChain

KEY_OF_ANOTHER: Final = "no certificate in the file is for the private key"
_ODDITIES_NAMED: Final = 3
_NO_CHAIN: Final = frozenset(
    {
        FailureReason.ISSUER_NOT_FOUND,
        FailureReason.NO_TRUST_ANCHOR,
        FailureReason.BAD_SIGNATURE,
        FailureReason.NAME_CHAINING,
    }
)


def check_mac(anatomy: PfxReport, password: str | None, contents_password: str | None) -> Finding:
    """Report how the file is authenticated and what is unusual about its password, which is known to be right."""
    notes = []
    if anatomy.mac is None:
        notes.append("there is no MAC: a change of the file would not be noticed")
    if not password and not contents_password:
        notes.append("the file opens without a password: anyone who has the file can read its contents")
    for use in anatomy.password_uses:
        given = contents_password if use.contents_password else password
        if use.contents_password and use.part != "MAC":
            notes.append(f"the {use.part} opens with another password than the MAC: most programs accept only one")
        if given and use.encoding != usual_encodings(given, use.kdf)[0].encoding:
            notes.append(f"the password of the {use.part} is encoded as {use.encoding}, which few programs try")
    if notes:
        return note(Check.MAC, "; ".join(dict.fromkeys(notes)))
    return ok(Check.MAC, "verifies with the password")


def check_contents(decoded: DecodedPfx, chain: DeliveredChain, paths: ChainPaths) -> Finding:
    """Check that every certificate can be read; note what the file holds beside the key and the path."""
    unreadable = [str(reject) for reject in decoded.rejects]
    unreadable += [
        f"certificate {position}: its names or its key cannot be read"
        for position, certificate in enumerate(decoded.certificates, start=1)
        if not is_readable(certificate)
    ]
    if unreadable:
        more = f", and {len(unreadable) - 1} more" if len(unreadable) > 1 else ""
        return not_ok(Check.CONTENTS, f"not every certificate can be read: {unreadable[0]}{more}")
    notes = []
    superfluous = _superfluous(chain, paths)
    if superfluous:
        which = "of this key" if chain.has_other_keys else "at all"
        notes.append(f"{counted(len(superfluous), 'certificate')} on no path {which}: {labels(superfluous)}")
    notes += [f"{count} {type_}" for type_, count in Counter(bag.type for bag in decoded.other_bags).items()]
    if decoded.trailing_bytes:
        notes.append(f"{counted(decoded.trailing_bytes, 'byte')} after its end")
    keys = len(decoded.keys) + len(decoded.unread_keys)
    total = f"{counted(keys, 'private key')}, {counted(len(decoded.certificates), 'certificate')}"
    beside = [f"beside the path {'; '.join(notes)}"] if notes else []
    odd = list(decoded.notes[:_ODDITIES_NAMED])
    if len(decoded.notes) > len(odd):
        odd.append(f"{counted(len(decoded.notes) - len(odd), 'more note')}, which inspect lists")
    if beside or odd:
        return note(Check.CONTENTS, "; ".join([total, *beside, *odd]))
    return ok(Check.CONTENTS, total)


def _superfluous(chain: DeliveredChain, paths: ChainPaths) -> list[Certificate]:
    """Return the certificates that are on no path; none where there is no path, or where the search was cut short."""
    if paths.path is None or paths.report is None or paths.report.incomplete is not None:
        return []
    useful = {certificate.node for path in (paths.path, *paths.report.valid) for certificate in path.with_anchor}
    return [certificate for certificate in chain.certificates if certificate.node not in useful]


def check_private_key(decoded: DecodedPfx, key: DecodedKey | None, time: datetime, *, certs_only: bool) -> Finding:
    """Check that a certificate is for the private key; with ``certs_only``, that the file has no private key.

    Note other certificates of the key than the one that is used at the time.
    """
    if certs_only:
        if decoded.keys or decoded.unread_keys:
            return not_ok(Check.PRIVATE_KEY, "the file has a private key, where only certificates were expected")
        return ok(Check.PRIVATE_KEY, "there is none, as expected")
    if key is None:
        marked = any(map(is_marked, decoded.certificate_attributes))
        kind = "this is a Java truststore" if marked else "the file holds only certificates"
        return not_ok(Check.PRIVATE_KEY, f"there is none: {kind}, and no server can use it as its own")
    certificate = key.certificate_at(time)
    if certificate is None:
        return not_ok(Check.PRIVATE_KEY, KEY_OF_ANOTHER)
    if (others := key.other_certificates_at(time)) is not None:
        return note(Check.PRIVATE_KEY, others)
    return ok(Check.PRIVATE_KEY, f"it is for the certificate of {certificate.label}")


def check_arrangement(chain: DeliveredChain) -> Iterator[Finding]:
    """Check that each localKeyID is at a key's own certificate, and that no (subject, key) occurs twice."""
    mismatches, duplicates = chain.of_all_keys.mismatches, chain.of_all_keys.duplicates
    if mismatches:
        yield not_ok(Check.LOCAL_KEY_ID, "; ".join(mismatches))
    else:
        yield ok(Check.LOCAL_KEY_ID, "none is out of place")
    if duplicates:
        yield not_ok(Check.DUPLICATES, "; ".join(duplicates))
    else:
        yield ok(Check.DUPLICATES, "no subject and key occurs twice")


def check_chain_and_path(chain: DeliveredChain, paths: ChainPaths) -> Iterator[Finding]:
    """Check the order of the certificates, that they lead to a trust anchor, and that this path is valid."""
    if paths.report is None:
        yield not_ok(Check.CHAIN, f"{chain.source} holds no certificate that can be read")
        yield not_checked(Check.ORDER, "there is no certificate")
        yield not_checked(Check.PATH, "there is no certificate")
        return
    yield _check_order(chain, paths)
    path = paths.path
    if path is not None and is_own_anchor(path):
        yield note(Check.CHAIN, describe_own_anchor(path))
        yield ok(Check.PATH, f"valid at {format_time(path.parameters.time)} by RFC 5280 section 6.1")
        return
    if path is not None:
        there = own_certificates(chain.certificates, path)
        where = f"in {chain.source}" if there else f"not in {chain.source}"
        yield ok(
            Check.CHAIN,
            f"complete in {chain.source}: {counted(len(path.certificates), 'certificate')} up to"
            f" {path.trust_anchor.label}, whose own certificate is {where}",
        )
        yield ok(Check.PATH, f"valid at {format_time(path.parameters.time)} by RFC 5280 section 6.1")
        return
    closest = paths.report.rejected[0]
    trusted = {anchor.name for anchor in paths.anchors}
    why = "; ".join(map(describe, closest.failures))
    reaches = closest.certificates[0] == chain.target and closest.certificates[-1].issuer in trusted
    if closest.reason is FailureReason.BUDGET_EXHAUSTED:
        yield not_checked(Check.CHAIN, "the search was given up")
        yield not_ok(Check.PATH, why)
    elif reaches and closest.reason not in _NO_CHAIN:
        yield ok(Check.CHAIN, f"complete in {chain.source}: {drawn(closest.certificates)}")
        yield not_ok(Check.PATH, why)
    else:
        yield not_ok(Check.CHAIN, why)
        yield not_checked(Check.PATH, "no chain leads to a trust anchor")


def _check_order(chain: DeliveredChain, paths: ChainPaths) -> Finding:
    if paths.is_in_order:
        return ok(Check.ORDER, f"{chain.source} begins with the path: end-entity, then each issuer")
    if paths.is_unnamed_in_order and paths.path is not None:
        return not_ok(
            Check.ORDER,
            "in this order the certificates make a path that authorityKeyIdentifiers do not name, which OpenSSL does"
            f" not follow; in order: {drawn(paths.path.certificates)}",
        )
    if paths.path is None:
        if chain.arrangement.in_order:
            return ok(Check.ORDER, "end-entity, then each issuer, as far as they go")
        return not_ok(Check.ORDER, "the certificates are not in order: end-entity first, then each issuer")
    why = "" if paths.why_not_in_order is None else f" ({describe(paths.why_not_in_order)})"
    right = drawn(paths.path.certificates)
    return not_ok(Check.ORDER, f"in this order the certificates make no valid path{why}; in order: {right}")


def check_authority_key_identifiers(chain: DeliveredChain, paths: ChainPaths) -> Finding:
    """Check that each certificate of the path names the certificate above it, if it names one.

    Validation does not require it (RFC 5280 section 4.2.1.1). OpenSSL does, and some other clients in part.
    """
    check, path = Check.AUTHORITY_KEY_IDENTIFIER, paths.path
    if path is None:
        return not_checked(check, "there is no path")
    unreadable = [
        f"that of {certificate.label} cannot be read, so that OpenSSL and programs that use it refuse the chain"
        for certificate in path.certificates
        if AUTHORITY_KEY_IDENTIFIER in certificate.extensions.oids
        and certificate.extensions.authority_key_identifier is None
    ]
    problems = [*unreadable, *(str(one) + _where_named(one, chain) for one in named_issuer_mismatches(path))]
    if problems:
        return not_ok(check, "; ".join(problems))
    named = [one.authority_certificate for one in path.certificates]
    halves = [
        certificate.label
        for certificate, its in zip(path.certificates, named, strict=True)
        if its is not None and not its.is_complete
    ]
    if halves:
        why = f"only one of issuer and serial number, which OpenSSL compares and others ignore: {', '.join(halves)}"
        return note(check, f"{why} [{SECTION_OF_NAMED_ISSUERS}]")
    return ok(check, "none names another certificate than the one above it")


def _where_named(mismatch: NamedIssuerMismatch, chain: DeliveredChain) -> str:
    """Return where the named certificate is, if it is delivered: a valid path would go through it."""
    lower, issuer = mismatch.certificate, mismatch.issuer
    for one in chain.certificates:
        if one.subject == lower.issuer and one != issuer and not names_another(lower, one):
            number = serial_number_label(one.serial_number)
            return f"; the one that it names, {one.label} {number}, is in {chain.source}, but on no valid path"
    return ""


def check_second_opinion(confirmation: Confirmation, path: ValidatedPath | None) -> Finding:
    """Return certvalidator's opinion of the path as a finding."""
    check = Check.SECOND_OPINION
    if path is None or confirmation.opinion is Opinion.NOT_ASKED:
        return not_checked(check, "there is no path to judge" if path is None else "not asked for")
    if confirmation.opinion is Opinion.VALID:
        return ok(check, str(confirmation))
    return (note if confirmation.opinion is Opinion.CANNOT_JUDGE else not_ok)(check, str(confirmation))


def revocation_of(
    path: ValidatedPath | None, revocation: Revocation | None, chain: DeliveredChain, limits: Limits
) -> RevocationReport | None:
    """Return the revocation status of each certificate of the path, where that is asked for, else None.

    The certificates of CRL issuers may be in the file.
    """
    if path is None or revocation is None or revocation.mode is RevocationMode.OFF:
        return None
    return check_revocation(
        path,
        time=path.parameters.time,
        revocation=revocation,
        pool=CertificatePool(chain.certificates),
        algorithm_policy=path.parameters.algorithm_policy,
        limits=limits,
    )


def check_path_revocation(revocation: Revocation | None, report: RevocationReport | None) -> Finding:
    """Check that no certificate of the path is revoked, if that is asked for."""
    check = Check.REVOCATION
    if revocation is None or revocation.mode is RevocationMode.OFF:
        return not_checked(check, "not asked for")
    if report is None:
        return not_checked(check, "there is no path to check")
    if report.failure is not None:
        return not_ok(check, describe(report.failure))
    if report.warnings:
        return note(check, "; ".join(report.warnings))
    return ok(check, f"not revoked: {counted(len(report.statuses), 'certificate')}")


def check_server_name(target: Certificate | None, parameters: ValidationParameters) -> Finding:
    """Check that the certificate is for the server name (RFC 9525). Its purpose is checked with the path."""
    check = Check.SERVER_NAME
    if parameters.server_name is None:
        return not_checked(check, "not asked for")
    if target is None:
        return not_checked(check, "there is no certificate")
    why = name_mismatch(target, parameters)
    return ok(check, f"it is for {parameters.server_name}") if why is None else not_ok(check, why)


def check_expiry(
    chain: DeliveredChain, paths: ChainPaths, parameters: ValidationParameters, within: timedelta
) -> Finding:
    """Check that no certificate of the path, or else of the chain by names, expires within that time."""
    certificates: Sequence[Certificate] = chain.arrangement.chain
    if paths.path is not None:
        certificates = paths.path.with_anchor
    if not parameters.check_trust_anchor_validity:
        own = {anchor.certificate for anchor in paths.anchors} - {chain.target}
        certificates = [certificate for certificate in certificates if certificate not in own]
    if not certificates:
        return not_checked(Check.EXPIRY, "there is no certificate")
    first = min(certificates, key=lambda certificate: certificate.not_after)
    left = first.not_after - parameters.time
    if left < timedelta(0):
        return not_ok(Check.EXPIRY, f"{first.label} expired on {format_time(first.not_after)}")
    why = f"{first.label} is the first, on {format_time(first.not_after)}, in {counted(left.days, 'day')}"
    return ok(Check.EXPIRY, why) if left >= within else not_ok(Check.EXPIRY, f"{why}: sooner than asked for")


def check_other_paths(paths: ChainPaths) -> Finding:
    """Report the other valid paths that the certificates make."""
    check = Check.OTHER_PATHS
    if paths.path is None or paths.report is None:
        return not_checked(check, "there is no path")
    chosen = paths.path
    others = [
        path
        for path in paths.report.valid
        if (path.certificates, path.trust_anchor.node) != (chosen.certificates, chosen.trust_anchor.node)
    ]
    cut_short = f"; the search was cut short: {paths.report.incomplete}" if paths.report.incomplete else ""
    if not others:
        return (note if cut_short else ok)(check, f"the certificates make no other valid path{cut_short}")
    shortest = min(others, key=lambda path: len(path.certificates))
    shorter = "a shorter one" if len(shortest.certificates) < len(chosen.certificates) else "for example"
    more = counted(len(others), "other valid path")
    return note(check, f"the certificates make {more}, {shorter}: {drawn(shortest.certificates)}{cut_short}")


def without_pkcs12(
    findings: Iterable[Finding], file_format: FileFormat, wanted: Iterable[Reader]
) -> tuple[Finding, ...]:
    """Return the findings for a file of another format: what only PKCS#12 has is not checked, and never passed.

    A reader in ``wanted`` is a problem, because its verdicts are about PKCS#12 files.
    """
    why = "not a PKCS#12 file"
    left_out = {Check.LOCAL_KEY_ID: why}
    if file_format is FileFormat.PKCS7:
        left_out[Check.ORDER] = "a PKCS#7 bundle is a set of certificates, which has no order"
    kept = [not_checked(one.check, left_out[one.check]) if one.check in left_out else one for one in findings]
    named = ", ".join(reader.name for reader in wanted)
    readers = not_ok(Check.READERS, f"{why}, so that {named} cannot be judged") if named else None
    return (
        *kept,
        not_checked(Check.MAC, why),
        readers or not_checked(Check.READERS, why),
        not_checked(Check.JAVA_ENTRIES, why),
    )


def check_readers(anatomy: PfxReport, wanted: tuple[Reader, ...]) -> Finding:
    """Check that each of these readers is known to import the file; without readers, list what is known of each."""
    if wanted:
        verdicts = {reader.name: reader.judge(anatomy.facts) for reader in wanted}
        refusals = [f"{name}: {verdict.why}" for name, verdict in verdicts.items() if verdict.answer is not Answer.YES]
        if refusals:
            return not_ok(Check.READERS, f"not known to import the file: {'; '.join(refusals)}")
        return ok(Check.READERS, f"can be imported by {', '.join(verdicts)}")
    verdicts = {name: verdict for name, verdict in anatomy.readers.items() if verdict.versions == (name,)}
    parts = [
        f"{title}: {', '.join(named)}"
        for answer, title in ((Answer.YES, "can be imported by"), (Answer.NO, "not by"), (Answer.UNKNOWN, "not known"))
        if (named := [name for name, verdict in verdicts.items() if verdict.answer is answer])
    ]
    return note(Check.READERS, "; ".join(parts))
