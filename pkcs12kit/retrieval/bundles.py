"""Fetch a list of certificates that is published under a name, and check its signed checksum file where it has one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pkcs12kit.certificates.times import require_aware
from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.validation.algorithms import DEFAULT
from pkcs12kit.retrieval.bundle_archive import open_bundle
from pkcs12kit.retrieval.bundle_changes import EXPIRES_WITHIN, compare_bundles
from pkcs12kit.retrieval.bundle_report import BundleReport
from pkcs12kit.retrieval.bundle_signer import SignerRules
from pkcs12kit.retrieval.cache import Cache
from pkcs12kit.retrieval.folder import GatheredCertificate
from pkcs12kit.retrieval.folder_index import Origin
from pkcs12kit.retrieval.gather import FetchOptions
from pkcs12kit.retrieval.permitted import require_permitted_url
from pkcs12kit.retrieval.published_bundles import find_bundle
from pkcs12kit.retrieval.retrieved import Purpose
from pkcs12kit.retrieval.running import run
from pkcs12kit.retrieval.signed_checksums import ChecksumStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
    from pkcs12kit.retrieval.published_bundles import PublishedBundle
    from pkcs12kit.retrieval.retrieved import Retrieval

_DEFAULT_OPTIONS = FetchOptions()


def fetch_bundle(  # noqa: PLR0913  # each question has its own keyword
    bundle: str | PublishedBundle,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
    time: datetime | None = None,
    algorithm_policy: AlgorithmPolicy = DEFAULT,
    previous: Iterable[Certificate] | None = None,
    expires_within: timedelta = EXPIRES_WITHIN,
    strict_checksums: bool = False,
    options: FetchOptions = _DEFAULT_OPTIONS,
    limits: Limits = DEFAULT_LIMITS,
) -> BundleReport:
    """Fetch ``bundle``: ``dod``, ``eca``, ``fpki``, a URL, or one of :func:`~pkcs12kit.load_bundles`.

    Its URLs are asked in order until one answers. An archive with a signed checksum file (DISA's have one) is used as
    far as its files are listed there, and not at all where anything contradicts it. Its signer must lead to one of
    ``trust_anchors`` at ``time`` (timezone-aware; now by default), by ``algorithm_policy``; where none are given, to a
    root that :class:`~pkcs12kit.PublishedBundle` names. Without either, a sound signature proves nothing. An archive
    that is weakly signed, or has no checksum file, is used all the same. :class:`~pkcs12kit.ChecksumVerdict` says all
    that. With ``strict_checksums`` nothing is used but what is VERIFIED.

    Whatever comes is a candidate and never a trust anchor. Changes are counted from ``previous``; None: from what the
    cache has of the same URL. ``expires_within`` is when a certificate is soon to expire. Revocation is not checked,
    that of the signer included.

    A server that fails and a bundle that is bad are in the report, and raise nothing. Raises
    :class:`~pkcs12kit.errors.InputError` for a name that is not known, and :class:`~pkcs12kit.errors.OutputError` for a
    cache folder that others may write to.
    """
    named = find_bundle(bundle, limits=limits) if isinstance(bundle, str) else bundle
    time = datetime.now(UTC) if time is None else require_aware(time)
    rules = SignerRules(
        trust_anchors=tuple(trust_anchors),
        roots=frozenset(named.roots),
        time=time,
        algorithm_policy=algorithm_policy,
    )
    warnings: list[str] = []
    cache = Cache(options.cache_folder, on_damage=warnings.append, limits=limits) if options.cache else None
    earlier = tuple(previous) if previous is not None else _in_cache(cache, named, rules=rules, limits=limits)
    retrievals = run(_fetch(named, cache=cache, options=options, limits=limits))
    answer = next((retrieval for retrieval in retrievals if retrieval.content is not None), None)
    report = BundleReport(
        bundle=named,
        url=None if answer is None else answer.url,
        retrievals=tuple(replace(retrieval, content=None) for retrieval in retrievals),
        warnings=tuple(dict.fromkeys(warnings)),
    )
    if answer is None:
        return replace(report, why="; ".join(f"{retrieval.url}: {retrieval.why}" for retrieval in retrievals))
    opened = _opened(report, answer, earlier, rules=rules, expires_within=expires_within, limits=limits)
    return _strictly(opened) if strict_checksums and not opened.why else opened


def _opened(
    report: BundleReport,
    answer: Retrieval,
    earlier: tuple[Certificate, ...] | None,
    *,
    rules: SignerRules,
    expires_within: timedelta,
    limits: Limits,
) -> BundleReport:
    """Say what is in the answer, or why nothing of it is used."""
    try:
        contents = open_bundle(answer.content or b"", url=answer.url, rules=rules, limits=limits)
    except InputError as error:
        return replace(report, why=str(error))
    if contents.checksum.status is ChecksumStatus.BAD:
        first, *others = contents.checksum.reasons
        more = f" (and {len(others)} more)" if others else ""
        return replace(report, checksum=contents.checksum, why=f"{answer.url}: {first}{more}")
    origins = () if answer.fetched is None else (Origin(url=answer.url, fetched=answer.fetched),)
    return replace(
        report,
        certificates=tuple(
            GatheredCertificate(certificate=certificate, origins=origins)
            for certificate in sorted(contents.certificates, key=lambda each: (str(each.subject), each.sha256))
        ),
        checksum=contents.checksum,
        changes=compare_bundles(earlier, contents.certificates, time=rules.time, expires_within=expires_within),
        rejects=contents.rejects,
    )


def _strictly(report: BundleReport) -> BundleReport:
    """Use nothing of what is not verified."""
    verdict = report.checksum
    if verdict is None or verdict.status is ChecksumStatus.VERIFIED:
        return report
    why = f"{report.url}: its checksums have to be verified, and are {verdict.status.value}: {verdict.reasons[0]}"
    return replace(report, certificates=(), changes=None, rejects=(), why=why)


async def _fetch(
    bundle: PublishedBundle, *, cache: Cache | None, options: FetchOptions, limits: Limits
) -> tuple[Retrieval, ...]:
    from pkcs12kit.retrieval.fetcher import Fetcher  # it loads aiohttp

    retrievals = []
    async with Fetcher(
        cache=cache,
        offline=options.offline,
        allow_private=options.allow_private,
        limits=limits,
        on_event=options.on_event,
    ) as fetcher:
        for url in bundle.urls:
            retrievals.append(await fetcher.fetch(url, Purpose.BUNDLE))
            if retrievals[-1].content is not None:
                break
    return tuple(retrievals)


def _in_cache(
    cache: Cache | None, bundle: PublishedBundle, *, rules: SignerRules, limits: Limits
) -> tuple[Certificate, ...] | None:
    """Give what the cache has of the bundle before it is fetched; None where that is nothing of use."""
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
            return contents.certificates
    return None
