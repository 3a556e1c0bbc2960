"""Algorithm policies: the algorithms and key sizes that a validation accepts (left open by RFC 5280)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from pkcs12kit.arguments import require_flags, require_kind, require_names, require_several, require_texts
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import ArgumentError, MalformedCertificateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

__all__ = ["ALLOW_ALL", "DEFAULT", "POLICIES", "SP800_78", "AlgorithmPolicy"]

_TEXTS: Final = {"md2": "MD2", "md5": "MD5", "sha1": "SHA-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmPolicy:
    """The signature hashes, key sizes and curves that are accepted. Sizes are bits; None accepts any.

    Raises :class:`~pkcs12kit.ArgumentError` for values of other kinds. That the names are known is not checked.
    """

    name: str
    """The name of the policy, for messages."""
    refused_hashes: frozenset[str] = frozenset()
    """The names that pyca/cryptography uses: ``md5``, ``sha1``."""
    minimum_rsa_bits: int = 0
    """The smallest RSA modulus."""
    minimum_dsa_bits: int = 0
    """The smallest DSA prime."""
    minimum_curve_bits: int = 0
    """The smallest order of an elliptic curve."""
    curves: frozenset[str] | None = None
    """Accepted elliptic curves by SECG name."""
    hash_of_curve: tuple[tuple[str, str], ...] = ()
    """The hash that a signature must use with an issuer's key on this curve."""
    only_rsa_and_ecdsa: bool = False
    """True to accept only RSA and ECDSA signatures."""

    def __post_init__(self) -> None:
        require_kind("name", self.name, str)
        object.__setattr__(self, "refused_hashes", frozenset(require_names("refused_hashes", self.refused_hashes)))
        for name in ("minimum_rsa_bits", "minimum_dsa_bits", "minimum_curve_bits"):
            require_kind(name, getattr(self, name), int)
        if self.curves is not None:
            object.__setattr__(self, "curves", frozenset(require_names("curves", self.curves)))
        require_several({"hash_of_curve": self.hash_of_curve})
        object.__setattr__(self, "hash_of_curve", tuple(self.hash_of_curve))
        for pair in self.hash_of_curve:
            match pair:
                case (str(), str()):
                    pass
                case _:
                    raise ArgumentError("hash_of_curve: expected pairs of a curve and a hash, both by name")
        require_flags(only_rsa_and_ecdsa=self.only_rsa_and_ecdsa)

    def weakness_of_signature(self, certificate: Certificate, issuer_key: CertificatePublicKeyTypes) -> str | None:
        """Return why the signature on ``certificate`` is too weak; None where it is accepted."""
        require_kind("certificate", certificate, Certificate)
        try:
            algorithm = certificate.signature_hash_algorithm
        except MalformedCertificateError:
            return None  # the signature check reports it as unsupported
        return self.weakness_of_digest(algorithm.name if algorithm else None, issuer_key)

    def weakness_of_hash(self, certificate: Certificate) -> str | None:
        """Return why the hash of the signature on ``certificate`` is too weak, whatever the issuer's key; or None."""
        require_kind("certificate", certificate, Certificate)
        try:
            algorithm = certificate.signature_hash_algorithm
        except MalformedCertificateError:
            return None
        return self._refused(algorithm.name if algorithm else None)

    def weakness_of_digest(self, digest: str | None, issuer_key: CertificatePublicKeyTypes) -> str | None:
        """Return why a signature with that hash (None: the algorithm's own) is too weak; None where it is accepted."""
        require_texts(digest=digest)
        refused = self._refused(digest)
        if refused is not None:
            return refused
        if isinstance(issuer_key, ec.EllipticCurvePublicKey):
            wanted = dict(self.hash_of_curve).get(issuer_key.curve.name)
            if wanted is not None and wanted != digest:
                return f"signed with {digest} on {issuer_key.curve.name}: algorithm policy '{self.name}' wants {wanted}"
        return None

    def weakness_of_key(self, key: CertificatePublicKeyTypes) -> str | None:
        """Return why a public key is too weak; None where it is accepted."""
        if isinstance(key, rsa.RSAPublicKey):
            return self._too_short("RSA", key.key_size, self.minimum_rsa_bits)
        if isinstance(key, ec.EllipticCurvePublicKey):
            if self.curves is not None and key.curve.name not in self.curves:
                return f"elliptic curve {key.curve.name} is not in algorithm policy '{self.name}'"
            return self._too_short("elliptic curve", key.curve.key_size, self.minimum_curve_bits)
        if self.only_rsa_and_ecdsa:
            return f"algorithm policy '{self.name}' accepts RSA and ECDSA keys only"
        if isinstance(key, dsa.DSAPublicKey):
            return self._too_short("DSA", key.key_size, self.minimum_dsa_bits)
        return None

    @property
    def accepted_keys(self) -> str:
        """The accepted public keys in words, for messages."""
        kinds = ["an RSA key" + (f" of at least {self.minimum_rsa_bits:,} bits" if self.minimum_rsa_bits else "")]
        if self.curves is not None:
            kinds.append(f"a key on {' or '.join(sorted(self.curves))}")
        else:
            least = f" of at least {self.minimum_curve_bits} bits" if self.minimum_curve_bits else ""
            kinds.append(f"a key on an elliptic curve{least}")
        if not self.only_rsa_and_ecdsa:
            kinds.append("an Ed25519, Ed448 or ML-DSA key")
        return ", ".join(kinds[:-1]) + f" or {kinds[-1]}"

    @property
    def accepted_signatures(self) -> str:
        """The accepted hashes of signatures in words, for messages."""
        refused = [_TEXTS.get(name, name.upper().replace("SHA", "SHA-", 1)) for name in sorted(self.refused_hashes)]
        text = f"a signature with a hash other than {', '.join(refused)}" if refused else "a signature with any hash"
        wanted = [f"{digest} with {curve}" for curve, digest in self.hash_of_curve]
        return f"{text}, and on these curves: {', '.join(wanted)}" if wanted else text

    def _refused(self, digest: str | None) -> str | None:
        if digest is None or digest not in self.refused_hashes:
            return None
        return f"signed with {_TEXTS.get(digest, digest)}, which algorithm policy '{self.name}' refuses"

    def _too_short(self, kind: str, bits: int, minimum: int) -> str | None:
        if bits >= minimum:
            return None
        return f"{kind} key of {bits} bits, below the {minimum} of algorithm policy '{self.name}'"


_BROKEN_HASHES: Final = frozenset({"md2", "md4", "md5", "sha1"})

DEFAULT: Final = AlgorithmPolicy(
    name="default",
    refused_hashes=_BROKEN_HASHES,
    minimum_rsa_bits=2048,
    minimum_dsa_bits=2048,
    minimum_curve_bits=224,
)
"""The default: no MD5, no SHA-1, RSA and DSA from 2,048 bits, curves from 224 bits (NIST SP 800-131A revision 2)."""

SP800_78: Final = AlgorithmPolicy(
    name="sp800-78",
    refused_hashes=_BROKEN_HASHES | {"sha224", "sha3-224"},
    minimum_rsa_bits=2048,
    minimum_curve_bits=256,
    curves=frozenset({"secp256r1", "secp384r1"}),
    hash_of_curve=(("secp256r1", "sha256"), ("secp384r1", "sha384")),
    only_rsa_and_ecdsa=True,
)
"""The algorithms for PIV in NIST SP 800-78-5 section 3: RSA from 2,048 bits, P-256 with SHA-256, P-384 with SHA-384."""

ALLOW_ALL: Final = AlgorithmPolicy(name="allow-all")
"""Every algorithm that can be checked, to inspect old files. Signatures with MD5 or SHA-1 can be forged."""

POLICIES: Final = {policy.name: policy for policy in (DEFAULT, SP800_78, ALLOW_ALL)}
