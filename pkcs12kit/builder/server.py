"""The server's key and certificate, as a build is given them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_kind, require_texts
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError
from pkcs12kit.limits import Limits
from pkcs12kit.pkcs12.decoder import DecodedPfx
from pkcs12kit.sources.arguments import as_identity
from pkcs12kit.sources.loading import load_certificate, load_certificates, load_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.sources.arguments import IdentitySource
    from pkcs12kit.sources.loading import CertificateSource, KeySource
    from pkcs12kit.sources.reading import Source


class Server:
    """The server's key and certificate: loaded from one of the three forms in which they are given."""

    def __init__(  # the inputs of build, in its order
        self,
        identity: IdentitySource | None,
        key: KeySource | None,
        certificate: CertificateSource | None,
        pkcs12: Source | DecodedPfx | None,
        key_password: str | None,
        pkcs12_password: str | None,
        limits: Limits,
    ) -> None:
        require_texts(key_password=key_password, pkcs12_password=pkcs12_password)
        require_kind("limits", limits, Limits)
        if identity is not None and (key is not None or certificate is not None or pkcs12 is not None):
            raise InputError("give an identity, or a key and a certificate, or a PKCS#12 file: only one of them")
        self.identity: Identity | None = None
        self._given = identity
        self._key = key
        self._certificate = certificate
        self._pkcs12 = pkcs12
        self._key_password = key_password
        self._pkcs12_password = pkcs12_password
        self._limits = limits

    def load(self, *, certs_only: bool, require_mac: bool, on_warning: Callable[[str], object]) -> None:
        """Load the identity, or only the certificate if the file is to have no key. Raises as ``load_identity``."""
        if certs_only:
            if self._certificate is None or not (self._key is self._pkcs12 is self._given is None):
                raise InputError("a file of certificates alone is built from a certificate, without a key or a PKCS#12")
            self.target = load_certificate(self._certificate, limits=self._limits)
            return
        if self._given is not None:
            self.identity = as_identity(
                self._given,
                password=self._pkcs12_password,
                key_password=self._key_password,
                require_mac=require_mac,
                on_warning=on_warning,
                limits=self._limits,
            )
        else:
            self.identity = load_identity(
                key=self._key,
                certificate=self._certificate,
                pkcs12=self._pkcs12,
                key_password=self._key_password,
                password=self._pkcs12_password,
                require_mac=require_mac,
                on_warning=on_warning,
                limits=self._limits,
            )
        self.target = self.identity.certificate

    def other_certificates(self) -> CertificatePool:
        """Return the certificates in the file of the identity; empty for standard input, which is read already."""
        beside = next((one for one in (self._certificate, self._pkcs12, self._given) if one is not None), None)
        if beside is None or beside == "-" or isinstance(beside, Identity):
            return CertificatePool()
        if isinstance(beside, DecodedPfx):
            return CertificatePool(beside.certificates)
        return load_certificates(beside, password=self._pkcs12_password, limits=self._limits)
