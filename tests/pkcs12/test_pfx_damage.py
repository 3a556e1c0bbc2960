"""Damaged, hostile and unknown files: an error from the tree or a correct reading, and little work."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from pathlib import PurePath

import pytest
from asn1crypto import algos, cms, core, keys
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import (
    LimitExceededError,
    MalformedPfxError,
    PfxPasswordError,
    Pkcs12KitError,
    UnsupportedPfxError,
)
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.derivation import KeyDerivation
from pkcs12kit.pkcs12.digests import DIGESTS
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import encode_password
from pkcs12kit.pkcs12.pkcs12_kdf import IV, KEY, MAC
from pkcs12kit.pkcs12.protection import PKCS12KDF

from ..counting import counted_calls
from .conftest import PASSWORD
from .pfx_parts import bags_of, chunked, der, explicit, indefinite, make_pfx, plain_safe, with_mac

LOW = replace(DEFAULT_LIMITS, pfx_iterations=5_000, pfx_total_iterations=20_000)


@pytest.fixture(scope="module")
def small(small_bundle, quick):
    """The bytes of a PFX with a key and one certificate."""
    return encode_pfx(small_bundle, password=PASSWORD, profile=quick)


@pytest.fixture(scope="module")
def small_without_mac(small):
    """The same without MacData: nothing but parsing and padding notices damage."""
    return make_pfx(asn1_pkcs12.Pfx.load(small).authenticated_safe)


def attempt(data, **arguments):
    """Decode and inspect; an error of the tree is an answer, any other exception is the test's failure."""
    for read in (decode_pfx, inspect_pfx):
        try:
            outcome = read(data, password=PASSWORD, limits=LOW, **arguments)
        except Pkcs12KitError:
            outcome = None
        yield outcome


def each_byte_flipped(data):
    """Yield the file with one byte changed, each in turn; a mask is used at every fourth byte."""
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= (0x01, 0x20, 0x80, 0xFF)[position % 4]
        yield bytes(damaged)


@pytest.mark.slow
def test_every_byte_flipped(small, small_bundle):
    """A file that still decodes after a change of one byte has exactly the written contents: the MAC covers them."""
    decoded_anyway = 0
    for damaged in each_byte_flipped(small):
        decoded, _ = attempt(damaged)
        if decoded is not None:
            decoded_anyway += 1
            assert decoded.private_key.private_numbers() == small_bundle.private_key.private_numbers()
            assert decoded.certificates == small_bundle.certificates
    assert decoded_anyway < 10  # the two NULL parameters and the like


@pytest.mark.slow
def test_every_byte_flipped_without_mac(small_without_mac):
    """Without a MAC nothing vouches for the contents, but no damage leads to anything but an error or a value."""
    for damaged in each_byte_flipped(small_without_mac):
        list(attempt(damaged))


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # pyca's word on a certificate that was hit
@pytest.mark.slow
def test_every_byte_of_an_open_file_flipped(small_bundle):
    """The same for unencrypted bags, where every byte is structure that is read."""
    key = small_bundle.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    bags = (
        certificate_bag(small_bundle.certificates[0].der, friendly_name="naïve", local_key_id=b"1"),
        asn1_pkcs12.SafeBag({"bag_id": "key_bag", "bag_value": keys.PrivateKeyInfo.load(key)}),
    )
    data = make_pfx([plain_safe(*bags)])
    assert decode_pfx(data, password=None).identity.certificate == small_bundle.certificates[0]
    for damaged in each_byte_flipped(data):
        list(attempt(damaged))


def test_every_truncation(small):
    """A file that is cut short anywhere is damaged."""
    for length in range(len(small)):
        with pytest.raises(MalformedPfxError):
            decode_pfx(small[:length], password=PASSWORD)
        with pytest.raises(MalformedPfxError):
            inspect_pfx(small[:length])


@pytest.mark.parametrize("seed", range(20))
def test_noise(small, seed):
    """Random bytes, and random bytes in place of the contents."""
    noise = random.Random(seed)  # noqa: S311 -- nothing secret, only repeatable
    list(attempt(noise.randbytes(200)))
    list(attempt(small[:30] + noise.randbytes(len(small) - 30)))
    shuffled = bytearray(small)
    for _ in range(5):
        shuffled[noise.randrange(len(small))] = noise.randrange(256)
    list(attempt(bytes(shuffled)))


def test_values_nested_without_end():
    """BER of indefinite length is read by recursion: thousands of levels are damage, not a crash."""
    for opening in (b"\x30\x80", b"\x24\x80", b"\xa0\x80"):
        for prefix in (b"", b"\x30\x80\x02\x01\x03"):
            for depth in (1_000, 100_000):
                assert list(attempt(prefix + opening * depth)) == [None, None]


def test_three_different_errors(small):
    """A wrong password, a damaged file and an unsupported algorithm are told apart."""
    with pytest.raises(PfxPasswordError, match="the password is wrong"):
        decode_pfx(small, password="wrong")
    with pytest.raises(MalformedPfxError):
        decode_pfx(small[:-3], password=PASSWORD)
    with pytest.raises(MalformedPfxError):
        decode_pfx(b"", password=PASSWORD)
    with pytest.raises(UnsupportedPfxError, match=r"2\.16\.840\.1\.101\.3\.4\.2\.11"):  # SHAKE128
        decode_pfx(
            small.replace(b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", b"\x60\x86\x48\x01\x65\x03\x04\x02\x0b"),
            password=PASSWORD,
        )


def test_unsupported_encryption_is_named(small_without_mac):
    """The sentence says which algorithm is not supported, here one without the parameters of RFC 5084 section 3.2."""
    changed = small_without_mac.replace(  # AES-256-GCM in place of AES-256-CBC
        bytes.fromhex("60864801650304012a"), bytes.fromhex("60864801650304012e")
    )
    with pytest.raises(UnsupportedPfxError, match=r"PBES2 .*2\.16\.840\.1\.101\.3\.4\.1\.46"):
        decode_pfx(changed, password=PASSWORD)
    report = inspect_pfx(changed, password=PASSWORD)
    assert report.safe_contents[0].bags is None
    assert report.safe_contents[0].encryption.cipher == "AES-256-GCM (2.16.840.1.101.3.4.1.46)"


def test_mac_that_does_not_verify_gives_nothing(small):
    """The contents could be read, but a MAC stands before them and does not verify."""
    damaged = bytearray(small)
    damaged[-20] ^= 1  # within the MAC's value or salt
    with pytest.raises(PfxPasswordError):
        decode_pfx(bytes(damaged), password=PASSWORD)
    report = inspect_pfx(bytes(damaged), password=PASSWORD)
    assert report.mac_verified is False
    assert report.safe_contents[0].bags is None


def test_sound_mac_over_what_does_not_decrypt(small):
    """A MAC that verifies vouches for the ciphertext, so another password is likelier than damage."""
    safes = asn1_pkcs12.Pfx.load(small).authenticated_safe
    safes[0]["content"]["encrypted_content_info"]["encrypted_content"] = bytes(64)
    with pytest.raises(PfxPasswordError, match="there may be another password"):
        decode_pfx(with_mac(safe.dump(force=True) for safe in safes), password=PASSWORD)


def test_wrong_password_without_a_mac(small_without_mac):
    """Without a MAC the padding tells, or what comes out is no SafeContents: a password error all the same."""
    assert decode_pfx(small_without_mac, password=PASSWORD).private_key is not None
    for number in range(300):  # once in 256 times wrong keys leave sound padding
        with pytest.raises(PfxPasswordError):
            decode_pfx(small_without_mac, password=f"wrong {number}")
    assert inspect_pfx(small_without_mac, password="wrong").mac_verified is None


def with_iterations(data, iterations):
    """State another count for the MAC."""
    pfx = asn1_pkcs12.Pfx.load(data)
    pfx["mac_data"]["iterations"] = iterations
    return pfx.dump(force=True)


@pytest.mark.parametrize("iterations", [DEFAULT_LIMITS.pfx_iterations + 1, 2**31 - 1, 2**63, 2**4000])
def test_iterations_are_checked_before_work(small, iterations):
    """A few bytes in a file must not keep a core busy: the limit is named, at once, and inspection shows the figure."""
    hostile = with_iterations(small, iterations)
    with counted_calls() as calls:
        with pytest.raises(LimitExceededError, match="pfx_iterations"):
            decode_pfx(hostile, password=PASSWORD)
        assert inspect_pfx(hostile).mac.iterations == iterations
    assert calls.total() < 50_000


@pytest.mark.parametrize("iterations", [0, -1])
def test_iterations_below_one_are_damage(small, iterations):
    """RFC 7292 appendix B.2 and RFC 8018 section 5.2: a positive integer."""
    with pytest.raises(MalformedPfxError, match="iterations"):
        decode_pfx(with_iterations(small, iterations), password=PASSWORD)


def test_total_iterations_are_limited(small, quick):
    """Each derivation within its limit, all together beyond theirs."""
    limits = replace(DEFAULT_LIMITS, pfx_total_iterations=2 * quick.encryption_iterations)
    with pytest.raises(LimitExceededError, match="pfx_total_iterations"):
        decode_pfx(small, password=PASSWORD, limits=limits)


def test_limit_can_be_raised(small):
    """A limit equal to what the file asks for lets it through."""
    count = 30_000
    with pytest.raises(LimitExceededError):
        decode_pfx(with_iterations(small, count), password=PASSWORD, limits=LOW)
    with pytest.raises(PfxPasswordError):  # the count changed, so the MAC cannot verify, but it was computed
        decode_pfx(
            with_iterations(small, count),
            password=PASSWORD,
            limits=replace(LOW, pfx_iterations=count, pfx_total_iterations=2 * count),
        )


def test_file_size_bags_and_nesting_are_limited(small, small_bundle):
    """The three other figures of a file: bytes, bags, SafeContents in one another."""
    with pytest.raises(LimitExceededError, match="pfx_bytes"):
        decode_pfx(small, password=PASSWORD, limits=replace(DEFAULT_LIMITS, pfx_bytes=len(small) - 1))
    bag = certificate_bag(small_bundle.certificates[0].der)
    many = make_pfx([plain_safe(*[bag] * 20)])
    assert len(decode_pfx(many, password=None).certificates) == 20
    with pytest.raises(LimitExceededError, match="pfx_bags"):
        decode_pfx(many, password=None, limits=replace(DEFAULT_LIMITS, pfx_bags=20))
    for depth, fits in ((DEFAULT_LIMITS.pfx_nesting, True), (DEFAULT_LIMITS.pfx_nesting + 1, False), (2_000, False)):
        contents = bags_of(bag)
        for _ in range(depth - 1):
            nested = core.ObjectIdentifier("1.2.840.113549.1.12.10.1.6").dump() + explicit(contents)
            contents = der(0x30, der(0x30, nested))
        data = make_pfx([cms.ContentInfo({"content_type": "data", "content": contents})])
        if fits:
            assert len(decode_pfx(data, password=None).certificates) == 1
        else:
            with pytest.raises((LimitExceededError, MalformedPfxError)):
                decode_pfx(data, password=None)


def test_ber_with_indefinite_lengths(small, small_bundle):
    """RFC 7292 section 4 allows BER: indefinite lengths and octet strings in chunks, the MAC over the joined octets."""
    pfx = asn1_pkcs12.Pfx.load(small)
    oid = pfx["auth_safe"]["content_type"].dump()
    content = pfx["auth_safe"]["content"].native
    auth_safe = indefinite(0x30, oid, indefinite(0xA0, chunked(0x24, content)))
    data = indefinite(0x30, pfx["version"].dump(), auth_safe, pfx["mac_data"].dump())
    assert decode_pfx(data, password=PASSWORD).identity.certificate == small_bundle.certificates[0]


def test_ber_ciphertext_in_chunks(small, small_bundle):
    """NSS's old writer put the ciphertext into a constructed [0] IMPLICIT OCTET STRING."""
    safes = asn1_pkcs12.Pfx.load(small).authenticated_safe
    info = safes[0]["content"]["encrypted_content_info"]
    encrypted = indefinite(
        0x30,
        info["content_type"].dump(),
        info["content_encryption_algorithm"].dump(),
        chunked(0xA0, info["encrypted_content"].native),
    )
    data = indefinite(
        0x30, safes[0]["content_type"].dump(), indefinite(0xA0, indefinite(0x30, b"\x02\x01\x00", encrypted))
    )
    content = indefinite(0x30, data, safes[1].dump())
    pfx = asn1_pkcs12.Pfx({"version": "v3", "auth_safe": {"content_type": "data", "content": content}}).dump()
    assert decode_pfx(pfx, password=PASSWORD).identity.certificate == small_bundle.certificates[0]


def test_one_bad_certificate_does_not_lose_the_rest(small_bundle):
    """A certificate that no reader makes sense of is reported with its position, the others are there."""
    bags = (certificate_bag(b"\x30\x03\x02\x01\x01"), certificate_bag(small_bundle.certificates[0].der))
    decoded = decode_pfx(make_pfx([plain_safe(*bags)]), password=None)
    assert decoded.certificates == small_bundle.certificates
    assert [reject.position for reject in decoded.rejects] == [1]


def rc2_40_safe(require_tool, contents, iterations=50):
    """Encrypt SafeContents as OpenSSL 1.x did; the openssl program has the cipher."""
    salt = b"8 bytes!"
    kdf = KeyDerivation(algorithm=PKCS12KDF, digest="SHA-1", salt=salt, iterations=iterations)
    key, iv = (
        kdf.derive(encode_password(PASSWORD), length, WorkBudget(DEFAULT_LIMITS), purpose=purpose)
        for purpose, length in ((KEY, 5), (IV, 8))
    )
    command = [require_tool("openssl"), "enc", "-rc2-40-cbc", "-provider", "legacy", "-provider", "default"]
    ciphertext = subprocess.run(
        [*command, "-K", key.hex(), "-iv", iv.hex()], input=contents, capture_output=True, check=True
    ).stdout
    return cms.ContentInfo(
        {
            "content_type": "encrypted_data",
            "content": {
                "version": "v0",
                "encrypted_content_info": {
                    "content_type": "data",
                    "content_encryption_algorithm": {
                        "algorithm": "pkcs12_sha1_rc2_40",
                        "parameters": {"salt": salt, "iterations": iterations},
                    },
                    "encrypted_content": ciphertext,
                },
            },
        }
    )


def test_rc2_40_certificates(require_tool, bundle):
    """Certificates under the encryption of OpenSSL 1.x and Java 8 are read, in order and with their names."""
    bags = [
        certificate_bag(certificate.der, friendly_name=name)
        for certificate, name in zip(bundle.certificates, bundle.aliases, strict=True)
    ]
    data = make_pfx([rc2_40_safe(require_tool, bags_of(*bags))])
    decoded = decode_pfx(data, password=PASSWORD)
    assert decoded.certificates == bundle.certificates
    assert decoded.friendly_names == bundle.aliases
    with pytest.raises(PfxPasswordError):
        decode_pfx(data, password="wrong")


def test_rc2_40_hides_no_work(require_tool, small_bundle):
    """A shrouded key with 2**31-1 iterations inside RC2-40 contents is seen before it is derived."""
    shrouded = keys.EncryptedPrivateKeyInfo(
        {
            "encryption_algorithm": algos.EncryptionAlgorithm(
                {
                    "algorithm": "pkcs12_sha1_tripledes_3key",
                    "parameters": {"salt": b"saltsalt", "iterations": 2**31 - 1},
                }
            ),
            "encrypted_data": bytes(64),
        }
    )
    bags = [
        asn1_pkcs12.SafeBag({"bag_id": "pkcs8_shrouded_key_bag", "bag_value": shrouded}),
        certificate_bag(small_bundle.certificates[0].der),
    ]
    data = make_pfx([rc2_40_safe(require_tool, bags_of(*bags))])
    with counted_calls() as calls, pytest.raises(LimitExceededError, match="2,147,483,647"):
        decode_pfx(data, password=PASSWORD)
    assert calls.total() < 500_000


def test_pkcs12_kdf_agrees_with_openssl(require_tool):
    """RFC 7292 appendix B.2: every digest, purpose, several blocks of output, empty salt and empty password."""
    openssl = require_tool("openssl")
    for digest in DIGESTS:
        for text, salt, purpose, length in (
            (PASSWORD, b"saltsalt", KEY, 150),
            ("", b"s" * 200, IV, 8),
            ("x" * 100, b"0123456789abcdef", MAC, 64),
        ):
            password = encode_password(text)
            options = {
                "digest": digest.replace("SHA-", "SHA").replace("/", "-"),
                "hexpass": password.bmp.hex(),
                "hexsalt": salt.hex(),
                "iter": "7",
                "id": str(purpose),
            }
            command = [openssl, "kdf", "-keylen", str(length), "-binary", "-provider", "default", "-provider", "legacy"]
            for name, value in options.items():
                command += ["-kdfopt", f"{name}:{value}"]
            expected = subprocess.run([*command, "PKCS12KDF"], capture_output=True, check=True).stdout
            kdf = KeyDerivation(algorithm=PKCS12KDF, digest=digest, salt=salt, iterations=7)
            derived = kdf.derive(password, length, WorkBudget(DEFAULT_LIMITS), purpose=purpose)
            assert derived == expected, (digest, purpose)


def test_errors_hold_no_secret(small):
    """No error's text nor what it was raised from has the password."""
    for data, password in ((small, "hunter2 hunter2"), (small[:-1], "hunter2 hunter2")):
        with pytest.raises(Pkcs12KitError) as caught:
            decode_pfx(data, password=password)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("path", ["server.p12", PurePath("server.p12")])
def test_a_path_is_no_pfx(path):
    """The codec only accepts bytes, and does not report a path as a damaged file."""
    with pytest.raises(TypeError, match="data: expected bytes, not"):
        decode_pfx(path, password=None)
