"""The server's key and certificate, as a build is given them."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import ArgumentError, InputError, OutputError
from pkcs12kit.outputs.existing import PemParts, certificates_alone, why_part_is_kept
from pkcs12kit.sources.delivery import load_delivery
from pkcs12kit.sources.identities import as_loaded_identity, load_server
from pkcs12kit.sources.key_sources import open_with
from pkcs12kit.sources.loading import load_certificate, load_certificates

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.limits import Limits
    from pkcs12kit.outputs.existing import Form
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.sources.identities import IdentitySource, KeySource, LoadedIdentity
    from pkcs12kit.sources.key_sources import Opening
    from pkcs12kit.sources.loading import CertificateSource
    from pkcs12kit.sources.reading import Source


class Delivery(NamedTuple):
    """A folder or a zip with everything in it, and the files that are written, which are not looked into."""

    source: Source
    outputs: tuple[str | PathLike[str], ...]

    def load(
        self,
        key: KeySource | None,
        certificate: CertificateSource | None,
        opening: Opening,
        *,
        others: tuple[object, ...],
        certs_only: bool,
    ) -> tuple[LoadedIdentity, tuple[str, ...]]:
        """Find the identity. Raises :class:`~pkcs12kit.errors.InputError` for arguments that cannot be combined."""
        if certs_only or any(other is not None for other in others):
            raise ArgumentError(
                "a delivery (source, --from) has the key and its certificate: give no identity, no PKCS#12 and no"
                " certs_only (--pkcs12, --certs-only) with it"
            )
        require_kind("key", key, str, PathLike, optional=True, cure="the name of the key's file in the delivery")
        return load_delivery(
            self.source,
            opening,
            key=key,  # type: ignore[arg-type]  # mypy does not narrow this
            certificate=certificate,
            left_out=self.outputs,
        )


class Server:
    """The server's key and certificate, and the other certificates of the files that they come from.

    ``identity`` is None if the file is to have no key. Raises as :func:`~pkcs12kit.load_identity` does.
    """

    identity: Identity | None
    target: Certificate
    other_certificates: CertificatePool
    decoded: DecodedPfx | None = None
    """The contents of the key's file, if it is a PKCS#12 file."""
    passed_over: tuple[str, ...] = ()
    """The files of a delivery that were not read, because they are written."""

    def __init__(  # the inputs of build, in its order
        self,
        identity: IdentitySource | None,
        key: KeySource | None,
        certificate: CertificateSource | None,
        pkcs12: Source | DecodedPfx | None,
        opening: Opening,
        delivery: Delivery | None = None,
        *,
        certs_only: bool,
    ) -> None:
        if delivery is not None:
            loaded, self.passed_over = delivery.load(
                key, certificate, opening, others=(identity, pkcs12), certs_only=certs_only
            )
            self.identity, self.target = loaded.identity, loaded.identity.certificate
            self.other_certificates = loaded.certificates
            return
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

    def require_nothing_lost(self, bundle: Bundle, form: Form, limits: Limits) -> None:
        """Raise :class:`~pkcs12kit.OutputError` if a new file would replace a part of the delivery that it has not."""
        certificates = {one.der for one in (*bundle.certificates, *self.other_certificates)}
        for path in self.passed_over:
            keys = [] if self.identity is None else [self.identity.private_key]
            why = why_part_is_kept(path, form, PemParts.of(keys, ()), limits)
            if why is None:
                lost = [der for der in certificates_alone(path, limits) if der not in certificates]
                why = "certificates that no other file of the delivery has" if lost else None
            if why is not None:
                raise OutputError(
                    f"{path} is a file of the delivery, with {why}: an output never replaces an input; give"
                    " another name"
                )


def _only_certificate(source: CertificateSource, opening: Opening) -> tuple[Certificate, CertificatePool]:
    """Return the one certificate of a source, and a pool of it; empty for standard input, which is read already."""

    def load(password: str | None) -> tuple[Certificate, CertificatePool]:
        target = load_certificate(source, password=password, limits=opening.limits)
        if source == "-":
            return target, CertificatePool()
        return target, load_certificates(source, password=password, limits=opening.limits)

    return open_with(load, opening.certificate_password, (opening.password, opening.key_password))
