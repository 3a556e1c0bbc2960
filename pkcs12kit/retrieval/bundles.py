"""Fetch a list of certificates that is published under a name, and check its signed checksum file where it has one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
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
from pkcs12kit.retrieval.gather import FetchOptions, make_fetcher
from pkcs12kit.retrieval.permitted import require_permitted_url
from pkcs12kit.retrieval.published_bundles import find_bundle
from pkcs12kit.retrieval.retrieved import Purpose, Status
from pkcs12kit.retrieval.running import run
from pkcs12kit.retrieval.signed_checksums import UNPROVEN, ChecksumStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
    from pkcs12kit.retrieval.bundle_archive import BundleContents
    from pkcs12kit.retrieval.published_bundles import PublishedBundle
    from pkcs12kit.retrieval.retrieved import Retrieval
    from pkcs12kit.retrieval.signed_checksums import ChecksumVerdict

_DEFAULT_OPTIONS = FetchOptions()
_FROM_CACHE = frozenset({Status.CACHED, Status.UNCHANGED})


def fetch_bundle(  # noqa: PLR0913  # each question has its own keyword
    bundle: str | PublishedBundle,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
    time: datetime | None = None,
    algorithm_policy: AlgorithmPolicy = DEFAULT,
    previous: Iterable[Certificate] | None = None,
    expires_within: timedelta = EXPIRES_WITHIN,
    strict_checksums: bool = False,
    allow_unsigned: bool = False,
    options: FetchOptions = _DEFAULT_OPTIONS,
    limits: Limits = DEFAULT_LIMITS,
) -> BundleReport:
    """Fetch ``bundle``: ``dod``, ``eca``, ``fpki``, a URL, or one of :func:`~pkcs12kit.load_bundles`.

    Its URLs are asked in order until one answers. An archive with a signed checksum file (DISA's have one) is used as
    far as its files are listed there, and not at all where anything contradicts it. Its signer must lead to one of
    ``trust_anchors`` at ``time`` (timezone-aware; now by default), by ``algorithm_policy``; where none are given, to a
    root that :class:`~pkcs12kit.PublishedBundle` names. Without either, a sound signature proves nothing.

    Of a bundle that names roots (``dod`` and ``eca`` do) nothing is used where there is no checksum file, or where its
    signer leads to none of them: whoever can change the archive can take the file out, or sign it. ``allow_unsigned``
    uses such a bundle all the same; one that contradicts its checksums is refused even so. Other bundles may come
    without a signature. An archive that is weakly signed is used. :class:`~pkcs12kit.ChecksumVerdict` says all that.
    With ``strict_checksums`` nothing of any bundle is used but what is VERIFIED.

    Whatever comes is a candidate and never a trust anchor. Changes are counted from ``previous``; None: from what the
    cache has of the same URL. ``expires_within`` is when a certificate is soon to expire. Revocation is not checked,
    that of the signer included. Where what the cache has is of no use, the server is asked anew. Where what it gives
    was made before what the cache has, the report warns of that.

    A server that fails and a bundle that is refused are in the report, and raise nothing. Raises :class:`ValueError`
    for ``strict_checksums`` with ``allow_unsigned``, :class:`~pkcs12kit.errors.InputError` for a name that is not
    known, and :class:`~pkcs12kit.errors.OutputError` for a cache folder that others may write to.
    """
    if strict_checksums and allow_unsigned:
        raise ValueError("strict_checksums refuses what allow_unsigned would use: give one of them")
    named = find_bundle(bundle, limits=limits) if isinstance(bundle, str) else bundle
    refused = _refused(named, strict_checksums=strict_checksums, allow_unsigned=allow_unsigned)
    time = datetime.now(UTC) if time is None else require_aware(time)
    rules = SignerRules(
        trust_anchors=tuple(trust_anchors),
        roots=frozenset(named.roots),
        time=time,
        algorithm_policy=algorithm_policy,
    )
    warnings: list[str] = []
    cache = Cache(options.cache_folder, on_damage=warnings.append, limits=limits) if options.cache else None
    kept = _in_cache(cache, named, rules=rules, limits=limits)
    if kept is not None and kept.checksum.status in refused:
        kept = None
    earlier = tuple(previous) if previous is not None else None if kept is None else kept.certificates
    look = partial(
        _opened,
        named,
        earlier,
        kept,
        refused=refused,
        rules=rules,
        expires_within=expires_within,
        limits=limits,
    )
    retrievals = run(_fetch(named.urls, cache=cache, options=options, limits=limits))
    report = look(retrievals)
    if report.why and retrievals[-1].status in _FROM_CACHE and not options.offline:
        again = run(_fetch((retrievals[-1].url,), cache=None, options=options, limits=limits))
        opened = report if again[-1].content is None else look(again)
        report = replace(opened, retrievals=(*report.retrievals, *map(_without_content, again)))
        if cache is not None and not report.why:
            _heal(cache, again[-1], limits=limits)
    return replace(report, warnings=tuple(dict.fromkeys((*warnings, *report.warnings))))


def _opened(
    named: PublishedBundle,
    earlier: tuple[Certificate, ...] | None,
    kept: BundleContents | None,
    retrievals: tuple[Retrieval, ...],
    *,
    refused: frozenset[ChecksumStatus],
    rules: SignerRules,
    expires_within: timedelta,
    limits: Limits,
) -> BundleReport:
    """Say what is in the answer, or why nothing of it is used."""
    answer = next((retrieval for retrieval in retrievals if retrieval.content is not None), None)
    report = BundleReport(bundle=named, retrievals=tuple(map(_without_content, retrievals)))
    if answer is None:
        return replace(report, why="; ".join(f"{retrieval.url}: {retrieval.why}" for retrieval in retrievals))
    report = replace(report, url=answer.url)
    try:
        contents = open_bundle(answer.content or b"", url=answer.url, rules=rules, limits=limits)
    except InputError as error:
        return replace(report, why=str(error))
    if contents.checksum.status is ChecksumStatus.BAD:
        first, *others = contents.checksum.reasons
        more = f" (and {len(others)} more)" if others else ""
        return replace(report, checksum=contents.checksum, why=f"{answer.url}: {first}{more}")
    if contents.checksum.status in refused:
        return replace(report, checksum=contents.checksum, why=f"{answer.url}: {_unproven(contents.checksum, refused)}")
    origins = () if answer.fetched is None else (Origin(url=answer.url, fetched=answer.fetched),)
    older = kept is not None and contents.is_older_than(kept)
    return replace(
        report,
        certificates=tuple(
            GatheredCertificate(certificate=certificate, origins=origins)
            for certificate in sorted(contents.certificates, key=lambda each: (str(each.subject), each.sha256))
        ),
        checksum=contents.checksum,
        changes=compare_bundles(earlier, contents.certificates, time=rules.time, expires_within=expires_within),
        rejects=contents.rejects,
        warnings=(f"{answer.url}: its checksums were made before those of the last time: an older bundle",) * older,
    )


def _refused(named: PublishedBundle, *, strict_checksums: bool, allow_unsigned: bool) -> frozenset[ChecksumStatus]:
    """List the verdicts on its checksums, beside BAD, with which nothing of a bundle is used."""
    if strict_checksums:
        return frozenset(ChecksumStatus) - {ChecksumStatus.VERIFIED}
    return UNPROVEN if named.is_signed and not allow_unsigned else frozenset()


def _unproven(verdict: ChecksumVerdict, refused: frozenset[ChecksumStatus]) -> str:
    """Say what is missing of the signature, and what uses the bundle all the same."""
    found = f"{verdict.status.value}: {verdict.reasons[0]}"
    if refused is not UNPROVEN:
        return f"its checksums have to be verified, and are {found}"
    return (
        f"its publisher signs a file of checksums, and that signature is {found}"
        " (--unsigned, or allow_unsigned=True, uses such a bundle all the same)"
    )


def _without_content(retrieval: Retrieval) -> Retrieval:
    return replace(retrieval, content=None)


def _heal(cache: Cache, answer: Retrieval, *, limits: Limits) -> None:
    """Keep what can be used in place of what could not."""
    if answer.content is not None and answer.fetched is not None:
        url = str(require_permitted_url(answer.url, allow_private=True, limits=limits))
        cache.store(url, answer.content, etag=None, last_modified=None, fetched=answer.fetched)


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
            return contents
    return None
