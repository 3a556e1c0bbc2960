"""The extensions that validation and revocation read, and an unknown one."""

from __future__ import annotations

from ... import der
from ... import x509_values as values
from ...x509_values import (
    AUTHORITY_KEY,
    BASIC,
    CERTIFICATE_ISSUER,
    CRL_NUMBER,
    CRL_POINTS,
    DELTA,
    FRESHEST,
    KEY_USAGE,
    NO_CHECK,
    PURPOSES,
    REASON,
    REASON_FLAGS,
    SCOPE,
    SUBJECT_KEY,
)
from .objects import Extension, name

ODD = "2.999.1"


def odd(*, critical):
    """Return an extension that no standard describes."""
    return Extension(ODD, der.NULL, critical)


def key_usage(*names):
    """Return keyUsage, critical."""
    return Extension(KEY_USAGE, values.key_usage(*names), critical=True)


def basic_constraints(*, ca=True):
    """Return basicConstraints, critical."""
    return Extension(BASIC, values.basic_constraints(ca=ca), critical=True)


def purposes(*dotted):
    """Return extKeyUsage."""
    return Extension(PURPOSES, values.purposes(*dotted))


def subject_key(key):
    """Return subjectKeyIdentifier."""
    return Extension(SUBJECT_KEY, der.octets(key.identifier))


def authority_key(key):
    """Return authorityKeyIdentifier."""
    return Extension(AUTHORITY_KEY, values.authority_key(key.identifier))


def no_check():
    """Return id-pkix-ocsp-nocheck."""
    return Extension(NO_CHECK, der.NULL)


def point(url=None, *, issuer=None, reasons=None):
    """Return a DistributionPoint."""
    return der.sequence(
        _point_name(url),
        der.implicit(1, reason_bits(reasons)) if reasons is not None else b"",
        der.explicit(2, der.explicit(4, name(issuer))) if issuer is not None else b"",
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


def reason(title):
    """Return reasonCode, an extension of a CRL entry."""
    return Extension(REASON, values.reason(title))


def certificate_issuer(issuer):
    """Return certificateIssuer, a critical extension of a CRL entry."""
    return Extension(CERTIFICATE_ISSUER, der.sequence(der.explicit(4, name(issuer))), critical=True)


def reason_bits(names):
    """Return the contents of ReasonFlags."""
    return der.named_bits_contents(*map(REASON_FLAGS.index, names))


def _point_name(url):
    return der.explicit(0, der.explicit(0, der.implicit(6, url.encode()))) if url is not None else b""
