"""The signed checksum file that DISA puts into its archives: SHA-256 and name of each file, as CMS SignedData.

What its own README has users do, and more: no file with certificates may be there that is not listed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.pool import CertificatePool, Reject
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import InputError, PathError
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.search import find_path
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.retrieval.bundles.cms import verify_signed_data
from pkcs12kit.sources.reading import shown_path
from pkcs12kit.sources.sniffing import Kind, sniff
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
    from pkcs12kit.retrieval.bundles.cms import SignedContent
    from pkcs12kit.sources.containers import ArchiveMember


# README.txt has its users call 'openssl smime -verify', and calls the signer a code signing credential.
_PURPOSES: Final = ("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.3")  # emailProtection, codeSigning (RFC 5280 4.2.1.12)
_NOT_THE_PURPOSE: Final = "the signer's certificate is for neither e-mail nor code (RFC 5280 section 4.2.1.12)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRules:
    """Who may sign, when, and how strongly. ``roots`` are fingerprints that count where no trust anchor is given."""

    trust_anchors: tuple[TrustAnchor, ...]
    roots: frozenset[str]
    time: datetime
    algorithm_policy: AlgorithmPolicy

    def anchors_among(self, candidates: Iterable[Certificate]) -> tuple[TrustAnchor, ...]:
        """Give the trust anchors; where there are none, the known roots that are among ``candidates``."""
        return self.trust_anchors or tuple(_pinned(candidates, self.roots))


def find_signers_anchor(
    signed: SignedContent,
    pool: CertificatePool,
    anchors: tuple[TrustAnchor, ...],
    *,
    archived: datetime | None,
    rules: SignerRules,
    limits: Limits,
) -> tuple[TrustAnchor, tuple[str, ...]]:
    """Find the anchor that the signer leads to, and say in sentences what is weak about the way there.

    Weak is a certificate that is for neither e-mail nor code, and one that has lapsed, but was valid when the signature
    says that it was made; where it says nothing, when the archive was made: ``archived``. Neither is confirmed by
    anybody. Raises :class:`~pkcs12kit.errors.PathError` or :class:`~pkcs12kit.errors.InputError` where nothing leads to
    an anchor even so.
    """
    usage = signed.signer.extensions.key_usage
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise InputError("its certificate is not for signatures (RFC 5280 section 4.2.1.3)")
    parameters = ValidationParameters(time=rules.time, algorithm_policy=rules.algorithm_policy)
    anchor, weaknesses, error = _look(signed, pool, anchors, parameters=parameters, limits=limits)
    moment = signed.signing_time or archived
    if anchor is None and moment is not None and moment <= rules.time:
        then = replace(parameters, time=moment)
        anchor, weaknesses, _ = _look(signed, pool, anchors, parameters=then, limits=limits)
        who = "the signature" if signed.signing_time else "the archive"
        claim = f"valid at {format_time(moment)}, when {who} says it was made, which nobody confirms"
        weaknesses = (f"the signer's certificate is not valid any more: {error}; it was {claim}", *weaknesses)
    if anchor is None:
        raise error or InputError("nothing leads from it to a trust anchor")
    return anchor, weaknesses


def _look(
    signed: SignedContent,
    pool: CertificatePool,
    anchors: tuple[TrustAnchor, ...],
    *,
    parameters: ValidationParameters,
    limits: Limits,
) -> tuple[TrustAnchor | None, tuple[str, ...], NoValidPathError | None]:
    """Find the anchor at one time, by a purpose, else by none: then that is weak. Else why there is none."""
    error = None
    for purpose in (*_PURPOSES, None):
        wanted = replace(parameters, extended_key_usage=purpose)
        try:
            path = find_path(signed.signer, pool=pool, trust_anchors=anchors, parameters=wanted, limits=limits)
        except NoValidPathError as failure:
            error = failure
        else:
            return path.trust_anchor, () if purpose else (_NOT_THE_PURPOSE,), None
    return None, (), error


def _pinned(candidates: Iterable[Certificate], roots: frozenset[str]) -> Iterator[TrustAnchor]:
    for certificate in dict.fromkeys(candidates):
        if certificate.sha256 in roots:
            yield TrustAnchor.from_certificate(certificate)


_ENDING: Final = ".sha256"
_MOST_REASONS: Final = 50  # in a report; a list may be wrong in every line
_BUNDLE_ENDINGS: Final = (".p7b", ".p7c")
_LINE: Final = re.compile(r"([0-9A-Fa-f]{64})[ \t]+\*?(\S.*)")  # as sha256sum writes it, and with one space


class ChecksumStatus(Enum):
    """What the checksum file of a bundle proves. The value is what ``--json`` prints."""

    VERIFIED = "verified"
    """Signed by someone whom a trust anchor leads to, and every file is as it was listed."""
    WEAK = "weak"
    """The same, but by a signature with SHA-1, or a signer who may no longer or should not sign this. It is used."""
    NOT_ANCHORED = "not-anchored"
    """Soundly signed and every file as listed, by someone whom no trust anchor was given for: anybody, that is."""
    ABSENT = "absent"
    BAD = "bad"
    """Something contradicts it: a file, the signature, the signer. Nothing of the bundle is to be used."""


UNPROVEN: Final = frozenset({ChecksumStatus.ABSENT, ChecksumStatus.NOT_ANCHORED})
"""No signature by anybody who is known: such a bundle may be anybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFile:
    """A file of an archive, and the certificates in it: candidates."""

    member: ArchiveMember
    certificates: tuple[Certificate, ...]
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksumVerdict:
    """What was found out about a checksum file. All text in it is untrusted.

    ``reasons`` says in sentences why it is not VERIFIED: what contradicts it, or what is weak about it. ``signer`` is
    the certificate whose key made the signature; ``trust_anchor`` is whom it leads to. Any certificate of that PKI that
    may sign mail or code passes: look at its subject. ``signing_time`` is what the signer claims. ``listed`` are the
    names of files with a right checksum, ``left_out`` those of files that are not listed, and so not used. That the
    signer was not revoked is not checked.
    """

    status: ChecksumStatus
    file: str | None = None
    reasons: tuple[str, ...] = ()
    signer: Certificate | None = None
    trust_anchor: TrustAnchor | None = None
    signing_time: datetime | None = None
    listed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
        anchor = self.trust_anchor
        return {
            "status": self.status.value,
            "file": self.file,
            "reasons": list(self.reasons),
            "signer": None if self.signer is None else self.signer.to_json(),
            "trust_anchor": None if anchor is None else str(anchor.name),
            "signing_time": None if self.signing_time is None else format_time(self.signing_time),
            "listed": list(self.listed),
            "left_out": list(self.left_out),
        }


NO_ARCHIVE: Final = ChecksumVerdict(
    status=ChecksumStatus.ABSENT, reasons=("it is no archive, and has no room for one",)
)


def check_files(files: Sequence[BundleFile], *, rules: SignerRules, limits: Limits) -> ChecksumVerdict:
    """Check the files of an archive against the checksum file among them, whose name ends in ``.sha256``."""
    found = [file.member for file in files if file.member.name.lower().endswith(_ENDING)]
    if not found:
        return ChecksumVerdict(status=ChecksumStatus.ABSENT, reasons=("there is none in the archive",))
    verdict = ChecksumVerdict(status=ChecksumStatus.BAD, file=found[0].name)
    if len(found) > 1:
        return _bad(verdict, f"there are {len(found)} checksum files, where one is expected")
    certificates = tuple(certificate for file in files for certificate in file.certificates)
    try:
        data = _content(found[0], limits)
        signed = verify_signed_data(
            data, candidates=certificates, algorithm_policy=rules.algorithm_policy, limits=limits
        )
    except InputError as error:
        return _bad(verdict, f"the checksum file {error}")
    return _judge(files, found[0], signed, rules=rules, limits=limits)


def _judge(
    files: Sequence[BundleFile], checksum: ArchiveMember, signed: SignedContent, *, rules: SignerRules, limits: Limits
) -> ChecksumVerdict:
    """Judge what was soundly signed: by whom, and whether it is what is there."""
    candidates = (*signed.certificates, *(certificate for file in files for certificate in file.certificates))
    anchors = rules.anchors_among(candidates)
    trust_anchor, weaknesses, reasons = None, signed.weaknesses, []
    if anchors:
        pool, archived = CertificatePool(candidates), checksum.modified
        try:
            trust_anchor, of_signer = find_signers_anchor(
                signed, pool, anchors, archived=archived, rules=rules, limits=limits
            )
            weaknesses += of_signer
        except (PathError, InputError) as error:
            reasons.append(_not_valid(signed, error))
    listing, faults = _listing(signed.content)
    listed, mismatches = _compare(files, checksum, listing)
    reasons += [*faults, *mismatches]
    if reasons[_MOST_REASONS:]:
        reasons[_MOST_REASONS:] = [f"and {len(reasons) - _MOST_REASONS:,} more"]
    unlisted = (file for file in files if file.member is not checksum and file.member.name not in listed)
    left_out = tuple(file.member.name for file in unlisted if file.certificates or file.rejects)
    status = ChecksumStatus.BAD
    if not reasons:
        reasons = list(weaknesses)
        status = ChecksumStatus.WEAK if weaknesses else ChecksumStatus.VERIFIED
        if trust_anchor is None:
            status = ChecksumStatus.NOT_ANCHORED
            reasons.insert(0, "the signature is sound, but no trust anchor was given that says who made it")
    return ChecksumVerdict(
        status=status,
        file=checksum.name,
        reasons=tuple(reasons),
        signer=signed.signer,
        trust_anchor=trust_anchor,
        signing_time=signed.signing_time,
        listed=listed,
        left_out=left_out,
    )


def _bad(verdict: ChecksumVerdict, reason: str) -> ChecksumVerdict:
    return ChecksumVerdict(status=ChecksumStatus.BAD, file=verdict.file, reasons=(reason,))


def _content(member: ArchiveMember, limits: Limits) -> bytes:
    if member.fault is not None:
        raise InputError(f"cannot be read: {member.fault}")
    if len(member.data) > limits.retrieval_checksum_bytes:
        raise InputError(f"has more than {limits.retrieval_checksum_bytes:,} bytes (limits.retrieval_checksum_bytes)")
    return member.data


def _not_valid(signed: SignedContent, error: Exception) -> str:
    claim = signed.signing_time
    when = "" if claim is None else f"; it claims to have signed at {format_time(claim)}, which nobody confirms"
    return f"the signer {signed.signer.subject} is not to be trusted: {error}{when}"


def _listing(content: bytes) -> tuple[dict[str, str], list[str]]:
    """Read the lines: a SHA-256 for each name; and what is wrong with them."""
    try:
        text = content.rstrip(b"\x00").decode("utf-8-sig")  # a C string's end was signed along with it
    except UnicodeDecodeError:
        return {}, ["what is signed is no text"]
    listing: dict[str, str] = {}
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.fullmatch(line.rstrip(" \t"))
        if found is None:
            faults += [f"line {number} of what is signed is no checksum"] if line.strip() else []
            continue
        name = found[2].replace("\\", "/").removeprefix("./")
        if listing.setdefault(name, found[1].lower()) != found[1].lower():
            faults.append(f"{shown_path(name)} is listed twice, with two checksums")
    if not listing:
        faults.append("no file is listed in what is signed")
    return listing, faults


def _compare(
    files: Sequence[BundleFile], checksum: ArchiveMember, listing: dict[str, str]
) -> tuple[tuple[str, ...], list[str]]:
    """Say which files are as listed, by the names of members, and what is not as it should be."""
    own = _slashed(checksum)
    folder = own[: own.rfind("/") + 1]
    listing = {name: digest for name, digest in listing.items() if folder + name != own}  # never right
    members = {_slashed(file.member): file.member for file in files}
    twice = (file.member.name for file in files if members[_slashed(file.member)] is not file.member)
    faults = [f"there are several files called {name}" for name in dict.fromkeys(twice)]
    right = []
    for name, digest in listing.items():
        member = members.get(folder + name)
        if member is None:
            faults.append(f"{shown_path(name)} is listed and not there")
        elif member.fault is not None:
            faults.append(f"{shown_path(name)} cannot be read: {member.fault}")
        elif hashlib.sha256(member.data).hexdigest() != digest:
            faults.append(f"{shown_path(name)} is not what was signed: its SHA-256 is another")
        else:
            right.append(member.name)
    covered = {folder + name for name in listing}
    extra = [member.name for name, member in members.items() if name not in covered and _is_bundle(member)]
    return tuple(right), [*faults, *(f"{name} is there and not listed" for name in extra)]


def _slashed(member: ArchiveMember) -> str:
    return member.name.replace("\\", "/")  # some archivers on Windows write the other one


def _is_bundle(member: ArchiveMember) -> bool:
    if member.name.lower().endswith(_ENDING):
        return False
    return member.name.lower().endswith(_BUNDLE_ENDINGS) or sniff(member.data) is Kind.PKCS7
