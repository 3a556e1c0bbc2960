"""The work that a PFX asks for is limited before it is done, and the message has the figure and the limit."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest
from asn1crypto import cms, core, keys
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import LimitExceededError, MalformedPfxError, PfxPasswordError, Pkcs12KitError
from pkcs12kit.limits import DEFAULT_LIMITS, MIB
from pkcs12kit.pkcs12.asn1 import definite
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.protection import Scheme

from ..counting import counted_calls
from .conftest import PASSWORD
from .pfx_parts import (
    attribute,
    bag_of,
    bags_of,
    der,
    encrypted_safe,
    explicit,
    indefinite,
    make_pfx,
    oid,
    plain_safe,
    safe_by,
    with_mac,
)

AES = Scheme(algorithm="PBES2", cipher="AES-128-CBC", digest="SHA-256")
NULLS = b"\x05\x00"
DERIVING = {"derive", "digest", "pbkdf2_hmac", "scrypt"}  # functions of hashlib and cryptography that derivations call


def in_time(data, *, traced=True):
    """Decode and inspect with no more calls and memory than any file may take; return what decoding raised.

    Tracing memory takes ten times as long as the work.
    """
    raised = None
    for read in (inspect_pfx, decode_pfx):
        with counted_calls() as calls:
            raised = attempt(read, data)
        assert calls.total() < 4_000_000
    if not traced:
        return raised
    tracemalloc.start()
    try:
        attempt(decode_pfx, data)
        assert tracemalloc.get_traced_memory()[1] < 100 * MIB
    finally:
        tracemalloc.stop()
    return raised


def attempt(read, data):
    """Return the error that it raises."""
    try:
        read(data, password=PASSWORD)
    except Pkcs12KitError as error:
        return error
    return None


def outside(auth_safe):
    """A PFX around the encoding of a ContentInfo."""
    return der(0x30, b"\x02\x01\x03" + auth_safe)


def data_info(content):
    """A ContentInfo of type data."""
    return cms.ContentInfo({"content_type": "data", "content": content}).dump()


FLOOD = 15 * MIB
FLOODS = {
    "after the version": lambda: der(0x30, b"\x02\x01\x03" + NULLS * (FLOOD // 2)),
    "of indefinite length": lambda: b"\x30\x80" + NULLS * (FLOOD // 2) + b"\0\0",
    "never ended": lambda: b"\x30\x80" + NULLS * (FLOOD // 2),
    "pieces of a string": lambda: outside(
        der(0x30, oid("1.2.840.113549.1.7.1") + explicit(der(0x24, b"\x04\x00" * (FLOOD // 2))))
    ),
    "safes": lambda: outside(data_info(der(0x30, b"\x30\x00" * (FLOOD // 2)))),
    "bags": lambda: make_pfx([data_info(der(0x30, b"\x30\x00" * (FLOOD // 2)))]),
    "bags with the same field again and again": lambda: make_pfx(
        [data_info(der(0x30, der(0x30, b"\x06\x01\x2a" * (FLOOD // 3))))]
    ),
    "attributes": lambda: make_pfx(
        [data_info(bags_of(bag_of(5, der(0x30, oid("1.2.3") + explicit(der(0x04, b""))), b"\x30\x00" * (FLOOD // 2))))]
    ),
    "values of an attribute": lambda: make_pfx(
        [
            data_info(
                bags_of(
                    bag_of(
                        5,
                        der(0x30, oid("1.2.3") + explicit(der(0x04, b""))),
                        attribute("1.2.840.113549.1.9.20", b"\x1e\x00" * (FLOOD // 2)),
                    )
                )
            )
        ]
    ),
}


_QUICK_FLOODS = ("never ended",)


@pytest.mark.parametrize(
    "flood", [name if name in _QUICK_FLOODS else pytest.param(name, marks=pytest.mark.slow) for name in FLOODS]
)
def test_floods_of_tiny_elements(flood):
    """Millions of elements in one file would take asn1crypto many seconds, and gigabytes."""
    assert isinstance(
        in_time(FLOODS[flood](), traced=flood in {"safes", "attributes"}), LimitExceededError | MalformedPfxError
    )


def test_large_octets_are_no_flood():
    """A file as large as may be, in one string: refused for what it is, and soon."""
    assert isinstance(in_time(outside(data_info(bytes(FLOOD)))), MalformedPfxError)


def test_number_and_depth_of_elements(small_bundle):
    """``pfx_elements`` counts each element once, ``pfx_depth`` the levels of nesting; both are inclusive."""
    data = make_pfx([plain_safe(certificate_bag(small_bundle.certificates[0].der))])
    needed = next(count for count in range(1, 1000) if opens(data, pfx_elements=count))
    assert 15 < needed < 50
    with pytest.raises(
        LimitExceededError, match=f"{needed} elements of BER or more; limits.pfx_elements allows {needed - 1}"
    ):
        decode_pfx(data, password=None, limits=replace(DEFAULT_LIMITS, pfx_elements=needed - 1))
    deepest = der(0x30, b"")
    for _ in range(DEFAULT_LIMITS.pfx_depth - 1):
        deepest = der(0x30, deepest)
    assert definite(deepest, WorkBudget(DEFAULT_LIMITS)) == (deepest, len(deepest))
    with pytest.raises(LimitExceededError, match="pfx_depth"):
        definite(der(0x30, deepest), WorkBudget(DEFAULT_LIMITS))


def opens(data, **limits):
    """Return True if it opens within these limits."""
    try:
        decode_pfx(data, password=None, limits=replace(DEFAULT_LIMITS, **limits))
    except LimitExceededError:
        return False
    return True


def test_definite_lengths():
    """X.690 section 8.1.3: the same element, indefinite lengths made definite and strings made whole."""
    budget = WorkBudget(DEFAULT_LIMITS)
    inner = b"\x02\x01\x07"
    for ber, expected in (
        (indefinite(0x30, inner, indefinite(0x31, inner)), der(0x30, inner + der(0x31, inner))),
        (der(0x30, indefinite(0xA0, inner)), der(0x30, der(0xA0, inner))),
        (indefinite(0x24, b"\x04\x01a", indefinite(0x24, b"\x04\x01b"), b"\x04\x00"), b"\x04\x02ab"),
        (der(0x3E, der(0x1E, b"\0a") + der(0x1E, b"\0b")), b"\x1e\x04\0a\0b"),
        (indefinite(0x30), b"\x30\x00"),
    ):
        assert definite(ber, budget) == (expected, len(ber))
        assert definite(ber + b"more", budget) == (expected, len(ber))
    for damaged in (
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x80\x00",
        b"\x04\x80\x00\x00",
        b"\x30\x05\x02\x01",
        b"\x1f\x81\x01\x00",
    ):
        with pytest.raises(ValueError, match=r"data|tag|constructed"):
            definite(damaged, budget)


def kdf_safe(parameters, kdf="1.2.840.113549.1.5.12"):
    """A safe by PBES2 with AES-128 and the encoded parameters of a key derivation."""
    cipher = der(0x30, oid("2.16.840.1.101.3.4.1.2") + der(0x04, bytes(16)))
    pbes2 = der(0x30, der(0x30, oid(kdf) + der(0x30, parameters)) + cipher)
    return encrypted_safe(der(0x30, oid("1.2.840.113549.1.5.13") + pbes2), bytes(32))


def integers(*values):
    """Encoded integers."""
    return b"".join(core.Integer(value).dump() for value in values)


@pytest.mark.parametrize(
    ("n", "r", "p", "limit"),
    [
        (2**20, 8, 1, "pfx_scrypt_bytes"),
        (2**14, 8, 2**20, "pfx_scrypt_bytes"),
        (2**200, 2**200, 2**200, "pfx_scrypt_bytes"),
    ],
)
def test_cost_of_scrypt(n, r, p, limit):
    """128 N r p bytes of RFC 7914 are checked before any is allocated."""
    data = make_pfx([kdf_safe(der(0x04, b"saltsalt") + integers(n, r, p), "1.3.6.1.4.1.11591.4.11")])
    raised = in_time(data)
    assert isinstance(raised, LimitExceededError)
    assert f"limits.{limit} allows {getattr(DEFAULT_LIMITS, limit):,}" in str(raised)


def test_total_cost_of_scrypt():
    """Each scrypt within its limit, all together beyond theirs."""
    cost = (2**10, 8, 1)
    data = make_pfx([kdf_safe(der(0x04, b"saltsalt") + integers(*cost), "1.3.6.1.4.1.11591.4.11")])
    limits = replace(DEFAULT_LIMITS, pfx_total_scrypt_bytes=128 * 2**13 - 1)
    with pytest.raises(LimitExceededError, match="pfx_total_scrypt_bytes"):
        decode_pfx(data, password=PASSWORD, limits=limits)


@pytest.mark.parametrize("length", [-1, 0, 15, 17, 2**31, 2**100])
def test_key_length_of_an_encryption(length):
    """The cipher has one key length; a file with another one is damaged, and no key is derived for it."""
    raised = in_time(make_pfx([kdf_safe(der(0x04, b"saltsalt") + integers(1000, length))]))
    assert isinstance(raised, MalformedPfxError)
    assert f"a key of {length} bytes" in str(raised)


@pytest.mark.parametrize("length", [DEFAULT_LIMITS.pfx_key_bytes + 1, 2**31, 2**100])
def test_key_length_of_a_mac(length):
    """PBMAC1 states the length of its key, which may be any, up to ``pfx_key_bytes``."""
    safes = [plain_safe()]
    mac_data = asn1_pkcs12.Pfx.load(with_mac(safes, algorithm="PBMAC1"))["mac_data"].dump()
    parameters = der(0x04, b"saltsalt") + integers(3, length)
    kdf = der(0x30, oid("1.2.840.113549.1.5.12") + der(0x30, parameters))
    hmac = der(0x30, oid("1.2.840.113549.2.9") + NULLS)
    identifier = der(0x30, oid("1.2.840.113549.1.5.14") + der(0x30, kdf + hmac))
    assert mac_data[:1] == b"\x30"
    data = make_pfx(safes, der(0x30, der(0x30, identifier + der(0x04, bytes(32))) + der(0x04, b"")))
    raised = in_time(data)
    assert isinstance(raised, LimitExceededError)
    assert "limits.pfx_key_bytes" in str(raised)


def test_rare_encodings_have_a_budget_of_their_own():
    """A wrong password for a file of many iterations is reported after one derivation."""
    data = with_mac([plain_safe()])
    pfx = asn1_pkcs12.Pfx.load(data)
    pfx["mac_data"]["iterations"] = DEFAULT_LIMITS.pfx_retry_iterations + 1
    with pytest.raises(PfxPasswordError, match=r"not tried; limits\.pfx_retry_iterations is 500,000"):
        decode_pfx(pfx.dump(force=True), password="wrong")
    with pytest.raises(PfxPasswordError) as caught:
        decode_pfx(data, password="wrong")
    assert "not tried" not in str(caught.value)


def test_private_keys_and_certificates_have_a_size(small_bundle):
    """A key beyond ``private_key_bytes`` is not loaded; a certificate beyond ``certificate_bytes`` is a reject."""
    key = bag_of(1, der(0x30, bytes(DEFAULT_LIMITS.private_key_bytes)))
    with pytest.raises(LimitExceededError, match="private_key_bytes"):
        decode_pfx(make_pfx([data_info(bags_of(key))]), password=None)
    certificate = small_bundle.certificates[0]
    limits = replace(DEFAULT_LIMITS, certificate_bytes=len(certificate.der) - 1)
    decoded = decode_pfx(make_pfx([plain_safe(certificate_bag(certificate.der))]), password=None, limits=limits)
    assert decoded.certificates == ()
    assert "limits.certificate_bytes" in decoded.rejects[0].reason


def test_loading_private_keys_has_a_budget(small_bundle):
    """The cost of loading grows with the cube of the length: 30,000 bits of DSA are 15 KB in a file, and 12 seconds."""
    number = 2**30_000 - 1
    algorithm = {"algorithm": "dsa", "parameters": {"p": number, "q": number >> 8, "g": number >> 2}}
    private_key = core.ParsableOctetString(core.Integer(number >> 9).dump())
    info = keys.PrivateKeyInfo({"version": 0, "private_key_algorithm": algorithm, "private_key": private_key}).dump()
    assert len(info) < DEFAULT_LIMITS.private_key_bytes
    raised = in_time(make_pfx([data_info(bags_of(bag_of(1, info)))]))
    assert isinstance(raised, LimitExceededError)
    assert "limits.private_key_work allows 256" in str(raised)
    der_of_key = small_bundle.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    many = make_pfx([data_info(bags_of(*[bag_of(1, der_of_key)] * 600))])  # 600 keys, a tenth of a Kibit³ each
    assert len(decode_pfx(many, password=None).keys) == 600
    for read in (decode_pfx, inspect_pfx):
        with pytest.raises(LimitExceededError, match="pfx_private_key_work allows 1"):
            read(many, password=None, limits=replace(DEFAULT_LIMITS, pfx_private_key_work=1))


@pytest.mark.parametrize("data", ["300230800000", "30023080000000", "3004308030000000", "3004308002010500"])
def test_end_of_contents_stays_inside(data):
    """X.690 section 8.1.5: an element of indefinite length ends within what holds it."""
    with pytest.raises(ValueError, match=r"end-of-contents octets outside|Insufficient data"):
        definite(bytes.fromhex(data), WorkBudget(DEFAULT_LIMITS))
    assert definite(bytes.fromhex("300430800000"), WorkBudget(DEFAULT_LIMITS)) == (bytes.fromhex("30023000"), 6)


def test_derivations_are_seen():
    """A control for the two tests below: opening a file whose MAC is verified calls what they look for."""
    with counted_calls() as calls:
        decode_pfx(with_mac([plain_safe()]), password=PASSWORD)
    assert DERIVING & calls.keys()


def test_visible_scrypt_is_added_up_before_any_derivation():
    """A cost beyond the limit is refused before the MAC is made, and so are five that are within it one by one."""
    mac_data = asn1_pkcs12.Pfx.load(with_mac([plain_safe()]))["mac_data"]
    mac_data["iterations"] = 1_900_000
    for figures, safes, limit in (((2**20, 8, 2), 1, "pfx_scrypt_bytes"), ((2**15, 8, 2), 5, "pfx_total_scrypt_bytes")):
        scrypt = der(0x30, oid("1.3.6.1.4.1.11591.4.11") + der(0x30, der(0x04, b"saltsalt") + integers(*figures)))
        cipher = der(0x30, oid("2.16.840.1.101.3.4.1.2") + der(0x04, bytes(16)))
        identifier = der(0x30, oid("1.2.840.113549.1.5.13") + der(0x30, scrypt + cipher))
        data = make_pfx([encrypted_safe(identifier, bytes(32))] * safes, mac_data.dump(force=True))
        with counted_calls() as calls, pytest.raises(LimitExceededError, match=rf"limits\.{limit} "):
            decode_pfx(data, password="wrong")
        assert calls.total() < 50_000
        assert not DERIVING & calls.keys()


def test_iterations_of_inner_keys_count_when_reached():
    """A shrouded key inside encrypted contents shows its count only after decryption; it is checked before its own."""
    identifier = der(0x30, oid("1.2.840.113549.1.12.1.3") + der(0x30, der(0x04, b"saltsalt") + integers(2**31 - 1)))
    shrouded = bag_of(2, der(0x30, identifier + der(0x04, bytes(64))))
    raised = in_time(with_mac([safe_by(AES, PASSWORD, bags_of(shrouded))]))
    assert isinstance(raised, LimitExceededError)
    assert "2,147,483,647 iterations for one key; limits.pfx_iterations allows 2,000,000" in str(raised)


def test_visible_iterations_are_added_up_before_any_derivation():
    """Keys in contents that are not encrypted have visible counts.

    A total beyond the limit is refused before the MAC.
    """
    identifier = der(0x30, oid("1.2.840.113549.1.12.1.3") + der(0x30, der(0x04, b"saltsalt") + integers(2_000_000)))
    shrouded = bag_of(2, der(0x30, identifier + der(0x04, bytes(64))))
    data = with_mac([plain_safe()])
    six = make_pfx([data_info(bags_of(*[shrouded] * 6))], asn1_pkcs12.Pfx.load(data)["mac_data"].dump())
    with (
        counted_calls() as calls,
        pytest.raises(LimitExceededError, match=r"12,000,003 iterations in all; limits\.pfx_total_iterations"),
    ):
        decode_pfx(six, password="wrong")
    assert calls.total() < 50_000
    assert not DERIVING & calls.keys()
    assert inspect_pfx(six).safe_contents[0].bags[5].encryption.iterations == 2_000_000
