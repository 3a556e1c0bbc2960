"""The signed checksum file in DISA's archives: the SHA-256 and the name of each file, as CMS SignedData.

The check does what DISA's README tells users to do, and more: every file with certificates must be listed.
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
from pkcs12kit.text import shortened
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
    from pkcs12kit.retrieval.bundles.cms import SignedContent
    from pkcs12kit.sources.containers import ArchiveMember


# README.txt tells users to call 'openssl smime -verify', and calls the signer a code signing credential.
_PURPOSES: Final = ("1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.3")  # emailProtection, codeSigning (RFC 5280 4.2.1.12)
_NOT_THE_PURPOSE: Final = (
    "the signer's certificate is neither for e-mail nor for code signing (RFC 5280 section 4.2.1.12)"
)
_ENDING: Final = ".sha256"
_MOST_REASONS: Final = 50  # in a report: a list may be wrong in every line
_BUNDLE_ENDINGS: Final = (".p7b", ".p7c")
_LINE: Final = re.compile(r"([0-9A-Fa-f]{64})[ \t]+\*?(\S.*)")  # as sha256sum writes it, and with one space


class ChecksumStatus(Enum):
    """The verdict on the checksum file of a bundle. ``--json`` prints the value."""

    VERIFIED = "verified"
    """The signer has a path to a trust anchor, and every file has the listed checksum."""
    WEAK = "weak"
    """As VERIFIED, but with SHA-1, or with an expired signer or one for another purpose. The bundle is used."""
    NOT_ANCHORED = "not-anchored"
    """The signature and every checksum are valid, but there is no trust anchor: anyone can have signed it."""
    ABSENT = "absent"
    BAD = "bad"
    """A file, the signature or the signer contradicts it. The bundle must not be used."""


UNPROVEN: Final = frozenset({ChecksumStatus.ABSENT, ChecksumStatus.NOT_ANCHORED})
"""The verdicts without a signature by a known signer: anyone can have made such a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFile:
    """A file of an archive with the certificates in it: candidates."""

    member: ArchiveMember
    certificates: tuple[Certificate, ...]
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksumVerdict:
    """The verdict on a checksum file. All text in it is untrusted. Revocation of the signer is not checked."""

    status: ChecksumStatus
    """The verdict."""
    file: str | None = None
    """The name of the checksum file in the archive; None if there is none."""
    reasons: tuple[str, ...] = ()
    """Sentences that explain why it is not VERIFIED: contradictions or weaknesses."""
    signer: Certificate | None = None
    """The certificate whose key made the signature.

    Any certificate of its PKI for e-mail or code signing passes: look at its subject.
    """
    trust_anchor: TrustAnchor | None = None
    """The trust anchor that the path of the signer ends at."""
    signing_time: datetime | None = None
    """The time of signing that the signer states; timezone-aware."""
    listed: tuple[str, ...] = ()
    """The names of the files that have the right checksum."""
    left_out: tuple[str, ...] = ()
    """The names of the files that are not listed, and therefore not used."""

    def to_json(self) -> dict[str, object]:
        """Return the form for ``--json``."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRules:
    """The rules for a signer: trust anchors, time, algorithms. ``roots`` are used where there is no trust anchor."""

    trust_anchors: tuple[TrustAnchor, ...]
    roots: frozenset[str]
    time: datetime
    algorithm_policy: AlgorithmPolicy

    def anchors_among(self, candidates: Iterable[Certificate]) -> tuple[TrustAnchor, ...]:
        """Return the trust anchors; where there are none, the known roots among ``candidates``."""
        return self.trust_anchors or tuple(_pinned(candidates, self.roots))


NO_ARCHIVE: Final = ChecksumVerdict(
    status=ChecksumStatus.ABSENT, reasons=("the bundle is not an archive, so it cannot have one",)
)


def check_files(files: Sequence[BundleFile], *, rules: SignerRules, limits: Limits) -> ChecksumVerdict:
    """Check the files of an archive against the checksum file among them, whose name ends in ``.sha256``."""
    found = [file.member for file in files if file.member.name.lower().endswith(_ENDING)]
    if not found:
        inner = next((file.member.name for file in files if sniff(file.member.data) is Kind.ZIP), None)
        held = "" if inner is None else f"; it holds another archive, {inner}: take that out, and give it instead"
        return ChecksumVerdict(status=ChecksumStatus.ABSENT, reasons=(f"the archive has none{held}",))
    verdict = ChecksumVerdict(status=ChecksumStatus.BAD, file=found[0].name)
    if len(found) > 1:
        return _bad(verdict, f"there are {len(found)} checksum files; one is expected")
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
    """Return the verdict on a valid signature: check the signer and compare the files with the list."""
    candidates = (*signed.certificates, *(certificate for file in files for certificate in file.certificates))
    anchors = rules.anchors_among(candidates)
    trust_anchor, weaknesses, reasons = None, signed.weaknesses, []
    if anchors:
        pool, archived = CertificatePool(candidates), checksum.modified
        try:
            trust_anchor, of_signer = _find_signers_anchor(
                signed, pool, anchors, archived=archived, rules=rules, limits=limits
            )
            weaknesses += of_signer
        except (PathError, InputError) as error:
            reasons.append(_not_valid(signed, error))
    listing, faults = _listing(signed.content)
    listed, mismatches = _compare(files, checksum, listing)
    reasons = shortened([*reasons, *faults, *mismatches], _MOST_REASONS)
    unlisted = (file for file in files if file.member is not checksum and file.member.name not in listed)
    left_out = tuple(file.member.name for file in unlisted if file.certificates or file.rejects)
    status = ChecksumStatus.BAD
    if not reasons:
        reasons = list(weaknesses)
        status = ChecksumStatus.WEAK if weaknesses else ChecksumStatus.VERIFIED
        if trust_anchor is None:
            status = ChecksumStatus.NOT_ANCHORED
            reasons.insert(0, "the signature is valid, but there is no trust anchor to check its signer with")
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
    when = "" if claim is None else f"; it claims to have signed at {format_time(claim)}, which no one confirms"
    return f"the signer {signed.signer.subject} cannot be trusted: {error}{when}"


def _find_signers_anchor(
    signed: SignedContent,
    pool: CertificatePool,
    anchors: tuple[TrustAnchor, ...],
    *,
    archived: datetime | None,
    rules: SignerRules,
    limits: Limits,
) -> tuple[TrustAnchor, tuple[str, ...]]:
    """Return the trust anchor of the signer's path, and the weaknesses of that path as sentences.

    A weakness is a certificate that is neither for e-mail nor for code signing, and one that has expired but was valid
    at the signing time that the signature claims; where it claims none, at ``archived``, the time in the archive.
    Neither time is confirmed by anyone. Raises :class:`~pkcs12kit.errors.PathError` or
    :class:`~pkcs12kit.errors.InputError` where there is no path even so.
    """
    usage = signed.signer.extensions.key_usage
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise InputError("its certificate is not for signatures (RFC 5280 section 4.2.1.3)")
    parameters = ValidationParameters(time=rules.time, algorithm_policy=rules.algorithm_policy)
    anchor, weaknesses, error = _find_anchor(signed, pool, anchors, parameters=parameters, limits=limits)
    moment = signed.signing_time or archived
    if anchor is None and moment is not None and moment <= rules.time:
        then = replace(parameters, time=moment)
        anchor, weaknesses, _ = _find_anchor(signed, pool, anchors, parameters=then, limits=limits)
        source = "the signature" if signed.signing_time else "the archive"
        claim = f"valid at {format_time(moment)}, the time in {source}, which no one confirms"
        weaknesses = (f"the signer's certificate is not valid any more: {error}; it was {claim}", *weaknesses)
    if anchor is None:
        raise error or InputError("there is no path from it to a trust anchor")
    return anchor, weaknesses


def _find_anchor(
    signed: SignedContent,
    pool: CertificatePool,
    anchors: tuple[TrustAnchor, ...],
    *,
    parameters: ValidationParameters,
    limits: Limits,
) -> tuple[TrustAnchor | None, tuple[str, ...], NoValidPathError | None]:
    """Return the trust anchor at one time, the weakness of a path without a purpose, and the error if there is none."""
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


def _listing(content: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the SHA-256 for each listed name, and the faults of the list as sentences."""
    try:
        text = content.rstrip(b"\x00").decode("utf-8-sig")  # some lists end with a zero byte, like a C string
    except UnicodeDecodeError:
        return {}, ["the signed content is not text"]
    listing: dict[str, str] = {}
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.fullmatch(line.rstrip(" \t"))
        if found is None:
            faults += [f"line {number} of the signed content is not a checksum"] if line.strip() else []
            continue
        name = found[2].replace("\\", "/").removeprefix("./")
        if listing.setdefault(name, found[1].lower()) != found[1].lower():
            faults.append(f"{shown_path(name)} is listed twice, with two checksums")
    if not listing:
        faults.append("the signed content lists no file")
    return listing, faults


def _compare(
    files: Sequence[BundleFile], checksum: ArchiveMember, listing: dict[str, str]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the names of the members with the listed checksum, and the differences as sentences."""
    own = _slashed(checksum)
    folder = own[: own.rfind("/") + 1]
    # A file cannot contain its own checksum.
    listing = {name: digest for name, digest in listing.items() if folder + name != own}
    members = {_slashed(file.member): file.member for file in files}
    twice = (file.member.name for file in files if members[_slashed(file.member)] is not file.member)
    faults = [f"several files have the name {name}" for name in dict.fromkeys(twice)]
    right = []
    for name, digest in listing.items():
        member = members.get(folder + name)
        if member is None:
            faults.append(f"{shown_path(name)} is listed, but missing")
        elif member.fault is not None:
            faults.append(f"{shown_path(name)} cannot be read: {member.fault}")
        elif hashlib.sha256(member.data).hexdigest() != digest:
            faults.append(f"{shown_path(name)} is not the signed file: its SHA-256 is different")
        else:
            right.append(member.name)
    covered = {folder + name for name in listing}
    extra = [member.name for name, member in members.items() if name not in covered and _is_bundle(member)]
    return tuple(right), [*faults, *(f"{name} is not listed" for name in extra)]


def _slashed(member: ArchiveMember) -> str:
    return member.name.replace("\\", "/")  # some archivers on Windows write backslashes


def _is_bundle(member: ArchiveMember) -> bool:
    if member.name.lower().endswith(_ENDING):
        return False
    return member.name.lower().endswith(_BUNDLE_ENDINGS) or sniff(member.data) is Kind.PKCS7
