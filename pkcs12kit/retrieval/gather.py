"""Gathering: fetching the certificates that a path may need, from the URLs in other certificates."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pkcs12kit.arguments import require_flags, require_kind
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import ArgumentError
from pkcs12kit.event_loop import run
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import NoValidPathError, path_to_json
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.retrieval.hints import hints_for_gathering
from pkcs12kit.retrieval.options import DEFAULT_OPTIONS, FetchOptions, make_fetcher, open_cache
from pkcs12kit.retrieval.retrieved import GatheredCertificate
from pkcs12kit.sources.arguments import as_pool, as_target, as_trust_anchors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.hints import Hint
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.retrieval.cache.cache import Cache
    from pkcs12kit.retrieval.crawl.crawl import Crawl
    from pkcs12kit.retrieval.retrieved import GatheredUrl, Origin, Retrieval
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.sources.loading import CertificateSource


@dataclass(frozen=True, kw_only=True)
class GatherReport(Shown):
    """The result of :func:`~pkcs12kit.gather`. Everything in it but ``target`` is untrusted."""

    target: Certificate | None
    """The certificate that a path is wanted for; None if nothing was fetched upwards."""
    certificates: tuple[GatheredCertificate, ...]
    """The fetched certificates, by fingerprint, each with its URLs."""
    urls: tuple[GatheredUrl, ...]
    """The result of each URL."""
    report: PathReport | None
    """The path search in the given and the fetched certificates; None without a target or a trust anchor."""
    incomplete: str | None = None
    """The limit that ended the gathering; None if none did."""
    rejects: tuple[Reject, ...] = ()
    """The parts of responses that could not be read."""
    warnings: tuple[str, ...] = ()
    """The warnings of the cache."""
    given: CertificatePool = field(repr=False)
    """The certificates that the caller gave."""

    @property
    def path(self) -> ValidatedPath | None:
        """The best valid path; None where there is none, or where no path was searched."""
        return self.report.valid[0] if self.report is not None and self.report.valid else None

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The steps that may help where no path is valid, in the order in which to try them; empty for a valid path.

        They name the options of the command; in Python ``--certs`` is ``certificates=``, for example.
        """
        return () if self.path is not None else hints_for_gathering(self.report, self.retrievals)

    @property
    def new(self) -> tuple[Certificate, ...]:
        """The fetched certificates that are not in ``given``."""
        return tuple(item.certificate for item in self.certificates if item.certificate not in self.given)

    @property
    def retrievals(self) -> tuple[Retrieval, ...]:
        """The outcome of each URL, without its content."""
        return tuple(url.retrieval for url in self.urls)

    @property
    def size(self) -> int:
        """The number of bytes that came over the network."""
        return sum(url.retrieval.size for url in self.urls)

    @cached_property
    def pool(self) -> CertificatePool:
        """The given and the fetched certificates together."""
        return self.given | CertificatePool((item.certificate for item in self.certificates), rejects=self.rejects)

    def to_json(self) -> dict[str, Any]:
        """Return the form for ``--json``."""
        searched = self.report
        return {
            "target": None if self.target is None else self.target.to_json(),
            "certificates": [
                item.certificate.to_json() | {"urls": [origin.url for origin in item.origins]}
                for item in self.certificates
            ],
            "urls": [url.to_json() for url in self.urls],
            "path": None if self.path is None else path_to_json(self.path),
            "rejected": [] if searched is None else [rejected.to_json() for rejected in searched.rejected],
            "bytes": self.size,
            "incomplete": self.incomplete,
            "rejects": [str(reject) for reject in self.rejects],
            "warnings": list(self.warnings),
        }


def gather(  # noqa: PLR0913  # each input has its own keyword
    target: CertificateSource | None,
    *,
    certificates: CertificatesArgument = (),
    pool: CertificatePool | None = None,
    trust_anchors: TrustAnchorsArgument = (),
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    everything: bool = False,
    options: FetchOptions = DEFAULT_OPTIONS,
    limits: Limits = DEFAULT_LIMITS,
) -> GatherReport:
    """Fetch certificates by caIssuers, up from ``target``, and by caRepository, down from the trust anchors.

    RFC 5280 section 4.2.2. URLs are fetched over HTTP and HTTPS, many at a time, and so are the URLs in each fetched
    certificate that can lie on a path, by its names and at the time of ``parameters``.

    * ``target``: the certificate to find a path for; None fetches only downwards.
    * ``certificates``: certificates that are there already; ``pool`` is another name for it, for one
      :class:`~pkcs12kit.CertificatePool`. Where they make a valid path, nothing is fetched.
    * ``trust_anchors``: the only certificates that are trusted; without them, only issuers are fetched.
    * ``parameters``: of the path validation; or only ``time`` (now by default) and ``server_name``.
    * ``everything``: fetch every URL, not only until there is a valid path.
    * ``options``: cache, offline, private addresses, progress.
    * ``limits``: those whose names begin with ``retrieval_`` apply.

    The gathering ends when ``certificates`` and the fetched ones make a valid path, and the URLs of the same depth have
    answered or ``limits.retrieval_settle_seconds`` have passed. Where the two directions lead to no path, it goes on to
    every URL. Addresses that are not public are refused, and so are schemes other than HTTP and HTTPS. Fetched
    certificates are candidates, never trust anchors. Revocation is not checked.

    Returns a report; a host that fails is in it, with the certificates that it would have given. Raises
    :class:`~pkcs12kit.ArgumentError` without a target and a trust anchor and for an argument of another kind,
    :class:`~pkcs12kit.InputError` for a source that cannot be read, and :class:`~pkcs12kit.errors.OutputError` for a
    cache folder that others may write to.
    """
    require_kind("limits", limits, Limits)
    require_kind("options", options, FetchOptions)
    require_flags(everything=everything)
    parameters = choose_parameters(parameters, time=time, server_name=server_name)
    warnings: list[str] = []
    anchors = as_trust_anchors(trust_anchors, required=False, on_warning=warnings.append, limits=limits)
    if target is None and not anchors:
        raise ArgumentError("gathering needs a certificate or a trust anchor to begin with: neither was given")
    given = as_pool(certificates, pool, limits=limits)
    target = None if target is None else as_target(target, given, limits=limits)

    def has_path(candidates: CertificatePool) -> bool:
        if target is None:
            return False
        try:
            find_path(target, pool=candidates, trust_anchors=anchors, parameters=parameters, limits=limits)
        except NoValidPathError:
            return False
        return True

    with open_cache(options, on_warning=warnings.append, limits=limits) as cache:
        crawled = run(
            _crawl(
                target,
                anchors,
                given,
                time=parameters.time,
                has_path=None if everything else has_path,
                cache=cache,
                options=options,
                limits=limits,
            )
        )
    searched = None
    if target is not None and anchors:
        whole = given | CertificatePool(crawled.found)
        searched = find_paths(
            target, pool=whole, trust_anchors=anchors, parameters=parameters, limits=limits, at_most=1
        )
    return GatherReport(
        target=target,
        certificates=_in_order(crawled.found),
        urls=crawled.urls(),
        report=searched,
        incomplete=crawled.incomplete,
        rejects=tuple(sorted(crawled.rejects, key=lambda reject: (reject.source, reject.position))),
        warnings=tuple(warnings),
        given=given,
    )


async def _crawl(
    target: Certificate | None,
    trust_anchors: tuple[TrustAnchor, ...],
    pool: CertificatePool,
    *,
    time: datetime,
    has_path: Callable[[CertificatePool], bool] | None,
    cache: Cache | None,
    options: FetchOptions,
    limits: Limits,
) -> Crawl:
    from pkcs12kit.retrieval.crawl.crawl import Crawl  # it loads aiohttp, which other users of this module do not need

    async with make_fetcher(options, cache=cache, limits=limits) as fetcher:
        crawl = Crawl(
            fetcher,
            target=target,
            trust_anchors=trust_anchors,
            pool=pool,
            time=time,
            has_path=has_path,
            limits=limits,
        )
        await crawl.run()
    return crawl


def _in_order(found: Mapping[Certificate, list[Origin]]) -> tuple[GatheredCertificate, ...]:
    """Sort by fingerprint and by URL: the order of arrival has no meaning."""
    return tuple(
        GatheredCertificate(certificate=certificate, origins=tuple(sorted(origins, key=lambda origin: origin.url)))
        for certificate, origins in sorted(found.items(), key=lambda item: item[0].sha256)
    )
