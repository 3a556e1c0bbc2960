"""All faults of certificates that are known not to be a valid path, to explain why; never a verdict that they are.

The checks are those of :mod:`~pkcs12kit.paths.validation.validator`, which goes on after each failure. A failure that
only follows from another one is left out: a certificate cannot be blamed for what its issuer does wrong.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple, NoReturn, ParamSpec

from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.failure import InvalidPathError, refuse
from pkcs12kit.paths.signatures import SignatureVerdict, WorkingKey
from pkcs12kit.paths.validation import extensions
from pkcs12kit.paths.validation.policy_graph import mapping_violation
from pkcs12kit.paths.validation.state import ValidationState
from pkcs12kit.paths.validation.statements import path_lengths
from pkcs12kit.paths.validation.validator import SECTION_OF_SIGNATURES, Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_Arguments = ParamSpec("_Arguments")


class Faults(NamedTuple):
    """The failures of some certificates, from the topmost certificate down to the target."""

    failures: tuple[Failure, ...]
    complete: bool
    """False where a limit ended the work."""


def faults(
    certificates: Sequence[Certificate],
    issuer: TrustAnchor | None,
    *,
    parameters: ValidationParameters,
    budget: SearchBudget,
    with_target: bool = True,
    policies_from_above: bool = False,
) -> Faults:
    """Return everything that is wrong with certificates, each of which is issued by the next.

    - ``issuer`` is the trust anchor that issued the last; None where its issuer is missing. What depends on the missing
      certificates is not judged.
    - ``with_target`` is False where the first of them is only tried as an issuer.
    - ``policies_from_above`` is True where certificates above ``issuer`` may map the policies of its domain.

    Not checked: revocation. An empty result does not mean that the path is valid.
    """
    collector = _Collector(parameters, budget=budget, maps_above=issuer is None or policies_from_above)
    try:
        collector.run(certificates, issuer, with_target=with_target)
    except BudgetExhaustedError:
        collector.is_cut_short = True
    return collector.found()


def faults_of_anchor(anchor: TrustAnchor, *, parameters: ValidationParameters, budget: SearchBudget) -> Faults:
    """Return everything that is wrong with a trust anchor that issues certificates, and has one of its own."""
    collector = _Collector(parameters, budget=budget, maps_above=False)
    collector.run((), anchor, with_target=False)
    return collector.found()


class _Collector(Validator):
    """A validator that records each failure and goes on. It has no outputs."""

    def __init__(self, parameters: ValidationParameters, *, budget: SearchBudget, maps_above: bool) -> None:
        super().__init__(parameters, budget=budget)
        self.failures: list[Failure] = []
        self.is_cut_short = False
        """True where signatures were not checked, as a limit was reached."""
        self._maps_above = maps_above
        self._key_is_known = True
        self._is_issuer = False

    def run(self, certificates: Sequence[Certificate], anchor: TrustAnchor | None, *, with_target: bool) -> None:
        """Record the failures of all certificates, from the last to the first."""
        if anchor is not None and not certificates:
            self._check_trust_anchor(anchor, is_issuer=True)
            return
        state = self._start_below(anchor, certificates[-1])
        for position in range(len(certificates) - 1, -1, -1):
            self._is_issuer = position > 0 or not with_target
            if self._is_issuer:
                self.descend(state, certificates[position])
            else:
                self._process(state, certificates[position], is_target=True)
                self._wrap_up(state, certificates[position])

    def found(self) -> Faults:
        """Return the failures, each once: a target that is its own trust anchor is checked as both."""
        each = {(failure.certificate, failure.reason, failure.detail): failure for failure in self.failures}
        return Faults(tuple(each.values()), complete=not self.is_cut_short)

    def finish(self, state: ValidationState, target: Certificate) -> NoReturn:  # noqa: ARG002
        """Raise an error: whether a path is valid is never asked here."""
        raise TypeError("a collector of faults does not judge paths")

    def _start_below(self, anchor: TrustAnchor | None, last: Certificate) -> ValidationState:
        if anchor is not None:
            try:
                return self.start(anchor, last)
            except InvalidPathError as no:  # the anchor's key cannot be used
                self.failures.append(no.failure)
        self._key_is_known = False
        unknown = TrustAnchor(name=last.issuer, subject_public_key_info=last.subject_public_key_info)
        return ValidationState.below(unknown, None, self._parameters, self._budget)

    def _run(self, check: Callable[_Arguments, None], *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        if check is extensions.check_extensions_for_cas and self._is_issuer:
            return  # check_is_ca reports that it is not a CA
        try:
            check(*args, **kwargs)
        except InvalidPathError as no:
            self.failures.append(no.failure)
        except MalformedCertificateError:
            pass  # check_readable has reported it

    def _check_signature(self, state: ValidationState, certificate: Certificate) -> None:
        if not self._key_is_known:
            self._run(self._check_hash, certificate)
            return
        working = state.known_key
        try:
            verdict = self._memory.verdict(certificate, working.key, working.info, self._budget)
        except BudgetExhaustedError:
            self.is_cut_short = True
            self._run(self._check_hash, certificate)
            return
        self._run(self._check_verdict, state, certificate, verdict)
        if verdict is SignatureVerdict.INVALID:
            self._run(self._check_hash, certificate)
        else:
            self._run(self._check_strength, state, certificate, verdict)

    def _check_hash(self, certificate: Certificate) -> None:
        """Check the hash of a signature by an unknown key."""
        weakness = self._parameters.algorithm_policy.weakness_of_hash(certificate)
        if weakness is not None:
            refuse(FailureReason.WEAK_ALGORITHM, certificate, SECTION_OF_SIGNATURES, weakness)

    def _update_working_key(self, state: ValidationState, certificate: Certificate, section: str) -> None:
        if self._key_is_known:
            self._key_is_known = False
            super()._update_working_key(state, certificate, section)
        else:
            # A key without parameters has those of the missing issuer (6.1.4 (e)): it cannot be read, and is no fault.
            state.working_key = WorkingKey.of(certificate)
        self._key_is_known = True

    def _check_own_key(self, state: ValidationState, target: Certificate) -> None:
        if self._key_is_known:
            super()._check_own_key(state, target)

    def _check_explicit_policy(self, state: ValidationState, certificate: Certificate, *, is_target: bool) -> None:
        if not self._lacks_policy:
            super()._check_explicit_policy(state, certificate, is_target=is_target)

    def _check_user_policies(self, state: ValidationState, target: Certificate) -> None:
        # Missing certificates may map the policies that are asked for to those of this domain.
        if not self._lacks_policy and (state.policy_graph.is_null or not self._maps_above):
            super()._check_user_policies(state, target)

    @property
    def _lacks_policy(self) -> bool:
        """True where it was reported that no policy is valid: that is so for every certificate below as well."""
        return any(failure.reason is FailureReason.EXPLICIT_POLICY for failure in self.failures)

    def _process_mappings(self, state: ValidationState, certificate: Certificate) -> None:
        try:
            super()._process_mappings(state, certificate)
        except InvalidPathError:
            allowed = [pair for pair in certificate.extensions.policy_mappings or () if not mapping_violation([pair])]
            state.policy_graph.apply_mappings(allowed, policy_mapping_allowed=state.policy_mapping > 0)
            raise

    def _count_path_length(self, state: ValidationState, certificate: Certificate) -> None:
        try:
            super()._count_path_length(state, certificate)
        except InvalidPathError:
            state.max_path_length = self._length_left(state, certificate)
            raise

    def _length_left(self, state: ValidationState, certificate: Certificate) -> float:
        """Return the length that the other constraints leave: the CAs below are too many for the same one anyway."""
        try:
            lengths = path_lengths(certificate, self._descent(state))
            left = [allowed - len(counted) for _, _, allowed, counted in lengths]
        except MalformedCertificateError:
            return inf
        return min((each for each in left if each >= 0), default=inf)
