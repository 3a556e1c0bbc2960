"""The kinds of rules that TLS clients have beyond RFC 5280, and what is known of one client."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from pkcs12kit.findings import Evidence
    from pkcs12kit.tls.certificate_message import CertificateMessage


class Trait(Enum):
    """Something about what a server sends that clients treat differently. The value names it."""

    MISSING_ISSUER = "an issuer that is not sent"
    COMMON_NAME_ONLY = "a server certificate without dNSName or iPAddress, whatever its common name"
    NO_PURPOSE = "a server certificate without extendedKeyUsage"
    ANY_PURPOSE = "a server certificate for anyExtendedKeyUsage, and not for serverAuth"
    OTHER_PURPOSE = "a server certificate for other purposes than serverAuth"
    SHA1_SIGNATURE = "a SHA-1 signature"
    RSA_KEY = "an RSA key"
    P256_KEY = "a key on P-256"
    P384_KEY = "a key on P-384"
    P521_KEY = "a key on P-521"
    ED25519_KEY = "an Ed25519 key"
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
    OLD_VERSION = "a certificate of version 1 or 2"
    ENCODING_SLIP = "an encoding that strict readers refuse"
    UNREADABLE = "a certificate that cannot be read here"


class Effect(Enum):
    """What a client makes of a trait. The value is what the table says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REFUSED_BELOW_SHIPPED_ROOTS = "refused below roots that it ships, else accepted"
    DEPENDS = "depends"
    """On what cannot be seen from here, as the note says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that is known of a client. ``source`` is an address, or says how it was tried, and who else says so.

    A client stands for every version that its title names, so one of them that refuses makes it refused; the note says
    which. ``since`` is the first day of issue, of the server's certificate, that it holds for; before, it is accepted.
    """

    trait: Trait
    effect: Effect
    evidence: Evidence
    source: str
    note: str = ""
    since: date | None = None


class Quantity(Enum):
    """What a client bounds. The value says it, after the figure."""

    CERTIFICATES = "certificates sent"
    BYTES = "bytes of the Certificate message"
    INTERMEDIATES = "CA certificates between the server's and the trust anchor"
    INTERMEDIATES_NOT_IN_ORDER = "CA certificates, not self-issued, on a path that is not sent in order and alone"
    RSA_BITS = "bits in an RSA key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The most, and the least, that a client takes; None is no limit that is known of."""

    quantity: Quantity
    evidence: Evidence
    source: str
    most: int | None = None
    least: int | None = None
    note: str = ""

    def broken_by(self, figure: int) -> bool:
        """Say whether a figure is beyond what is taken."""
        return (self.most is not None and figure > self.most) or (self.least is not None and figure < self.least)

    @property
    def figures(self) -> str:
        """What is taken, without what it is: ``at most 10``."""
        limits = (("at least", self.least), ("at most", self.most))
        return ", ".join(f"{how} {figure:,}" for how, figure in limits if figure is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long a server's certificate may be valid: notBefore to notAfter, both included (RFC 5280 section 4.1.2.5).

    It holds for certificates whose notBefore is on the day ``since`` or later, and ``below_shipped_roots`` alone where
    that is set.
    """

    days: int
    since: date
    below_shipped_roots: bool
    evidence: Evidence
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root that the table speaks of: its common name, and the SHA-256 fingerprint of its certificate."""

    name: str
    sha256: str


FEDERAL_COMMON_POLICY_CA: Final = Root(
    name="Federal Common Policy CA", sha256="894ebc0b23da2a50c0186b7f8f25ef1f6b2935af32a94584ef80aaf877a3a06e"
)
FEDERAL_COMMON_POLICY_CA_G2: Final = Root(
    name="Federal Common Policy CA G2", sha256="5f9aecc24616b2191372600dd80f6dd320c8ca5a0ceb7f09c985ebf0696934fc"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """Whether a client comes with a root in its trust store."""

    root: Root
    ships: bool
    evidence: Evidence
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that a user of the client should know, and that makes no difference to the answer."""

    text: str
    evidence: Evidence
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A TLS client, by the name that ``--device`` takes. ``title`` says which program, and which versions."""

    name: str
    title: str
    statements: tuple[Statement, ...] = ()
    bounds: tuple[Bound, ...] = ()
    lifetimes: tuple[Lifetime, ...] = ()
    roots: tuple[Shipping, ...] = ()
    notes: tuple[Note, ...] = ()

    def of(self, trait: Trait) -> Statement | None:
        """Find what is known of one trait; None where nothing is."""
        return next((statement for statement in self.statements if statement.trait is trait), None)

    def ships(self, sha256: str) -> Shipping | None:
        """Find what is known of whether it ships a root; None where nothing is."""
        return next((shipping for shipping in self.roots if shipping.root.sha256 == sha256), None)


class ChainLimit(NamedTuple):
    """What one client takes by default. None is no limit that is known of.

    ``most_bytes`` are those of the Certificate message without its handshake header, as
    :attr:`CertificateMessage.size <pkcs12kit.tls.certificate_message.CertificateMessage.size>` counts them.
    ``source`` is an address, by the client's maker.
    """

    client: str
    most_certificates: int | None
    most_bytes: int | None
    source: str

    def exceeded(self, message: CertificateMessage) -> tuple[str, ...]:
        """Say by what the message is over the limit, one sentence each; empty where it is not."""
        return tuple(
            f"{figure:,} {unit} are sent, and {self.client} takes {most:,}"
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
)  # maxHandshake; newer versions take 262,144 for this message: https://github.com/golang/go/issues/50773

KNOWN_CHAIN_LIMITS: Final = (JAVA, GNUTLS, OPENSSL, BORINGSSL, NSS, GO)
"""Every client whose limits are known."""
