"""The extensions that validation and revocation read, and an unknown one."""

from __future__ import annotations

from . import der
from .objects import Extension

KEY_USAGES = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
]
REASONS = {
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
"""The numbers of CRLReason (RFC 5280 section 5.3.1)."""
REASON_FLAGS = ["unused", *(each for each in REASONS if each != "removeFromCRL")]
"""The bits of ReasonFlags (RFC 5280 section 4.2.1.13)."""
(
    SUBJECT_KEY,
    KEY_USAGE,
    BASIC,
    CRL_NUMBER,
    DELTA,
    SCOPE,
    CERTIFICATE_ISSUER,
    CRL_POINTS,
    AUTHORITY_KEY,
    PURPOSES,
    FRESHEST,
) = (f"2.5.29.{number}" for number in (14, 15, 19, 20, 27, 28, 29, 31, 35, 37, 46))
NO_CHECK, NONCE, ARCHIVE_CUTOFF = (f"1.3.6.1.5.5.7.48.1.{number}" for number in (5, 2, 6))
OCSP_SIGNING, SERVER_AUTH = "1.3.6.1.5.5.7.3.9", "1.3.6.1.5.5.7.3.1"
ODD = "2.999.1"


def odd(*, critical):
    """Return an extension that no standard describes."""
    return Extension(ODD, der.NULL, critical)


def key_usage(*names):
    """Return keyUsage, critical."""
    return Extension(KEY_USAGE, der.named_bit_string(*map(KEY_USAGES.index, names)), critical=True)


def basic_constraints(*, ca=True):
    """Return basicConstraints, critical."""
    return Extension(BASIC, der.sequence(der.TRUE if ca else b""), critical=True)


def purposes(*dotted):
    """Return extKeyUsage."""
    return Extension(PURPOSES, der.sequence(*map(der.oid, dotted)))


def subject_key(key):
    """Return subjectKeyIdentifier."""
    return Extension(SUBJECT_KEY, der.octets(key.identifier))


def authority_key(key):
    """Return authorityKeyIdentifier."""
    return Extension(AUTHORITY_KEY, der.sequence(der.implicit(0, key.identifier)))


def no_check():
    """Return id-pkix-ocsp-nocheck."""
    return Extension(NO_CHECK, der.NULL)


def point(url=None, *, issuer=None, reasons=None):
    """Return a DistributionPoint."""
    return der.sequence(
        _point_name(url),
        der.implicit(1, reason_bits(reasons)) if reasons is not None else b"",
        der.explicit(2, der.explicit(4, der.name(issuer))) if issuer is not None else b"",
    )


def crl_points(*points):
    """Return cRLDistributionPoints."""
    return Extension(CRL_POINTS, der.sequence(*points))


def freshest(url):
    """Return freshestCRL."""
    return Extension(FRESHEST, der.sequence(point(url)))


def crl_number(number):
    """Return cRLNumber."""
    return Extension(CRL_NUMBER, der.integer(number))


def delta_indicator(base):
    """Return deltaCRLIndicator, critical: ``base`` is the number of the full CRL that is added to."""
    return Extension(DELTA, der.integer(base), critical=True)


def scope(url=None, *, only=None, reasons=None, indirect=False, more=b"", critical=True):
    """Return issuingDistributionPoint; ``only`` is ``users``, ``authorities``, ``attributes`` or several of them."""
    only = only or ()
    flags = {"users": 1, "authorities": 2, "attributes": 5}
    wanted = [name for name in flags if name in only]
    set_flag = {name: der.implicit(flags[name], b"\xff") for name in wanted}
    return Extension(
        SCOPE,
        der.sequence(
            _point_name(url),
            set_flag.get("users", b""),
            set_flag.get("authorities", b""),
            der.implicit(3, reason_bits(reasons)) if reasons is not None else b"",
            der.implicit(4, b"\xff") if indirect else b"",
            set_flag.get("attributes", b""),
            more,
        ),
        critical,
    )


def reason(name):
    """Return reasonCode, an extension of a CRL entry."""
    return Extension("2.5.29.21", der.enumerated(REASONS[name]))


def certificate_issuer(name):
    """Return certificateIssuer, a critical extension of a CRL entry."""
    return Extension(CERTIFICATE_ISSUER, der.sequence(der.explicit(4, der.name(name))), critical=True)


def reason_bits(names):
    """Return the contents of ReasonFlags."""
    return der.named_bits(*map(REASON_FLAGS.index, names))


def _point_name(url):
    return der.explicit(0, der.explicit(0, der.implicit(6, url.encode()))) if url is not None else b""
