"""Verification of CMS SignedData (RFC 5652 section 5) with its content inside: the signer and the signature.

pyca/cryptography can sign CMS but not verify it. So asn1crypto parses the structure, and pyhanko-certvalidator calls
pyca/cryptography for the one signature.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.der import refuse_endless_tags
from pkcs12kit.certificates.lenient import UNREADABLE, first_line
from pkcs12kit.errors import InputError, MalformedCertificateError
from pkcs12kit.sources.containers import pem_blocks, pkcs7_certificates
from pkcs12kit.sources.sniffing import Kind, as_octets, decode_base64, sniff_der

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy

_DIGESTS: Final = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512"})
_TEXTS: Final = {"md5": "MD5", "sha1": "SHA-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedContent:
    """Signed content and the certificate whose key signed it. Nothing is known yet about trust in ``signer``.

    ``certificates`` are the others in the SignedData, which the signature does not protect: candidates for the signer's
    path. ``signing_time`` is the signer's claim (RFC 5652 section 11.3); None where there is none. ``weaknesses`` are
    sentences about the weak points of a valid signature.
    """

    content: bytes = field(repr=False)
    signer: Certificate
    certificates: tuple[Certificate, ...]
    signing_time: datetime | None
    weaknesses: tuple[str, ...] = ()


def verify_signed_data(
    data: bytes, *, candidates: Iterable[Certificate], algorithm_policy: AlgorithmPolicy, limits: Limits
) -> SignedContent:
    """Verify the one signature of a SignedData in DER, BER, PEM, base64 or as one S/MIME part.

    The signer's certificate is searched in it and in ``candidates``. Raises :class:`~pkcs12kit.errors.InputError` for
    anything but a valid signature with a key, a digest and an algorithm that ``algorithm_policy`` accepts; its text is
    the predicate of a sentence. SHA-1 is a weakness where the policy refuses it. Detached signatures, several signers,
    and more than ``limits.retrieval_certificates`` certificates are refused. No certificate is validated.
    """
    der = _unwrap(data, limits)
    try:
        refuse_endless_tags(der)
        certificates = tuple(_certificates(der, at_most=limits.retrieval_certificates))
        return _verify(_signed_data(der), certificates, (*certificates, *candidates), algorithm_policy)
    except UNREADABLE as error:
        raise InputError(f"cannot be read as CMS SignedData: {first_line(error)}") from None


def _unwrap(data: bytes, limits: Limits) -> bytes:
    """Return the DER or BER in PEM, in base64 or below the headers of a message (RFC 8551 section 3.5.2)."""
    data = as_octets(data)
    if data[:12].lower() in {b"mime-version", b"content-type"}:
        data = data.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    blocks = pem_blocks(data, "cannot be read as CMS SignedData", limits)
    for encoding in chain([data, decode_base64(data) or b""], (block.content for block in blocks)):
        if sniff_der(encoding) is Kind.PKCS7:
            return encoding
    raise InputError("is not signed: it is not CMS SignedData")


def _certificates(der: bytes, *, at_most: int) -> Iterator[Certificate]:
    for number, element in enumerate(pkcs7_certificates(der)):
        if number >= at_most:
            raise InputError(f"has more than {at_most:,} certificates in it (limits.retrieval_certificates)")
        if element.encoding is not None:
            try:
                yield Certificate(element.encoding)
            except MalformedCertificateError:
                continue


def _signed_data(der: bytes) -> Any:  # noqa: ANN401  # asn1crypto ships no types
    from asn1crypto import cms

    return cms.ContentInfo.load(der)["content"]


def _verify(
    signed_data: Any,  # noqa: ANN401  # as above
    certificates: tuple[Certificate, ...],
    candidates: Iterable[Certificate],
    algorithm_policy: AlgorithmPolicy,
) -> SignedContent:
    encapsulated, signers = signed_data["encap_content_info"], signed_data["signer_infos"]
    if len(signers) != 1:
        raise InputError(f"has {len(signers)} signatures, where one is expected" if len(signers) else "is not signed")
    if encapsulated["content_type"].native != "data":
        raise InputError(f"has signed content of type {encapsulated['content_type'].dotted}, not data")
    if encapsulated["content"].native is None:
        raise InputError("has a detached signature: what was signed is not in it")
    content, info = bytes(encapsulated["content"]), signers[0]
    digest = info["digest_algorithm"]["algorithm"].native
    weaknesses = _judge_digest(digest, info["signature_algorithm"], algorithm_policy)
    signer = _find_signer(info["sid"], candidates)
    weakness = algorithm_policy.weakness_of_key(signer.public_key)
    if weakness is not None:
        raise InputError(f"is signed with a weak key: {weakness}")
    signed, signing_time = _signed_octets(info["signed_attrs"], content, digest)
    _require_signature(info, signed, signer, digest)
    return SignedContent(
        content=content, signer=signer, certificates=certificates, signing_time=signing_time, weaknesses=weaknesses
    )


def _judge_digest(digest: str, signature_algorithm: Any, algorithm_policy: AlgorithmPolicy) -> tuple[str, ...]:  # noqa: ANN401
    """Check the digest by the policy, and that a digest in the signature algorithm is the same one.

    Return SHA-1 as a weakness: two lists with one digest can be made, but no second one for the digest of a given list
    is known (RFC 6194 section 3.1).
    """
    if digest not in _DIGESTS:
        raise InputError(f"is signed with an unsupported digest: {digest}")
    try:
        own = signature_algorithm.hash_algo
    except ValueError:  # rsaEncryption, for example, names none (RFC 3370 section 3.2)
        own = digest
    if own != digest:
        raise InputError(f"names two digests for its signature: {digest} and {own}")
    if digest not in algorithm_policy.refused_hashes:
        return ()
    refused = f"is signed with {_TEXTS.get(digest, digest)}, which algorithm policy '{algorithm_policy.name}' refuses"
    if digest != "sha1":
        raise InputError(refused)
    return (f"the checksum file {refused}",)


def _find_signer(identifier: Any, candidates: Iterable[Certificate]) -> Certificate:  # noqa: ANN401
    """Return the certificate that SignerIdentifier names (RFC 5652 section 5.3)."""
    from asn1crypto import x509

    if identifier.name == "subject_key_identifier":
        for candidate in candidates:
            if candidate.key_identifier == identifier.native:
                return candidate
    else:
        issuer, serial = identifier.chosen["issuer"], identifier.chosen["serial_number"].native
        for candidate in candidates:
            if candidate.serial_number == serial and x509.Certificate.load(candidate.der).issuer == issuer:
                return candidate
    raise InputError("does not come with the certificate of its signer")


def _signed_octets(attributes: Any, content: bytes, digest: str) -> tuple[bytes, datetime | None]:  # noqa: ANN401
    """Return the signed bytes and the claimed signing time. The bytes are the signed attributes, or else the content.

    The attributes must have the digest of the content. They are signed as a SET OF in DER, whatever their encoding in
    the SignedData (RFC 5652 section 5.4).
    """
    if not attributes.native:
        return content, None
    values: dict[str, list[Any]] = {}
    for attribute in attributes:
        values.setdefault(attribute["type"].native, []).extend(attribute["values"].native)
    if values.get("content_type") != ["data"]:  # section 11.1
        raise InputError("has signed attributes for content of another type")
    digests = values.get("message_digest", [])
    computed = hashlib.new(digest, content, usedforsecurity=False).digest()
    if len(digests) != 1 or not hmac.compare_digest(computed, digests[0]):  # section 11.2
        raise InputError("was changed after it was signed: its digest is not the signed one")
    times = values.get("signing_time", [])
    signing_time = times[0] if len(times) == 1 and isinstance(times[0], datetime) else None
    return attributes.untag().dump(force=True), signing_time


def _require_signature(info: Any, signed: bytes, signer: Certificate, digest: str) -> None:  # noqa: ANN401
    from asn1crypto import keys
    from pyhanko_certvalidator.errors import AlgorithmNotSupported
    from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator, SignatureValidationContext

    try:
        DefaultSignatureValidator().validate_signature(
            signature=info["signature"].native,
            signed_data=signed,
            public_key_info=keys.PublicKeyInfo.load(signer.subject_public_key_info),
            signature_algorithm=info["signature_algorithm"],
            context=SignatureValidationContext(contextual_md_algorithm=digest),
        )
    except (UnsupportedAlgorithm, AlgorithmNotSupported) as error:
        raise InputError(f"has a signature that cannot be checked: {error}") from None
    except (InvalidSignature, AssertionError, AttributeError):  # the last two: an algorithm for another kind of key
        raise InputError(f"has a signature that is not by the key of {signer.subject}") from None
