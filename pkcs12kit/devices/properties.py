"""Properties and figures of served chains, as far as rules of clients are about them.

The certificates of the valid path are examined where there is one, else all that are sent. Of the trust anchor's
certificate only the key counts: a client trusts it by decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtensionOID

from pkcs12kit.certificates.extensions import POLICY_MAPPINGS
from pkcs12kit.certificates.key_kinds import ML_DSA, RSASSA_PSS, is_for_pss, kind_of_public_key
from pkcs12kit.certificates.lint.field_checks import SHA1_SIGNATURES
from pkcs12kit.certificates.subtrees import DIRECTORY_NAME, DNS_NAME, IP_ADDRESS, RFC822_NAME, URI
from pkcs12kit.devices.model import ChainProperty, Quantity
from pkcs12kit.devices.named_issuers import Field, named_issuer_mismatches
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.validation.extensions import ANY_EXTENDED_KEY_USAGE
from pkcs12kit.paths.validation.parameters import SERVER_AUTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.certificate_message import CertificateMessage

_V3: Final = 3
_CRITICAL: Final = {
    ExtensionOID.CERTIFICATE_POLICIES.dotted_string: ChainProperty.CERTIFICATE_POLICIES_CRITICAL,
    POLICY_MAPPINGS: ChainProperty.POLICY_MAPPINGS_CRITICAL,
    ExtensionOID.POLICY_CONSTRAINTS.dotted_string: ChainProperty.POLICY_CONSTRAINTS_CRITICAL,
    ExtensionOID.INHIBIT_ANY_POLICY.dotted_string: ChainProperty.INHIBIT_ANY_POLICY_CRITICAL,
}
_CONSTRAINED: Final = {
    DIRECTORY_NAME: ChainProperty.DIRECTORY_NAMES_CONSTRAINED,
    DNS_NAME: ChainProperty.OTHER_NAMES_CONSTRAINED,
    IP_ADDRESS: ChainProperty.OTHER_NAMES_CONSTRAINED,
    RFC822_NAME: ChainProperty.OTHER_NAMES_CONSTRAINED,
    URI: ChainProperty.URIS_CONSTRAINED,
}
_CURVES: Final = {
    "secp256r1": ChainProperty.P256_KEY,
    "secp384r1": ChainProperty.P384_KEY,
    "secp521r1": ChainProperty.P521_KEY,
}


def find_properties(
    message: CertificateMessage, path: ValidatedPath | None, trust_anchors: Sequence[TrustAnchor]
) -> dict[ChainProperty, Certificate]:
    """Return the properties of the chain, each with the first certificate that has it, from the server's on.

    A certificate that cannot be read has the property UNREADABLE; no error is raised for it.
    """
    found: dict[ChainProperty, Certificate] = {}
    certificates = message.certificates if path is None else path.certificates
    for position, certificate in enumerate(certificates):
        for one in _properties_of(certificate, is_target=position == 0):
            found.setdefault(one, certificate)
    if path is None:
        missing = _without_issuer(message.certificates, trust_anchors)
        if missing is not None:
            found[ChainProperty.MISSING_ISSUER] = missing
        return found
    for mismatch in named_issuer_mismatches(path):
        of_anchor = mismatch.issuer is path.trust_anchor and mismatch.named.keys() != {Field.ISSUER}
        found.setdefault(
            ChainProperty.ANCHOR_NOT_NAMED if of_anchor else ChainProperty.ISSUER_NOT_NAMED, mismatch.certificate
        )
    if path.trust_anchor.certificate is not None:
        anchor = path.trust_anchor.certificate
        found.setdefault(_key_property(anchor), anchor)
    return found


def measure(
    message: CertificateMessage, path: ValidatedPath | None
) -> Iterator[tuple[Quantity, int, Certificate | None]]:
    """Yield the figures that clients limit, each with its certificate if it belongs to one."""
    yield Quantity.CERTIFICATES, len(message.certificates), None
    yield Quantity.BYTES, message.size, None
    keys = message.certificates
    if path is not None:
        intermediates = path.certificates[1:]
        yield Quantity.INTERMEDIATES, len(intermediates), None
        if not _is_in_order(message.certificates, path):
            counted = sum(not certificate.is_self_issued for certificate in intermediates)
            yield Quantity.INTERMEDIATES_NOT_IN_ORDER, counted, None
        anchor = path.trust_anchor.certificate
        keys = path.certificates if anchor is None else (*path.certificates, anchor)
    for certificate in keys:
        bits = _rsa_bits(certificate)
        if bits is not None:
            yield Quantity.RSA_BITS, bits, certificate


def _is_in_order(sent: Sequence[Certificate], path: ValidatedPath) -> bool:
    """Return True where the path is sent in order; certificates after the anchor's own do not count."""
    own, others = sent[: len(path.certificates)], sent[len(path.certificates) :]
    return own == path.certificates and (not others or others[0].node == path.trust_anchor.node)


def _properties_of(certificate: Certificate, *, is_target: bool) -> Iterator[ChainProperty]:
    if certificate.encoding_error is not None:
        yield ChainProperty.ENCODING_ERROR
    if certificate.version != _V3:
        yield ChainProperty.OLD_VERSION
    if certificate.signature_algorithm in SHA1_SIGNATURES:
        yield ChainProperty.SHA1_SIGNATURE
    if certificate.signature_algorithm == RSASSA_PSS:
        yield ChainProperty.PSS_SIGNATURE
    yield _key_property(certificate)
    try:
        extensions = certificate.extensions
    except MalformedCertificateError:
        yield ChainProperty.UNREADABLE
        return
    yield from (one for oid, one in _CRITICAL.items() if oid in extensions.critical)
    yield from _constraint_properties(extensions)
    if is_target:
        yield from _target_properties(extensions)


def _target_properties(extensions: Extensions) -> Iterator[ChainProperty]:
    names = extensions.subject_alternative_name or ()
    if not any(isinstance(name, x509.DNSName | x509.IPAddress) for name in names):
        yield ChainProperty.COMMON_NAME_ONLY
    usages = extensions.extended_key_usage
    if usages is None:
        yield ChainProperty.NO_PURPOSE
    elif SERVER_AUTH not in usages:
        yield ChainProperty.ANY_PURPOSE if ANY_EXTENDED_KEY_USAGE in usages else ChainProperty.OTHER_PURPOSE


def _constraint_properties(extensions: Extensions) -> Iterator[ChainProperty]:
    constraints = extensions.name_constraints
    if constraints is None:
        return
    if ExtensionOID.NAME_CONSTRAINTS.dotted_string not in extensions.critical:
        yield ChainProperty.NAME_CONSTRAINTS_NOT_CRITICAL
        return
    for subtree in constraints.subtrees:
        yield _CONSTRAINED.get(subtree.form, ChainProperty.UNUSUAL_NAMES_CONSTRAINED)


def _key_property(certificate: Certificate) -> ChainProperty:
    try:
        key = certificate.public_key
    except MalformedCertificateError:
        return ChainProperty.UNREADABLE
    info = certificate.subject_public_key_info
    if isinstance(key, rsa.RSAPublicKey):
        return ChainProperty.RSA_PSS_KEY if is_for_pss(info) else ChainProperty.RSA_KEY
    if kind_of_public_key(info) in ML_DSA:
        return ChainProperty.ML_DSA_KEY
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, ChainProperty.OTHER_KEY)
    return ChainProperty.ED25519_KEY if isinstance(key, ed25519.Ed25519PublicKey) else ChainProperty.OTHER_KEY


def _rsa_bits(certificate: Certificate) -> int | None:
    try:
        key = certificate.public_key
    except MalformedCertificateError:
        return None
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else None


def _without_issuer(certificates: Sequence[Certificate], trust_anchors: Iterable[TrustAnchor]) -> Certificate | None:
    """Return the first certificate on the way up whose issuer is neither sent nor an anchor, by names.

    Returns None where names lead from the server's certificate to an anchor, whatever else is wrong with the chain.
    """
    anchors = {anchor.name for anchor in trust_anchors}
    not_seen: dict[Name, list[Certificate]] = {}
    for certificate in certificates[1:]:
        not_seen.setdefault(certificate.subject, []).append(certificate)
    waiting, stuck = list(certificates[:1]), None
    while waiting:  # visits each certificate once
        certificate = waiting.pop()
        if certificate.issuer in anchors:
            return None
        issuers = not_seen.pop(certificate.issuer, [])
        if not issuers:
            stuck = stuck or certificate
        waiting.extend(issuers)
    return stuck
