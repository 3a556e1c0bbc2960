"""The certificates that a target needs: without any one of them no valid path leads from it to a trust anchor.

The paths above the issuers of a target are searched once for all targets with that issuer and pool. Above a target, a
valid path is a valid path of its issuer: the checks of RFC 5280 section 6.1 for a CA certificate at the start of a path
are among those for the same certificate further up, but for the purpose and the name of the target. So each target's
valid paths are those of its issuers that are also valid with the target below them, and a certificate is needed if it
is in all of them. Where a limit ended a search, each certificate is left out in turn instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.search import PathRequest
from pkcs12kit.paths.validation.validator import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_MOST_ABOVE: Final = 32
"""Paths above one issuer that are validated with each target; more are rare, and a search is then quicker."""


class Dependence(NamedTuple):
    """The best valid path of a target, and the certificates above it without which there is none."""

    path: ValidatedPath | None
    needed: tuple[Certificate, ...]
    is_certain: bool = True
    """False if a limit ended a search, so that more certificates may be needed, or there may be a path."""


class _Above(NamedTuple):
    """The valid paths of all issuers of a name in a pool; None where they are too many or a limit was reached."""

    paths: tuple[ValidatedPath, ...] | None


class DependenceSearch:
    """A search for the needed certificates of many targets, which remembers what is above each issuer."""

    def __init__(
        self, trust_anchors: tuple[TrustAnchor, ...], parameters: ValidationParameters, limits: Limits
    ) -> None:
        self._anchors = trust_anchors
        self._parameters = parameters
        self._limits = limits
        self._above: dict[tuple[frozenset[Certificate], Name], _Above] = {}
        self._pools: dict[frozenset[Certificate], CertificatePool] = {}
        self.searches = 0
        """The number of searches that were made."""

    def of(self, target: Certificate, certificates: frozenset[Certificate]) -> Dependence:
        """Return what a target needs, with these certificates as its pool."""
        pool = self._pools.setdefault(certificates, CertificatePool(certificates))
        above = self._above_issuers_of(target, certificates, pool)
        if above is None or any(anchor.node == target.node for anchor in self._anchors):
            return self._one_by_one(target, pool)
        budget = SearchBudget(self._limits)
        valid: list[ValidatedPath] = []
        for candidate in _candidates(target, above, self._anchors):
            budget.start_validation()
            try:
                valid.append(validate(candidate, self._parameters, budget=budget))
            except InvalidPathError:
                continue
            except BudgetExhaustedError:
                return self._one_by_one(target, pool)
        if not valid:
            return Dependence(None, ())
        best = min(valid, key=longest_lasting)
        others = [set(path.certificates) for path in valid]
        return Dependence(best, tuple(one for one in best.certificates[1:] if all(one in path for path in others)))

    def explain(self, target: Certificate, certificates: frozenset[Certificate]) -> PathReport:
        """Return the report of a search for the paths of a target that has none."""
        return self._search(target, self._pools.setdefault(certificates, CertificatePool(certificates)), at_most=1)

    def _above_issuers_of(
        self, target: Certificate, certificates: frozenset[Certificate], pool: CertificatePool
    ) -> tuple[ValidatedPath, ...] | None:
        key = (certificates, target.issuer)
        found = self._above.get(key)
        if found is None:
            found = self._above[key] = _Above(self._search_above(target.issuer, pool))
        return found.paths

    def _search_above(self, issuer: Name, pool: CertificatePool) -> tuple[ValidatedPath, ...] | None:
        """Return the valid paths of the certificates of a name, whatever they are for; None where they are too many."""
        anybody = replace(self._parameters, server_name=None, extended_key_usage=None)
        found: list[ValidatedPath] = []
        issuers = pool.by_subject(issuer)
        if len(issuers) > _MOST_ABOVE:
            return None
        for certificate in issuers:
            report = self._search(certificate, pool, at_most=_MOST_ABOVE + 1, parameters=anybody)
            found += report.valid
            if report.incomplete is not None or len(found) > _MOST_ABOVE:
                return None
        return tuple(found)

    def _one_by_one(self, target: Certificate, pool: CertificatePool) -> Dependence:
        """Return what a target needs, by a search without each certificate of its best path."""
        report = self._search(target, pool, at_most=1)
        if not report.valid:
            return Dependence(None, (), is_certain=report.incomplete is None)
        best = report.valid[0]
        needed, is_certain = [], True
        for one in best.certificates[1:]:
            without = self._search(target, CertificatePool(other for other in pool if other != one), at_most=1)
            if not without.valid and without.incomplete is None:
                needed.append(one)
            is_certain = is_certain and (bool(without.valid) or without.incomplete is None)
        return Dependence(best, tuple(needed), is_certain)

    def _search(
        self,
        target: Certificate,
        pool: CertificatePool,
        *,
        at_most: int,
        parameters: ValidationParameters | None = None,
    ) -> PathReport:
        self.searches += 1
        asked = self._parameters if parameters is None else parameters
        request = PathRequest(target, pool, self._anchors, asked, longest_lasting, None, self._limits)
        return request.find_paths(at_most)


def _candidates(
    target: Certificate, above: Iterable[ValidatedPath], anchors: Iterable[TrustAnchor]
) -> Iterator[CertificationPath]:
    """Yield the paths from a target to each anchor that may have issued it, and through each path above its issuer."""
    for anchor in anchors:
        if anchor.name == target.issuer:
            yield CertificationPath(certificates=(target,), trust_anchor=anchor)
    for path in above:
        nodes = {one.node for one in path.certificates}
        if target.node not in nodes and path.trust_anchor.node not in nodes:
            yield CertificationPath(certificates=(target, *path.certificates), trust_anchor=path.trust_anchor)
