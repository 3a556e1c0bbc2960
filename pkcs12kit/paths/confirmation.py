"""The second opinion on a chosen path, by an independent implementation: certvalidator.

It checks signatures, validity, names, name constraints, policies, path lengths, basicConstraints, keyUsage and
extendedKeyUsage. It does not check the server's name and revocation (see :mod:`pkcs12kit.paths.revocation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal

from pkcs12kit import event_loop
from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.extension_names import extension_label
from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.lenient import first_line, sequence
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.subtrees import EncodedName
from pkcs12kit.errors import MalformedCertificateError, PathError
from pkcs12kit.paths.misreadings import JudgeableConstraints, alternative_names, misread_name, rewritten
from pkcs12kit.paths.validation.extensions import ANY_EXTENDED_KEY_USAGE
from pkcs12kit.paths.validation.parameters import ValidationParameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyhanko_certvalidator.authority import TrustAnchor, TrustQualifiers
    from pyhanko_certvalidator.name_trees import PKIXSubtrees
    from pyhanko_certvalidator.policy_decl import AlgorithmUsagePolicy, PKIXValidationParams

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.subtrees import NameConstraints
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy

_BY: Final = "pyhanko-certvalidator"


class Opinion(Enum):
    """The verdict of a second implementation on a path."""

    VALID = "valid"
    INVALID = "invalid"
    CANNOT_JUDGE = "cannot-judge"
    """Neither valid nor invalid: the path uses something that it does not implement."""
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A second opinion on a path."""

    opinion: Opinion
    """The opinion."""
    by: str = _BY
    """The name of the second validator."""
    detail: str | None = None
    """The reason for an opinion other than ``VALID``; None otherwise."""

    def to_json(self) -> dict[str, str | None]:
        """Return the opinion as ``--json`` prints it."""
        return {"opinion": self.opinion.value, "by": self.by, "detail": self.detail}

    def __str__(self) -> str:
        return f"{self.by}: {self.opinion.value}" + (f" ({self.detail})" if self.detail else "")


NOT_ASKED: Final = Confirmation(opinion=Opinion.NOT_ASKED)


class ConfirmationError(PathError):
    """The error where the second opinion rejects a path that pkcs12kit accepts. The text has both verdicts."""

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
    """Return the opinion of certvalidator on a path, at the same time and with the same inputs.

    An opinion of any kind is returned and never raised. An anchor without a certificate is passed on by name and key,
    with its constraints (RFC 5937) as inputs. Not checked: an anchor's own validity, ``max_path_length``, purposes of
    CA certificates, and the purpose of a target with anyExtendedKeyUsage.
    """
    require_kind("path", path, CertificationPath)
    require_kind("parameters", parameters, ValidationParameters)
    try:
        return _confirm(path, parameters)
    except MalformedCertificateError as unable:
        return Confirmation(opinion=Opinion.CANNOT_JUDGE, detail=str(unable))


def _confirm(path: CertificationPath, parameters: ValidationParameters) -> Confirmation:
    constraints = JudgeableConstraints.of(path, parameters)
    found = _ask(path, parameters, constraints)
    if found.opinion is not Opinion.VALID and (misread := misread_name(path)) is not None:
        # Asked again with names that it reads: another reason for a no is still a no.
        found = _ask(path, parameters, constraints, rewrite=True)
        if found.opinion is Opinion.VALID:
            return Confirmation(opinion=Opinion.CANNOT_JUDGE, detail=misread)
    if found.opinion is Opinion.VALID and constraints.misread is not None:
        return Confirmation(opinion=Opinion.CANNOT_JUDGE, detail=constraints.misread)
    return found


def _ask(
    path: CertificationPath,
    parameters: ValidationParameters,
    constraints: JudgeableConstraints,
    *,
    rewrite: bool = False,
) -> Confirmation:
    """Ask certvalidator about a path with these name constraints; with ``rewrite``, with its names as UTF8Strings."""
    from pyhanko_certvalidator.context import ValidationContext
    from pyhanko_certvalidator.errors import PathError as CertvalidatorPathError
    from pyhanko_certvalidator.errors import ValidationError
    from pyhanko_certvalidator.path import ValidationPath
    from pyhanko_certvalidator.validate import async_validate_path

    try:
        target, *issuers = (
            _load(certificate, names, rewrite=rewrite)
            for certificate, names in zip(path.certificates, constraints.of_certificates, strict=True)
        )
        anchor = _anchor(path, parameters, constraints.of_anchor, rewrite=rewrite)
        context = ValidationContext(
            trust_roots=[anchor],
            moment=parameters.time,
            allow_fetching=False,
            revocation_mode="soft-fail",
            algorithm_usage_policy=_algorithms(parameters.algorithm_policy),
        )
        validation_path = ValidationPath(anchor, interm=reversed(issuers), leaf=target)
        inputs = _parameters(parameters, _convert(constraints.initial, rewrite=rewrite))
        event_loop.run(async_validate_path(context, validation_path, parameters=inputs))
        usages = path.target.extensions.extended_key_usage
        # For certvalidator anyExtendedKeyUsage is not every purpose (RFC 5280 section 4.2.1.12 leaves it open).
        if parameters.purpose is not None and ANY_EXTENDED_KEY_USAGE not in (usages or ()):
            _check_purpose(target, parameters.purpose)
    except (ValidationError, CertvalidatorPathError) as no:
        return Confirmation(opinion=Opinion.INVALID, detail=str(no))
    except Exception as unable:  # noqa: BLE001  # asn1crypto, which it uses, raises errors of any kind
        return Confirmation(opinion=Opinion.CANNOT_JUDGE, detail=first_line(unable) + _perhaps_unreadable(path))
    return Confirmation(opinion=Opinion.VALID)


def _perhaps_unreadable(path: CertificationPath) -> str:
    """Return where an error may come from: asn1crypto reads all extensions of a certificate or none."""
    anchor = path.trust_anchor.certificate
    for certificate in (*path.certificates, *([anchor] if anchor is not None else [])):
        for fault in certificate.extensions.faults:
            return f"; perhaps because {extension_label(fault.oid)} of {certificate.label} is not encoded correctly"
    return ""


def _anchor(
    path: CertificationPath, parameters: ValidationParameters, names: NameConstraints | None, *, rewrite: bool
) -> TrustAnchor:
    from asn1crypto import keys
    from pyhanko_certvalidator.authority import CertTrustAnchor, NamedKeyAuthority, TrustAnchor

    anchor = path.trust_anchor
    constraints = anchor.constraints if parameters.use_trust_anchor_constraints else None
    subtrees = _convert(names, rewrite=rewrite)
    qualifiers = _qualifiers(constraints, parameters, subtrees) if constraints is not None else None
    if anchor.certificate is not None:
        return CertTrustAnchor(_load(anchor.certificate, None, rewrite=rewrite), qualifiers)
    name = _load(path.certificates[-1], None, rewrite=rewrite).issuer
    return TrustAnchor(NamedKeyAuthority(name, keys.PublicKeyInfo.load(anchor.subject_public_key_info)), qualifiers)


def _qualifiers(
    constraints: Extensions,
    parameters: ValidationParameters,
    names: Any,  # noqa: ANN401  # asn1crypto is untyped
) -> TrustQualifiers:
    """Return RFC 5937 constraints as certvalidator's qualifiers; skip counts above 0, which it lacks, are left out.

    Where the anchor's policies are any, the user's replace them: certvalidator 0.33 combines 'any' of the anchor and a
    set of the user to any (its ``intersect_policy_sets``), and would ignore the policies that the user accepts.
    """
    from pyhanko_certvalidator.authority import TrustQualifiers
    from pyhanko_certvalidator.policy_decl import PKIXValidationParams

    policies = constraints.policy_constraints
    accepted = frozenset(constraints.certificate_policies or {ANY_POLICY})
    standard_parameters = PKIXValidationParams(
        user_initial_policy_set=_policies(parameters.user_initial_policy_set if ANY_POLICY in accepted else accepted),
        initial_policy_mapping_inhibit=policies is not None and policies.inhibit_policy_mapping == 0,
        initial_explicit_policy=policies is not None and policies.require_explicit_policy == 0,
        initial_any_policy_inhibit=constraints.inhibit_any_policy == 0,
        initial_permitted_subtrees=_initial_subtrees(names, "permitted"),
        initial_excluded_subtrees=_initial_subtrees(names, "excluded"),
    )
    basic = constraints.basic_constraints
    return TrustQualifiers(
        standard_parameters=standard_parameters, max_path_length=basic.path_length if basic is not None else None
    )


def _parameters(
    parameters: ValidationParameters,
    names: Any,  # noqa: ANN401  # asn1crypto is untyped
) -> PKIXValidationParams:
    from pyhanko_certvalidator.policy_decl import PKIXValidationParams

    return PKIXValidationParams(
        user_initial_policy_set=_policies(parameters.user_initial_policy_set),
        initial_policy_mapping_inhibit=parameters.initial_policy_mapping_inhibit,
        initial_explicit_policy=parameters.initial_explicit_policy,
        initial_any_policy_inhibit=parameters.initial_any_policy_inhibit,
        initial_permitted_subtrees=_initial_subtrees(names, "permitted"),
        initial_excluded_subtrees=_initial_subtrees(names, "excluded"),
    )


def _policies(policies: Iterable[str]) -> frozenset[str]:
    from asn1crypto.x509 import PolicyIdentifier

    policies = frozenset(policies)
    if ANY_POLICY in policies:
        return frozenset({"any_policy"})
    return frozenset(PolicyIdentifier(policy).native for policy in policies)


def _initial_subtrees(
    names: Any,  # noqa: ANN401  # asn1crypto is untyped
    kind: Literal["permitted", "excluded"],
) -> PKIXSubtrees | None:
    """Return subtrees as an input of certvalidator, with subtrees for every other form."""
    from pyhanko_certvalidator import name_trees

    subtrees = None if names is None else names[f"{kind}_subtrees"]
    if not subtrees:
        return None
    is_permitted = kind == "permitted"
    others = name_trees.default_permitted_subtrees() if is_permitted else name_trees.default_excluded_subtrees()
    return {**others, **name_trees.process_general_subtrees(subtrees)}


def _convert(names: NameConstraints | None, *, rewrite: bool) -> Any:  # noqa: ANN401  # asn1crypto is untyped
    from asn1crypto import x509

    if names is None:
        return None
    fields = {
        field: [{"base": x509.GeneralName.load(_encode(base, rewrite=rewrite))} for base in bases]
        for field, bases in (
            ("permitted_subtrees", names.permitted_subtrees),
            ("excluded_subtrees", names.excluded_subtrees),
        )
        if bases
    }
    return x509.NameConstraints(fields) if fields else None


def _encode(name: EncodedName, *, rewrite: bool) -> bytes:
    value = name.value if rewrite else None
    return EncodedName(name.tag, rewritten(value)).encoding if isinstance(value, Name) else name.encoding


def _load(certificate: Certificate, names: NameConstraints | None, *, rewrite: bool) -> Any:  # noqa: ANN401  # asn1crypto is untyped
    """Decode a certificate for certvalidator, with these name constraints in place of its own."""
    from asn1crypto import x509

    instead = {"name_constraints_value": _convert(names, rewrite=rewrite)}
    if rewrite:
        instead |= {
            field: x509.Name.load(rewritten(name))
            for field, name in (("subject", certificate.subject), ("issuer", certificate.issuer))
        }
        if alternatives := alternative_names(certificate):
            encoded = sequence(*(_encode(name, rewrite=True) for name in alternatives))
            instead["subject_alt_name_value"] = x509.GeneralNames.load(encoded)
    kind: Any = type("ReadableCertificate", (x509.Certificate,), instead)
    decoded = kind.load(certificate.der)
    # asn1crypto takes a length that ends in 0x80 for an indefinite one and encodes the element again, which changes
    # what is not DER: the signature would not verify, by chance, for one length in 256.
    decoded.dump = lambda force=False: certificate.der  # noqa: ARG005
    decoded["tbs_certificate"].dump = lambda force=False: certificate.tbs_certificate  # noqa: ARG005
    return decoded


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
