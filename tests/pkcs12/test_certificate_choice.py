"""One key with several certificates: which of them is used, in every order, with every arrangement of localKeyIDs."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations, product

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit.certificates.choice import by_preference
from pkcs12kit.pkcs12.bags import certificate_bag, key_bag
from pkcs12kit.pkcs12.decoder import decode_pfx

from .conftest import DAY
from .pfx_parts import make_pfx, plain_safe

AT = DAY + timedelta(days=1000)
# name: the days from DAY at which a certificate begins and ends; the time asked for is day 1,000
PERIODS = {
    "expired": (0, 900),
    "expired later": (0, 950),
    "valid": (500, 1500),
    "renewed": (900, 1400),
    "renewed again": (900, 1700),
    "future": (1100, 2500),
    "from now on": (1000, 1200),
    "until now": (100, 1000),
}
IDS = {"shared": (b"k", b"k", b"k"), "distinct": (b"k", b"2", b"3"), "missing": (None,) * 3, "last": (None, None, b"k")}


@pytest.fixture(scope="module")
def ca():
    """A CA that lasts longer than all certificates."""
    validity = pk.lab.Validity(DAY, DAY + timedelta(days=4000))
    return pk.lab.Authority.create("CA", validity=validity)


@pytest.fixture(scope="module")
def key():
    """The one key."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def certificates(ca, key):
    """A certificate of the key for each period."""
    return {
        name: ca.issue_server(
            "mdm.example.mil",
            private_key=key,
            validity=pk.lab.Validity(DAY + timedelta(days=begin), DAY + timedelta(days=end)),
        ).certificate
        for name, (begin, end) in PERIODS.items()
    }


def make_file(key, own, ids, *others):
    """Return a PKCS#12 file in the clear: the key with the localKeyID ``k``, its certificates, and others."""
    info = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    bags = [
        certificate_bag(certificate.der, local_key_id=its_id) for certificate, its_id in zip(own, ids, strict=False)
    ]
    bags += [certificate_bag(certificate.der) for certificate in others]
    return make_pfx([plain_safe(key_bag(info, local_key_id=b"k"), *bags)])


def beats(one, other):
    """Return True if a period is used rather than another: valid before not valid, then begun later, then longer."""
    (begin, end), (its_begin, its_end) = PERIODS[one], PERIODS[other]
    valid, its_valid = begin <= 1000 <= end, its_begin <= 1000 <= its_end
    if valid != its_valid:
        return valid
    return (begin, end) > (its_begin, its_end)


def expected(names):
    """Return the period that no other of these beats, found by comparing each with each."""
    (best,) = [one for one in names if not any(beats(other, one) for other in names)]
    return best


def test_every_selection_in_every_order(certificates):
    """The newest that is valid is used, else the newest, in whatever order they are given; each is kept, once."""
    for names in (names for size in (1, 2, 3, 4) for names in permutations(PERIODS, size)):
        own = [certificates[name] for name in names]
        preferred = by_preference([*own, *own], AT)
        assert preferred[0] == certificates[expected(names)], names
        assert sorted(one.der for one in preferred) == sorted(one.der for one in own)


@pytest.mark.parametrize("ids", IDS)
def test_the_choice_in_a_file(ca, key, certificates, ids):
    """It does not depend on the localKeyIDs; the others are named, and nothing else is."""
    periods = ("expired", "valid", "renewed", "future")
    for names in [*permutations(periods, 2), ("valid",), ("expired", "renewed again", "renewed")]:
        own = [certificates[name] for name in names]
        data = make_file(key, own, IDS[ids], ca.certificate)
        best = certificates[expected(names)]
        found = decode_pfx(data, password=None).key()
        assert found.certificate_at(AT) == best, names
        assert set(found.certificates) == set(own)
        named = found.other_certificates_at(AT)
        assert (named is None) == (len(own) == 1)
        used, _, unused = (named or "").partition("; not used: ")
        for certificate in own:
            assert named is None or (f"#{certificate.serial_number} " in used) == (certificate == best)
            assert named is None or (f"#{certificate.serial_number} " in unused) == (certificate != best)


def test_every_way_to_a_key_makes_the_same_choice(ca, key, certificates):
    """Files, PEM, loaded values and the reports choose alike, and each names the certificates that it leaves."""
    for names in [*permutations(("expired", "valid", "renewed"), 3), ("future", "expired"), ("until now", "future")]:
        own = [certificates[name] for name in names]
        data, best = make_file(key, own, IDS["shared"], ca.certificate), certificates[expected(names)]
        pem = "".join(one.to_pem() for one in (ca.certificate, *own)).encode()
        for given in (
            {"pkcs12": data},
            {"pkcs12": decode_pfx(data, password=None)},
            {"key": key, "certificate": pem},
            {"key": key, "certificate": pk.CertificatePool(own)},
            {"key": key, "certificate": data},
            {"key": data, "certificate": pem},
            {"pkcs12": data, "certificate": pem},
            {"key": data},
        ):
            warnings = []
            identity = pk.load_identity(**given, time=AT, on_warning=warnings.append)
            assert identity.certificate == best
            assert sum(f"{len(own)} certificates belong to the private key" in warning for warning in warnings) == 1
        report = pk.inspect_pfx(data, password="", time=AT)
        assert report.end_entity == best
        assert any("certificates belong to the private key" in problem for problem in report.arrangement.problems)
        warnings = []
        decoded = decode_pfx(data, password=None)
        text = pk.encode_pem(decoded, time=AT, certs_only=True, on_warning=warnings.append)
        assert text == (best.to_pem() + ca.certificate.to_pem()).encode()
        assert len(warnings) == 1


@pytest.mark.parametrize("names", [("expired", "valid"), ("renewed", "expired"), ("future", "expired later")])
def test_build_and_verify_choose_by_their_time(ca, key, certificates, names):
    """``build`` writes the one that is valid at its time, or finds no path; ``verify`` judges the same one."""
    own = [certificates[name] for name in names]
    data, best = make_file(key, own, IDS["shared"], ca.certificate), certificates[expected(names)]
    given = {"trust_anchors": [ca.certificate], "time": AT}
    verified = pk.verify(data, password=None, **given)
    assert verified.target == best
    note = next(found for found in verified.findings if found.check is pk.Check.PRIVATE_KEY)
    assert note.outcome is pk.Outcome.NOTE
    assert f"#{next(one for one in own if one != best).serial_number}" in note.why
    ids = next(found for found in verified.findings if found.check is pk.Check.LOCAL_KEY_ID)
    assert ids.outcome is pk.Outcome.OK  # both are for the key
    if names[0] == "future":
        with pytest.raises(pk.NoValidPathError):
            pk.build(pkcs12=data, password="x", **given)
    else:
        built = pk.build(pkcs12=data, password="x", **given)
        assert built.certificates == (best, ca.certificate)
        assert any("certificates belong to the private key" in warning for warning in built.warnings)


def test_local_key_ids_are_judged_by_key(ca, key, certificates):
    """In order: the certificate that is used has the key's ID, and no certificate of another key has it.

    RFC 2985 section 5.5.2: a localKeyID says which private key a certificate belongs to.
    """
    other = ca.issue_server("other.example")
    own = [certificates["expired"], certificates["valid"]]
    for its_ids in product((None, b"k", b"2"), repeat=3):
        info = other.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        bags = [key_bag(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), local_key_id=b"k")]
        bags += [key_bag(info, local_key_id=b"2")]
        bags += [
            certificate_bag(certificate.der, local_key_id=its_id)
            for certificate, its_id in zip((*own, other.certificate), its_ids, strict=True)
        ]
        report = pk.inspect_pfx(make_pfx([plain_safe(*bags)]), password="", time=AT)
        in_order = its_ids[0] in {None, b"k"} and its_ids[1] == b"k" and its_ids[2] == b"2"
        assert report.arrangement.local_key_ids_match == in_order, its_ids


def test_a_time_has_a_time_zone(key, certificates):
    """A time without one is refused by name, as everywhere."""
    data = make_file(key, [certificates["valid"]], IDS["shared"])
    naive = AT.replace(tzinfo=None)
    with pytest.raises(pk.ArgumentError, match="no time zone"):
        pk.load_identity(pkcs12=data, time=naive)
    with pytest.raises(pk.ArgumentError, match="no time zone"):
        pk.inspect_pfx(data, time=naive)
    with pytest.raises(pk.ArgumentError, match="no time zone"):
        decode_pfx(data, password=None).key().certificate_at(naive)
