"""Certification path validation, step by step (RFC 5280 section 6.1; policies by RFC 9618).

Revocation, 6.1.3 (a)(3), is checked separately, by :mod:`pkcs12kit.paths.revocation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec

from pkcs12kit.certificates.algorithm_names import key_in_words, signature_algorithm_in_words
from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.key_algorithms import UNCHECKED_SIGNATURES, algorithm_of_key
from pkcs12kit.certificates.policy_names import policy_label, policy_list
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths import signatures
from pkcs12kit.paths.failure import (
    SECTION_OF_OWN_KEY,
    SECTION_OF_TRUST_ANCHORS,
    SECTION_OF_VALIDITY,
    Cause,
    Descent,
    InvalidPathError,
    Processed,
    refuse,
    validity_failure,
)
from pkcs12kit.paths.signatures import SignatureVerdict
from pkcs12kit.paths.validation import extensions
from pkcs12kit.paths.validation.policy_graph import mapping_violation
from pkcs12kit.paths.validation.server_name import explain_server_name, mismatch
from pkcs12kit.paths.validation.state import ValidationState
from pkcs12kit.paths.validation.verdict import ValidatedPath
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.signatures import SignatureMemory, WorkingKey
    from pkcs12kit.paths.validation.parameters import ValidationParameters

SECTION_OF_SIGNATURES: Final = "RFC 5280 section 6.1.3 (a)(1)"
_CHECKED_ALGORITHMS: Final = "a signature with RSA, ECDSA, DSA, Ed25519, Ed448 or ML-DSA, and a hash that is known here"
_Arguments = ParamSpec("_Arguments")


def validate(
    path: CertificationPath,
    parameters: ValidationParameters,
    *,
    budget: SearchBudget,
    memory: SignatureMemory = signatures.REMEMBERED,
) -> ValidatedPath:
    """Return a path that is valid, with its outputs (6.1.6).

    Raises :class:`~pkcs12kit.paths.failure.InvalidPathError` for the first step that fails, and
    :class:`~pkcs12kit.paths.budget.BudgetExhaustedError` where validation takes more work than the limits allow. Not
    checked: revocation, and the signature on an anchor's certificate.
    """
    budget.spend("path_length", len(path.certificates))
    budget.spend("path_bytes", sum(len(certificate.der) for certificate in path.certificates))
    validator = Validator(parameters, budget=budget, memory=memory)
    target, *issuers = path.certificates
    state = validator.start(path.trust_anchor, path.certificates[-1])
    for certificate in reversed(issuers):
        validator.descend(state, certificate)
    outputs = validator.finish(state, target)
    return ValidatedPath(
        certificates=path.certificates,
        trust_anchor=path.trust_anchor,
        parameters=parameters,
        authority_constrained_policy_set=outputs.authority_constrained_policy_set,
        user_constrained_policy_set=outputs.user_constrained_policy_set,
        working_public_key=outputs.working_public_key,
    )


class Outputs(NamedTuple):
    """The outputs of a successful validation (6.1.6)."""

    authority_constrained_policy_set: frozenset[str]
    user_constrained_policy_set: frozenset[str]
    working_public_key: WorkingKey


class Validator:
    """Section 6.1 for one search: the initial state, and the steps for each certificate.

    The private methods are named after the parts of the section, and come in the same order. They change the state.
    """

    def __init__(
        self, parameters: ValidationParameters, *, budget: SearchBudget, memory: SignatureMemory = signatures.REMEMBERED
    ) -> None:
        self._parameters = parameters
        self._budget = budget
        self._memory = memory

    def start(self, anchor: TrustAnchor, first: Certificate) -> ValidationState:
        """Return the state at a trust anchor (6.1.2), as the issuer of ``first``.

        Raises :class:`~pkcs12kit.paths.failure.InvalidPathError` where the anchor may not be used; the failure is about
        its certificate, or about ``first`` where it has none.
        """
        self._check_trust_anchor(anchor, is_issuer=first != anchor.certificate)
        try:
            return ValidationState.initial(anchor, self._parameters, self._budget)
        except MalformedCertificateError as error:
            refuse(
                FailureReason.UNSUPPORTED_ALGORITHM,
                anchor.certificate or first,
                "RFC 5280 section 6.1.2 (g)",
                _why_unusable("the trust anchor's signatures", anchor.subject_public_key_info)
                or f"the trust anchor's key cannot be used: {error}",
            )

    def descend(self, state: ValidationState, certificate: Certificate) -> None:
        """Process one certificate that is not the last of the path (6.1.3 and 6.1.4), and change the state."""
        self._process(state, certificate, is_target=False)
        self._prepare_for_next(state, certificate)
        state.processed = Processed(certificate, state.processed)

    def finish(self, state: ValidationState, target: Certificate) -> Outputs:
        """Process the last certificate of the path (6.1.3 and 6.1.5), and return the outputs."""
        self._process(state, target, is_target=True)
        self._wrap_up(state, target)
        return Outputs(state.policy_graph.authority_constrained_policy_set(), _user_policies(state), state.known_key)

    def _check_trust_anchor(self, anchor: TrustAnchor, *, is_issuer: bool) -> None:
        """Check an anchor that was given as a certificate (RFC 5937); RFC 5280 section 6.1 checks nothing.

        A self-signed server certificate that is its own anchor issues nothing else, so ``is_issuer`` is False for it.
        """
        if anchor.certificate is None:
            return
        if self._parameters.check_trust_anchor_validity:
            self._run(self._check_validity, anchor.certificate, SECTION_OF_TRUST_ANCHORS)
        if self._parameters.use_trust_anchor_constraints:
            for check in extensions.checks_of_trust_anchor(is_issuer=is_issuer):
                self._run(check, anchor.certificate)

    def _run(self, check: Callable[_Arguments, None], *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        """Run one check, which raises :class:`~pkcs12kit.paths.failure.InvalidPathError` where it is not passed.

        A subclass may record the failure and go on, to explain a path that is known not to be valid.
        """
        check(*args, **kwargs)

    def _process(self, state: ValidationState, certificate: Certificate, *, is_target: bool) -> None:
        """Process one certificate (6.1.3)."""
        self._run(extensions.check_readable, certificate)
        for check in extensions.CHECKS_OF_ONE:
            self._run(check, certificate)
        self._check_signature(state, certificate)  # (a)(1)
        self._run(self._check_validity, certificate, SECTION_OF_VALIDITY)  # (a)(2)
        self._run(self._check_issuer_name, state, certificate)  # (a)(4)
        if is_target or not certificate.is_self_issued:  # (b), (c)
            self._run(self._check_names, state, certificate)
        self._run(self._process_policies, state, certificate, is_target=is_target)  # (d), (e)
        self._run(self._check_explicit_policy, state, certificate, is_target=is_target)  # (f)
        if self._parameters.purpose is not None:
            self._run(extensions.check_purpose, certificate, self._parameters.purpose)

    def _check_signature(self, state: ValidationState, certificate: Certificate) -> None:
        working = state.known_key
        verdict = self._memory.verdict(certificate, working.key, working.info, self._budget)
        self._run(self._check_verdict, state, certificate, verdict)
        self._run(self._check_strength, state, certificate, verdict)

    def _check_verdict(self, state: ValidationState, certificate: Certificate, verdict: SignatureVerdict) -> None:
        if verdict is SignatureVerdict.INVALID:
            detail = f"its signature does not verify with the key of {state.working_issuer_name}"
            descent = self._descent(state)
            refuse(FailureReason.BAD_SIGNATURE, certificate, SECTION_OF_SIGNATURES, detail, descent=descent)

    def _check_strength(self, state: ValidationState, certificate: Certificate, verdict: SignatureVerdict) -> None:
        """Check that a signature is strong enough, and that it was possible to check it."""
        working, policy = state.known_key, self._parameters.algorithm_policy
        weakness = policy.weakness_of_signature(certificate, working.key)
        if weakness is None and (of_key := policy.weakness_of_key(working.key)) is not None:
            weakness = f"signed with a weak key of {state.working_issuer_name}: {of_key}"
        if weakness is not None:
            descent = self._descent(state)
            refuse(FailureReason.WEAK_ALGORITHM, certificate, SECTION_OF_SIGNATURES, weakness, descent=descent)
        if verdict is SignatureVerdict.UNSUPPORTED:
            algorithm = signature_algorithm_in_words(certificate)
            detail = f"its signature cannot be checked: signature algorithm {algorithm} is not supported"
            cause = Cause(
                certificate=certificate,
                extension="signatureAlgorithm",
                value=f"{algorithm}, with a key {key_in_words(working.key)}",
                detail="cannot be checked",
            )
            refuse(
                FailureReason.UNSUPPORTED_ALGORITHM,
                certificate,
                SECTION_OF_SIGNATURES,
                detail,
                causes=(cause,),
                would_pass=_CHECKED_ALGORITHMS,
            )

    def _check_validity(self, certificate: Certificate, section: str) -> None:
        failure = validity_failure(certificate, self._parameters.time, section)
        if failure is not None:
            raise InvalidPathError(failure)

    def _check_issuer_name(self, state: ValidationState, certificate: Certificate) -> None:
        if certificate.issuer != state.working_issuer_name:
            refuse(
                FailureReason.NAME_CHAINING,
                certificate,
                "RFC 5280 section 6.1.3 (a)(4)",
                f"names as its issuer {certificate.issuer}, not {state.working_issuer_name}",
            )

    def _process_policies(self, state: ValidationState, certificate: Certificate, *, is_target: bool) -> None:
        state.policy_graph.process_policies(
            certificate.extensions.certificate_policies,
            any_policy_allowed=state.inhibit_any_policy > 0 or (not is_target and certificate.is_self_issued),
        )

    def _check_names(self, state: ValidationState, certificate: Certificate) -> None:
        violation = state.subtrees.violation_by(certificate, budget=self._budget)
        if violation is not None:
            section = "RFC 5280 section 6.1.3 (b), (c)"
            refuse(FailureReason.NAME_CONSTRAINTS, certificate, section, violation, descent=self._descent(state))

    def _check_explicit_policy(self, state: ValidationState, certificate: Certificate, *, is_target: bool) -> None:
        if state.explicit_policy == 0 and state.policy_graph.is_null:
            detail = "an explicit policy is required, and none is valid for the path down to this certificate"
            section, descent = "RFC 5280 section 6.1.3 (f)", self._descent(state, is_target=is_target)
            refuse(FailureReason.EXPLICIT_POLICY, certificate, section, detail, descent=descent)

    def _prepare_for_next(self, state: ValidationState, certificate: Certificate) -> None:
        """Prepare for the next certificate (6.1.4)."""
        self._run(self._process_mappings, state, certificate)  # (a), (b)
        state.working_issuer_name = certificate.subject  # (c)
        self._run(self._update_working_key, state, certificate, "RFC 5280 section 6.1.4 (d)")  # (d), (e), (f)
        state.count_down(certificate)  # (h)
        self._run(extensions.check_is_ca, certificate, "RFC 5280 section 6.1.4 (k)")  # (k)
        if not certificate.is_self_issued:
            self._run(self._count_path_length, state, certificate)  # (l)
        self._run(self._constrain, state, certificate)  # (g), (i), (j), (m)
        self._run(extensions.check_may_sign_certificates, certificate, "RFC 5280 section 6.1.4 (n)")  # (n)
        self._run(extensions.check_critical_extensions, certificate, "RFC 5280 section 6.1.4 (o)")  # (o)

    def _process_mappings(self, state: ValidationState, certificate: Certificate) -> None:
        mappings = certificate.extensions.policy_mappings or ()
        violation = mapping_violation(mappings)
        if violation is not None:  # (a)
            bad = next(pair for pair in mappings if ANY_POLICY in pair)
            cause = Cause(
                certificate=certificate,
                extension="policyMappings",
                value=f"{policy_label(bad[0])} to {policy_label(bad[1])}",
                detail="anyPolicy may not be mapped, neither from nor to",
            )
            refuse(
                FailureReason.POLICY_MAPPING,
                certificate,
                "RFC 5280 section 6.1.4 (a)",
                violation,
                causes=(cause,),
                would_pass="a certificate for this CA without a mapping from or to anyPolicy",
            )
        if mappings:  # (b)
            state.policy_graph.apply_mappings(mappings, policy_mapping_allowed=state.policy_mapping > 0)

    def _count_path_length(self, state: ValidationState, certificate: Certificate) -> None:
        if state.max_path_length == 0:
            detail = "is one CA certificate more than a path length constraint above it allows"
            section = "RFC 5280 section 6.1.4 (l)"
            refuse(FailureReason.PATH_LENGTH, certificate, section, detail, descent=self._descent(state))
        state.max_path_length -= 1

    def _constrain(self, state: ValidationState, certificate: Certificate) -> None:
        state.subtrees = state.subtrees.constrain_by(certificate)  # (g)
        state.constrain(certificate.extensions)  # (i), (j), (m)

    def _update_working_key(self, state: ValidationState, certificate: Certificate, section: str) -> None:
        try:
            state.working_key = state.known_key.next(certificate)
        except MalformedCertificateError as error:
            refuse(
                FailureReason.UNSUPPORTED_ALGORITHM,
                certificate,
                section,
                _why_unusable("signatures by its key", certificate.subject_public_key_info) or str(error),
            )

    def _wrap_up(self, state: ValidationState, target: Certificate) -> None:
        """Process the end of the path (6.1.5)."""
        self._run(state.wrap_up, target)  # (a), (b)
        if self._parameters.purpose is not None:
            self._run(extensions.check_can_sign, target, self._parameters.purpose)
        self._run(self._update_working_key, state, target, SECTION_OF_OWN_KEY)  # (c), (d), (e)
        self._run(self._check_own_key, state, target)
        self._run(extensions.check_critical_extensions, target, "RFC 5280 section 6.1.5 (f)")  # (f)
        self._run(self._check_user_policies, state, target)  # (g)
        self._run(self._check_server_name, target)

    def _check_own_key(self, state: ValidationState, target: Certificate) -> None:
        weakness = self._parameters.algorithm_policy.weakness_of_key(state.known_key.key)
        if weakness:
            descent = self._descent(state, is_target=True)
            refuse(FailureReason.WEAK_ALGORITHM, target, SECTION_OF_OWN_KEY, weakness, descent=descent)

    def _check_user_policies(self, state: ValidationState, target: Certificate) -> None:
        if state.explicit_policy > 0 or _user_policies(state):
            return
        wanted = policy_list(state.user_initial_policy_set)
        valid = policy_list(state.policy_graph.authority_constrained_policy_set()) or "no policy"
        detail = f"an explicit policy is required: the path is valid for {valid}; asked for: {wanted}"
        descent = self._descent(state, is_target=True)
        refuse(FailureReason.EXPLICIT_POLICY, target, "RFC 5280 section 6.1.5 (g)", detail, descent=descent)

    def _check_server_name(self, target: Certificate) -> None:
        name = self._parameters.server_name
        found = None if name is None else mismatch(target, name)
        if name is not None and found is not None:
            names, would_pass = explain_server_name(target, name)
            causes = (
                Cause(certificate=target, extension="subjectAltName", value=names, detail="names no such server"),
                Cause(certificate=None, extension="server-name", value=quoted(name), detail="the server to be reached"),
            )
            section = "RFC 9525 section 6"
            refuse(FailureReason.SERVER_NAME, target, section, found, causes=causes, would_pass=would_pass)

    def _descent(self, state: ValidationState, *, is_target: bool = False) -> Descent:
        """Return the inputs of the explanation of a failure; it is made only for failures that are reported."""
        return Descent(state.anchor, self._parameters, state.processed, is_target)


def _why_unusable(what: str, key_info: bytes) -> str | None:
    """Return why signatures by a key cannot be checked, None where its algorithm is supported or not known."""
    name = UNCHECKED_SIGNATURES.get(algorithm_of_key(key_info) or "")
    return None if name is None else f"{what} cannot be checked: signature algorithm {name} is not supported"


def _user_policies(state: ValidationState) -> frozenset[str]:
    return state.policy_graph.user_constrained_policy_set(state.user_initial_policy_set)
