"""The server's key and certificate, as a build is given them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError
from pkcs12kit.sources.arguments import as_loaded_identity
from pkcs12kit.sources.key_sources import open_with
from pkcs12kit.sources.loading import load_certificate, load_certificates, load_server

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.sources.arguments import IdentitySource
    from pkcs12kit.sources.key_sources import Opening
    from pkcs12kit.sources.loading import CertificateSource, KeySource
    from pkcs12kit.sources.reading import Source


class Server:
    """The server's key and certificate, and the other certificates of the files that they come from.

    ``identity`` is None if the file is to have no key. Raises as :func:`~pkcs12kit.load_identity` does.
    """

    identity: Identity | None
    target: Certificate
    other_certificates: CertificatePool
    decoded: DecodedPfx | None = None
    """The contents of the key's file, if it is a PKCS#12 file."""

    def __init__(  # the inputs of build, in its order
        self,
        identity: IdentitySource | None,
        key: KeySource | None,
        certificate: CertificateSource | None,
        pkcs12: Source | DecodedPfx | None,
        opening: Opening,
        *,
        certs_only: bool,
    ) -> None:
        if identity is not None and (key is not None or certificate is not None or pkcs12 is not None):
            raise InputError("give an identity, or a key and a certificate, or a PKCS#12 file: only one of them")
        if certs_only:
            if certificate is None or not (key is pkcs12 is identity is None):
                raise InputError("a file of certificates alone is built from a certificate, without a key or a PKCS#12")
            self.identity = None
            self.target, self.other_certificates = _only_certificate(certificate, opening)
            return
        if identity is not None:
            loaded = as_loaded_identity(identity, opening)
        else:
            loaded = load_server(key, certificate, pkcs12, opening)
        self.identity, self.target = loaded.identity, loaded.identity.certificate
        self.other_certificates = loaded.certificates
        self.decoded = loaded.decoded


def _only_certificate(source: CertificateSource, opening: Opening) -> tuple[Certificate, CertificatePool]:
    """Return the one certificate of a source, and a pool of it; empty for standard input, which is read already."""

    def load(password: str | None) -> tuple[Certificate, CertificatePool]:
        target = load_certificate(source, password=password, limits=opening.limits)
        if source == "-":
            return target, CertificatePool()
        return target, load_certificates(source, password=password, limits=opening.limits)

    return open_with(load, opening.certificate_password, (opening.password, opening.key_password))
