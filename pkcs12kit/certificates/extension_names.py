"""The names of extensions, of purposes (extended key usages) and of key usages, for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.x509 import KeyUsage

_NAMES: Final = {
    "2.5.29.9": "subjectDirectoryAttributes",
    "2.5.29.14": "subjectKeyIdentifier",
    "2.5.29.15": "keyUsage",
    "2.5.29.16": "privateKeyUsagePeriod",
    "2.5.29.17": "subjectAltName",
    "2.5.29.18": "issuerAltName",
    "2.5.29.19": "basicConstraints",
    "2.5.29.30": "nameConstraints",
    "2.5.29.31": "cRLDistributionPoints",
    "2.5.29.32": "certificatePolicies",
    "2.5.29.33": "policyMappings",
    "2.5.29.35": "authorityKeyIdentifier",
    "2.5.29.36": "policyConstraints",
    "2.5.29.37": "extKeyUsage",
    "2.5.29.46": "freshestCRL",
    "2.5.29.54": "inhibitAnyPolicy",
    "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
    "1.3.6.1.5.5.7.1.3": "qcStatements",
    "1.3.6.1.5.5.7.1.11": "subjectInfoAccess",
    "1.3.6.1.5.5.7.1.12": "logotype",
    "1.3.6.1.5.5.7.1.24": "tlsFeature",
    "1.3.6.1.5.5.7.48.1.5": "id-pkix-ocsp-nocheck",
    "1.3.6.1.4.1.311.20.2": "Microsoft certificate template name",
    "1.3.6.1.4.1.311.21.1": "Microsoft CA version",
    "1.3.6.1.4.1.311.21.7": "Microsoft certificate template",
    "1.3.6.1.4.1.11129.2.4.2": "signed certificate timestamps",
    "1.3.6.1.4.1.11129.2.4.3": "precertificate poison",
    "2.16.840.1.113730.1.1": "Netscape certificate type",
    "2.16.840.1.113730.1.13": "Netscape comment",
    "1.2.840.113549.1.9.15": "S/MIME capabilities",
    "1.3.36.8.3.3": "admission",
}


def extension_label(oid: str) -> str:
    """Return name and object identifier, ``keyUsage (2.5.29.15)``; the identifier alone where no name is known."""
    name = _NAMES.get(oid)
    return oid if name is None else f"{name} ({oid})"


_PURPOSES: Final = {
    "2.5.29.37.0": "anyExtendedKeyUsage",
    "1.3.6.1.5.5.7.3.1": "serverAuth",
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "1.3.6.1.5.2.3.5": "Kerberos KDC",
    "1.3.6.1.4.1.311.20.2.2": "smart card logon",
    "2.16.840.1.101.3.6.7": "PIV content signing",
    "2.16.840.1.101.3.6.8": "PIV card authentication",
}


def purpose_label(oid: str) -> str:
    """Return name and object identifier, ``serverAuth (1.3.6.1.5.5.7.3.1)``; the identifier if no name is known."""
    name = _PURPOSES.get(oid)
    return oid if name is None else f"{name} ({oid})"


_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}


def key_usage_bits(usage: KeyUsage) -> str:
    """Return the bits of a keyUsage as RFC 5280 section 4.2.1.3 spells them; ``none`` for an empty one."""
    return ", ".join(name for attribute, name in _USAGES.items() if getattr(usage, attribute)) or "none"
