"""Set-ups in which a CA of the path may not issue what it issued: CA or not, depth, names, policies, purposes."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pkcs12kit import lab
from pkcs12kit.lab.extensions import subject_key_identifier

from .pki import ISSUING, SERVER, Link, Pki, ec_key
from .setups import PATHS, Broken

FIRST, SECOND, THIRD, ANY = "2.999.1", "2.999.2", "2.999.3", "2.5.29.32.0"
FOR_CLIENTS: Final = lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
TLS_CALL: Final = f"{PATHS} --server-name {SERVER}"


def _with(**extensions: Any) -> Any:  # a maker
    """Return a maker of the usual PKI, with extensions in the certificates of these owners."""
    return lambda folder: Pki(
        folder,
        **{
            owner: Link(extensions=given if isinstance(given, tuple) else (given,))
            for owner, given in extensions.items()
        },
    )


def _permitted(*names: x509.GeneralName) -> Any:  # an extension
    return lab.critical(x509.NameConstraints(permitted_subtrees=list(names), excluded_subtrees=None))


def _excluded(*names: x509.GeneralName) -> Any:  # an extension
    return lab.critical(x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=list(names)))


def _policies(*policies: str) -> Any:  # an extension
    return lab.non_critical(lab.certificate_policies(*policies))


def _require(explicit: int | None, mapping: int | None = None) -> Any:  # an extension
    return lab.critical(x509.PolicyConstraints(explicit, mapping))


def _map(*mappings: tuple[str, str]) -> Any:  # an extension
    return lab.critical(lab.policy_mappings(*mappings))


def _version_1(tbs):
    tbs["version"] = "v1"
    del tbs["extensions"]


def _names(*names: x509.GeneralName) -> Any:  # an extension
    return lab.non_critical(x509.SubjectAlternativeName(list(names)))


def _organization(name: str) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]))


def _address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text))


_NO_CA: Final = lab.critical(x509.BasicConstraints(ca=False, path_length=None))

SETUPS: Final = (
    Broken(
        name="issuer-without-basic-constraints",
        kind="not-a-ca",
        what="The issuing CA's certificate has no basicConstraints.",
        make=lambda folder: Pki(
            folder, issuing=Link(only=(lab.non_critical(subject_key_identifier(ec_key(ISSUING).public_key())),))
        ),
        faults=(("issuing.pem", "not-a-ca"),),
        rule="RFC 5280 section 6.1.4 (k)",
        shown=True,
    ),
    Broken(
        name="issuer-of-version-1",
        kind="not-a-ca",
        what="The issuing CA's certificate is of version 1, which has no extensions.",
        make=lambda folder: Pki(folder, issuing=Link(edit=_version_1)),
        faults=(("issuing.pem", "not-a-ca"),),
        rule="RFC 5280 section 6.1.4 (k)",
    ),
    Broken(
        name="issued-by-a-server",
        kind="not-a-ca",
        what="A server's certificate was used to issue another one: basicConstraints says that it is not a CA.",
        make=_with(issuing=_NO_CA),
        faults=(("issuing.pem", "not-a-ca"),),
        rule="RFC 5280 section 6.1.4 (k)",
    ),
    Broken(
        name="crl-signer",
        kind="key-usage",
        what="The issuing CA's keyUsage allows only the signing of CRLs.",
        make=_with(issuing=lab.critical(lab.key_usage("crl_sign"))),
        faults=(("issuing.pem", "key-usage"),),
        rule="RFC 5280 section 6.1.4 (n)",
        shown=True,
    ),
    Broken(
        name="too-many-cas",
        kind="path-length",
        what="The CA above the issuing CA allows no CA below it.",
        make=lambda folder: Pki(folder, policy=Link(path_length=0)),
        faults=(("issuing.pem", "path-length"),),
        causes=("policy.pem",),
        rule="RFC 5280 section 6.1.4 (l)",
        shown=True,
    ),
    Broken(
        name="too-many-cas-for-the-anchor",
        kind="path-length",
        what="The root, which is the anchor, allows one CA below it, and there are two.",
        make=_with(root=lab.critical(x509.BasicConstraints(ca=True, path_length=1))),
        faults=(("issuing.pem", "path-length"),),
        causes=("root.pem",),
    ),
    Broken(
        name="dns-name-not-permitted",
        kind="name-constraints",
        what="A CA permits DNS names of example.mil only.",
        make=_with(policy=_permitted(x509.DNSName("example.mil"))),
        faults=(("server.pem", "name-constraints"),),
        causes=("policy.pem",),
        rule="RFC 5280 section 6.1.3 (b), (c)",
        shown=True,
    ),
    Broken(
        name="dns-name-excluded",
        kind="name-constraints",
        what="A CA excludes the server's DNS domain.",
        make=_with(issuing=_excluded(x509.DNSName("example.com"))),
        faults=(("server.pem", "name-constraints"),),
        causes=("issuing.pem",),
        rule="RFC 5280 section 6.1.3 (b), (c)",
    ),
    Broken(
        name="ip-address-not-permitted",
        kind="name-constraints",
        what="A CA permits addresses of 10.0.0.0/8 only, and the server has another one in addition to its name.",
        make=_with(
            policy=_permitted(_address("10.0.0.0/8")), server=_names(x509.DNSName(SERVER), _address("192.0.2.7"))
        ),
        faults=(("server.pem", "name-constraints"),),
        causes=("policy.pem",),
    ),
    Broken(
        name="directory-name-not-permitted",
        kind="name-constraints",
        what="A CA permits subjects of its own organization only, and the issuing CA's subject is elsewhere.",
        make=_with(policy=_permitted(_organization("Example"))),
        faults=(("server.pem", "name-constraints"), ("issuing.pem", "name-constraints")),
        causes=("policy.pem",),
    ),
    Broken(
        name="names-excluded-by-the-anchor",
        kind="name-constraints",
        what="The trust anchor's own certificate excludes the server's DNS domain.",
        make=_with(root=_excluded(x509.DNSName("example.com"))),
        faults=(("server.pem", "name-constraints"),),
        causes=("root.pem",),
    ),
    Broken(
        name="explicit-policy-required",
        kind="explicit-policy",
        what="A CA requires an explicit policy, and the server's certificate has none.",
        make=_with(policy=(_require(0), _policies(FIRST)), issuing=_policies(FIRST)),
        faults=(("server.pem", "explicit-policy"),),
        causes=("policy.pem",),
        shown=True,
    ),
    Broken(
        name="other-policy-than-the-ca",
        kind="explicit-policy",
        what="A CA requires an explicit policy, and the server's certificate has another one than the CAs.",
        make=_with(policy=(_require(0), _policies(FIRST)), issuing=_policies(FIRST), server=_policies(SECOND)),
        faults=(("server.pem", "explicit-policy"),),
        causes=("policy.pem",),
    ),
    Broken(
        name="policy-asked-for",
        kind="explicit-policy",
        what="--policy asks for a policy that the path is not valid for.",
        make=_with(policy=_policies(FIRST), issuing=_policies(FIRST), server=_policies(FIRST)),
        call=f"{PATHS} --policy {SECOND}",
        faults=(("server.pem", "explicit-policy"),),
    ),
    Broken(
        name="policy-mapping-inhibited",
        kind="explicit-policy",
        what="A CA maps its policy to another one, and the CA above it inhibits mapping.",
        make=_with(
            policy=(_require(0, 0), _policies(FIRST)),
            issuing=(_policies(FIRST), _map((FIRST, SECOND))),
            server=_policies(SECOND),
        ),
        faults=(("server.pem", "explicit-policy"),),
        causes=("policy.pem",),
    ),
    Broken(
        name="any-policy-inhibited",
        kind="explicit-policy",
        what="The issuing CA has only anyPolicy, and the CA above it inhibits anyPolicy.",
        make=_with(
            policy=(_require(0), _policies(FIRST), lab.critical(x509.InhibitAnyPolicy(0))),
            issuing=_policies(ANY),
            server=_policies(FIRST),
        ),
        faults=(("issuing.pem", "explicit-policy"),),
        causes=("policy.pem",),
    ),
    Broken(
        name="any-policy-mapped",
        kind="policy-mapping",
        what="A CA maps a policy to anyPolicy, which no CA may do.",
        make=_with(issuing=(_policies(FIRST), _map((FIRST, ANY)))),
        faults=(("issuing.pem", "policy-mapping"),),
        rule="RFC 5280 section 6.1.4 (a)",
        shown=True,
    ),
    Broken(
        name="client-certificate",
        kind="extended-key-usage",
        what="The certificate is for TLS clients, and a server presents it.",
        make=_with(server=FOR_CLIENTS),
        call=TLS_CALL,
        faults=(("server.pem", "extended-key-usage"),),
        rule="RFC 5280 section 4.2.1.12",
        shown=True,
    ),
    Broken(
        name="ca-for-clients-only",
        kind="extended-key-usage",
        what="The issuing CA lists purposes, and TLS servers are not among them.",
        make=_with(issuing=FOR_CLIENTS),
        call=TLS_CALL,
        faults=(("issuing.pem", "extended-key-usage"),),
        rule="RFC 5280 section 4.2.1.12",
    ),
    Broken(
        name="other-server-name",
        kind="server-name",
        what="The clients use a name that is not in the certificate.",
        make=Pki,
        call=f"{PATHS} --server-name mail.example.com",
        faults=(("server.pem", "server-name"),),
        rule="RFC 9525 section 6",
        shown=True,
    ),
    Broken(
        name="wildcard-of-another-level",
        kind="server-name",
        what="The wildcard *.example.com stands for one label, and the name has two.",
        make=_with(server=_names(x509.DNSName("*.example.com"))),
        call=f"{PATHS} --server-name a.b.example.com",
        faults=(("server.pem", "server-name"),),
        rule="RFC 9525 section 6",
    ),
    Broken(
        name="name-only-in-the-common-name",
        kind="server-name",
        what="The name is in the common name only, which clients do not read.",
        make=_with(server=_names(x509.DNSName("other.example.com"))),
        call=TLS_CALL,
        faults=(("server.pem", "server-name"),),
        rule="RFC 9525 section 6",
    ),
    Broken(
        name="address-not-in-the-certificate",
        kind="server-name",
        what="The clients use the IP address, and the certificate has only the DNS name.",
        make=Pki,
        call=f"{PATHS} --server-name 192.0.2.7",
        faults=(("server.pem", "server-name"),),
        rule="RFC 9525 section 6",
    ),
    Broken(
        name="two-rules-broken",
        kind="name-constraints",
        what="The server's DNS name is not permitted, and the clients use another name.",
        make=_with(policy=_permitted(x509.DNSName("example.mil"))),
        call=f"{PATHS} --server-name mail.example.com",
        faults=(("server.pem", "server-name"), ("server.pem", "name-constraints")),
    ),
    Broken(
        name="unknown-critical-extension",
        kind="unknown-critical-extension",
        what="The server's certificate has a critical extension that nobody knows.",
        make=_with(server=lab.critical(x509.UnrecognizedExtension(ObjectIdentifier("2.999.99"), b"\x05\x00"))),
        faults=(("server.pem", "unknown-critical-extension"),),
        rule="RFC 5280 section 6.1.5 (f)",
        shown=True,
    ),
    Broken(
        name="unknown-critical-extension-of-a-ca",
        kind="unknown-critical-extension",
        what="The issuing CA's certificate has a critical extension that nobody knows.",
        make=_with(issuing=lab.critical(x509.UnrecognizedExtension(ObjectIdentifier("2.999.99"), b"\x05\x00"))),
        faults=(("issuing.pem", "unknown-critical-extension"),),
        rule="RFC 5280 section 6.1.4 (o)",
    ),
    Broken(
        name="unreadable-names",
        kind="malformed-certificate",
        what="The server's subjectAltName cannot be decoded.",
        make=_with(server=lab.non_critical(x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), b"\xff\xff"))),
        faults=(("server.pem", "malformed-certificate"),),
        rule="RFC 5280 section 4.2",
        shown=True,
    ),
    Broken(
        name="unreadable-constraints-of-a-ca",
        kind="malformed-certificate",
        what="The issuing CA's basicConstraints cannot be decoded.",
        make=_with(issuing=lab.critical(x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.19"), b"\xff\xff"))),
        faults=(("issuing.pem", "malformed-certificate"),),
    ),
)
