"""Chains in PEM and PKCS#7 are judged like PKCS#12 files: no answer is better than for the same chain in a PKCS#12."""

from __future__ import annotations

from itertools import permutations

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
)

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.findings import Check, Outcome

PASSWORD = "correct horse 42"
ONLY_PKCS12 = {Check.MAC, Check.LOCAL_KEY_ID, Check.READERS, Check.JAVA_ENTRIES}


@pytest.fixture(scope="module")
def topology():
    """A server below two CAs: EE < I < P < TA, and another server."""
    return lab.Topology.from_edges("EE<I<P<TA", "Other<TA")


@pytest.fixture(scope="module")
def anchor(topology):
    """The anchor's certificate, as a source."""
    return topology.authorities["TA"].certificate.der


@pytest.fixture(scope="module")
def chain(topology):
    """EE, I and P."""
    return tuple(topology.certificate(*edge) for edge in (("EE", "I"), ("I", "P"), ("P", "TA")))


@pytest.fixture(scope="module")
def key(topology):
    """The private key of EE."""
    return topology.servers["EE"].private_key


def pem_of(key, password=None):
    """Encode a private key in PEM."""
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def pem(certificates):
    """Encode certificates in PEM."""
    return "".join(one.to_pem() for one in certificates).encode()


def bundle(certificates, encoding=Encoding.DER):
    """Encode certificates as a PKCS#7 bundle."""
    return pkcs7.serialize_certificates([one.as_cryptography for one in certificates], encoding)


def outcomes(report):
    """Return the outcome of each check."""
    return {finding.check: finding.outcome for finding in report.findings}


@pytest.mark.parametrize("place", ["before", "after", "apart", "loaded", "encrypted", "encrypted apart"])
def test_a_key_in_the_file_or_apart(chain, key, anchor, place):
    """HAProxy's one file and nginx's two; what only a PKCS#12 file has is not checked, and nothing is passed for it."""
    data, more = pem(chain), {}
    match place:
        case "before":
            data = pem_of(key) + data
        case "after":
            data += pem_of(key)
        case "apart":
            more = {"key": pem_of(key)}
        case "loaded":
            more = {"key": key}
        case "encrypted":
            data, more = data + pem_of(key, PASSWORD), {"password": PASSWORD}
        case _:
            more = {"key": pem_of(key, PASSWORD), "key_password": PASSWORD}
    report = pk.verify(data, trust_anchors=[anchor], **more)
    found = outcomes(report)
    assert report.ok
    assert (report.format.value, report.target, report.has_private_key) == ("pem", chain[0], True)
    assert {check for check in ONLY_PKCS12 if found[check] is Outcome.NOT_CHECKED} == ONLY_PKCS12
    assert found[Check.PRIVATE_KEY] is found[Check.ORDER] is found[Check.PATH] is Outcome.OK
    assert report.to_json()["readers"] == {}


def test_each_order(chain, key, anchor):
    """Servers send the file as it is, so that only one order of six is right; rehearse never answers better."""
    for order in permutations(chain):
        data = pem(order) + pem_of(key)
        report = pk.verify(data, trust_anchors=[anchor])
        assert report.ok is (order == chain)
        if order != chain:
            assert Check.ORDER.value in report.failed
        if order[0] != chain[0]:  # servers refuse to start with it
            with pytest.raises(pk.InputError, match="which is not that of the private key"):
                pk.rehearse(data, trust_anchors=[anchor], clients=["openssl"])


def test_a_chain_without_a_key(chain, anchor):
    """It is no, unless only certificates are asked about."""
    report = pk.verify(pem(chain), trust_anchors=[anchor])
    assert report.failed == (Check.PRIVATE_KEY.value,)
    assert pk.verify(pem(chain), trust_anchors=[anchor], certs_only=True).ok
    with pytest.raises(pk.InputError, match="no private key, so that it cannot be served"):
        pk.rehearse(pem(chain), trust_anchors=[anchor])


def test_a_key_that_does_not_fit(topology, chain, anchor):
    """It is no; there is nothing to serve."""
    other = topology.servers["Other"].private_key
    report = pk.verify(pem(chain), key=other, trust_anchors=[anchor])
    assert Check.PRIVATE_KEY.value in report.failed
    with pytest.raises(pk.InputError, match="no certificate in it is for the private key"):
        pk.rehearse(pem(chain), key=other, trust_anchors=[anchor])


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_pkcs7(topology, chain, key, anchor, encoding):
    """A set of certificates has no order (RFC 5652 section 5.1): each order gives the same answers, none for order."""
    for order in permutations(chain):
        data = bundle(order, encoding)
        for more in ({"key": key}, {"certs_only": True}):
            report = pk.verify(data, trust_anchors=[anchor], **more)
            assert report.ok
            assert (report.format.value, report.target) == ("pkcs7", chain[0])
            assert outcomes(report)[Check.ORDER] is Outcome.NOT_CHECKED
    several = bundle([*chain, topology.certificate("Other", "TA")])
    assert pk.verify(several, key=key, trust_anchors=[anchor]).target == chain[0]
    with pytest.raises(pk.InputError, match="2 certificates that issued no other one"):
        pk.verify(several, certs_only=True, trust_anchors=[anchor])


def test_a_missing_certificate(chain, key, anchor):
    """Each of the CA certificates is needed."""
    for missing in chain[1:]:
        certificates = [one for one in chain if one != missing]
        for data in (pem(certificates), bundle(certificates)):
            assert Check.CHAIN.value in pk.verify(data, key=key, trust_anchors=[anchor]).failed


def test_a_damaged_certificate(chain, key, anchor):
    """A block that cannot be read is never left out in silence."""
    data = pem(chain) + pem_of(key) + pem(chain[2:]).replace(b"MII", b"M*I")
    assert Check.CONTENTS.value in pk.verify(data, trust_anchors=[anchor]).failed
    with pytest.raises(pk.InputError, match="its base64 is damaged"):
        pk.rehearse(data, trust_anchors=[anchor])


def test_what_is_only_for_pkcs12(chain, key, anchor):
    """A reader, a MAC or a key by name cannot be had: no, or an error, and never a yes."""
    data = pem(chain) + pem_of(key)
    report = pk.verify(data, trust_anchors=[anchor], readers=["java-17"])
    assert report.failed == (Check.READERS.value,)
    with pytest.raises(pk.PfxError, match="a MAC is required"):
        pk.verify(data, trust_anchors=[anchor], require_mac=True)
    with pytest.raises(pk.InputError, match="not a PKCS#12 file: only there"):
        pk.verify(data, trust_anchors=[anchor], key_name="server")


def test_two_keys(topology, chain, key, anchor):
    """Two keys are never chosen from; the same key twice is one key."""
    assert pk.verify(pem(chain) + pem_of(key), key=key, trust_anchors=[anchor]).ok
    with pytest.raises(pk.InputError, match="a private key of its own"):
        pk.verify(pem(chain) + pem_of(key), key=topology.servers["Other"].private_key, trust_anchors=[anchor])
    both = pem(chain) + pem_of(key) + pem_of(topology.servers["Other"].private_key)
    with pytest.raises(pk.InputError, match="expected one private key, found 2"):
        pk.verify(both, trust_anchors=[anchor])
    made = pk.Bundle(private_key=key, certificates=chain)
    profile = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
    pfx = pk.encode_pfx(made, password=PASSWORD, profile=profile)
    with pytest.raises(pk.InputError, match="has its own private key"):
        pk.verify(pfx, key=key, password=PASSWORD, trust_anchors=[anchor])


def test_a_chain_is_served(chain, key, anchor):
    """As it is, in its own order."""
    for data, more in ((pem(chain) + pem_of(key), {}), (bundle(chain[::-1]), {"key": key})):
        report = pk.rehearse(data, trust_anchors=[anchor], clients=["openssl"], **more)
        assert report.ok, report.problems
        assert report.served_chain.message.certificates == chain
