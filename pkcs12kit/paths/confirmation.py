"""A second opinion on a chosen path, by an implementation that shares no code with ours: certvalidator.

It judges signatures, validity, names, name constraints, policies, path lengths, basicConstraints, keyUsage and
extendedKeyUsage. It is not asked about the server's name, nor about revocation (see :mod:`pkcs12kit.paths.revocation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.errors import PathError
from pkcs12kit.paths import coroutines

if TYPE_CHECKING:
    from pyhanko_certvalidator.authority import TrustAnchor
    from pyhanko_certvalidator.policy_decl import AlgorithmUsagePolicy, PKIXValidationParams

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
        self.path = path
        self.confirmation = confirmation
        super().__init__(
            f"two validators disagree about {path}: pkcs12kit says valid, {confirmation.by} says:"
            f" {confirmation.detail}; nothing was written"
        )


def confirm(path: CertificationPath, parameters: ValidationParameters) -> Confirmation:
    """Ask certvalidator about a path, at the same time and with the same inputs. Never raises for its answer.

    An anchor without a certificate is passed on by name and key. Our RFC 5937 constraints of an anchor's certificate
    are passed on as certvalidator's own reading of that certificate.
    """
    from asn1crypto import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from pyhanko_certvalidator.context import ValidationContext
    from pyhanko_certvalidator.errors import PathError as CertvalidatorPathError
    from pyhanko_certvalidator.errors import ValidationError
    from pyhanko_certvalidator.path import ValidationPath
    from pyhanko_certvalidator.validate import async_validate_path

    target, *issuers = (x509.Certificate.load(certificate.der) for certificate in path.certificates)
    try:
        anchor = _anchor(path, parameters)
        context = ValidationContext(
            trust_roots=[anchor],
            moment=parameters.time,
            allow_fetching=False,
            revocation_mode="soft-fail",
            algorithm_usage_policy=_algorithms(parameters.algorithm_policy),
        )
        validation_path = ValidationPath(anchor, interm=reversed(issuers), leaf=target)
        coroutines.run(async_validate_path(context, validation_path, parameters=_parameters(parameters)))
        if parameters.purpose is not None:
            _check_purpose(target, parameters.purpose)
    except (ValidationError, CertvalidatorPathError) as no:
        return Confirmation(opinion=Opinion.INVALID, detail=str(no))
    except (NotImplementedError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AssertionError) as unable:
        detail = str(unable).partition("\n")[0] or type(unable).__name__
        return Confirmation(opinion=Opinion.CANNOT_JUDGE, detail=detail)
    return Confirmation(opinion=Opinion.VALID)


def _anchor(path: CertificationPath, parameters: ValidationParameters) -> TrustAnchor:
    from asn1crypto import keys, x509
    from pyhanko_certvalidator.authority import CertTrustAnchor, NamedKeyAuthority, TrustAnchor

    anchor = path.trust_anchor
    if anchor.certificate is not None:
        return CertTrustAnchor(
            x509.Certificate.load(anchor.certificate.der),
            derive_default_quals_from_cert=parameters.use_trust_anchor_constraints,
        )
    name = x509.Certificate.load(path.certificates[-1].der).issuer
    return TrustAnchor(NamedKeyAuthority(name, keys.PublicKeyInfo.load(anchor.subject_public_key_info)))


def _parameters(parameters: ValidationParameters) -> PKIXValidationParams:
    from asn1crypto import x509
    from pyhanko_certvalidator.name_trees import process_general_subtrees
    from pyhanko_certvalidator.policy_decl import PKIXValidationParams

    def subtrees(names: Any) -> Any:  # noqa: ANN401  # from pyca's general names to certvalidator's, by way of DER
        if not names:
            return None
        from cryptography import x509 as pyca_x509

        encoded = pyca_x509.NameConstraints(permitted_subtrees=list(names), excluded_subtrees=None).public_bytes()
        return process_general_subtrees(x509.NameConstraints.load(encoded)["permitted_subtrees"])

    return PKIXValidationParams(
        user_initial_policy_set=frozenset(
            "any_policy" if policy == ANY_POLICY else x509.PolicyIdentifier(policy).native
            for policy in parameters.user_initial_policy_set
        ),
        initial_policy_mapping_inhibit=parameters.initial_policy_mapping_inhibit,
        initial_explicit_policy=parameters.initial_explicit_policy,
        initial_any_policy_inhibit=parameters.initial_any_policy_inhibit,
        initial_permitted_subtrees=subtrees(parameters.initial_permitted_subtrees),
        initial_excluded_subtrees=subtrees(parameters.initial_excluded_subtrees),
    )


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
