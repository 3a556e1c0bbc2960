"""``list_contents``: whatever is in a file, the rest is listed, within the limits, and can be shown everywhere."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.cli.output import contents as output
from pkcs12kit.cli.output.contents_csv import as_csv

from ..thoroughness import mostly_slow

PASSWORD = "correct horse 42"


@pytest.fixture(scope="module")
def seeds():
    """A file of each kind, in DER and PEM."""
    topology = lab.Topology.from_edges("EE<I<TA")
    key = topology.servers["EE"].private_key
    chain = (topology.certificate("EE", "I"), topology.certificate("I", "TA"))
    profile = pk.profiles.MODERN.with_iterations(encryption=1_000, mac=1_000)
    pem = "".join(one.to_pem() for one in chain).encode()
    encrypted = BestAvailableEncryption(PASSWORD.encode())
    return (
        pem,
        chain[0].der,
        topology.authorities["TA"].make_crl(),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem,
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encrypted),
        pk.encode_pfx(pk.Bundle(private_key=key, certificates=chain), password=PASSWORD, profile=profile),
    )


def mutated(data, chance):
    """Change, remove or repeat a few octets."""
    octets = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(octets))
        match chance.randrange(3):
            case 0:
                octets[place] = chance.randrange(256)
            case 1:
                del octets[place : place + chance.randrange(1, 20)]
            case _:
                octets[place:place] = octets[chance.randrange(len(octets)) :][: chance.randrange(1, 40)]
    return bytes(octets)


@pytest.mark.parametrize("start", mostly_slow(range(10), every=5))
def test_whatever_is_damaged(seeds, start):
    """No error leaves it, nothing is lost without a word, and no text steers a terminal or a page."""
    chance = random.Random(start)  # noqa: S311  # examples, not secrets
    for _ in range(40):
        data = mutated(chance.choice(seeds), chance)
        contents = pk.list_contents(data, password=chance.choice([None, PASSWORD]))
        assert contents.has_any or contents.unread
        assert bool(contents.failed) is not contents.has_any
        for width in (None, 60, 120):
            assert "".join(output._lines(contents, width)).replace("\x1b", "").isprintable()
        assert "\x1b" not in as_csv(contents)
        assert json.dumps(contents.to_json())
        assert pk.to_html(contents)


def test_each_thing_counts_for_the_limit(seeds):
    """Keys and CRLs are counted as certificates are: nothing beyond the limit is kept, and it is said."""
    limits = replace(pk.DEFAULT_LIMITS, certificates=2)
    contents = pk.list_contents(seeds[3], limits=limits)
    assert len(contents.certificates) + len(contents.keys) <= 3
    assert "limits.certificates" in str(contents.unread[-1])


def test_crls_beyond_the_limit(seeds):
    """A CRL more than ``limits.revocation_objects`` is not read."""
    contents = pk.list_contents(seeds[2], limits=replace(pk.DEFAULT_LIMITS, revocation_objects=0))
    assert contents.crls == ()
    assert "limits.revocation_objects" in contents.unread[0].reason


def test_in_a_notebook(seeds):
    """A table with the certificates, and the number of keys; as text, each certificate in a line."""
    contents = pk.list_contents(seeds[3])
    bundle = contents._repr_mimebundle_()
    assert "1 private and public keys" in bundle["text/html"]
    assert bundle["text/plain"].splitlines()[0] == "<Contents: 2 certificates, 1 key, 0 CRLs, 0 unread>:"
    assert len(bundle["text/plain"].splitlines()) == 3
