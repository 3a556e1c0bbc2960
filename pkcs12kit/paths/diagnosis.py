"""Why no path was found: links not valid at the time, issuers that nobody supplied, roots that nobody trusts."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.budget import Budget, BudgetExhaustedError
from pkcs12kit.paths.discovery import CandidateSearch, may_have_signed
from pkcs12kit.paths.failure import Failure
from pkcs12kit.paths.graph import key_identifiers_differ
from pkcs12kit.paths.report import RejectedPath
from pkcs12kit.paths.validity import lapse

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_CLOSEST: Final = 5


def explain(
    target: Certificate,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    *,
    parameters: ValidationParameters,
    judged: Sequence[RejectedPath],
    not_followed: Sequence[Certificate],
    found: bool,
    limits: Limits,
) -> tuple[RejectedPath, ...]:
    """Say why the candidates of a search are no paths, and where none is one, what comes closest.

    ``judged`` are the search's own rejections, ``not_followed`` the certificates that it passed over, ``found`` says
    whether it met a valid path. The closest to success comes first.
    """
    rejected = list(judged)
    if not found:
        budget = Budget(limits)
        where = (target, pool, tuple(trust_anchors))
        rejected += near_paths(*where, time=parameters.time, budget=budget)
        rejected += dead_ends(*where, budget=budget)
        if not rejected:
            rejected.append(circles(target, where[-1]))
    named = {failure.certificate for path in rejected for failure in path.failures}
    rejected += (alone for alone in _alone(not_followed, parameters.time) if alone.certificate not in named)
    return tuple(rejected)


def _alone(certificates: Iterable[Certificate], time: datetime) -> Iterator[RejectedPath]:
    for certificate in certificates:
        failure = not_followed(certificate, time)
        if failure is not None:
            yield _rejected((certificate,), failure)


def near_paths(
    target: Certificate,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    *,
    time: datetime,
    budget: Budget,
) -> Iterator[RejectedPath]:
    """Paths that reach an anchor only through certificates that discovery does not follow, the latest to lapse first.

    At most five; each with every certificate of it that is expired, not yet valid, or no CA's though it would have to
    be. Beside that only their signatures are checked.
    """
    try:
        search = CandidateSearch(target, pool, trust_anchors, usable=lambda _: True, budget=budget)
        for path in islice(_signed(search, budget), _CLOSEST):
            first, *issuers = path.with_anchor
            failures = [lapse(first, time), *(not_followed(issuer, time) for issuer in issuers)]
            found = tuple(filter(None, failures))
            if found:
                yield RejectedPath(certificates=path.certificates, failures=found)
    except BudgetExhaustedError:
        return


def _signed(search: CandidateSearch, budget: Budget) -> Iterator[CertificationPath]:
    """Keep the candidates in which each certificate is signed by the next."""
    for path in search:
        for certificate, issuer in zip(path.certificates, path.issuers, strict=True):
            if not may_have_signed(issuer, certificate, budget):
                search.exclude_link(certificate, issuer.node)
                break
        else:
            yield path


def not_followed(certificate: Certificate, time: datetime) -> Failure | None:
    """Say why discovery does not follow a certificate as an issuer; None where it does."""
    failure = lapse(certificate, time)
    if failure is None and not certificate.is_ca:
        failure = Failure(
            reason=FailureReason.NOT_A_CA,
            certificate=certificate,
            section="RFC 5280 section 6.1.4 (k)",
            detail="has no basicConstraints with cA, so it may not issue certificates",
        )
    return failure


def dead_ends(
    target: Certificate, pool: CertificatePool, trust_anchors: Iterable[TrustAnchor], *, budget: Budget
) -> list[RejectedPath]:
    """Where the pool ends on the way up, whatever the time: missing issuers first, then roots that are no anchor.

    One for each issuer name that is missing and each such root, nearest to the target first.
    """
    trust_anchors = tuple(trust_anchors)
    anchors = {anchor.name for anchor in trust_anchors}
    trusted = {anchor.node for anchor in trust_anchors}
    missing: dict[Name, RejectedPath] = {}
    untrusted: dict[Certificate, RejectedPath] = {}
    waiting: deque[tuple[Certificate, ...]] = deque([(target,)])
    met = {target}
    try:
        while waiting:
            walk = waiting.popleft()
            last = walk[-1]
            issuers = pool.by_subject(last.issuer)
            budget.spend("discovery_steps", 1 + len(issuers))
            if last.is_self_issued and not key_identifiers_differ(last, last):
                untrusted.setdefault(last, _rejected(walk, _untrusted_root(last, anchors)))
                continue
            if not issuers and last.issuer not in anchors:
                missing.setdefault(last.issuer, _rejected(walk, _missing_issuer(last)))
            for issuer in issuers:
                if issuer not in met and issuer.node not in trusted:
                    met.add(issuer)
                    waiting.append((*walk, issuer))
    except BudgetExhaustedError:
        pass  # what was met so far still helps
    return [*missing.values(), *untrusted.values()]


def circles(target: Certificate, trust_anchors: Iterable[TrustAnchor]) -> RejectedPath:
    """Say that every way up goes round in circles, where nothing else was found to say."""
    names = ", ".join(str(anchor.name) for anchor in trust_anchors)
    failure = Failure(
        reason=FailureReason.NO_TRUST_ANCHOR,
        certificate=target,
        section="RFC 4158 section 2.4.2",
        detail=f"its issuers certify one another, and no trust anchor given ({names}) certifies any of them",
    )
    return _rejected((target,), failure)


def _rejected(walk: tuple[Certificate, ...], failure: Failure) -> RejectedPath:
    return RejectedPath(certificates=walk, failures=(failure,))


def _missing_issuer(certificate: Certificate) -> Failure:
    detail = f"its issuer {certificate.issuer}"
    if certificate.issuer_key_identifier is not None:
        detail += f" (key identifier {certificate.issuer_key_identifier.hex()})"
    detail += " was not supplied"
    locations = _ca_issuers(certificate)
    if locations:
        detail += f"; it may be had from {', '.join(locations)}"
    return Failure(
        reason=FailureReason.ISSUER_NOT_FOUND, certificate=certificate, section="RFC 4158 section 3", detail=detail
    )


def _untrusted_root(certificate: Certificate, anchors: Container[Name]) -> Failure:
    detail = "is self-signed and not a trust anchor"
    if certificate.subject in anchors:
        detail += ", though the trust anchor has the same name: it has another key"
    else:
        detail += "; no cross-certificate for it that leads to a trust anchor was supplied"
    return Failure(
        reason=FailureReason.NO_TRUST_ANCHOR, certificate=certificate, section="RFC 5280 section 6.1", detail=detail
    )


def _ca_issuers(certificate: Certificate) -> tuple[str, ...]:
    try:
        return certificate.extensions.ca_issuers
    except MalformedCertificateError:
        return ()
