"""What the table of devices marks as tried by us is tried here: Java and Go take a server, or refuse it, as it says."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

import pytest
from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.devices import versions
from pkcs12kit.devices.judge import judge_by_rules
from pkcs12kit.devices.model import ChainProperty, Quantity, Root, RootInclusion
from pkcs12kit.devices.properties import find_properties
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.lab import extensions as ext
from pkcs12kit.tls.certificate_message import TLS_1_3, CertificateMessage
from pkcs12kit.tls.handshake import Endpoint, Verdict
from pkcs12kit.tls.rehearsal.clients.registry import make_client
from pkcs12kit.tls.rehearsal.run import PROTOCOLS
from pkcs12kit.tls.rehearsal.server import LoopbackServer

SERVER = "mdm.example.mil"
SECONDS = 120.0  # a busy machine takes ten for a virtual machine
# What runs here, as it says its version, and as the table names it.
TRIED_WITH = {"java": ("OpenJDK 17.", "java 17 of Debian 12"), "go": ("Go 1.19", "go 1.19 of Debian 12")}

DIRECTORY = x509.DirectoryName(lab.authority.as_name("Elsewhere"))
ELSEWHERE = x509.DNSName("elsewhere.example")
ADDRESS = x509.UniformResourceIdentifier("elsewhere.example")
REGISTERED = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
POLICIES = ext.critical(ext.certificate_policies("1.2.3"))
MAPPINGS = ext.critical(ext.policy_mappings(("1.2.3", "1.2.4")))
CONSTRAINTS = ext.critical(x509.PolicyConstraints(9, 0))
INHIBITED = ext.critical(x509.InhibitAnyPolicy(0))
UNCONSTRAINED = ext.non_critical(x509.NameConstraints(None, [ELSEWHERE]))


class Sent(NamedTuple):
    """A server, and what it sends after its certificate."""

    server: pk.Identity
    issuers: tuple[pk.Certificate, ...]


def excluding(*names):
    """Make critical nameConstraints that exclude names."""
    return ext.critical(x509.NameConstraints(None, names))


def filling(length):
    """Make an extension that is as long as that, in bytes, and says nothing."""
    value = core.OctetString(bytes(length)).dump()
    return ext.non_critical(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.99999"), value))


def purpose(*purposes):
    """Make an extendedKeyUsage."""
    return ext.non_critical(x509.ExtendedKeyUsage(purposes))


def bare(issuer, *extensions):
    """Issue a certificate that says nothing but these extensions."""
    key = lab.KeyType.EC_P256.generate()
    return pk.Identity(private_key=key, certificate=issuer.issue(SERVER, key.public_key(), extensions=extensions))


def line(root, *levels):
    """Make CAs below a root, the highest first, each of a key and the extensions of its certificate.

    Gives the lowest, and the certificates as a server sends them.
    """
    names = [f"CA {number}" for number in range(len(levels))]
    cas = [lab.Authority.create(name, private_key=key) for name, (key, *_) in zip(names, levels, strict=True)]
    issued = [
        upper.issue_ca(lower, extensions=extensions)
        for (upper, lower), (_, *extensions) in zip(pairwise([root, *cas]), levels, strict=True)
    ]
    return [root, *cas][-1], tuple(reversed(issued))


def below(*extensions, key=None, **server):
    """Build a server below one CA, whose certificate has these extensions."""

    def build(root):
        issuing, issuers = line(root, (key() if key else None, *extensions))
        return Sent(issuing.issue_server(SERVER, **server), issuers)

    return build


def all_of_java(root):
    """Build what Java accepts, all of it at once."""
    issuing, issuers = line(
        root,
        (lab.KeyType.EC_P384.generate(), POLICIES, MAPPINGS, CONSTRAINTS, INHIBITED),
        (ec.generate_private_key(ec.SECP521R1()), excluding(DIRECTORY, ELSEWHERE)),
        (lab.KeyType.RSA_2048.generate(), UNCONSTRAINED),
    )
    return Sent(bare(issuing), issuers)


def all_of_go(root):
    """Build what Go accepts, all of it at once."""
    issuing, issuers = line(
        root,
        (lab.KeyType.EC_P384.generate(), POLICIES, excluding(ELSEWHERE, ADDRESS)),
        (ec.generate_private_key(ec.SECP521R1()), UNCONSTRAINED),
        (lab.KeyType.RSA_2048.generate(),),
        (lab.KeyType.ED25519.generate(),),
    )
    return Sent(bare(issuing, ext.non_critical(x509.SubjectAlternativeName([x509.DNSName(SERVER)]))), issuers)


def chain_of(number, *, in_order=True, **server):
    """Build a server below so many CAs."""

    def build(root):
        issuing, issuers = line(root, *[(None,)] * number)
        return Sent(issuing.issue_server(SERVER, **server), issuers if in_order else tuple(reversed(issuers)))

    return build


def without_issuer(root):
    """Build a server whose CA is not sent."""
    return below()(root)._replace(issuers=())


def without_name(root):
    """Return a server whose certificate has its name only as the common name."""
    issuing, issuers = line(root, (None,))
    return Sent(bare(issuing, purpose(ExtendedKeyUsageOID.SERVER_AUTH)), issuers)


def sha1(root):
    """Build a server whose certificate is signed with SHA-1: by hand, since pyca's builder does not."""
    issuing, issuers = line(root, (None,))
    server = issuing.issue_server(SERVER)
    structure = asn1_x509.Certificate.load(server.certificate.der)
    to_be_signed = structure["tbs_certificate"]
    to_be_signed["signature"] = structure["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
    data = to_be_signed.dump(force=True)
    structure["signature_value"] = issuing.private_key.sign(data, ec.ECDSA(hashes.SHA1()))  # noqa: S303
    certificate = pk.Certificate.from_der(structure.dump(force=True))
    return Sent(pk.Identity(private_key=server.private_key, certificate=certificate), issuers)


def small_key():
    """Make an RSA key of 1,016 bits, which pyca does not."""
    done = subprocess.run(["openssl", "genrsa", "1016"], capture_output=True, check=True, timeout=60)
    return load_pem_private_key(done.stdout, None)


def naming(*, number_of_issuer=None, number_of_anchor=None):
    """Build a server below a CA, whose authorityKeyIdentifiers name certificates of TA with these serial numbers."""

    def named(authority, number):
        if number is None:
            return ()
        key = x509.SubjectKeyIdentifier.from_public_key(authority.private_key.public_key()).digest
        names = [x509.DirectoryName(authority.name)]
        return (ext.non_critical(x509.AuthorityKeyIdentifier(key, names, number)),)

    def build(root):
        issuing = lab.Authority.create("CA 0")
        issuer = root.issue_ca(issuing, extensions=named(root, number_of_anchor))
        return Sent(issuing.issue_server(SERVER, extensions=named(issuing, number_of_issuer)), (issuer,))

    return build


class Accepted(NamedTuple):
    """A server that a client takes, with all that is special about it."""

    client: str
    name: str
    build: object
    properties: set[ChainProperty]


class Refused(NamedTuple):
    """A server that a client refuses, for one thing, and its words for it, a pattern."""

    client: str
    why: ChainProperty | Quantity
    build: object
    says: str


UNKNOWN_ISSUER = {
    "java": "PKIX path building failed: unable to find valid certification path to requested target",
    "go": "x509: certificate signed by unknown authority",
}
UNHANDLED = "x509: unhandled critical extension"
ACCEPTED = [
    Accepted(
        "java",
        "all at once",
        all_of_java,
        {
            *(ChainProperty.COMMON_NAME_ONLY, ChainProperty.NO_PURPOSE),
            *(ChainProperty.P256_KEY, ChainProperty.P384_KEY, ChainProperty.P521_KEY, ChainProperty.RSA_KEY),
            *(ChainProperty.CERTIFICATE_POLICIES_CRITICAL, ChainProperty.POLICY_MAPPINGS_CRITICAL),
            *(ChainProperty.POLICY_CONSTRAINTS_CRITICAL, ChainProperty.INHIBIT_ANY_POLICY_CRITICAL),
            *(
                ChainProperty.DIRECTORY_NAMES_CONSTRAINED,
                ChainProperty.OTHER_NAMES_CONSTRAINED,
                ChainProperty.NAME_CONSTRAINTS_NOT_CRITICAL,
            ),
        },
    ),
    Accepted(
        "java",
        "any purpose, five CAs out of order",
        chain_of(5, in_order=False, extensions=[purpose(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)]),
        {ChainProperty.P256_KEY, ChainProperty.ANY_PURPOSE},
    ),
    Accepted(
        "java",
        "another serial number of the issuer",
        naming(number_of_issuer=99),
        {ChainProperty.P256_KEY, ChainProperty.ISSUER_NOT_NAMED},
    ),
    Accepted("java", "ten certificates in order", chain_of(9), {ChainProperty.P256_KEY}),
    Accepted(
        "go",
        "all at once",
        all_of_go,
        {
            ChainProperty.NO_PURPOSE,
            *(
                ChainProperty.P256_KEY,
                ChainProperty.P384_KEY,
                ChainProperty.P521_KEY,
                ChainProperty.RSA_KEY,
                ChainProperty.ED25519_KEY,
            ),
            *(
                ChainProperty.CERTIFICATE_POLICIES_CRITICAL,
                ChainProperty.OTHER_NAMES_CONSTRAINED,
                ChainProperty.NAME_CONSTRAINTS_NOT_CRITICAL,
            ),
            ChainProperty.URIS_CONSTRAINED,
        },
    ),
    Accepted(
        "go",
        "other serial numbers of the issuer and of the trust anchor",
        naming(number_of_issuer=99, number_of_anchor=99),
        {ChainProperty.P256_KEY, ChainProperty.ISSUER_NOT_NAMED, ChainProperty.ANCHOR_NOT_NAMED},
    ),
    Accepted(
        "go",
        "any purpose",
        below(extensions=[purpose(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)]),
        {ChainProperty.P256_KEY, ChainProperty.ANY_PURPOSE},
    ),
]
FOR_CLIENTS = below(extensions=[purpose(ExtendedKeyUsageOID.CLIENT_AUTH)])
REFUSED = [
    Refused("java", ChainProperty.MISSING_ISSUER, without_issuer, UNKNOWN_ISSUER["java"]),
    Refused(
        "java",
        ChainProperty.OTHER_PURPOSE,
        FOR_CLIENTS,
        "Extended key usage does not permit use for TLS server authentication",
    ),
    Refused(
        "java",
        ChainProperty.ANCHOR_NOT_NAMED,
        naming(number_of_anchor=99),
        "PKIX path validation failed: Path does not chain with any of the trust anchors",
    ),
    Refused(
        "java",
        Quantity.RSA_BITS,
        below(key=small_key),
        r".* keysize limits: RSA 1016 bit key used with certificate: CN=CA 0",
    ),
    Refused(
        "java",
        Quantity.CERTIFICATES,
        chain_of(10),
        r"The certificate chain length \(11\) exceeds the maximum allowed length \(10\)",
    ),
    Refused(
        "java",
        Quantity.BYTES,
        below(filling(32_768)),
        r"The size of the handshake message \(\d+\) exceeds the maximum allowed size \(32768\)",
    ),
    Refused("java", Quantity.INTERMEDIATES_NOT_IN_ORDER, chain_of(6, in_order=False), UNKNOWN_ISSUER["java"]),
    Refused("go", ChainProperty.MISSING_ISSUER, without_issuer, UNKNOWN_ISSUER["go"]),
    Refused(
        "go",
        ChainProperty.COMMON_NAME_ONLY,
        without_name,
        "x509: certificate relies on legacy Common Name field, use SANs instead",
    ),
    Refused("go", ChainProperty.OTHER_PURPOSE, FOR_CLIENTS, "x509: certificate specifies an incompatible key usage"),
    Refused(
        "go",
        ChainProperty.SHA1_SIGNATURE,
        sha1,
        r"x509: .*\bcannot verify signature: insecure algorithm ECDSA-SHA1\b.*",
    ),
    Refused("go", ChainProperty.POLICY_CONSTRAINTS_CRITICAL, below(CONSTRAINTS), UNHANDLED),
    Refused("go", ChainProperty.INHIBIT_ANY_POLICY_CRITICAL, below(INHIBITED), UNHANDLED),
    Refused("go", ChainProperty.POLICY_MAPPINGS_CRITICAL, below(MAPPINGS), UNHANDLED),
    Refused("go", ChainProperty.DIRECTORY_NAMES_CONSTRAINED, below(excluding(DIRECTORY)), UNHANDLED),
    Refused("go", ChainProperty.UNUSUAL_NAMES_CONSTRAINED, below(excluding(REGISTERED)), UNHANDLED),
    Refused(
        "go",
        Quantity.BYTES,
        below(filling(65_536)),
        r"tls: handshake message of length \d+ bytes exceeds maximum of 65536 bytes",
    ),
]


@pytest.fixture(scope="module")
def root():
    """The trust anchor of all servers."""
    return lab.Authority.create("Root CA")


@pytest.fixture
def ask(require_tool, cannot_run, root):
    """Let a client connect to a server, once."""

    def connect(name, sent):
        for program in {"java": ("java", "javac"), "go": ("go",)}[name]:
            require_tool(program)
        with LoopbackServer(sent.server.private_key, (sent.server.certificate, *sent.issuers)) as server:
            endpoint = Endpoint(
                host=server.host,
                port=server.port,
                server_name=SERVER,
                trust_anchors=(root.certificate,),
                protocols=(TLS_1_3,),
                time=None,
                seconds=SECONDS,
            )
            (handshake,) = make_client(name).shake_hands(endpoint)
        if not handshake.version.startswith(TRIED_WITH[name][0]):
            cannot_run(f"the table is of {TRIED_WITH[name][1]}, and here is {handshake.version}")
        return handshake

    return connect


@pytest.fixture
def by_rule(monkeypatch, root):
    """Judge the same by the rules, with a root that the client does not ship; gives the properties and the verdict."""

    def judge(name, sent):
        anchor = pk.TrustAnchor.from_certificate(root.certificate)
        message = CertificateMessage(certificates=(sent.server.certificate, *sent.issuers), protocol=TLS_1_3)
        parameters = pk.ValidationParameters(time=datetime.now(UTC), server_name=SERVER)
        path = pk.check_served_chain(message, trust_anchors=(anchor,), parameters=parameters).path
        own = RootInclusion(
            root=Root(name="Root CA", sha256=root.certificate.sha256),
            ships=False,
            evidence=Evidence.TRIED,
            source=TRIED_WITH[name][1],
        )
        monkeypatch.setattr(versions, "DEVICES", {name: replace(DEVICES[name], roots=(own,))})
        verdict = judge_by_rules(name, message=message, path=path, trust_anchors=[anchor], parameters=parameters)
        return set(find_properties(message, path, [anchor])), verdict

    return judge


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=f"{case.client}-{case.name}",
            marks=[] if case.name == "all at once" else pytest.mark.slow,  # one of each client by default
        )
        for case in ACCEPTED
    ],
)
def test_what_is_said_to_be_accepted_is(root, ask, by_rule, case):
    """All that is special about it is in the table, the answer by rule is yes, and so is the client's."""
    sent = case.build(root)
    properties, verdict = by_rule(case.client, sent)
    assert (properties, verdict.answer) == (case.properties, Answer.YES)
    handshake = ask(case.client, sent)
    assert (handshake.verdict, handshake.why) == (Verdict.ACCEPTED, "")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=f"{case.client}-{case.why.name}",
            marks=[] if case.why is ChainProperty.OTHER_PURPOSE else pytest.mark.slow,  # one of each client by default
        )
        for case in REFUSED
    ],
)
def test_what_is_said_to_be_refused_is(require_tool, root, ask, by_rule, case):
    """The answer is no by exactly one rule, and the client refuses for exactly that reason."""
    require_tool("openssl")
    sent = case.build(root)
    _, verdict = by_rule(case.client, sent)
    (refusal,) = verdict.refusals
    assert case.why.value in refusal.why
    assert refusal.evidence is Evidence.TRIED
    handshake = ask(case.client, sent)
    assert handshake.verdict is Verdict.REFUSED
    assert re.fullmatch(case.says, handshake.why), handshake.why


@pytest.mark.slow
def test_java_takes_sha1_below_roots_that_it_does_not_ship(root, ask, by_rule):
    """Half of that rule can be tried: the key of a shipped root is not available (RFC 9155 section 1)."""
    sent = sha1(root)
    _, verdict = by_rule("java", sent)
    assert verdict.refusals == ()
    assert ask("java", sent).verdict is Verdict.ACCEPTED


def test_all_that_is_said_to_be_tried_is():
    """Exactly the rules that are tried above are marked as tried, each with the program that was run."""
    marked = set()
    for name, device in DEVICES.items():
        for it in (*device.rules, *device.limits, *device.lifetimes, *device.roots, *device.notes):
            if it.evidence is Evidence.TRIED:
                assert it.source.startswith(f"{TRIED_WITH[name][1]}; https://")
                marked.add((name, getattr(it, "property", None) or it.quantity))
    run = {(case.client, one) for case in ACCEPTED for one in case.properties}
    assert marked == run | {(case.client, case.why) for case in REFUSED}


BUNDLE = {
    "openssl": "",
    "java": "",
    "go": UNHANDLED,
    "gnutls": "The certificate contains an unknown critical extension.",
    "nss": "SEC_ERROR_UNKNOWN_CRITICAL_EXTENSION: Certificate contains unknown critical extension.",
    "curl": "",
}
"""Why each client refuses the lab's bundle; empty where it accepts."""


@pytest.mark.slow
def test_the_bundle_through_the_bridge(cannot_run, replica):
    """All clients, in both versions of TLS, take the lab's whole bundle or refuse it as is known of them.

    Its critical policyConstraints and inhibitAnyPolicy (RFC 5280 sections 4.2.1.11 and 4.2.1.14) make the difference.
    """
    if absent := [client for client in map(make_client, BUNDLE) if client.missing() is not None]:
        cannot_run("; ".join(f"{client.name} {client.missing()}" for client in absent))
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0], include_anchor=True)
    report = pk.rehearse(
        pk.encode_pfx(bundle, password="lab", profile=pk.profiles.MODERN),
        trust_anchors=[replica.trust_anchor.der],
        password="lab",
        server_name=replica.server_name,
        clients=["all"],
        devices=TRIED_WITH,
    )
    assert report.served_chain.ok
    assert [(one.client, one.protocol) for one in report.handshakes] == [
        (name, protocol) for name in BUNDLE for protocol in PROTOCOLS
    ]
    for one in report.handshakes:
        expected = Verdict.REFUSED if BUNDLE[one.client] else Verdict.ACCEPTED
        assert (one.client, one.verdict, one.why) == (one.client, expected, BUNDLE[one.client])
        assert one.received is None or one.received.certificates == bundle.certificates
    for verdict in report.devices:
        assert verdict.answer is (Answer.NO if BUNDLE[verdict.device] else Answer.YES)
