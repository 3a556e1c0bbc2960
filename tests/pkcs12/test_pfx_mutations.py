"""Structures that hypothesis makes up, and mutations of files of every kind: an error of the tree, or a value."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit.errors import Pkcs12KitError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.protection import Scheme

from ..counting import counted_calls
from ..thoroughness import examples
from .conftest import PASSWORD
from .pfx_parts import bags_of, chunked, der, explicit, indefinite, make_pfx, oid, safe_by, with_mac

OIDS = [
    "1.2.840.113549.1.7.1",  # data
    "1.2.840.113549.1.7.6",  # encryptedData
    *(f"1.2.840.113549.1.12.10.1.{number}" for number in range(1, 8)),  # bags
    "1.2.840.113549.1.9.20",  # friendlyName
    "1.2.840.113549.1.9.21",  # localKeyID
    "1.2.840.113549.1.9.22.1",  # x509Certificate
    "1.2.840.113549.1.5.13",  # PBES2
    "1.2.840.113549.1.5.12",  # PBKDF2
    "1.2.840.113549.1.5.14",  # PBMAC1
    "1.3.6.1.4.1.11591.4.11",  # scrypt
    "1.2.840.113549.1.12.1.6",  # pbeWithSHAAnd40BitRC2-CBC
    "1.2.840.113549.3.2",  # RC2-CBC
    "2.16.840.1.101.3.4.1.42",  # AES-256-CBC
    "2.16.840.1.101.3.4.2.1",  # SHA-256
    "1.2.840.113549.2.9",  # HMAC-SHA256
]
TAGS = st.sampled_from([0x30, 0x31, 0xA0, 0xA1, 0x24, 0x3E, 0x80, 0x04])

LEAVES = (
    st.sampled_from(OIDS).map(oid)
    | st.integers(-2, 70_000).map(lambda value: der(0x02, value.to_bytes(4, signed=True)))
    | st.binary(max_size=40).map(lambda octets: der(0x04, octets))
    | st.text(max_size=5).map(lambda text: der(0x1E, text.encode("utf-16-be", "surrogatepass")))
    | st.just(b"\x05\x00")
    | st.binary(max_size=6)
)
ELEMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda tag, parts: der(tag, b"".join(parts)), TAGS, st.lists(inner, max_size=5)),
        st.builds(lambda tag, parts: indefinite(tag | 0x20, *parts), TAGS, st.lists(inner, max_size=5)),
        inner.map(lambda part: chunked(0x24, part)),
    ),
    max_leaves=25,
)


def attempt(data, *, limits=DEFAULT_LIMITS):
    """Decode and inspect in few calls; an error of the tree is an answer, any other exception the test's failure."""
    decoded = None
    for read in (inspect_pfx, decode_pfx):
        with counted_calls() as calls:
            try:
                decoded = read(data, password=PASSWORD, limits=limits)
            except Pkcs12KitError:
                decoded = None
        assert calls.total() < 100_000
    return decoded


@given(ELEMENTS)
@settings(deadline=None, max_examples=examples(300))
def test_structures_anywhere(element):
    """Anything as a file, as its authenticated safe, as its contents, as its MAC, and in an open bag."""
    attempt(element)
    attempt(der(0x30, b"\x02\x01\x03" + element))
    attempt(der(0x30, b"\x02\x01\x03" + der(0x30, oid(OIDS[0]) + explicit(der(0x04, element)))))
    attempt(make_pfx([der(0x30, oid(OIDS[0]) + explicit(der(0x04, der(0x30, element))))]))
    attempt(make_pfx([], element))
    attempt(make_pfx([der(0x30, oid(OIDS[0]) + explicit(der(0x04, bags_of(der(0x30, element)))))]))


@given(st.sampled_from(OIDS[2:9]), ELEMENTS, st.lists(ELEMENTS, max_size=2))
@settings(deadline=None, max_examples=examples(200))
def test_bags_of_anything_behind_a_sound_mac(bag_id, value, attributes):
    """An attacker who knows the password can put anything under MAC and encryption, and it is still only data."""
    bag = der(0x30, oid(bag_id) + explicit(value) + der(0x31, b"".join(attributes)))
    scheme = Scheme(algorithm="PBES2", cipher="AES-128-CBC", digest="SHA-256")
    attempt(with_mac([safe_by(scheme, PASSWORD, bags_of(bag))]))


QUICK = {"encryption_iterations": 3, "mac_iterations": 3, "minimum_iterations": 1}
LOW = replace(DEFAULT_LIMITS, pfx_iterations=5_000, pfx_total_iterations=20_000, pfx_retry_iterations=3_000)


@pytest.mark.parametrize(
    ("profile", "step"),
    [
        pytest.param(replace(profiles.FIPS_2026, **QUICK), 1, id="fips-2026", marks=pytest.mark.slow),
        pytest.param(replace(profiles.LEGACY_RC2, **QUICK), 1, id="legacy-rc2", marks=pytest.mark.slow),
        pytest.param(
            replace(profiles.UNENCRYPTED_CERTIFICATES_2023, **QUICK),
            1,
            id="unencrypted-certificates-2023",
            marks=pytest.mark.slow,
        ),
        pytest.param(profiles.NO_PASSWORD, 1, id="no-password", marks=pytest.mark.slow),
        pytest.param(profiles.NO_PASSWORD, 10, id="no-password, each tenth byte"),
    ],
)
@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # pyca's word on a certificate that was hit
def test_flips_of_every_profile(small_bundle, profile, step):
    """One byte changed, each in turn: what opens behind a MAC is what was written. Deletions and repetitions too."""
    password = PASSWORD if profile.takes_password else None
    data = encode_pfx(small_bundle, password=password, profile=profile)
    chance = random.Random(profile.name)  # noqa: S311  # nothing secret, only repeatable
    for position in range(0, len(data), step):
        flipped = bytearray(data)
        flipped[position] ^= 1 << chance.randrange(8)
        decoded = attempt(bytes(flipped), limits=LOW)
        if decoded is not None and profile.takes_password:
            assert decoded.certificates == small_bundle.certificates
            assert decoded.private_key.private_numbers() == small_bundle.private_key.private_numbers()
        if position % 5 == 0:
            length = chance.randrange(1, 9)
            attempt(data[:position] + data[position + length :], limits=LOW)
            attempt(data[: position + length] + data[position:], limits=LOW)
