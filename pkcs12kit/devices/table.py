"""Known clients and their rules: the table, with the source of each rule.

A client stands for every version that its title names. Where nothing is known the answer is unknown, and nothing was
concluded from how another client behaves. What is accepted below is accepted as such: the rest of RFC 5280 section 6.1
is for validation to say.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from pkcs12kit.devices.model import (
    BORINGSSL,
    FEDERAL_COMMON_POLICY_CA,
    FEDERAL_COMMON_POLICY_CA_G2,
    GO,
    JAVA,
    NSS,
    ChainProperty,
    Device,
    DeviceLimit,
    DeviceRule,
    Effect,
    LifetimeLimit,
    Note,
    Quantity,
    Root,
    RootInclusion,
)
from pkcs12kit.findings import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkcs12kit.devices.model import ChainLimit

DOCUMENTED: Final = Evidence.DOCUMENTED
REPORTED: Final = Evidence.REPORTED
TRIED: Final = Evidence.TRIED

_POLICIES: Final = (
    ChainProperty.CERTIFICATE_POLICIES_CRITICAL,
    ChainProperty.POLICY_MAPPINGS_CRITICAL,
    ChainProperty.POLICY_CONSTRAINTS_CRITICAL,
    ChainProperty.INHIBIT_ANY_POLICY_CRITICAL,
)
_NAMES: Final = (
    ChainProperty.DIRECTORY_NAMES_CONSTRAINED,
    ChainProperty.OTHER_NAMES_CONSTRAINED,
    ChainProperty.NAME_CONSTRAINTS_NOT_CRITICAL,
)
_CURVES: Final = (ChainProperty.P256_KEY, ChainProperty.P384_KEY, ChainProperty.P521_KEY)
_BEYOND_CURVES: Final = (ChainProperty.ED25519_KEY, ChainProperty.OTHER_KEY)

_APPLE_2019: Final = "https://support.apple.com/en-za/103769"
_APPLE_2020: Final = "https://support.apple.com/de-at/102028"
_APPLE_CERTIFICATE: Final = (
    "https://github.com/darlinghq/darling-security/blob/master/OSX/sec/Security/SecCertificate.c"
)
_APPLE_SECURITY: Final = "https://github.com/apple-oss-distributions/Security"
_APPLE_ATS: Final = "https://medium.com/@Mrugraj/app-transport-security-b7910c4fc70f"
_APPLE_ROOTS: Final = "https://www.idmanagement.gov/implement/announcements/04_apple_common_removal/"
_TRUST_STORES: Final = "https://fpki.idmanagement.gov/truststores/"
_ANDROID_NAMES: Final = "https://android.googlesource.com/platform/libcore/+/refs/tags/android-security-8.1.0_r90"
_ANDROID_STRENGTH: Final = (
    "https://github.com/google/conscrypt/blob/master/common/src/main/java/org/conscrypt/ChainStrengthAnalyzer.java"
)
_ANDROID_PROVIDERS: Final = (
    "https://android.googlesource.com/platform/libcore/+/refs/heads/main/luni/src/main/java/java/security/"
    "security.properties"
)
_ANDROID_SSL: Final = "https://developer.android.com/privacy-and-security/security-ssl"
_ANDROID_USER_ROOTS: Final = "https://developer.android.com/privacy-and-security/security-config"
_WINDOWS_STATUS: Final = "https://learn.microsoft.com/en-us/windows/win32/api/wincrypt/ns-wincrypt-cert_trust_status"
_WINDOWS_SHA1: Final = (
    "https://learn.microsoft.com/en-us/archive/technet-wiki/32288.windows-enforcement-of-sha1-certificates"
)
_WINDOWS_RSA: Final = "https://technet.microsoft.com/en-us/security/advisory/2661254"
_WINDOWS_AIA: Final = "https://playbooks.idmanagement.gov/fpki/common/certificates/"
_CHROME_NAMES: Final = "https://www.chromestatus.com/feature/4981025180483584"
_CHROME_VERIFY: Final = "https://github.com/chromium/chromium/blob/main/net/cert/cert_verify_proc.cc"
_CHROME_BUILTIN: Final = "https://github.com/chromium/chromium/blob/main/net/cert/cert_verify_proc_builtin.cc"
_CHROME_PKI: Final = "https://github.com/google/boringssl/blob/main/pki/"
_MOZILLA_PKIX: Final = "https://github.com/nss-dev/nss/blob/master/lib/mozpkix/lib/"
_FIREFOX_VERIFIER: Final = "https://github.com/mozilla-firefox/firefox/blob/main/security/certverifier/CertVerifier.cpp"
_FIREFOX_PRELOADING: Final = "https://wiki.mozilla.org/Security/CryptoEngineering/Intermediate_Preloading"
_JDK: Final = "https://github.com/openjdk/jdk/blob/master/src/java.base/share/"
_JAVA_NAMES: Final = f"{_JDK}classes/sun/security/util/HostnameChecker.java"
_JAVA_END_ENTITY: Final = f"{_JDK}classes/sun/security/validator/EndEntityChecker.java"
_JAVA_POLICIES: Final = f"{_JDK}classes/sun/security/provider/certpath/PolicyChecker.java"
_JAVA_CONSTRAINTS: Final = f"{_JDK}classes/sun/security/provider/certpath/ConstraintsChecker.java"
_JAVA_ALGORITHMS: Final = f"{_JDK}conf/security/java.security"
_JAVA_SELECTOR: Final = f"{_JDK}classes/sun/security/provider/certpath/AdaptableX509CertSelector.java"
_JAVA_AIA: Final = "https://stackoverflow.com/questions/65721938"
_JAVA_LENGTH: Final = "https://bugs.openjdk.org/browse/JDK-8313236"
_JAVA_TRIED: Final = "java 17 of Debian 12"
_GO_TRIED: Final = "go 1.19 of Debian 12"
_GO_NAMES: Final = "https://go.dev/doc/go1.15"
_GO_SHA1: Final = "https://go.dev/doc/go1.18#sha1"
_GO_PARSER: Final = "https://github.com/golang/go/blob/go1.19/src/crypto/x509/parser.go"
_GO_VERIFY: Final = "https://github.com/golang/go/blob/go1.19/src/crypto/x509/verify.go"
_GO_KEYS: Final = "https://github.com/golang/go/blob/go1.19/src/crypto/x509/x509.go"
_GO_POLICIES: Final = "https://github.com/golang/go/issues/68484"
_GO_AIA: Final = "https://github.com/golang/go/issues/31773"
_GO_RSA: Final = "https://github.com/containerd/containerd/pull/8905"


def _rules(
    effect: Effect,
    properties: Iterable[ChainProperty],
    evidence: Evidence,
    source: str,
    note: str = "",
    *,
    since: date | None = None,
) -> list[DeviceRule]:
    return [
        DeviceRule(property=one, effect=effect, evidence=evidence, source=source, note=note, since=since)
        for one in properties
    ]


def _accepts(properties: Iterable[ChainProperty], evidence: Evidence, source: str, note: str = "") -> list[DeviceRule]:
    return _rules(Effect.ACCEPTED, properties, evidence, source, note)


def _refuses(
    properties: Iterable[ChainProperty], evidence: Evidence, source: str, note: str = "", *, since: date | None = None
) -> list[DeviceRule]:
    return _rules(Effect.REFUSED, properties, evidence, source, note, since=since)


def _tried(program: str, source: str) -> str:
    """Return a source for a rule that was tried: the program, and an address for other versions."""
    return f"{program}; {source}"


_java: Final = partial(_tried, _JAVA_TRIED)
_go: Final = partial(_tried, _GO_TRIED)


def _sent(limit: ChainLimit, tried: str = "") -> list[DeviceLimit]:
    quantities = ((Quantity.CERTIFICATES, limit.most_certificates), (Quantity.BYTES, limit.most_bytes))
    evidence, source = (TRIED, _tried(tried, limit.source)) if tried else (DOCUMENTED, limit.source)
    return [
        DeviceLimit(quantity=quantity, most=most, evidence=evidence, source=source)
        for quantity, most in quantities
        if most is not None
    ]


def _rsa(
    source: str,
    *,
    least: int | None = None,
    most: int | None = None,
    note: str = "",
    evidence: Evidence = DOCUMENTED,
) -> DeviceLimit:
    return DeviceLimit(quantity=Quantity.RSA_BITS, least=least, most=most, evidence=evidence, source=source, note=note)


def _without(root: Root, source: str, note: str = "") -> RootInclusion:
    return RootInclusion(root=root, ships=False, evidence=REPORTED, source=source, note=note)


def _without_either() -> tuple[RootInclusion, ...]:
    return tuple(_without(root, _TRUST_STORES) for root in (FEDERAL_COMMON_POLICY_CA, FEDERAL_COMMON_POLICY_CA_G2))


def _apple(name: str, title: str, *, removed_in: str) -> Device:
    """Return the entry of one of Apple's systems, which share the framework and the documents."""
    rules = (
        _refuses((ChainProperty.COMMON_NAME_ONLY,), DOCUMENTED, _APPLE_2019),
        _refuses(
            (ChainProperty.NO_PURPOSE, ChainProperty.OTHER_PURPOSE, ChainProperty.ANY_PURPOSE),
            DOCUMENTED,
            _APPLE_2019,
            since=date(2019, 7, 1),
        ),
        _refuses((ChainProperty.SHA1_SIGNATURE,), DOCUMENTED, _APPLE_2019),
        _accepts((ChainProperty.RSA_KEY,), DOCUMENTED, _APPLE_2019, "2,048 bits or more"),
        _accepts((ChainProperty.P256_KEY, ChainProperty.P384_KEY), REPORTED, _APPLE_ATS, "256 bits or more"),
        _accepts(_POLICIES, DOCUMENTED, _APPLE_CERTIFICATE),
        _accepts(_NAMES, DOCUMENTED, _APPLE_SECURITY),
    )
    return Device(
        name=name,
        title=title,
        rules=tuple(chain.from_iterable(rules)),
        limits=(_rsa(_APPLE_2019, least=2_048),),
        lifetimes=(
            LifetimeLimit(
                days=825, since=date(2019, 7, 1), below_shipped_roots=False, evidence=DOCUMENTED, source=_APPLE_2019
            ),
            LifetimeLimit(
                days=398, since=date(2020, 9, 1), below_shipped_roots=True, evidence=DOCUMENTED, source=_APPLE_2020
            ),
        ),
        roots=(
            _without(FEDERAL_COMMON_POLICY_CA, _APPLE_ROOTS, f"removed in {removed_in}, September 2018"),
            _without(FEDERAL_COMMON_POLICY_CA_G2, _TRUST_STORES),
        ),
    )


_TABLE: Final = (
    _apple("ios", "iOS and iPadOS 13 and later", removed_in="iOS 12"),
    Device(
        name="android",
        title="Android 9 and later, apps that use Android's own TLS",
        rules=(
            *_refuses((ChainProperty.MISSING_ISSUER,), DOCUMENTED, _ANDROID_SSL, "it fetches no issuer"),
            *_refuses((ChainProperty.COMMON_NAME_ONLY,), DOCUMENTED, _ANDROID_NAMES),
            *_refuses((ChainProperty.SHA1_SIGNATURE,), DOCUMENTED, _ANDROID_STRENGTH, "older versions accept it"),
            *_accepts((ChainProperty.RSA_KEY,), DOCUMENTED, _ANDROID_STRENGTH, "1,024 bits or more"),
            *_accepts(
                (ChainProperty.P256_KEY, ChainProperty.P384_KEY), DOCUMENTED, _ANDROID_STRENGTH, "160 bits or more"
            ),
            *_accepts((*_POLICIES, *_NAMES), DOCUMENTED, _ANDROID_PROVIDERS, "it has the validator of OpenJDK"),
        ),
        limits=(*_sent(BORINGSSL), _rsa(_ANDROID_STRENGTH, least=1_024)),
        roots=_without_either(),
        notes=(
            Note(
                text="apps made for Android 7 and later trust added roots only if they are set up to do so",
                evidence=DOCUMENTED,
                source=_ANDROID_USER_ROOTS,
            ),
        ),
    ),
    Device(
        name="windows",
        title="Windows, programs that use Windows' own verification (CryptoAPI)",
        rules=(
            *_rules(
                Effect.DEPENDS,
                (ChainProperty.MISSING_ISSUER,),
                REPORTED,
                _WINDOWS_AIA,
                "it fetches the issuer by authorityInfoAccess, where the network allows that",
            ),
            *_rules(Effect.REFUSED_BELOW_SHIPPED_ROOTS, (ChainProperty.SHA1_SIGNATURE,), DOCUMENTED, _WINDOWS_SHA1),
            *_accepts((ChainProperty.RSA_KEY,), DOCUMENTED, _WINDOWS_RSA, "1,024 bits or more"),
            *_accepts(
                (ChainProperty.POLICY_CONSTRAINTS_CRITICAL, ChainProperty.POLICY_MAPPINGS_CRITICAL),
                DOCUMENTED,
                _WINDOWS_STATUS,
            ),
            *_accepts(
                (ChainProperty.DIRECTORY_NAMES_CONSTRAINED, ChainProperty.OTHER_NAMES_CONSTRAINED),
                DOCUMENTED,
                _WINDOWS_STATUS,
            ),
        ),
        limits=(_rsa(_WINDOWS_RSA, least=1_024),),
        roots=(_without(FEDERAL_COMMON_POLICY_CA_G2, _TRUST_STORES),),
        notes=(
            Note(
                text="Microsoft's root program had Federal Common Policy CA; the Federal PKI decided on its removal",
                evidence=REPORTED,
                source=_TRUST_STORES,
            ),
        ),
    ),
    _apple("macos", "macOS 10.15 and later", removed_in="macOS 10.14"),
    Device(
        name="chrome",
        title="Chrome with its own verifier and root store, all systems but iOS",
        rules=(
            *_rules(
                Effect.DEPENDS,
                (ChainProperty.MISSING_ISSUER,),
                DOCUMENTED,
                _CHROME_BUILTIN,
                "it fetches the issuer by authorityInfoAccess, where the network allows that",
            ),
            *_refuses((ChainProperty.COMMON_NAME_ONLY,), DOCUMENTED, _CHROME_NAMES, "since Chrome 58"),
            *_accepts((ChainProperty.RSA_KEY,), DOCUMENTED, _CHROME_BUILTIN, "1,024 bits or more"),
            *_accepts(_CURVES, DOCUMENTED, f"{_CHROME_PKI}simple_path_builder_delegate.cc"),
            *_refuses(_BEYOND_CURVES, DOCUMENTED, f"{_CHROME_PKI}simple_path_builder_delegate.cc"),
            *_accepts((ChainProperty.PSS_SIGNATURE,), DOCUMENTED, f"{_CHROME_PKI}simple_path_builder_delegate.cc"),
            *_accepts(_POLICIES, DOCUMENTED, f"{_CHROME_PKI}verify_certificate_chain.cc"),
            *_accepts(_NAMES, DOCUMENTED, f"{_CHROME_PKI}name_constraints.cc"),
        ),
        limits=(*_sent(BORINGSSL), _rsa(_CHROME_BUILTIN, least=1_024)),
        lifetimes=(
            LifetimeLimit(
                days=398, since=date(2020, 9, 1), below_shipped_roots=True, evidence=DOCUMENTED, source=_CHROME_VERIFY
            ),
        ),
        roots=_without_either(),
    ),
    Device(
        name="firefox",
        title="Firefox, with mozilla::pkix",
        rules=(
            *_refuses(
                (ChainProperty.MISSING_ISSUER,),
                DOCUMENTED,
                _FIREFOX_PRELOADING,
                "it fetches no issuer; it has those of public CAs beforehand",
            ),
            *_refuses((ChainProperty.COMMON_NAME_ONLY,), REPORTED, _CHROME_NAMES, "since Firefox 48"),
            *_accepts((ChainProperty.NO_PURPOSE,), DOCUMENTED, f"{_MOZILLA_PKIX}pkixcheck.cpp"),
            *_refuses(
                (ChainProperty.ANY_PURPOSE, ChainProperty.OTHER_PURPOSE), DOCUMENTED, f"{_MOZILLA_PKIX}pkixcheck.cpp"
            ),
            *_accepts((ChainProperty.RSA_KEY,), DOCUMENTED, _FIREFOX_VERIFIER, "1,024 bits or more"),
            *_accepts(_CURVES, DOCUMENTED, f"{_MOZILLA_PKIX}pkixcheck.cpp"),
            *_refuses(_BEYOND_CURVES, DOCUMENTED, f"{_MOZILLA_PKIX}pkixcheck.cpp"),
            *_accepts(
                (
                    ChainProperty.CERTIFICATE_POLICIES_CRITICAL,
                    ChainProperty.POLICY_CONSTRAINTS_CRITICAL,
                    ChainProperty.INHIBIT_ANY_POLICY_CRITICAL,
                ),
                DOCUMENTED,
                f"{_MOZILLA_PKIX}pkixcert.cpp",
                "it ignores them",
            ),
            *_refuses((ChainProperty.POLICY_MAPPINGS_CRITICAL,), DOCUMENTED, f"{_MOZILLA_PKIX}pkixcert.cpp"),
            *_accepts(_NAMES, DOCUMENTED, f"{_MOZILLA_PKIX}pkixnames.cpp"),
        ),
        limits=(
            *_sent(NSS),
            DeviceLimit(
                quantity=Quantity.INTERMEDIATES, most=6, evidence=DOCUMENTED, source=f"{_MOZILLA_PKIX}pkixbuild.cpp"
            ),
            _rsa(_FIREFOX_VERIFIER, least=1_024),
        ),
        roots=_without_either(),
    ),
    Device(
        name="java",
        title="Java 8u271 and later, with the JDK's own TLS and validation",
        rules=(
            *_refuses(
                (ChainProperty.MISSING_ISSUER,),
                TRIED,
                _java(_JAVA_AIA),
                "it fetches no issuer, unless com.sun.security.enableAIAcaIssuers is set",
            ),
            *_accepts((ChainProperty.COMMON_NAME_ONLY,), TRIED, _java(_JAVA_NAMES), "it uses the common name then"),
            *_accepts((ChainProperty.NO_PURPOSE, ChainProperty.ANY_PURPOSE), TRIED, _java(_JAVA_END_ENTITY)),
            *_refuses((ChainProperty.OTHER_PURPOSE,), TRIED, _java(_JAVA_END_ENTITY)),
            *_rules(Effect.REFUSED_BELOW_SHIPPED_ROOTS, (ChainProperty.SHA1_SIGNATURE,), DOCUMENTED, _JAVA_ALGORITHMS),
            *_accepts((ChainProperty.RSA_KEY,), TRIED, _java(_JAVA_ALGORITHMS), "1,024 bits or more"),
            *_accepts(_CURVES, TRIED, _java(_JAVA_ALGORITHMS), "224 bits or more"),
            *_accepts(_POLICIES, TRIED, _java(_JAVA_POLICIES)),
            *_accepts(_NAMES, TRIED, _java(_JAVA_CONSTRAINTS)),
            *_accepts((ChainProperty.ISSUER_NOT_NAMED,), TRIED, _java(_JAVA_SELECTOR)),
            *_refuses((ChainProperty.ANCHOR_NOT_NAMED,), TRIED, _java(_JAVA_SELECTOR)),
        ),
        limits=(
            *_sent(JAVA, _JAVA_TRIED),
            DeviceLimit(
                quantity=Quantity.INTERMEDIATES_NOT_IN_ORDER,
                most=5,
                evidence=TRIED,
                source=_java(_JAVA_LENGTH),
                note="it validates a chain in order as it is, and builds a path of any other",
            ),
            _rsa(_java(_JAVA_ALGORITHMS), least=1_024, evidence=TRIED),
        ),
        roots=_without_either(),
    ),
    Device(
        name="go",
        title="Go 1.18 and later, crypto/tls with its own verifier (not with the roots of Windows and macOS)",
        rules=(
            *_refuses((ChainProperty.MISSING_ISSUER,), TRIED, _go(_GO_AIA), "it fetches no issuer"),
            *_refuses((ChainProperty.COMMON_NAME_ONLY,), TRIED, _go(_GO_NAMES)),
            *_accepts((ChainProperty.NO_PURPOSE, ChainProperty.ANY_PURPOSE), TRIED, _go(_GO_VERIFY)),
            *_refuses((ChainProperty.OTHER_PURPOSE,), TRIED, _go(_GO_VERIFY)),
            *_refuses((ChainProperty.SHA1_SIGNATURE,), TRIED, _go(_GO_SHA1)),
            *_accepts((ChainProperty.RSA_KEY, *_CURVES, ChainProperty.ED25519_KEY), TRIED, _go(_GO_KEYS)),
            *_accepts((ChainProperty.PSS_SIGNATURE,), DOCUMENTED, _GO_KEYS),
            *_accepts((ChainProperty.CERTIFICATE_POLICIES_CRITICAL,), TRIED, _go(_GO_PARSER)),
            *_accepts((ChainProperty.ISSUER_NOT_NAMED, ChainProperty.ANCHOR_NOT_NAMED), TRIED, _go(_GO_VERIFY)),
            *_refuses(
                (ChainProperty.POLICY_CONSTRAINTS_CRITICAL, ChainProperty.INHIBIT_ANY_POLICY_CRITICAL),
                TRIED,
                _go(_GO_POLICIES),
                "before Go 1.24",
            ),
            *_refuses((ChainProperty.POLICY_MAPPINGS_CRITICAL,), TRIED, _go(_GO_PARSER), "before Go 1.24"),
            *_refuses(
                (ChainProperty.DIRECTORY_NAMES_CONSTRAINED, ChainProperty.UNUSUAL_NAMES_CONSTRAINED),
                TRIED,
                _go(_GO_PARSER),
            ),
            *_accepts(
                (
                    ChainProperty.OTHER_NAMES_CONSTRAINED,
                    ChainProperty.URIS_CONSTRAINED,
                    ChainProperty.NAME_CONSTRAINTS_NOT_CRITICAL,
                ),
                TRIED,
                _go(_GO_PARSER),
            ),
        ),
        limits=(*_sent(GO, _GO_TRIED), _rsa(_GO_RSA, most=8_192, note="since Go 1.19.12 and 1.20.7")),
    ),
)

DEVICES: Final[Mapping[str, Device]] = {device.name: device for device in _TABLE}
"""Every client, by name."""
