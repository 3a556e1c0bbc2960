"""The closed list of rules for notes on certificates, with their sources and the clients that are known to care.

A rule is in the list if RFC 5280, or the RFC of the key's algorithm, says MUST or MUST NOT, or if a client is known to
refuse what does not keep it. Rules that path validation enforces itself are not in the list, and neither are those that
only say SHOULD.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.findings import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping


class ClientEffect(Enum):
    """The answer of a client to a certificate that does not keep a rule. The value is printed by ``--json``."""

    REFUSED = "refused"
    REFUSED_BELOW_SHIPPED_ROOTS = "refused below roots that it ships"


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedClient:
    """A client that is known to refuse certificates that do not keep a rule."""

    client: str
    """The program and its versions."""
    effect: ClientEffect
    """Its answer."""
    evidence: Evidence
    """How the answer is known."""
    source: str
    """An address; for an answer that was tried, the program that was run as well."""
    note: str = ""
    """The case in which the client refuses, where the rule has more than one; empty for each case."""
    devices: tuple[str, ...] = ()
    """The names of the client in the table of devices; empty where it is not there."""

    def to_json(self) -> dict[str, str]:
        """Return the client as ``--json`` prints it."""
        return {
            "client": self.client,
            "effect": self.effect.value,
            "standing": self.evidence.value,
            "source": self.source,
            "note": self.note,
        }

    def __str__(self) -> str:
        return f"{self.client} ({self.note})" if self.note else self.client


@dataclass(frozen=True, slots=True, kw_only=True)
class LintRule:
    """One rule that certificates should keep."""

    name: str
    """The name that ``--json`` prints."""
    meaning: str
    """The certificates that do not keep the rule, for the table of the documentation."""
    source: str
    """The clause of a standard that asks for something else."""
    clients: tuple[AffectedClient, ...] = ()
    """The clients that are known to care; empty where none is known."""


_BR: Final = "CA/Browser Forum Baseline Requirements section"
_APPLE_2019: Final = "https://support.apple.com/en-za/103769"
_APPLE_2020: Final = "https://support.apple.com/de-at/102028"
_ANDROID: Final = "https://android.googlesource.com/platform/libcore/+/refs/tags/android-security-8.1.0_r90"
_ANDROID_STRENGTH: Final = (
    "https://github.com/google/conscrypt/blob/master/common/src/main/java/org/conscrypt/ChainStrengthAnalyzer.java"
)
_CHROME_NAMES: Final = "https://www.chromestatus.com/feature/4981025180483584"
_CHROME_VERIFY: Final = "https://github.com/chromium/chromium/blob/main/net/cert/cert_verify_proc.cc"
_MOZILLA_PKIX: Final = "https://github.com/nss-dev/nss/blob/master/lib/mozpkix/lib/"
_WEBPKI: Final = "https://github.com/rustls/webpki/blob/main/src/verify_cert.rs"
_PYTHON_SSL: Final = "https://docs.python.org/3/library/ssl.html#ssl.create_default_context"
_GO_PARSER: Final = "https://github.com/golang/go/blob/master/src/crypto/x509/parser.go"
_GO_TRIED: Final = "go 1.19 of Debian 12"
_JDK: Final = "https://github.com/openjdk/jdk/blob/master/src/java.base/share/"
_WINDOWS_SHA1: Final = (
    "https://learn.microsoft.com/en-us/archive/technet-wiki/32288.windows-enforcement-of-sha1-certificates"
)


def _refuses(
    client: str,
    evidence: Evidence,
    source: str,
    note: str = "",
    *,
    devices: tuple[str, ...] = (),
    effect: ClientEffect = ClientEffect.REFUSED,
) -> AffectedClient:
    return AffectedClient(client=client, effect=effect, evidence=evidence, source=source, note=note, devices=devices)


def _apple(source: str, note: str = "", *, effect: ClientEffect = ClientEffect.REFUSED) -> AffectedClient:
    client = "Apple's systems since iOS 13 and macOS 10.15"
    return _refuses(client, Evidence.DOCUMENTED, source, note, devices=("ios", "macos"), effect=effect)


def _python(note: str = "") -> AffectedClient:
    """Return the entry of Python, whose default context sets OpenSSL's X509_V_FLAG_X509_STRICT since version 3.13."""
    source = f"openssl 3.0 of Debian 12 with -x509_strict; {_PYTHON_SSL}"
    return _refuses("Python since 3.13", Evidence.TRIED, source, note)


def _go(source: str, note: str = "", *, tried: bool = False) -> AffectedClient:
    evidence = Evidence.TRIED if tried else Evidence.DOCUMENTED
    return _refuses("Go", evidence, f"{_GO_TRIED}; {source}" if tried else source, note, devices=("go",))


def _firefox(source: str) -> AffectedClient:
    return _refuses("Firefox", Evidence.DOCUMENTED, source, devices=("firefox",))


def _java(source: str, *, effect: ClientEffect = ClientEffect.REFUSED, tried: bool = True) -> AffectedClient:
    evidence = Evidence.TRIED if tried else Evidence.DOCUMENTED
    source = f"java 17 of Debian 12; {_JDK}{source}" if tried else f"{_JDK}{source}"
    return _refuses("Java", evidence, source, devices=("java",), effect=effect)


def _debian(client: str, program: str) -> AffectedClient:
    """Return the entry of a program with the settings of its distribution, as it was tried."""
    return _refuses(f"{client} of Debian 12", Evidence.TRIED, f"{program} of Debian 12")


def _without_common_name() -> tuple[AffectedClient, ...]:
    """Return the clients that take the server's name from the subjectAltName only."""
    return (
        _apple(_APPLE_2019),
        _refuses("Android since 9", Evidence.DOCUMENTED, _ANDROID, devices=("android",)),
        _refuses("Chrome since 58", Evidence.DOCUMENTED, _CHROME_NAMES, devices=("chrome",)),
        _refuses("Firefox since 48", Evidence.REPORTED, _CHROME_NAMES, devices=("firefox",)),
        _go("https://go.dev/doc/go1.15", tried=True),
    )


_OPENSSL: Final = _debian("OpenSSL and curl", "openssl 3.0 and curl 7.88")
_GNUTLS: Final = _debian("GnuTLS", "gnutls 3.7")
_BELOW_SHIPPED: Final = ClientEffect.REFUSED_BELOW_SHIPPED_ROOTS

_FIELDS: Final = (
    LintRule(
        name="encoding-error",
        meaning="The encoding is not the DER that the standard asks for, but was read.",
        source="RFC 5280 section 4.1",
    ),
    LintRule(
        name="version-1",
        meaning="The certificate is of version 1, which has no extensions and cannot mark a CA.",
        source="RFC 5280 section 4.1.2.1",
        clients=(_python("as a CA"),),
    ),
    LintRule(
        name="serial-number-not-positive",
        meaning="The serial number is zero or negative.",
        source="RFC 5280 section 4.1.2.2",
        clients=(_go(_GO_PARSER, "a negative one, since Go 1.23"),),
    ),
    LintRule(
        name="serial-number-too-long",
        meaning="The serial number has more than 20 octets.",
        source="RFC 5280 section 4.1.2.2",
    ),
    LintRule(
        name="unfit-string",
        meaning="The subject or issuer has a string with characters that its type does not allow, such as `&` in a"
        " PrintableString.",
        source="RFC 5280 section 4.1.2.4",
    ),
    LintRule(
        name="attribute-length",
        meaning="An attribute of the subject or issuer is longer or shorter than allowed, such as a common name of 65"
        " characters.",
        source="RFC 5280 appendix A.1",
    ),
    LintRule(
        name="validity-encoding",
        meaning="A time before 2050 is encoded as GeneralizedTime instead of UTCTime.",
        source="RFC 5280 section 4.1.2.5",
    ),
    LintRule(
        name="validity-over-825-days",
        meaning="A server certificate issued since July 2019 is valid for more than 825 days.",
        source=f"{_BR} 6.3.2",
        clients=(_apple(_APPLE_2019),),
    ),
    LintRule(
        name="validity-over-398-days",
        meaning="A server certificate issued since September 2020 is valid for more than 398 days.",
        source=f"{_BR} 6.3.2",
        clients=(
            _apple(_APPLE_2020, effect=_BELOW_SHIPPED),
            _refuses("Chrome", Evidence.DOCUMENTED, _CHROME_VERIFY, devices=("chrome",), effect=_BELOW_SHIPPED),
        ),
    ),
    LintRule(
        name="rsa-key-short",
        meaning="An RSA key has fewer than 2,048 bits.",
        source=f"{_BR} 6.1.5",
        clients=(_apple(_APPLE_2019), _OPENSSL),
    ),
    LintRule(
        name="sha1-signature",
        meaning="The certificate is signed with SHA-1.",
        source=f"{_BR} 7.1.3.2",
        clients=(
            _apple(_APPLE_2019),
            _refuses("Android since 9", Evidence.DOCUMENTED, _ANDROID_STRENGTH, devices=("android",)),
            _go("https://go.dev/doc/go1.18#sha1", tried=True),
            _refuses("Windows", Evidence.DOCUMENTED, _WINDOWS_SHA1, devices=("windows",), effect=_BELOW_SHIPPED),
            _OPENSSL,
            _GNUTLS,
            _java("conf/security/java.security", effect=_BELOW_SHIPPED, tried=False),
        ),
    ),
    LintRule(
        name="unique-identifier",
        meaning="The certificate has an issuerUniqueID or a subjectUniqueID.",
        source="RFC 5280 section 4.1.2.8",
    ),
)

_EXTENSIONS: Final = (
    LintRule(
        name="unreadable-extension",
        meaning="An extension that validation does not need cannot be read, or not all of it.",
        source="RFC 5280 section 4.2",
    ),
    LintRule(
        name="needed-extension-unreadable",
        meaning="An extension that validation needs cannot be read; the rules for extensions were not applied.",
        source="RFC 5280 section 4.2",
    ),
    LintRule(
        name="authority-key-identifier-missing",
        meaning="A certificate that is not self-signed has no authorityKeyIdentifier with a key identifier.",
        source="RFC 5280 section 4.2.1.1",
        clients=(_python("below the trust anchor"),),
    ),
    LintRule(
        name="subject-key-identifier-missing",
        meaning="A CA certificate has no subjectKeyIdentifier.",
        source="RFC 5280 section 4.2.1.2",
        clients=(_python(),),
    ),
    LintRule(
        name="key-usage-missing",
        meaning="A CA certificate has no keyUsage.",
        source="RFC 5280 section 4.2.1.3",
        clients=(_python(),),
    ),
    LintRule(
        name="key-usage-unfit",
        meaning="The keyUsage does not fit the algorithm of the key: an EC, Ed25519, Ed448, ML-DSA or SLH-DSA key for"
        " encryption, a signing key without a usage for signatures, or an ML-KEM or X25519 key with another usage than"
        " its own.",
        source="RFC 8813 section 3, RFC 9295 section 3, RFC 9881 section 5, RFC 9909 section 6, RFC 9935 section 5",
    ),
    LintRule(
        name="policy-repeated",
        meaning="A policy stands more than once in certificatePolicies.",
        source="RFC 5280 section 4.2.1.4",
        clients=(_go(_GO_PARSER),),
    ),
    LintRule(
        name="alternative-name-not-critical",
        meaning="The subject is empty, and the subjectAltName is not critical.",
        source="RFC 5280 section 4.2.1.6",
        clients=(
            _python(),
            _java("classes/sun/security/x509/X509CertImpl.java"),
        ),
    ),
    LintRule(
        name="dns-name-underscore",
        meaning="A dNSName has an underscore.",
        source="RFC 5280 section 4.2.1.6",
    ),
    LintRule(
        name="dns-name-syntax",
        meaning="A dNSName is not a host name in another way, for example with a dot at its end.",
        source="RFC 5280 section 4.2.1.6",
    ),
    LintRule(
        name="dns-name-is-address",
        meaning="A dNSName is an IP address, which belongs in an iPAddress.",
        source="RFC 5280 section 4.2.1.6",
        clients=(_go("https://github.com/golang/go/blob/master/src/crypto/x509/verify.go"),),
    ),
    LintRule(
        name="basic-constraints-missing",
        meaning="A trust anchor's certificate has no basicConstraints that mark a CA.",
        source="RFC 5280 section 4.2.1.9",
        clients=(
            _python(),
            _java("classes/sun/security/validator/PKIXValidator.java"),
            _go("https://github.com/golang/go/blob/go1.19/src/crypto/x509/x509.go", tried=True),
        ),
    ),
    LintRule(
        name="basic-constraints-not-critical",
        meaning="The basicConstraints of a CA are not critical.",
        source="RFC 5280 section 4.2.1.9",
        clients=(_python(),),
    ),
    LintRule(
        name="name-constraints-not-critical",
        meaning="The nameConstraints are not critical.",
        source="RFC 5280 section 4.2.1.10",
    ),
    LintRule(
        name="policy-constraints-not-critical",
        meaning="The policyConstraints are not critical.",
        source="RFC 5280 section 4.2.1.11",
    ),
    LintRule(
        name="inhibit-any-policy-not-critical",
        meaning="The inhibitAnyPolicy is not critical.",
        source="RFC 5280 section 4.2.1.14",
    ),
)

_SERVERS: Final = (
    LintRule(
        name="ca-as-server",
        meaning="The server certificate is a CA certificate.",
        source=f"{_BR} 7.1.2.7.8",
        clients=(
            _firefox(f"{_MOZILLA_PKIX}pkixcheck.cpp"),
            _refuses("rustls", Evidence.DOCUMENTED, _WEBPKI),
        ),
    ),
    LintRule(
        name="purpose-missing",
        meaning="The server certificate has no extendedKeyUsage.",
        source=f"{_BR} 7.1.2.7.10",
        clients=(_apple(_APPLE_2019, "issued since July 2019"),),
    ),
    LintRule(
        name="purpose-any",
        meaning="The server certificate is for anyExtendedKeyUsage and not for serverAuth.",
        source=f"{_BR} 7.1.2.7.10",
        clients=(
            _apple(_APPLE_2019, "issued since July 2019"),
            _firefox(f"{_MOZILLA_PKIX}pkixcheck.cpp"),
            _OPENSSL,
        ),
    ),
    LintRule(
        name="server-name-missing",
        meaning="The server certificate has neither a dNSName nor an iPAddress.",
        source=f"{_BR} 7.1.2.7.12",
        clients=_without_common_name(),
    ),
    LintRule(
        name="common-name-not-in-names",
        meaning="The server's common name is a host name or an IP address that the subjectAltName lacks.",
        source=f"{_BR} 7.1.4.3",
        clients=(*_without_common_name(), _java("classes/sun/security/util/HostnameChecker.java"), _OPENSSL, _GNUTLS),
    ),
)

RULES: Final[Mapping[str, LintRule]] = {rule.name: rule for rule in (*_FIELDS, *_EXTENSIONS, *_SERVERS)}
"""Every rule by its name, in the order of the notes on one certificate."""
