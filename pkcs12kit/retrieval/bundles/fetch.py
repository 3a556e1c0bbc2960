"""Fetching of a published bundle, with a check of its signed checksum file where it has one."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_duration, require_flags, require_kind
from pkcs12kit.certificates.pool import Reject
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.event_loop import run
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.validation.algorithms import DEFAULT, AlgorithmPolicy
from pkcs12kit.retrieval.bundles.carried import carried_bundle, is_file_name, is_only_a_source, read_carried
from pkcs12kit.retrieval.bundles.checksums import (
    NO_ARCHIVE,
    UNPROVEN,
    BundleFile,
    ChecksumStatus,
    ChecksumVerdict,
    SignerRules,
    check_files,
)
from pkcs12kit.retrieval.bundles.published import PUBLISHED, PublishedBundle, find_bundle
from pkcs12kit.retrieval.bundles.report import EXPIRES_WITHIN, BundleReport, compare_bundles
from pkcs12kit.retrieval.http.permitted import require_permitted_url
from pkcs12kit.retrieval.options import DEFAULT_OPTIONS, FetchOptions, make_fetcher, open_cache
from pkcs12kit.retrieval.retrieved import GatheredCertificate, Origin, Purpose, Status
from pkcs12kit.sources.arguments import as_certificates, as_trust_anchors
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.containers import ArchiveBudget, zip_members
from pkcs12kit.sources.sniffing import Kind, sniff
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.retrieval.cache.cache import Cache
    from pkcs12kit.retrieval.retrieved import Retrieval
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument


# PKCS#12 is not among them: its author could make us derive keys with any number of iterations.
_READ: Final = frozenset({Kind.CERTIFICATE, Kind.PKCS7, Kind.CERTIFICATE_PAIR, Kind.ZIP})


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleContents:
    """The certificates of a bundle: candidates. There are none where its checksum file is bad."""

    certificates: tuple[Certificate, ...]
    rejects: tuple[Reject, ...]
    checksum: ChecksumVerdict
    archived: datetime | None = None
    """The time of the checksum file by the archive: anyone can change that."""

    def is_older_than(self, other: BundleContents) -> bool:
        """Return True if it is older than ``other``, by the signing times or else by the times in the archives."""
        signed, others = self.checksum.signing_time, other.checksum.signing_time
        if signed is None or others is None:
            signed, others = self.archived, other.archived
        return signed is not None and others is not None and signed < others


def open_bundle(data: bytes, *, url: str, rules: SignerRules, limits: Limits) -> BundleContents:
    """Parse a bundle from ``url``, within the limits for a user's own sources.

    Raises :class:`~pkcs12kit.errors.InputError` where it has no certificate, or a file name that leads out of its
    folder; :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    if sniff(data) is not Kind.ZIP:
        collector = Collector(password=None, limits=limits, containers=_READ)
        collector.collect_content(url, data)
        return BundleContents(
            certificates=tuple(dict.fromkeys(collector.certificates)),
            rejects=tuple(collector.rejects),
            checksum=NO_ARCHIVE,
        )
    files = tuple(_files(data, url, limits))
    verdict = check_files(files, rules=rules, limits=limits)
    if verdict.status is ChecksumStatus.BAD:
        return BundleContents(certificates=(), rejects=(), checksum=verdict)
    archived = next((file.member.modified for file in files if file.member.name == verdict.file), None)
    if verdict.status is not ChecksumStatus.ABSENT:
        listed = frozenset(verdict.listed)
        files = tuple(file for file in files if file.member.name in listed)
    certificates = tuple(dict.fromkeys(certificate for file in files for certificate in file.certificates))
    rejects = tuple(reject for file in files for reject in file.rejects)
    if not certificates:
        first = f" that can be read: {rejects[0].reason}" if rejects else ""
        raise InputError(f"{url}: a zip archive without certificates{first}")
    return BundleContents(certificates=certificates, rejects=rejects, checksum=verdict, archived=archived)


def _files(data: bytes, url: str, limits: Limits) -> Iterator[BundleFile]:
    """Unpack the archive in memory, and yield each file with its certificates."""
    budget = ArchiveBudget(name=url, limits=limits)
    collector = Collector(password=None, limits=limits, containers=_READ)
    for member in zip_members(data, budget):
        name = f"{url}!{member.name}"
        certificates, rejects = len(collector.certificates), len(collector.rejects)
        if member.fault is None:
            collector.collect_member(name, member.data, archive=budget)
            faults = tuple(collector.rejects[rejects:])
        else:
            faults = (Reject(source=name, position=1, reason=member.fault),)
        yield BundleFile(member=member, certificates=tuple(collector.certificates[certificates:]), rejects=faults)


_ONLY_A_SOURCE: Final = (
    "not an archive, so it has no signed checksums: it is only a source of candidates, as with --certs, and anybody"
    " can have made it"
)
_FROM_CACHE = frozenset({Status.CACHED, Status.UNCHANGED})


def fetch_bundle(  # noqa: PLR0913  # each question has its own keyword
    bundle: str | os.PathLike[str] | PublishedBundle,
    *,
    trust_anchors: TrustAnchorsArgument = (),
    time: datetime | None = None,
    algorithm_policy: AlgorithmPolicy = DEFAULT,
    previous: CertificatesArgument | None = None,
    expires_within: timedelta = EXPIRES_WITHIN,
    strict_checksums: bool = False,
    allow_unsigned: bool = False,
    options: FetchOptions = DEFAULT_OPTIONS,
    limits: Limits = DEFAULT_LIMITS,
) -> BundleReport:
    """Fetch a published bundle, check its signed checksum file, and return a report with its certificates.

    * ``bundle``: ``dod``, ``eca``, ``fpki``, a URL, a value of :func:`~pkcs12kit.published.load_bundles`, or a file
      that was carried by hand. The URLs are tried in order until one answers; for a file nothing is fetched.
    * ``trust_anchors``: sources or loaded values. The signer of the checksum file must have a path to one of them.
      Without any, the roots of :class:`~pkcs12kit.published.PublishedBundle` count; without those, a valid signature
      proves nothing.
    * ``time``: of that path, timezone-aware; now by default. ``algorithm_policy``: of its algorithms.
    * ``previous``: the certificates to compare with, sources or loaded values; None: those of the cached copy,
      which can be the bundle itself, if it was fetched a short while ago.
    * ``expires_within``: the time before the end of validity in which a certificate counts as expiring.
    * ``strict_checksums``: use a bundle only if its verdict is VERIFIED.
    * ``allow_unsigned``: use a bundle without a signature even if its publisher is known to sign it.
    * ``options`` and ``limits``: as for :func:`~pkcs12kit.gather`.

    Of an archive with a checksum file (DISA's have one), only the listed files are used; nothing is used where anything
    contradicts the list. A bundle with roots (``dod`` and ``eca`` have them) is not used without a checksum file, or
    where the signer has no path to a trust anchor or root: an attacker who can change the archive can also remove the
    file, or sign it. Other bundles may be unsigned. A weak signature is accepted. The verdict is in
    :class:`~pkcs12kit.published.ChecksumVerdict`.

    An archive in a file is checked in the same way, whatever its name is: its signer must have a path to a root of any
    known bundle, or to ``trust_anchors``. Another file cannot have checksums, and is only a source: a warning says so.

    The certificates are candidates, never trust anchors. Revocation is not checked, not even for the signer. Where the
    cached copy is unusable, the server is asked again. Where the new copy is older than the cached one, the report has
    a warning.

    A server that fails and a bundle that is refused are in the report. Raises :class:`~pkcs12kit.ArgumentError` for
    ``strict_checksums`` with ``allow_unsigned`` and for values of other kinds, :class:`~pkcs12kit.UnknownNameError` for
    an unknown name, :class:`~pkcs12kit.errors.InputError` for a source that cannot be read, and
    :class:`~pkcs12kit.errors.OutputError` for a cache folder that others may write to.
    """
    require_kind("bundle", bundle, str, os.PathLike, PublishedBundle)
    require_kind("algorithm_policy", algorithm_policy, AlgorithmPolicy)
    require_duration("expires_within", expires_within)
    require_flags(strict_checksums=strict_checksums, allow_unsigned=allow_unsigned)
    require_kind("options", options, FetchOptions)
    require_kind("limits", limits, Limits)
    if strict_checksums and allow_unsigned:
        raise ArgumentError("strict_checksums refuses what allow_unsigned would use: give one of them")
    named = bundle if isinstance(bundle, PublishedBundle) else choose_bundle(bundle, limits=limits)
    refused = _refused(named, strict_checksums=strict_checksums, allow_unsigned=allow_unsigned)
    time = datetime.now(UTC) if time is None else require_aware(time)
    rules = SignerRules(
        trust_anchors=as_trust_anchors(trust_anchors, required=False, limits=limits),
        roots=frozenset(named.roots),
        time=time,
        algorithm_policy=algorithm_policy,
    )
    given = None if previous is None else tuple(as_certificates(previous, name="previous", limits=limits))
    warnings: list[str] = []
    if named.file:
        read = read_carried(named, limits)
        return _report(
            named, given, None, (read,), refused=refused, rules=rules, expires_within=expires_within, limits=limits
        )
    with open_cache(options, on_warning=warnings.append, limits=limits) as cache:
        kept = _in_cache(cache, named, rules=rules, limits=limits)
        if kept is not None and kept.checksum.status in refused:
            kept = None
        report_on = partial(
            _report,
            named,
            given,
            kept,
            refused=refused,
            rules=rules,
            expires_within=expires_within,
            limits=limits,
        )
        retrievals = run(_fetch(named.urls, cache=cache, options=options, limits=limits))
        report = report_on(retrievals)
        if report.why and retrievals[-1].status in _FROM_CACHE and not options.offline:
            again = run(_fetch((retrievals[-1].url,), cache=None, options=options, limits=limits))
            latest = report if again[-1].content is None else report_on(again)
            report = replace(latest, retrievals=(*report.retrievals, *map(_without_content, again)))
            if cache is not None and not report.why:
                _replace_entry(cache, again[-1], limits=limits)
    return replace(report, warnings=tuple(dict.fromkeys((*warnings, *report.warnings))))


def choose_bundle(
    name: str | os.PathLike[str], published: Mapping[str, PublishedBundle] = PUBLISHED, *, limits: Limits
) -> PublishedBundle:
    """Return the bundle with this name, for this URL or in this file. A known name comes before a file of that name.

    Raises the errors of :func:`find_bundle`.
    """
    if isinstance(name, os.PathLike) or (name not in published and is_file_name(name)):
        return carried_bundle(name, published.values())
    return find_bundle(name, published, limits=limits)


def _report(
    named: PublishedBundle,
    previous: tuple[Certificate, ...] | None,
    kept: BundleContents | None,
    retrievals: tuple[Retrieval, ...],
    *,
    refused: frozenset[ChecksumStatus],
    rules: SignerRules,
    expires_within: timedelta,
    limits: Limits,
) -> BundleReport:
    """Return the report on the response: its certificates, or the reason why it is not used."""
    fetched = next((retrieval for retrieval in retrievals if retrieval.content is not None), None)
    report = BundleReport(bundle=named, retrievals=tuple(map(_without_content, retrievals)))
    if fetched is None:
        return replace(report, why="; ".join(f"{retrieval.url}: {retrieval.why}" for retrieval in retrievals))
    report = replace(report, url=fetched.url)
    try:
        contents = open_bundle(fetched.content or b"", url=fetched.url, rules=rules, limits=limits)
    except InputError as error:
        return replace(report, why=str(error))
    if contents.checksum.status is ChecksumStatus.BAD:
        first, *others = contents.checksum.reasons
        more = f" (and {len(others)} more)" if others else ""
        return replace(report, checksum=contents.checksum, why=f"{fetched.url}: {first}{more}")
    is_source = is_only_a_source(named, fetched.content or b"") and refused == UNPROVEN
    if contents.checksum.status in refused and not is_source:
        return replace(
            report, checksum=contents.checksum, why=f"{fetched.url}: {_unproven(named, contents.checksum, refused)}"
        )
    url = named.urls[0] if named.file else fetched.url
    origins = () if fetched.fetched is None else (Origin(url=url, fetched=fetched.fetched),)
    if previous is None and kept is not None:
        previous = kept.certificates
    older = kept is not None and contents.is_older_than(kept)
    return replace(
        report,
        certificates=tuple(
            GatheredCertificate(certificate=certificate, origins=origins)
            for certificate in sorted(contents.certificates, key=lambda each: (str(each.subject), each.sha256))
        ),
        checksum=contents.checksum,
        changes=compare_bundles(previous, contents.certificates, time=rules.time, expires_within=expires_within),
        rejects=contents.rejects,
        warnings=(
            *(f"{fetched.url}: its checksums are older than those of the previous copy: an older bundle",) * older,
            *(f"{fetched.url}: {_ONLY_A_SOURCE}",) * is_source,
        ),
    )


def _refused(named: PublishedBundle, *, strict_checksums: bool, allow_unsigned: bool) -> frozenset[ChecksumStatus]:
    """Return the verdicts on the checksums, besides BAD, with which a bundle is not used."""
    if strict_checksums:
        return frozenset(ChecksumStatus) - {ChecksumStatus.VERIFIED}
    return UNPROVEN if named.is_signed and not allow_unsigned else frozenset()


def _unproven(named: PublishedBundle, verdict: ChecksumVerdict, refused: frozenset[ChecksumStatus]) -> str:
    """Return a sentence with the missing part of the signature, and with the way to use the bundle even so."""
    found = f"{verdict.status.value}: {verdict.reasons[0]}"
    if refused is not UNPROVEN:
        return f"its checksums must be verified, but are {found}"
    even_so = "(--unsigned, or allow_unsigned=True, uses such a bundle even so)"
    if named.file == named.name:
        return f"an archive needs checksums that a known publisher has signed, and they are {found} {even_so}"
    return f"its publisher signs a file of checksums, and that signature is {found} {even_so}"


def _without_content(retrieval: Retrieval) -> Retrieval:
    return replace(retrieval, content=None)


def _replace_entry(cache: Cache, fetched: Retrieval, *, limits: Limits) -> None:
    """Replace the unusable cache entry by the response."""
    if fetched.content is not None and fetched.fetched is not None:
        url = str(require_permitted_url(fetched.url, allow_private=True, limits=limits))
        cache.store(url, fetched.content, etag=None, last_modified=None, fetched=fetched.fetched)


async def _fetch(
    urls: tuple[str, ...], *, cache: Cache | None, options: FetchOptions, limits: Limits
) -> tuple[Retrieval, ...]:
    retrievals = []
    async with make_fetcher(options, cache=cache, limits=limits) as fetcher:
        for url in urls:
            retrievals.append(await fetcher.fetch(url, Purpose.BUNDLE))
            if retrievals[-1].content is not None:
                break
    return tuple(retrievals)


def _in_cache(
    cache: Cache | None, bundle: PublishedBundle, *, rules: SignerRules, limits: Limits
) -> BundleContents | None:
    """Return the cached bundle before a new one is fetched; None where there is no usable one."""
    if cache is None:
        return None
    for url in bundle.urls:
        try:
            entry = cache.load(str(require_permitted_url(url, allow_private=True, limits=limits)))
            if entry is None:
                continue
            contents = open_bundle(entry.content, url=url, rules=rules, limits=limits)
        except InputError:
            continue
        if contents.certificates:
            return contents
    return None
