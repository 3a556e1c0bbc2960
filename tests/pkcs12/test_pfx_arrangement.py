"""The order, localKeyIDs and chain of a file are judged as servers and Java need them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.pkcs12.arrangement import KeyLink, arrange
from pkcs12kit.pkcs12.bags import certificate_bag, key_bag
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

from .conftest import PASSWORD, issue
from .pfx_parts import make_pfx, plain_safe


@pytest.fixture(scope="module")
def chain(bundle):
    """End-entity, its issuers, the anchor."""
    return bundle.certificates


def arranged(certificates, *, key_id=b"1", ids=(b"1",), key=True):
    """Arrange these certificates, the first IDs of which are given, with a key for the end-entity of the chain."""
    padded = (*ids, *(None,) * (len(certificates) - len(ids)))
    links = [KeyLink(local_key_id=key_id, certificate=key)] if key else []
    return arrange(links, list(zip(certificates, padded, strict=True)))


def test_as_it_should_be(chain):
    """A file in the right order, with one localKeyID on the pair, has no problems."""
    arrangement = arranged(chain, key=chain[0])
    assert arrangement.chain == chain
    assert (arrangement.in_order, arrangement.is_complete, arrangement.local_key_ids_match) == (True, True, True)
    assert arrangement.problems == ()


def test_without_the_anchor(chain):
    """A chain without the anchor is not complete, and not a problem: anchors may be left out on purpose."""
    arrangement = arranged(chain[:-1], key=chain[0])
    assert not arrangement.is_complete
    assert arrangement.problems == ()


def test_out_of_order(chain):
    """Java and most servers send certificates in file order, which is not a chain then."""
    arrangement = arranged(chain[::-1], ids=(None,) * (len(chain) - 1) + (b"1",), key=chain[0])
    assert arrangement.chain == chain
    assert not arrangement.in_order
    assert any("not in order" in problem for problem in arrangement.problems)


def test_gap(chain):
    """A chain ends at a missing issuer; the certificates above it are outside the chain."""
    arrangement = arranged((chain[0], *chain[2:]), key=chain[0])
    assert arrangement.chain == chain[:1]
    assert not arrangement.is_complete
    assert [f"{len(chain) - 2} certificates outside the chain of the end-entity"] == list(arrangement.problems)
    (problem,) = arranged((chain[0], chain[2]), key=chain[0]).problems
    assert problem == "1 certificate outside the chain of the end-entity"


def test_no_certificate_for_the_key(chain):
    """A key without its certificate is a problem: a server cannot use it."""
    arrangement = arrange([KeyLink(local_key_id=b"1", certificate=None)], [(chain[1], None)])
    assert arrangement.chain == ()
    assert "no certificate belongs to the private key" in arrangement.problems


@pytest.mark.parametrize("ids", [(None,), (b"2",), (b"1", b"1")])
def test_local_key_ids(chain, ids):
    """RFC 2985 section 5.5.2: key and certificate have one ID; a missing, different or additional one is a problem."""
    arrangement = arranged(chain, ids=ids, key=chain[0])
    assert not arrangement.local_key_ids_match
    assert sum("localKeyID" in problem for problem in arrangement.problems) == 1


def test_key_without_an_id(chain):
    """A key without a localKeyID is not linked to a certificate by it, even if the certificate has one."""
    assert not arranged(chain, key_id=None, key=chain[0]).local_key_ids_match


def test_same_subject_and_key_twice(chain):
    """Two certificates with one (subject, key) are a problem: Java serves a broken chain."""
    arrangement = arranged((*chain, chain[1]), key=chain[0])
    assert any("Java then serves a broken chain" in problem for problem in arrangement.problems)


def test_certificates_alone(chain):
    """Without a key the chain begins at the first certificate."""
    arrangement = arrange([], [(certificate, None) for certificate in chain[1:]])
    assert (arrangement.chain, arrangement.problems) == (chain[1:], ())
    assert arrange([], []).problems == ()


def test_issuer_by_key_identifier(keys):
    """Of two CAs with one name the authorityKeyIdentifier would choose; without one the first is taken, once each."""
    loop = [issue("a", keys["ec"], "b", keys["ec"]), issue("b", keys["ec"], "a", keys["ec"])]
    arrangement = arrange([], [(certificate, None) for certificate in loop])
    assert arrangement.chain == tuple(loop)
    assert not arrangement.is_complete


def test_in_the_report(bundle, quick):
    """The report of our own file has no problems, the earliest expiry and the readers; None without the password."""
    data = encode_pfx(bundle, password=PASSWORD, profile=quick)
    report = inspect_pfx(data, password=PASSWORD)
    described = report.to_json()
    assert described["arrangement"] == {
        "chain": [certificate.sha256 for certificate in bundle.certificates],
        "chain_complete": True,
        "in_order": True,
        "local_key_ids_match": True,
        "problems": [],
    }
    assert report.expires == min(certificate.not_after for certificate in bundle.certificates)
    assert described["expires"].endswith("Z")
    assert described["readers"]["openssl-3"] == report.readers["openssl-3"].to_json()
    assert inspect_pfx(data).arrangement is None
    assert inspect_pfx(data).to_json()["expires"] is None


def test_readers_know_the_password(bundle, quick):
    """The verdict includes the password (Java only opens ASCII passwords) if it opened the file."""
    for password, is_ascii in ((PASSWORD, True), ("pässword", False)):
        data = encode_pfx(bundle, password=password, profile=quick)
        assert inspect_pfx(data, password=password).facts.non_ascii_password is not is_ascii
        assert inspect_pfx(data, password="wrong").facts.non_ascii_password is None
        assert inspect_pfx(data).facts.complete is False


def test_the_key_tells_its_certificate(keys):
    """If the key can be read, a wrong localKeyID is found, for a key in the clear also without a password."""
    own, foreign = issue("own", keys["ec"], "own", keys["ec"]), issue("foreign", keys["rsa"], "foreign", keys["rsa"])
    key = keys["ec"].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    bags = (
        key_bag(key, local_key_id=b"1"),
        certificate_bag(foreign.der, local_key_id=b"1"),
        certificate_bag(own.der),
    )
    data = make_pfx([plain_safe(*bags)])
    report = inspect_pfx(data)
    assert report.end_entity == own
    assert not report.arrangement.local_key_ids_match
    assert len(report.arrangement.problems) == 4
