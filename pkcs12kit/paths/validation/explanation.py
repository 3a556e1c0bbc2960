"""Explanations of failures: the statements that make a check fail, each with its certificate, and what would pass.

They are made when failures are reported, not while paths are validated: a search validates many paths, and reports few.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from pkcs12kit.certificates.algorithm_names import key_in_words, signature_algorithm_in_words
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.failure import Cause
from pkcs12kit.paths.signatures import WorkingKey
from pkcs12kit.paths.validation.name_explanation import explain_names
from pkcs12kit.paths.validation.policy_explanation import PolicyExplanation
from pkcs12kit.paths.validation.statements import path_lengths
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.failure import Descent, Failure

_LISTED: Final = 6
_NUMBERS: Final = ("no", "one", "two", "three")


def explained(failure: Failure, *, limits: Limits, path: Sequence[Certificate] = ()) -> Failure:
    """Return a failure with its causes, what would pass, and for policies their table.

    ``path`` are the certificates of the attempt, the target first. A failure that says everything about itself is
    returned as it is.
    """
    descent = failure.descent
    if descent is None:
        return failure
    plain = replace(failure, descent=None)
    explain = _EXPLANATIONS.get(failure.reason)
    if explain is None:
        return plain
    try:
        return explain(plain, descent, _below(failure.certificate, path), SearchBudget(limits))
    except (BudgetExhaustedError, MalformedCertificateError):
        return plain  # an explanation that takes too much work is left out


def _below(failed: Certificate, path: Sequence[Certificate]) -> Sequence[Certificate]:
    """Return the certificates below the one that failed, the target first."""
    return path[: path.index(failed)] if failed in path else ()


def _explain_path_length(failure: Failure, descent: Descent, below: Sequence[Certificate], _: SearchBudget) -> Failure:
    """Name each certificate whose path length constraint is exceeded (RFC 5280 sections 4.2.1.9, 6.1.4 (l))."""
    lower = [certificate for certificate in reversed(below[1:]) if not certificate.is_self_issued]
    causes, clauses = [], []
    for certificate, label, allowed, counted_below in path_lengths(failure.certificate, descent):
        if len(counted_below) <= allowed:
            continue
        every = [*counted_below, *lower]
        listed = ", ".join(shortened([one.label for one in every], _LISTED))
        is_caller = label is None
        causes.append(
            Cause(
                certificate=certificate,
                extension="max_path_length" if is_caller else "basicConstraints",
                value=str(allowed) if is_caller else f"pathLenConstraint {allowed}",
                detail=f"allows {_cas(allowed)} {'on the path' if is_caller else 'below it'}; there"
                f" {'is' if len(every) == 1 else 'are'} {len(every)}: {listed}",
            )
        )
        where = "on the path" if is_caller else f"below {label}"
        name = "max_path_length" if is_caller else "pathLenConstraint"
        most = "at most " if allowed else ""
        clauses.append(f"{most}{_cas(allowed)} {where} (or a {name} of at least {len(every)})")
    return replace(failure, causes=tuple(causes), would_pass=" and ".join(clauses) or None)


def _cas(number: int) -> str:
    words = _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"
    return f"{words} CA certificate{'s' if number > 1 else ''}"


def _explain_names(failure: Failure, descent: Descent, _: Sequence[Certificate], budget: SearchBudget) -> Failure:
    causes, would_pass = explain_names(failure.certificate, descent, budget)
    return replace(failure, causes=causes, would_pass=would_pass)


def _explain_policies(
    failure: Failure, descent: Descent, below: Sequence[Certificate], budget: SearchBudget
) -> Failure:
    explanation = PolicyExplanation(failure.certificate, descent, budget, below=below)
    return replace(failure, causes=explanation.causes, would_pass=explanation.would_pass, policies=explanation.rows)


def _explain_weakness(failure: Failure, descent: Descent, _: Sequence[Certificate], __: SearchBudget) -> Failure:
    """Name the signature or the key that is too weak, and the algorithms that the caller's policy accepts."""
    certificate, policy = failure.certificate, descent.parameters.algorithm_policy
    refuses = f"algorithm policy '{policy.name}' refuses it"
    if failure.section.endswith("(c)"):  # the target's own key
        key, holder = certificate.public_key, cast("Certificate | None", certificate)
    else:
        key, holder = _issuer_key(descent)
        if policy.weakness_of_signature(certificate, key) is not None:
            value = f"{signature_algorithm_in_words(certificate)}, with a key {key_in_words(key)}"
            cause = Cause(certificate=certificate, extension="signatureAlgorithm", value=value, detail=refuses)
            return replace(failure, causes=(cause,), would_pass=policy.accepted_signatures)
    cause = Cause(certificate=holder, extension="subjectPublicKeyInfo", value=key_in_words(key), detail=refuses)
    return replace(failure, causes=(cause,), would_pass=policy.accepted_keys)


def _explain_signature(failure: Failure, descent: Descent, _: Sequence[Certificate], __: SearchBudget) -> Failure:
    """Name the certificate whose key was tried, and the key identifiers of both sides."""
    key, holder = _issuer_key(descent)
    own = descent.anchor.key_identifier if holder is None else holder.key_identifier
    wanted = failure.certificate.issuer_key_identifier
    detail = "this key was tried, and does not verify the signature"
    if own is not None and wanted is not None:
        same = "also names the key" if own == wanted else "names another key"
        detail += f"; the authorityKeyIdentifier of the certificate {same} ({wanted.hex()})"
    value = key_in_words(key) + (f", key identifier {own.hex()}" if own is not None else "")
    cause = Cause(certificate=holder, extension="subjectPublicKeyInfo", value=value, detail=detail)
    return replace(failure, causes=(cause,))


def _issuer_key(descent: Descent) -> tuple[CertificatePublicKeyTypes, Certificate | None]:
    """Return the key that signed the certificate that failed, with the certificate that it stands in."""
    working = WorkingKey.of(descent.anchor)
    for certificate in descent.certificates:
        working = working.next(certificate)
    return working.key, descent.anchor.certificate if descent.above is None else descent.above.certificate


_EXPLANATIONS: Final[
    dict[FailureReason, Callable[[Failure, Descent, Sequence[Certificate], SearchBudget], Failure]]
] = {
    FailureReason.PATH_LENGTH: _explain_path_length,
    FailureReason.NAME_CONSTRAINTS: _explain_names,
    FailureReason.EXPLICIT_POLICY: _explain_policies,
    FailureReason.WEAK_ALGORITHM: _explain_weakness,
    FailureReason.BAD_SIGNATURE: _explain_signature,
}
