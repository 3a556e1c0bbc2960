"""A second opinion on a chosen path, by an implementation that shares no code with ours: certvalidator.

It judges signatures, validity, names, name constraints, policies, path lengths, basicConstraints, keyUsage and
extendedKeyUsage. It is not asked about the server's name, nor about revocation (see :mod:`pkcs12kit.paths.revocation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit import event_loop
from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.errors import PathError
from pkcs12kit.paths.validation.extensions import ANY_EXTENDED_KEY_USAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.x509 import GeneralName
    from pyhanko_certvalidator.authority import TrustAnchor, TrustQualifiers
    from pyhanko_certvalidator.name_trees import PKIXSubtrees
    from pyhanko_certvalidator.policy_decl import AlgorithmUsagePolicy, PKIXValidationParams

    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_BY: Final = "pyhanko-certvalidator"


class Opinion(Enum):
    """What a second implementation says of a path."""

    VALID = "valid"
    INVALID = "invalid"
    CANNOT_JUDGE = "cannot-judge"
    """Neither yes nor no: the path uses something that it does not implement."""
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A second opinion. ``detail`` gives the reason where it is not a yes."""

    opinion: Opinion
    by: str = _BY
    detail: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Describe it for ``--json``."""
        return {"opinion": self.opinion.value, "by": self.by, "detail": self.detail}

    def __str__(self) -> str:
        return f"{self.by}: {self.opinion.value}" + (f" ({self.detail})" if self.detail else "")


NOT_ASKED: Final = Confirmation(opinion=Opinion.NOT_ASKED)


class ConfirmationError(PathError):
    """The second opinion on a path that our own validation accepts is a no. The text has both."""

    def __init__(self, path: CertificationPath, confirmation: Confirmation) -> None:
        super().__init__(path, confirmation)
        self.path = path
        self.confirmation = confirmation

    def __str__(self) -> str:
        return (
            f"two validators disagree about {self.path}: pkcs12kit says valid, {self.confirmation.by} says:"
            f" {self.confirmation.detail}; nothing was written"
        )


def confirm(path: CertificationPath, parameters: ValidationParameters) -> Confirmation:
    """Ask certvalidator about a path, at the same time and with the same inputs. Never raises for its answer.

    An anchor without a certificate is passed on by name and key, its constraints (RFC 5937) as inputs. It is not asked
    about an anchor's own validity, about ``max_path_length``, about purposes of CA certificates, or about a target with
    anyExtendedKeyUsage.
    """
    from asn1crypto import x509
    from pyhanko_certvalidator.context import ValidationContext
    from pyhanko_certvalidator.errors import PathError as CertvalidatorPathError
    from pyhanko_certvalidator.errors import ValidationError
    from pyhanko_certvalidator.path import ValidationPath
    from pyhanko_certvalidator.validate import async_validate_path

    try:
        target, *issuers = (x509.Certificate.load(certificate.der) for certificate in path.certificates)
        anchor = _anchor(path, parameters)
        context = ValidationContext(
            trust_roots=[anchor],
            moment=parameters.time,
            allow_fetching=False,
            revocation_mode="soft-fail",
            algorithm_usage_policy=_algorithms(parameters.algorithm_policy),
        )
        validation_path = ValidationPath(anchor, interm=reversed(issuers), leaf=target)
        event_loop.run(async_validate_path(context, validation_path, parameters=_parameters(parameters)))
        usages = path.target.extensions.extended_key_usage
        # certvalidator does not take anyExtendedKeyUsage for every purpose (RFC 5280 section 4.2.1.12 leaves it open).
        if parameters.purpose is not None and ANY_EXTENDED_KEY_USAGE not in (usages or ()):
            _check_purpose(target, parameters.purpose)
    except (ValidationError, CertvalidatorPathError) as no:
        return Confirmation(opinion=Opinion.INVALID, detail=str(no))
    except Exception as unable:  # noqa: BLE001  # asn1crypto, which reads for it, raises whatever it stumbles over
        detail = str(unable).partition("\n")[0] or type(unable).__name__
        return Confirmation(opinion=Opinion.CANNOT_JUDGE, detail=detail)
    return Confirmation(opinion=Opinion.VALID)


def _anchor(path: CertificationPath, parameters: ValidationParameters) -> TrustAnchor:
    from asn1crypto import keys, x509
    from pyhanko_certvalidator.authority import CertTrustAnchor, NamedKeyAuthority, TrustAnchor

    anchor = path.trust_anchor
    constraints = anchor.constraints if parameters.use_trust_anchor_constraints else None
    qualifiers = _qualifiers(constraints, parameters) if constraints is not None else None
    if anchor.certificate is not None:
        return CertTrustAnchor(x509.Certificate.load(anchor.certificate.der), qualifiers)
    name = x509.Certificate.load(path.certificates[-1].der).issuer
    return TrustAnchor(NamedKeyAuthority(name, keys.PublicKeyInfo.load(anchor.subject_public_key_info)), qualifiers)


def _qualifiers(constraints: Extensions, parameters: ValidationParameters) -> TrustQualifiers:
    """Say RFC 5937 constraints in certvalidator's terms. Skip counts beyond 0 have none there, and are left out.

    Where the anchor's policies are any, the user's are given for them: certvalidator 0.33 takes 'any' of the anchor and
    a set of the user for any (its ``intersect_policy_sets``), and would forget what the user asked for.
    """
    from pyhanko_certvalidator.authority import TrustQualifiers
    from pyhanko_certvalidator.policy_decl import PKIXValidationParams

    names, policies = constraints.name_constraints, constraints.policy_constraints
    accepted = frozenset(constraints.certificate_policies or {ANY_POLICY})
    standard_parameters = PKIXValidationParams(
        user_initial_policy_set=_policies(parameters.user_initial_policy_set if ANY_POLICY in accepted else accepted),
        initial_policy_mapping_inhibit=policies is not None and policies.inhibit_policy_mapping == 0,
        initial_explicit_policy=policies is not None and policies.require_explicit_policy == 0,
        initial_any_policy_inhibit=constraints.inhibit_any_policy == 0,
        initial_permitted_subtrees=_subtrees(names.permitted_subtrees, permitted=True) if names is not None else None,
        initial_excluded_subtrees=_subtrees(names.excluded_subtrees, permitted=False) if names is not None else None,
    )
    basic = constraints.basic_constraints
    return TrustQualifiers(
        standard_parameters=standard_parameters, max_path_length=basic.path_length if basic is not None else None
    )


def _parameters(parameters: ValidationParameters) -> PKIXValidationParams:
    from pyhanko_certvalidator.policy_decl import PKIXValidationParams

    return PKIXValidationParams(
        user_initial_policy_set=_policies(parameters.user_initial_policy_set),
        initial_policy_mapping_inhibit=parameters.initial_policy_mapping_inhibit,
        initial_explicit_policy=parameters.initial_explicit_policy,
        initial_any_policy_inhibit=parameters.initial_any_policy_inhibit,
        initial_permitted_subtrees=_subtrees(parameters.initial_permitted_subtrees, permitted=True),
        initial_excluded_subtrees=_subtrees(parameters.initial_excluded_subtrees, permitted=False),
    )


def _policies(policies: Iterable[str]) -> frozenset[str]:
    from asn1crypto.x509 import PolicyIdentifier

    policies = frozenset(policies)
    if ANY_POLICY in policies:
        return frozenset({"any_policy"})
    return frozenset(PolicyIdentifier(policy).native for policy in policies)


def _subtrees(names: Iterable[GeneralName] | None, *, permitted: bool) -> PKIXSubtrees | None:
    """Take pyca's general names to certvalidator's, by way of DER; it wants to hear of every other form too."""
    from asn1crypto import x509
    from cryptography import x509 as pyca_x509
    from pyhanko_certvalidator import name_trees

    names = list(names or ())
    if not names:
        return None
    encoded = pyca_x509.NameConstraints(permitted_subtrees=names, excluded_subtrees=None).public_bytes()
    found = name_trees.process_general_subtrees(x509.NameConstraints.load(encoded)["permitted_subtrees"])
    others = name_trees.default_permitted_subtrees() if permitted else name_trees.default_excluded_subtrees()
    return {**others, **found}


def _algorithms(policy: AlgorithmPolicy) -> AlgorithmUsagePolicy:
    from pyhanko_certvalidator.policy_decl import DisallowWeakAlgorithmsPolicy

    return DisallowWeakAlgorithmsPolicy(  # type: ignore[no-untyped-call]  # its constructor has no annotations
        weak_hash_algos=policy.refused_hashes,
        rsa_key_size_threshold=policy.minimum_rsa_bits,
        dsa_key_size_threshold=policy.minimum_dsa_bits,
    )


def _check_purpose(target: Any, purpose: str) -> None:  # noqa: ANN401  # asn1crypto is untyped
    from asn1crypto import x509
    from pyhanko_certvalidator.validate import validate_usage

    native = x509.KeyPurposeId(purpose).native
    validate_usage(target, key_usage=set(), extended_key_usage={native}, extended_optional=True)
