"""Certification path validation, step by step (RFC 5280 section 6.1; policies by RFC 9618).

Revocation, 6.1.3 (a)(3), is judged separately, by :mod:`pkcs12kit.paths.revocation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths import signatures
from pkcs12kit.paths.failure import Failure, InvalidPathError
from pkcs12kit.paths.signatures import SignatureVerdict
from pkcs12kit.paths.validation import extensions, profile
from pkcs12kit.paths.validation.policy_graph import mapping_violation
from pkcs12kit.paths.validation.server_name import mismatch
from pkcs12kit.paths.validation.state import ValidationState
from pkcs12kit.paths.validation.verdict import ValidatedPath
from pkcs12kit.paths.validity import SECTION as VALIDITY
from pkcs12kit.paths.validity import lapse

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.paths.budget import Budget
    from pkcs12kit.paths.signatures import SignatureMemory
    from pkcs12kit.paths.validation.parameters import ValidationParameters


def validate(
    path: CertificationPath,
    parameters: ValidationParameters,
    *,
    budget: Budget,
    memory: SignatureMemory = signatures.REMEMBERED,
) -> ValidatedPath:
    """Judge one certification path.

    Returns its outputs (6.1.6), or raises :class:`~pkcs12kit.paths.failure.InvalidPathError` for the first step that
    says no, and :class:`~pkcs12kit.paths.budget.BudgetExhaustedError` when it would take too much work to tell.
    Not checked: revocation, and whether anything but the encoding of an anchor's certificate is sound.
    """
    return _Validation(path, parameters, budget, memory).run()


class _Validation:
    """One run over one path. Methods are named after the parts of section 6.1, and in their order."""

    def __init__(
        self, path: CertificationPath, parameters: ValidationParameters, budget: Budget, memory: SignatureMemory
    ) -> None:
        self._path = path
        self._parameters = parameters
        self._budget = budget
        self._memory = memory

    def run(self) -> ValidatedPath:
        self._budget.spend("path_length", len(self._path.certificates))
        self._budget.spend("path_bytes", sum(len(certificate.der) for certificate in self._path.certificates))
        self._check_trust_anchor()
        self._initialise()
        target = self._path.target
        for depth, certificate in enumerate(reversed(self._path.certificates), start=1):
            self._process(certificate, depth)
            if certificate is not target:
                self._prepare_for_next(certificate, depth)
        return self._wrap_up(target)

    def _fail(self, reason: FailureReason, certificate: Certificate, section: str, detail: str) -> NoReturn:
        raise InvalidPathError(Failure(reason=reason, certificate=certificate, section=section, detail=detail))

    def _check_trust_anchor(self) -> None:
        """Ask of an anchor given as a certificate what RFC 5937 asks; RFC 5280 section 6.1 asks nothing."""
        certificate = self._path.trust_anchor.certificate
        if certificate is None:
            return
        if self._parameters.check_trust_anchor_validity:
            self._check_validity(certificate, "RFC 5280 section 6.1.1 (d), by choice")
        if self._parameters.use_trust_anchor_constraints:
            profile.check_trust_anchor(certificate)

    def _initialise(self) -> None:
        """Section 6.1.2."""
        try:
            self._state = ValidationState.initial(self._path, self._parameters, self._budget)
        except MalformedCertificateError as error:
            certificate = self._path.trust_anchor.certificate or self._path.certificates[-1]
            self._fail(
                FailureReason.UNSUPPORTED_ALGORITHM,
                certificate,
                "RFC 5280 section 6.1.2 (g)",
                f"the trust anchor's key cannot be used: {error}",
            )

    def _process(self, certificate: Certificate, depth: int) -> None:
        """Section 6.1.3."""
        is_target = certificate is self._path.target
        own = extensions.read_extensions(certificate)
        profile.check_certificate(certificate, own)
        self._check_signature(certificate)  # (a)(1)
        self._check_validity(certificate, VALIDITY)  # (a)(2)
        if certificate.issuer != self._state.working_issuer_name:  # (a)(4)
            self._fail(
                FailureReason.NAME_CHAINING,
                certificate,
                "RFC 5280 section 6.1.3 (a)(4)",
                f"names as its issuer {certificate.issuer}, not {self._state.working_issuer_name}",
            )
        if is_target or not certificate.is_self_issued:  # (b), (c)
            self._check_names(certificate)
        self._state.policy_graph.process_policies(  # (d), (e)
            depth,
            own.certificate_policies,
            any_policy_allowed=self._state.inhibit_any_policy > 0 or (not is_target and certificate.is_self_issued),
        )
        self._check_explicit_policy(certificate, "RFC 5280 section 6.1.3 (f)")
        if self._parameters.purpose is not None:
            extensions.check_purpose(certificate, self._parameters.purpose)

    def _check_signature(self, certificate: Certificate) -> None:
        working = self._state.working_key
        section = "RFC 5280 section 6.1.3 (a)(1)"
        verdict = self._memory.verdict(certificate, working.key, working.info, self._budget)
        if verdict is SignatureVerdict.INVALID:
            detail = f"its signature does not verify with the key of {self._state.working_issuer_name}"
            self._fail(FailureReason.BAD_SIGNATURE, certificate, section, detail)
        policy = self._parameters.algorithm_policy
        weakness = policy.weakness_of_signature(certificate, working.key)
        if weakness is None and (of_key := policy.weakness_of_key(working.key)) is not None:
            weakness = f"signed with a weak key of {self._state.working_issuer_name}: {of_key}"
        if weakness is not None:
            self._fail(FailureReason.WEAK_ALGORITHM, certificate, section, weakness)
        if verdict is SignatureVerdict.UNSUPPORTED:
            algorithm = certificate.as_cryptography.signature_algorithm_oid.dotted_string
            detail = f"its signature algorithm {algorithm} cannot be checked here"
            self._fail(FailureReason.UNSUPPORTED_ALGORITHM, certificate, section, detail)

    def _check_validity(self, certificate: Certificate, section: str) -> None:
        failure = lapse(certificate, self._parameters.time, section)
        if failure is not None:
            raise InvalidPathError(failure)

    def _check_names(self, certificate: Certificate) -> None:
        violation = self._state.subtrees.violation_by(certificate, budget=self._budget)
        if violation is not None:
            section = "RFC 5280 section 6.1.3 (b), (c)"
            self._fail(FailureReason.NAME_CONSTRAINTS, certificate, section, violation)

    def _check_explicit_policy(self, certificate: Certificate, section: str) -> None:
        if self._state.explicit_policy == 0 and self._state.policy_graph.is_null:
            detail = "an explicit policy is required, and none is valid for the path down to this certificate"
            self._fail(FailureReason.EXPLICIT_POLICY, certificate, section, detail)

    def _prepare_for_next(self, certificate: Certificate, depth: int) -> None:
        """Section 6.1.4."""
        own, state = certificate.extensions, self._state
        mappings = own.policy_mappings or ()
        violation = mapping_violation(mappings)
        if violation is not None:  # (a)
            self._fail(FailureReason.POLICY_MAPPING, certificate, "RFC 5280 section 6.1.4 (a)", violation)
        if mappings:  # (b)
            state.policy_graph.apply_mappings(depth, mappings, policy_mapping_allowed=state.policy_mapping > 0)
        state.working_issuer_name = certificate.subject  # (c)
        self._take_key(certificate, "RFC 5280 section 6.1.4 (d)")  # (d), (e), (f)
        state.count_down(certificate)  # (h)
        section = "RFC 5280 section 6.1.4 (k)"
        extensions.check_is_ca(certificate, section)  # (k)
        if not certificate.is_self_issued:  # (l)
            if state.max_path_length == 0:
                detail = "is one CA certificate more than a path length constraint above it allows"
                self._fail(FailureReason.PATH_LENGTH, certificate, "RFC 5280 section 6.1.4 (l)", detail)
            state.max_path_length -= 1
        state.subtrees = state.subtrees.constrain_by(certificate)  # (g)
        state.constrain(own)  # (i), (j), (m)
        extensions.check_may_sign_certificates(certificate, "RFC 5280 section 6.1.4 (n)")  # (n)
        extensions.check_critical_extensions(certificate, "RFC 5280 section 6.1.4 (o)")  # (o)

    def _take_key(self, certificate: Certificate, section: str) -> None:
        try:
            self._state.working_key = self._state.working_key.next(certificate)
        except MalformedCertificateError as error:
            self._fail(FailureReason.UNSUPPORTED_ALGORITHM, certificate, section, str(error))

    def _wrap_up(self, target: Certificate) -> ValidatedPath:
        """Sections 6.1.5 and 6.1.6."""
        state, parameters = self._state, self._parameters
        state.explicit_policy = max(state.explicit_policy - 1, 0)  # (a)
        constraints = target.extensions.policy_constraints
        if constraints is not None and constraints.require_explicit_policy == 0:  # (b)
            state.explicit_policy = 0
        self._take_key(target, "RFC 5280 section 6.1.5 (c)")  # (c), (d), (e)
        weakness = parameters.algorithm_policy.weakness_of_key(state.working_key.key)
        if weakness:
            self._fail(FailureReason.WEAK_ALGORITHM, target, "RFC 5280 section 6.1.5 (c)", weakness)
        extensions.check_critical_extensions(target, "RFC 5280 section 6.1.5 (f)")  # (f)
        authority_set = state.policy_graph.authority_constrained_policy_set()  # (g)
        user_set = state.policy_graph.user_constrained_policy_set(state.user_initial_policy_set)
        if state.explicit_policy == 0 and not user_set:
            wanted = ", ".join(sorted(state.user_initial_policy_set))
            valid = ", ".join(sorted(authority_set)) or "no policy"
            detail = f"an explicit policy is required: the path is valid for {valid}; asked for: {wanted}"
            self._fail(FailureReason.EXPLICIT_POLICY, target, "RFC 5280 section 6.1.5 (g)", detail)
        if parameters.server_name is not None:
            found = mismatch(target, parameters.server_name)
            if found is not None:
                self._fail(FailureReason.SERVER_NAME, target, "RFC 9525 section 6", found)
        return ValidatedPath(
            certificates=self._path.certificates,
            trust_anchor=self._path.trust_anchor,
            parameters=parameters,
            authority_constrained_policy_set=authority_set,
            user_constrained_policy_set=user_set,
            working_public_key=state.working_key,
        )
