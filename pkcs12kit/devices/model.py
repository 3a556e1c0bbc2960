"""Values for the rules of TLS clients beyond RFC 5280: chain properties, effects, limits, and known devices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from pkcs12kit.findings import Evidence
    from pkcs12kit.tls.certificate_message import CertificateMessage


class ChainProperty(Enum):
    """A property of a served chain that clients treat differently. The value describes it."""

    MISSING_ISSUER = "an issuer that is not sent"
    COMMON_NAME_ONLY = "a server certificate without dNSName or iPAddress, whatever its common name"
    NO_PURPOSE = "a server certificate without extendedKeyUsage"
    ANY_PURPOSE = "a server certificate for anyExtendedKeyUsage and not for serverAuth"
    OTHER_PURPOSE = "a server certificate for other purposes than serverAuth"
    SHA1_SIGNATURE = "a SHA-1 signature"
    PSS_SIGNATURE = "an RSASSA-PSS signature"
    RSA_KEY = "an RSA key"
    RSA_PSS_KEY = "an RSA key for RSASSA-PSS only"
    P256_KEY = "a key on P-256"
    P384_KEY = "a key on P-384"
    P521_KEY = "a key on P-521"
    ED25519_KEY = "an Ed25519 key"
    ML_DSA_KEY = "an ML-DSA key"
    OTHER_KEY = "a key of another kind"
    CERTIFICATE_POLICIES_CRITICAL = "critical certificatePolicies"
    POLICY_MAPPINGS_CRITICAL = "critical policyMappings"
    POLICY_CONSTRAINTS_CRITICAL = "critical policyConstraints"
    INHIBIT_ANY_POLICY_CRITICAL = "critical inhibitAnyPolicy"
    DIRECTORY_NAMES_CONSTRAINED = "critical nameConstraints on directory names"
    OTHER_NAMES_CONSTRAINED = "critical nameConstraints on dNSName, iPAddress or rfc822Name"
    URIS_CONSTRAINED = "critical nameConstraints on uniformResourceIdentifier"
    UNUSUAL_NAMES_CONSTRAINED = "critical nameConstraints on names of other forms"
    NAME_CONSTRAINTS_NOT_CRITICAL = "nameConstraints that are not critical"
    ISSUER_NOT_NAMED = "an authorityKeyIdentifier that names another certificate than the issuer's"
    ANCHOR_NOT_NAMED = "an authorityKeyIdentifier with another key or serial number than the trust anchor's certificate"
    OLD_VERSION = "a certificate of version 1 or 2"
    ENCODING_ERROR = "an encoding that strict readers refuse"
    UNREADABLE = "a certificate that cannot be read here"


class Effect(Enum):
    """The effect of a chain property on a client's answer. The value is printed in the table of devices."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REFUSED_BELOW_SHIPPED_ROOTS = "refused below roots that it ships, else accepted"
    DEPENDS = "depends"
    """The effect depends on something that the chain does not show; the note names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRule:
    """A known rule of a client: the effect of one chain property.

    The rule is for all versions that the device's title names: the effect is REFUSED if one of them refuses, and the
    note says which.
    """

    property: ChainProperty
    effect: Effect
    evidence: Evidence
    source: str
    """An address; for a rule that was tried, the program that was run as well."""
    note: str = ""
    since: date | None = None
    """The first day of issue (notBefore) of server certificates under this rule; those issued before are accepted."""


class Quantity(Enum):
    """A quantity that clients limit. The value is printed after the figure."""

    CERTIFICATES = "certificates sent"
    BYTES = "bytes of the Certificate message"
    INTERMEDIATES = "CA certificates between the server's and the trust anchor"
    INTERMEDIATES_NOT_IN_ORDER = "CA certificates, not self-issued, on a path that is not exactly the served chain"
    RSA_BITS = "bits in an RSA key"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLimit:
    """The least and the most that a client accepts of one quantity; None where no limit is known."""

    quantity: Quantity
    evidence: Evidence
    source: str
    most: int | None = None
    least: int | None = None
    note: str = ""

    def excludes(self, figure: int) -> bool:
        """Return True for a figure outside the limit."""
        return (self.most is not None and figure > self.most) or (self.least is not None and figure < self.least)

    @property
    def figures(self) -> str:
        """The limit in words, without its quantity: ``at most 10``."""
        limits = (("at least", self.least), ("at most", self.most))
        return ", ".join(f"{how} {figure:,}" for how, figure in limits if figure is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeLimit:
    """The longest validity of a server certificate: notBefore to notAfter, both included (RFC 5280 section 4.1.2.5).

    It applies to certificates whose notBefore is on the day ``since`` or later, and only below roots that the client
    ships where ``below_shipped_roots`` is set.
    """

    days: int
    since: date
    below_shipped_roots: bool
    evidence: Evidence
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root CA of the table: its common name, and the SHA-256 fingerprint of its certificate."""

    name: str
    sha256: str


FEDERAL_COMMON_POLICY_CA: Final = Root(
    name="Federal Common Policy CA", sha256="894ebc0b23da2a50c0186b7f8f25ef1f6b2935af32a94584ef80aaf877a3a06e"
)
FEDERAL_COMMON_POLICY_CA_G2: Final = Root(
    name="Federal Common Policy CA G2", sha256="5f9aecc24616b2191372600dd80f6dd320c8ca5a0ceb7f09c985ebf0696934fc"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootInclusion:
    """A statement that a client ships a root CA in its trust store, or that it does not."""

    root: Root
    ships: bool
    evidence: Evidence
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark for users of a client that does not change the answer."""

    text: str
    evidence: Evidence
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A TLS client by the name that ``--device`` accepts. ``title`` names the program and its versions."""

    name: str
    title: str
    rules: tuple[DeviceRule, ...] = ()
    limits: tuple[DeviceLimit, ...] = ()
    lifetimes: tuple[LifetimeLimit, ...] = ()
    roots: tuple[RootInclusion, ...] = ()
    notes: tuple[Note, ...] = ()

    def rule_for(self, chain_property: ChainProperty) -> DeviceRule | None:
        """Return the rule for a chain property; None where none is known."""
        return next((rule for rule in self.rules if rule.property is chain_property), None)

    def inclusion_of(self, sha256: str) -> RootInclusion | None:
        """Return what is known about shipping the root with this fingerprint; None where nothing is."""
        return next((inclusion for inclusion in self.roots if inclusion.root.sha256 == sha256), None)


class ChainLimit(NamedTuple):
    """The limits of one client for a served chain, by default. None where no limit is known.

    ``most_bytes`` counts the Certificate message without its handshake header, as
    :attr:`CertificateMessage.size <pkcs12kit.tls.certificate_message.CertificateMessage.size>` does. ``source`` is an
    address of the client's maker.
    """

    client: str
    most_certificates: int | None
    most_bytes: int | None
    source: str

    def exceeded(self, message: CertificateMessage) -> tuple[str, ...]:
        """Return one sentence for each limit that the message exceeds."""
        return tuple(
            f"{figure:,} {unit} are sent, and {self.client} accepts {most:,}"
            for figure, most, unit in (
                (len(message.certificates), self.most_certificates, "certificates"),
                (message.size, self.most_bytes, "bytes"),
            )
            if most is not None and figure > most
        )


JAVA: Final = ChainLimit(
    "Java", 10, 32_768, "https://ops.java/security/articles/how-to-configure-new-properties"
)  # jdk.tls.maxCertificateChainLength, jdk.tls.client.maxInboundCertificateChainLength, jdk.tls.maxHandshakeMessageSize
GNUTLS: Final = ChainLimit(
    "GnuTLS", 16, 131_072, "https://gitlab.com/gnutls/gnutls/-/blob/master/lib/gnutls_int.h"
)  # DEFAULT_MAX_VERIFY_DEPTH, MAX_HANDSHAKE_PACKET_SIZE; 48 kB before 3.5.5
OPENSSL: Final = ChainLimit("OpenSSL", None, 102_400, "https://docs.openssl.org/master/man3/SSL_CTX_set_max_cert_list/")
BORINGSSL: Final = ChainLimit(
    "BoringSSL (Chrome, Android)",
    None,
    102_400,
    "https://github.com/google/boringssl/blob/main/include/openssl/ssl.h",
)  # SSL_MAX_CERT_LIST_DEFAULT
NSS: Final = ChainLimit(
    "NSS (Firefox)", None, 131_071, "https://github.com/nss-dev/nss/blob/master/lib/ssl/ssl3con.c"
)  # MAX_HANDSHAKE_MSG_LEN
GO: Final = ChainLimit(
    "Go", None, 65_536, "https://github.com/golang/go/issues/35153"
)  # maxHandshake; newer versions accept 262,144 for this message: https://github.com/golang/go/issues/50773

KNOWN_CHAIN_LIMITS: Final = (JAVA, GNUTLS, OPENSSL, BORINGSSL, NSS, GO)
"""The limits of every client for which they are known."""
