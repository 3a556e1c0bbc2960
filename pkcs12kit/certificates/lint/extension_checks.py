"""The rules about the extensions of a certificate: presence, criticality and contents (RFC 5280 section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.x509.oid import ExtensionOID

from pkcs12kit.certificates.extension_names import key_usage_bits
from pkcs12kit.certificates.key_algorithms import KEYS, ML_DSA, ML_KEM, SLH_DSA, algorithm_of_key
from pkcs12kit.certificates.lint.linted import Broken
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.lint.linted import Linted

_AUTHORITY_KEY: Final = ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string
_SUBJECT_KEY: Final = ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string
_KEY_USAGE: Final = ExtensionOID.KEY_USAGE.dotted_string
_BASIC_CONSTRAINTS: Final = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
_ALTERNATIVE_NAME: Final = ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string
_NAME_CONSTRAINTS: Final = ExtensionOID.NAME_CONSTRAINTS.dotted_string

_LONGEST: Final = 100  # characters of an object identifier that are shown
# Extensions that must be critical, with the rule and the words of the message.
_CRITICAL: Final = {
    _NAME_CONSTRAINTS: ("name-constraints-not-critical", "nameConstraints", "them"),
    ExtensionOID.POLICY_CONSTRAINTS.dotted_string: ("policy-constraints-not-critical", "policyConstraints", "them"),
    ExtensionOID.INHIBIT_ANY_POLICY.dotted_string: ("inhibit-any-policy-not-critical", "inhibitAnyPolicy", "it"),
}

_SIGNING: Final = frozenset({"digitalSignature", "nonRepudiation", "keyCertSign", "cRLSign"})
_ENCRYPTING: Final = frozenset({"keyEncipherment", "dataEncipherment"})
_AGREEING: Final = frozenset({"keyAgreement"})


class _Usages(NamedTuple):
    """The usages that the standard for an algorithm allows its keys, where a certificate has a keyUsage."""

    never: frozenset[str]
    one_of: frozenset[str]
    """Usages of which there has to be one; empty for none."""
    source: str


_USAGES_OF_KEYS: Final = {
    "1.2.840.10045.2.1": _Usages(_ENCRYPTING, frozenset(), "RFC 8813 section 3"),
    **dict.fromkeys(("1.3.101.112", "1.3.101.113"), _Usages(_ENCRYPTING | _AGREEING, _SIGNING, "RFC 9295 section 3")),
    **dict.fromkeys(("1.3.101.110", "1.3.101.111"), _Usages(_ENCRYPTING | _SIGNING, _AGREEING, "RFC 9295 section 3")),
    **dict.fromkeys(ML_DSA, _Usages(_ENCRYPTING | _AGREEING, _SIGNING, "RFC 9881 section 5")),
    **dict.fromkeys(SLH_DSA, _Usages(_ENCRYPTING | _AGREEING, _SIGNING, "RFC 9909 section 6")),
    **dict.fromkeys(
        ML_KEM,
        _Usages(_SIGNING | _AGREEING | {"dataEncipherment"}, frozenset({"keyEncipherment"}), "RFC 9935 section 5"),
    ),
}
"""By the algorithm of the key."""


def check_extensions(linted: Linted) -> Iterator[Broken]:
    """Yield the rules about extensions that the certificate does not keep. One of version 1 cannot have any."""
    if linted.certificate.version == 1:
        return
    yield from _key_identifiers(linted)
    yield from _key_usage(linted)
    yield from _policies(linted.extensions)
    yield from _basic_constraints(linted)
    yield from _criticality(linted)


def _key_identifiers(linted: Linted) -> Iterator[Broken]:
    certificate, extensions = linted.certificate, linted.extensions
    authority = extensions.authority_key_identifier
    exempt = linted.is_trusted or linted.is_self_signed
    if not exempt and _AUTHORITY_KEY not in extensions.oids:
        yield Broken("authority-key-identifier-missing", "it has no authorityKeyIdentifier")
    elif authority is not None and authority.key_identifier is None and not exempt:
        yield Broken("authority-key-identifier-missing", "its authorityKeyIdentifier has no key identifier")
    if certificate.is_ca and _SUBJECT_KEY not in extensions.oids:
        yield Broken("subject-key-identifier-missing", "it is a CA certificate, and has no subjectKeyIdentifier")


def _key_usage(linted: Linted) -> Iterator[Broken]:
    if linted.certificate.is_ca and _KEY_USAGE not in linted.extensions.oids:
        yield Broken("key-usage-missing", "it is a CA certificate, and has no keyUsage")
    yield from _unfit_key_usage(linted)


def _unfit_key_usage(linted: Linted) -> Iterator[Broken]:
    usage = linted.extensions.key_usage
    algorithm = algorithm_of_key(linted.certificate.subject_public_key_info)
    rule = None if algorithm is None else _USAGES_OF_KEYS.get(algorithm)
    if usage is None or rule is None:
        return
    named, bits = f"its key is for {KEYS[algorithm or '']}", key_usage_bits(usage).split(", ")
    unfit = [bit for bit in bits if bit in rule.never]
    if unfit:
        yield Broken("key-usage-unfit", f"{named}, and its keyUsage has {' and '.join(unfit)} ({rule.source})")
    elif rule.one_of and rule.one_of.isdisjoint(bits):
        wanted = " or ".join(sorted(rule.one_of))
        yield Broken("key-usage-unfit", f"{named}, and its keyUsage lacks {wanted} ({rule.source})")


def _policies(extensions: Extensions) -> Iterator[Broken]:
    seen: set[str] = set()
    for policy in extensions.certificate_policies or ():
        if policy in seen:
            yield Broken("policy-repeated", f"its certificatePolicies have {harmless(policy, longest=_LONGEST)} twice")
            return
        seen.add(policy)


def _basic_constraints(linted: Linted) -> Iterator[Broken]:
    extensions, is_ca = linted.extensions, linted.certificate.is_ca
    constraints = extensions.basic_constraints
    if linted.is_trusted and not is_ca:
        lacks = "has no basicConstraints" if constraints is None else "has basicConstraints without cA"
        yield Broken("basic-constraints-missing", f"it is a trust anchor's certificate, and {lacks}")
    if is_ca and _BASIC_CONSTRAINTS not in extensions.critical:
        yield Broken("basic-constraints-not-critical", "its basicConstraints, of a CA, are not critical")


def _criticality(linted: Linted) -> Iterator[Broken]:
    extensions = linted.extensions
    for oid, (rule, name, them) in _CRITICAL.items():
        if oid in extensions.oids and oid not in extensions.critical:
            verb = "is" if them == "it" else "are"
            yield Broken(rule, f"its {name} {verb} not critical: software that does not know {them} ignores {them}")
    if not linted.certificate.subject and _ALTERNATIVE_NAME in extensions.oids - extensions.critical:
        yield Broken("alternative-name-not-critical", "its subject is empty, and its subjectAltName is not critical")
