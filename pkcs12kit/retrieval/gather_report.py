"""What a gathering came to: certificates and where they came from, every URL and its outcome, the path."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.paths.report import path_to_json
from pkcs12kit.retrieval.retrieved import Status
from pkcs12kit.shown import Shown

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.retrieval.folder import GatheredCertificate
    from pkcs12kit.retrieval.retrieved import Retrieval


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredUrl:
    """One URL that certificates name, what it was said to give, and what came of it. All text is untrusted.

    ``retrieval`` has no content any more. ``certificates`` counts those in it. ``why`` says in one line why there are
    none, or not all; empty where nothing is missing.
    """

    retrieval: Retrieval
    wanted: tuple[str, ...]
    certificates: int
    why: str

    @property
    def url(self) -> str:
        """The URL as the certificate has it."""
        return self.retrieval.url

    @property
    def answered(self) -> bool:
        """Whether there was an answer with certificates in it, from the server or the cache."""
        return self.certificates > 0

    @property
    def failed(self) -> bool:
        """Whether it was to be asked and gave nothing of use; not where it was skipped."""
        return self.retrieval.status is not Status.SKIPPED and bool(self.why)

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``: the retrieval, what was wanted, how many certificates, and why no more."""
        return self.retrieval.to_json() | {
            "wanted": list(self.wanted),
            "certificates": self.certificates,
            "why": self.why,
        }


@dataclass(frozen=True, kw_only=True)
class GatherReport(Shown):
    """What :func:`~pkcs12kit.gather` found. Everything in it but ``target`` is untrusted.

    ``certificates`` are those that were fetched, by fingerprint, each with the URLs that it came from; ``given`` is the
    pool that there was before. ``report`` is the search for paths in both together, None without target or trust
    anchor. ``incomplete`` says which limit ended the gathering; None where none did. ``warnings`` are the cache's.
    """

    target: Certificate | None
    certificates: tuple[GatheredCertificate, ...]
    urls: tuple[GatheredUrl, ...]
    report: PathReport | None
    incomplete: str | None = None
    rejects: tuple[Reject, ...] = ()
    warnings: tuple[str, ...] = ()
    given: CertificatePool = field(repr=False)

    @property
    def path(self) -> ValidatedPath | None:
        """The best valid path; None where there is none, or nothing to look for one with."""
        return self.report.valid[0] if self.report is not None and self.report.valid else None

    @property
    def new(self) -> tuple[Certificate, ...]:
        """The certificates that were not given before."""
        return tuple(item.certificate for item in self.certificates if item.certificate not in self.given)

    @property
    def retrievals(self) -> tuple[Retrieval, ...]:
        """What came of each URL, without its content."""
        return tuple(url.retrieval for url in self.urls)

    @property
    def size(self) -> int:
        """The bytes that came over the network."""
        return sum(url.retrieval.size for url in self.urls)

    @cached_property
    def pool(self) -> CertificatePool:
        """What was given and what was fetched, to look for paths in."""
        return self.given | CertificatePool((item.certificate for item in self.certificates), rejects=self.rejects)

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``."""
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
