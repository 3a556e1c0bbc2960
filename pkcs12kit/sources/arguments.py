"""The arguments of public functions that come from outside: sources or loaded values, one or several.

A public function that begins from outside accepts every argument in the same forms: a source (a path, ``"-"`` for
standard input, or bytes) or the loaded value, and, where there may be several, one of them or an iterable of them. It
turns each argument into the loaded value with a function of this module, before it does anything else::

    def judge(
        target: CertificateSource,
        *,
        certificates: CertificatesArgument = (),
        trust_anchors: TrustAnchorsArgument,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Verdict:
        end_entity = as_certificate(target, limits=limits)
        pool = as_certificates(certificates, limits=limits)
        anchors = as_trust_anchors(trust_anchors, limits=limits)

The same for CRLs and OCSP responses (:func:`as_crls`, :func:`as_ocsp_responses`), for keys and identities
(:func:`~pkcs12kit.sources.identities.as_identity`, or :func:`~pkcs12kit.load_identity` where key and certificate come
apart), and for PKCS#12 files (:func:`~pkcs12kit.sources.pkcs12_files.opened_pkcs12`, a context that yields their bytes
and puts their name before errors).

All of them raise :class:`~pkcs12kit.errors.InputError` for a source that cannot be read, and
:class:`~pkcs12kit.ArgumentError`, which names the parameter, for an object of another kind. ``"-"`` can be read only
once: no two arguments may be ``"-"``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from cryptography import x509

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.lookup import by_fingerprint, fingerprint_digits
from pkcs12kit.certificates.pool import POOL_CURE, CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.crls_and_ocsp import load_crls, load_ocsp_responses
from pkcs12kit.sources.loading import (
    load_certificate,
    load_certificates,
    load_trust_anchors,
)
from pkcs12kit.sources.reading import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.crls_and_ocsp import CrlSource, OcspResponseSource
    from pkcs12kit.sources.loading import CertificateSource, TrustAnchorSource

CertificatesArgument: TypeAlias = "CertificateSource | Iterable[CertificateSource]"
"""Certificates to search in: one source or loaded value, or several."""
TrustAnchorsArgument: TypeAlias = "TrustAnchorSource | Iterable[TrustAnchorSource]"
"""Trust anchors: one source or loaded value, or several."""

SOURCES = (str, bytes, bytearray, memoryview, PathLike)
"""The classes of sources."""
_CERTIFICATES = (*SOURCES, Certificate, CertificatePool, x509.Certificate)
_SOURCE = "a path, bytes"


def as_certificate(given: CertificateSource, *, name: str = "target", limits: Limits = DEFAULT_LIMITS) -> Certificate:
    """Return the one certificate of an argument; ``name`` is the parameter's, for messages.

    Raises as :func:`~pkcs12kit.load_certificate` does, and :class:`~pkcs12kit.ArgumentError`.
    """
    require_argument(given, _CERTIFICATES, name, f"{_SOURCE} or a Certificate")
    return load_certificate(given, limits=limits)


def as_certificates(
    given: CertificatesArgument,
    *,
    name: str = "certificates",
    password: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> CertificatePool:
    """Return the pool of the certificates in an argument, empty if nothing is given; a pool is returned as it is.

    ``name`` is the parameter's, for messages; ``password`` opens PKCS#12 files. Raises as
    :func:`~pkcs12kit.load_certificates` does, and :class:`~pkcs12kit.ArgumentError`.
    """
    several = _several(given, _CERTIFICATES, name, f"{_SOURCE}, Certificates or CertificatePools")
    return load_certificates(*several, password=password, limits=limits)


def as_target(given: CertificateSource, pool: CertificatePool, *, limits: Limits = DEFAULT_LIMITS) -> Certificate:
    """Return the one certificate of an argument: a source, or the SHA-256 fingerprint of a certificate of the pool.

    A text is a fingerprint as in :func:`as_members`. Raises as :func:`as_certificate` does.
    """
    digits = _fingerprint(given)
    if digits is not None:
        return by_fingerprint(digits, pool, name=name_of(str(given)))
    return as_certificate(given, limits=limits)


def as_members(
    given: CertificatesArgument, pool: CertificatePool, *, name: str, limits: Limits = DEFAULT_LIMITS
) -> dict[Certificate, str]:
    """Return the certificates of an argument that names members of a pool, each with its name for messages.

    A text is a fingerprint if it can be one and no file has this name. Raises :class:`~pkcs12kit.InputError` for a
    fingerprint that no certificate or several have, and as :func:`as_certificate` does. Whether another certificate is
    in the pool is not checked.
    """
    found: dict[Certificate, str] = {}
    for one in _several(given, _CERTIFICATES, name, f"{_SOURCE}, a fingerprint or a Certificate"):
        digits = _fingerprint(one)
        if digits is not None:
            label = f"{name} {name_of(one)}"
            found.setdefault(by_fingerprint(digits, pool, name=label), label)
        else:
            label = f"{name} {name_of(one)}" if isinstance(one, (str, PathLike)) else name
            found.setdefault(_named_certificate(one, name, limits), label)
    return found


def _fingerprint(given: object) -> str | None:
    """Return the digits of a text that is a fingerprint, and not the name of a file; None for another value."""
    digits = fingerprint_digits(given) if isinstance(given, str) else None
    return None if digits is None or os.path.lexists(str(given)) else digits


def _named_certificate(given: CertificateSource, name: str, limits: Limits) -> Certificate:
    """Return the one certificate of a source; errors about a file begin with the name of the parameter."""
    try:
        return as_certificate(given, name=name, limits=limits)
    except ArgumentError:
        raise
    except InputError as error:
        raise error.placed(name) from None


def concrete(given: CertificatesArgument | TrustAnchorsArgument) -> Any:  # noqa: ANN401  # the same argument
    """Return the argument, with a tuple in place of an iterable that can be gone through only once."""
    if isinstance(given, (*_CERTIFICATES, TrustAnchor)) or not isinstance(given, Iterable):
        return given
    return tuple(given)


def as_pool(
    certificates: CertificatesArgument, pool: CertificatePool | None, *, limits: Limits = DEFAULT_LIMITS
) -> CertificatePool:
    """Return the certificates given by either of the two names, together. Raises as :func:`as_certificates` does."""
    require_kind("pool", pool, CertificatePool, optional=True, cure=POOL_CURE)
    given = as_certificates(certificates, limits=limits)
    return given if pool is None else pool | given if given else pool


def as_trust_anchors(
    given: TrustAnchorsArgument,
    *,
    name: str = "trust_anchors",
    required: bool = True,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[TrustAnchor, ...]:
    """Return the trust anchors of an argument, each once, in order.

    ``name`` is the parameter's, for messages; ``on_warning`` is as in :func:`~pkcs12kit.load_trust_anchors`. Raises as
    that does, for no trust anchor only if ``required``, and :class:`~pkcs12kit.ArgumentError`.
    """
    expected = f"{_SOURCE}, TrustAnchors or Certificates"
    several = _several(given, (*_CERTIFICATES, TrustAnchor), name, expected)
    return load_trust_anchors(*several, on_warning=on_warning, limits=limits) if several or required else ()


def as_crls(
    given: CrlSource | Iterable[CrlSource], *, name: str = "crls", limits: Limits = DEFAULT_LIMITS
) -> tuple[bytes, ...]:
    """Return the CRLs of an argument, DER, each once; ``name`` is the parameter's, for messages.

    Raises as :func:`~pkcs12kit.load_crls` does, and :class:`~pkcs12kit.ArgumentError`.
    """
    kinds = (*SOURCES, x509.CertificateRevocationList)
    return load_crls(*_several(given, kinds, name, f"{_SOURCE} or CRLs of pyca/cryptography"), limits=limits)


def as_ocsp_responses(
    given: OcspResponseSource | Iterable[OcspResponseSource],
    *,
    name: str = "ocsp_responses",
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[bytes, ...]:
    """Return the OCSP responses of an argument, DER, each once; ``name`` is the parameter's, for messages.

    Raises as :func:`~pkcs12kit.load_ocsp_responses` does, and :class:`~pkcs12kit.ArgumentError`.
    """
    from cryptography.x509.ocsp import OCSPResponse

    kinds = (*SOURCES, OCSPResponse)
    several = _several(given, kinds, name, f"{_SOURCE} or OCSP responses of pyca/cryptography")
    return load_ocsp_responses(*several, limits=limits)


def _several(given: object, kinds: tuple[type, ...], name: str, expected: str) -> tuple[Any, ...]:
    """Return one value, or each of several, as a tuple; a text is one value, not as many as it has characters."""
    several = tuple(given) if isinstance(given, Iterable) and not isinstance(given, kinds) else (given,)
    for one in several:
        require_argument(one, kinds, name, expected)
    return several


def require_argument(given: object, kinds: tuple[type, ...], name: str, expected: str) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for an object of another kind. ``expected`` names the kinds in words."""
    if not isinstance(given, kinds):
        raise ArgumentError(f"{name}: expected {expected}, not {type(given).__name__}")
