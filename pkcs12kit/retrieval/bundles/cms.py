"""CMS SignedData (RFC 5652 section 5) with its content inside: who signed it, and whether the signature is theirs.

pyca/cryptography signs and does not verify CMS. Here asn1crypto reads the structure, and pyhanko-certvalidator calls
pyca/cryptography for the one signature.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.der import refuse_endless_tags
from pkcs12kit.certificates.lenient import UNREADABLE
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
    """What was signed, and by whom: the signature is by ``signer``'s key. That ``signer`` is to be trusted is not said.

    ``certificates`` came along, unprotected: candidates for the signer's path. ``signing_time`` is what the signer
    claims (RFC 5652 section 11.3); None where it claims nothing. ``weaknesses`` says in sentences what is weak about a
    signature that is sound.
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

    The signer's certificate is looked for in it and in ``candidates``. Raises
    :class:`~pkcs12kit.errors.InputError`, with a reason that begins in the middle of a sentence, for anything but a
    sound signature by a key, a digest and an algorithm that ``algorithm_policy`` accepts; SHA-1 is a weakness where the
    policy refuses it. Content that is not inside (a detached signature) and several signers are refused, as are more
    than ``limits.retrieval_certificates`` in it. No certificate is validated.
    """
    der = _unwrap(data)
    try:
        refuse_endless_tags(der)
        certificates = tuple(_certificates(der, at_most=limits.retrieval_certificates))
        return _verify(_signed_data(der), certificates, (*certificates, *candidates), algorithm_policy)
    except UNREADABLE as error:
        first_line = str(error).partition("\n")[0]
        raise InputError(f"cannot be read as CMS SignedData: {first_line}") from None


def _unwrap(data: bytes) -> bytes:
    """Take the encoding out of PEM, base64 or the headers of a message (RFC 8551 section 3.5.2)."""
    data = as_octets(data)
    if data[:12].lower() in {b"mime-version", b"content-type"}:
        data = data.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    found = [data, decode_base64(data) or b"", *(block.content for block in pem_blocks(data))]
    for encoding in found:
        if sniff_der(encoding) is Kind.PKCS7:
            return encoding
    raise InputError("is not signed: it is no CMS SignedData")


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
    """Hold the digest to the policy, and the signature algorithm, where it names one itself, to the same.

    Give as a weakness that it is SHA-1: nobody is known to make another list for the digest of one that he did not
    make, but two lists of one digest can be made (RFC 6194 section 3.1).
    """
    if digest not in _DIGESTS:
        raise InputError(f"is signed with a digest that is not known here: {digest}")
    try:
        own = signature_algorithm.hash_algo
    except ValueError:  # rsaEncryption and its like name none (RFC 3370 section 3.2)
        own = digest
    if own != digest:
        raise InputError(f"says {digest} in one place and {own} in another about how it is signed")
    if digest not in algorithm_policy.refused_hashes:
        return ()
    refused = f"is signed with {_TEXTS.get(digest, digest)}, which algorithm policy '{algorithm_policy.name}' refuses"
    if digest != "sha1":
        raise InputError(refused)
    return (f"the checksum file {refused}",)


def _find_signer(identifier: Any, candidates: Iterable[Certificate]) -> Certificate:  # noqa: ANN401
    """Find the certificate that SignerIdentifier names (RFC 5652 section 5.3)."""
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
    """Give what the signature is over: the signed attributes, whose digest must be the content's, or the content.

    RFC 5652 section 5.4: they are signed as a SET OF in DER, whatever encoding they are sent in.
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
    except (InvalidSignature, AssertionError, AttributeError):  # the latter two: an algorithm that is not the key's
        raise InputError(f"has a signature that is not by the key of {signer.subject}") from None
