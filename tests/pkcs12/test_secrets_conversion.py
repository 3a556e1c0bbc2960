"""A conversion leaves nothing under an old password: secrets of Java, keys, and whatever may be encrypted."""

from __future__ import annotations

import itertools
import os
import random
import subprocess

import pytest
from asn1crypto import parser

from pkcs12kit.errors import InputError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import asn1_types, profiles
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.conversion import convert_pfx
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encryption import algorithm_identifier, encrypt, new_encryption
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import encode_password
from pkcs12kit.pkcs12.private_keys import encode_private_key

from ..der import SURPLUS, with_surplus
from .decrypted_parts import opened, parts_of
from .pfx_parts import attribute, bag_of, bags_of, der, explicit, make_pfx, oid, plain_safe, safe_by, with_mac

OLD, NEW, FOREIGN = "the old one", "the new one", "a third one"
AES, RC2 = profiles.MODERN_2023.key_encryption, profiles.LEGACY_RC2.key_encryption
PSEUDORANDOM_FUNCTION = (1, 0, 1, 2)
"""The place in an EncryptionAlgorithm of PBES2."""
JAVA = "1.2.840.113549.1.12.10.1.2"
SECRET = der(0x30, b"\x02\x01\x00" + der(0x30, oid("2.16.840.1.101.3.4.1") + b"\x05\x00") + der(0x04, bytes(range(32))))
GOST = der(0x30, b"\x02\x01\x00" + der(0x30, oid("1.2.643.7.1.1.1.1")) + der(0x04, bytes(range(32))))
UNKNOWN = der(0x30, der(0x30, oid("1.2.840.113549.1.5.99")) + der(0x04, os.urandom(32)))
NAME = attribute("1.2.840.113549.1.9.20", der(0x1E, "aeskey".encode("utf-16-be")))


def sealed(plain, password, scheme=AES):
    """An EncryptedPrivateKeyInfo."""
    chosen = new_encryption(scheme, iterations=3, salt_length=8, random_bytes=os.urandom)
    octets = encrypt(chosen, plain, encode_password(password), WorkBudget(DEFAULT_LIMITS))
    return der(0x30, algorithm_identifier(chosen).dump() + der(0x04, octets))


def secret_bag(value, *attributes, value_type=JAVA):
    """A secretBag as Java writes it."""
    return bag_of(5, der(0x30, oid(value_type) + explicit(der(0x04, value))), *attributes)


def secrets_of(data, password):
    """The octets of the secrets of Java in a file."""
    values = [asn1_types.TypedValue.load(bag.value)["value"] for bag in decode_pfx(data, password=password).other_bags]
    values = [parser.parse(value.dump())[4] for value in values]
    return [opened(parser.parse(value)[4] if value[0] == 0x04 else value, password) for value in values]


def few(profile):
    """The profile with the fewest iterations."""
    return profile.with_iterations(encryption=profile.minimum_iterations, mac=profile.minimum_iterations)


@pytest.fixture(scope="module")
def bags(small_bundle):
    """The bags of a certificate and of its key, under the old password."""
    certificate = small_bundle.certificates[0]
    key = encode_private_key(small_bundle.private_key, certificate)
    return certificate_bag(certificate.der).dump(), bag_of(2, sealed(key, OLD))


@pytest.mark.parametrize("profile", [it for it in profiles.PROFILES if it.takes_password], ids=lambda it: it.name)
@pytest.mark.parametrize("new", [OLD, NEW])
def test_secrets_under_every_profile(bags, profile, new):
    """A secret is decrypted and encrypted by the new password and the profile, also if only the profile changes.

    It may be in an OCTET STRING, as Java has it, or not, and of any secretTypeId.
    """
    shut = sealed(SECRET, OLD, RC2)
    forms = list(itertools.product((JAVA, "1.2.3.4"), (shut, der(0x04, shut))))
    secrets = [bag_of(5, der(0x30, oid(value_type) + explicit(value)), NAME) for value_type, value in forms]
    data = with_mac([plain_safe(*bags, *secrets)], password=OLD)
    warnings = []
    given = {"password": OLD, "new_password": new, "profile": few(profile)}
    converted = convert_pfx(data, **given, on_warning=warnings.append)
    assert warnings == []
    assert secrets_of(converted, new) == [SECRET] * len(forms)
    report = inspect_pfx(converted, password=new)
    found = [bag for safe in report.safe_contents for bag in safe.bags if bag.type == "secretBag"]
    scheme = profile.key_encryption
    for bag, (value_type, _) in zip(found, forms, strict=True):
        assert (bag.friendly_name, bag.value_type) == ("aeskey", value_type)
        assert bag.encryption.algorithm == scheme.algorithm
        assert scheme.cipher in {None, bag.encryption.cipher}
    if new != OLD:
        assert not any(opened(part, OLD) for part in parts_of(converted, new))


SALT = der(0x30, der(0x04, b"saltsalt") + b"\x02\x01\x01")


def password_key(parameters=b"\x05\x00", held=b"a password"):
    """A password as Java's keytool -importpass keeps it: a key whose algorithm is PBEWithMD5AndDES."""
    algorithm = der(0x30, oid("1.2.840.113549.1.5.3") + parameters)
    return der(0x30, b"\x02\x01\x00" + algorithm + der(0x04, held))


CLOSED = {
    "a key of another password": bag_of(2, sealed(GOST, FOREIGN), NAME),
    "a key of an unknown encryption": bag_of(2, UNKNOWN, NAME),
    "a key bag that is damaged": bag_of(2, der(0x30, b"\x05\x00"), NAME),
    "a secret of another password": secret_bag(sealed(SECRET, FOREIGN), NAME),
    "a secret of an unknown encryption": secret_bag(UNKNOWN, NAME),
    "a secret that is damaged": secret_bag(b"\x30\x80", NAME),
    "a secret that only looks encrypted": secret_bag(UNKNOWN + b"\0", NAME, value_type="1.2.3.4"),
    "an unknown bag that looks encrypted": bag_of(99, sealed(SECRET, OLD), NAME),
    "a CRL bag that looks encrypted": bag_of(4, der(0x30, oid("1.2.3") + explicit(sealed(SECRET, OLD))), NAME),
    "an attribute that looks encrypted": bag_of(99, b"\x05\x00", NAME, attribute("1.2.3.4", sealed(SECRET, OLD))),
    "a key that is encrypted twice": bag_of(2, sealed(sealed(SECRET, OLD), OLD), NAME),
    "a key in the clear that is encrypted": bag_of(1, sealed(SECRET, OLD), NAME),
    "a secret that is encrypted twice": secret_bag(sealed(sealed(SECRET, OLD), OLD), NAME),
    "a secret that is encrypted by a scheme with parameters": secret_bag(sealed(password_key(SALT), OLD), NAME),
    "a password that looks encrypted": secret_bag(sealed(password_key(held=sealed(SECRET, OLD)), OLD), NAME),
    "nested contents that are damaged": bag_of(6, sealed(SECRET, OLD), NAME),
}


@pytest.mark.parametrize("what", CLOSED)
@pytest.mark.parametrize("new", [OLD, NEW, None])
def test_closed_entries_are_refused_or_named(bags, quick, what, new):
    """With another password, or none, an entry that cannot be decrypted is refused; else a warning names it."""
    data = with_mac([plain_safe(*bags, CLOSED[what])], password=OLD)
    warnings = []
    given = {"password": OLD, "new_password": new, "profile": "no-password" if new is None else quick}
    if new == OLD:
        converted = convert_pfx(data, **given, on_warning=warnings.append)
        assert len(warnings) == 1
        assert warnings[0].startswith("bag 3 of SafeContents 1, 'aeskey': ")
        assert "it is kept as it is" in warnings[0]
        plain = b"".join(filter(None, (opened(part, OLD) for part in parts_of(converted, OLD))))
        assert CLOSED[what] in converted + plain
    else:
        with pytest.raises(InputError, match="bag 3 of SafeContents 1, 'aeskey'"):
            convert_pfx(data, **given)


def test_no_element_is_left_out(bags, quick):
    """A file with an element more in any structure is refused, or a conversion keeps the element.

    asn1crypto leaves out those that RFC 7292 section 4 does not define.
    """
    safes = [plain_safe(bags[1], secret_bag(sealed(SECRET, OLD), NAME)), safe_by(AES, OLD, bags_of())]
    read = 0
    for place, data in with_surplus(make_pfx(safes)):
        try:
            converted = convert_pfx(data, password=OLD, new_password=OLD, profile=quick)
        except InputError:
            continue
        if place[-4:] == PSEUDORANDOM_FUNCTION:  # there it is the parameters, which are not read (RFC 8018 B.1.2)
            continue
        read += 1
        plain = filter(None, (opened(part, OLD) for part in parts_of(converted, OLD)))
        assert any(SURPLUS in part for part in (converted, *plain))
    assert read


@pytest.mark.parametrize("what", CLOSED)
def test_nothing_that_was_encrypted_is_in_the_clear(bags, what):
    """An entry that is kept as it is and may be in the clear stays in encrypted contents, or the profile is refused."""
    data = with_mac([safe_by(AES, OLD, bags_of(*bags, CLOSED[what]))], password=OLD)
    given = {"password": OLD, "new_password": OLD}
    sealed_keys = {"a key of another password", "a key that is encrypted twice"}
    sealed_secrets = {
        "a secret of another password",
        "a secret that is encrypted twice",
        "a secret that is encrypted by a scheme with parameters",
        "a password that looks encrypted",
    }
    converted = convert_pfx(data, **given, profile=few(profiles.MODERN_2023))
    assert (CLOSED[what] in converted) is (what in sealed_keys)
    clear = few(profiles.UNENCRYPTED_CERTIFICATES_2023)
    if what in sealed_keys | sealed_secrets | {"a CRL bag that looks encrypted"}:
        assert CLOSED[what] in convert_pfx(data, **given, profile=clear)
    else:
        with pytest.raises(InputError, match="would not be encrypted under the profile"):
            convert_pfx(data, **given, profile=clear)


def test_the_password_of_an_entry_can_be_given(bags, quick):
    """A secret and a key of a third password are opened by the password of the contents, and get the new one."""
    foreign = secret_bag(sealed(SECRET, FOREIGN)), bag_of(2, sealed(GOST, FOREIGN), NAME)
    data = with_mac([plain_safe(*bags, *foreign)], password=OLD)
    with pytest.raises(PfxPasswordError, match="2 entries that would not get the new password"):
        convert_pfx(data, password=OLD, new_password=NEW, profile=quick)
    converted = convert_pfx(data, password=OLD, contents_password=FOREIGN, new_password=NEW, profile=quick)
    assert secrets_of(converted, NEW) == [SECRET]
    assert [part for part in parts_of(converted, NEW) if opened(part, OLD) or opened(part, FOREIGN)] == []
    assert sum(opened(part, NEW) == GOST for part in parts_of(converted, NEW)) == 1


@pytest.mark.parametrize("parameters", [b"", b"\x05\x00"], ids=["absent", "NULL"])
def test_a_password_of_java_is_a_secret(bags, quick, parameters):
    """``PKCS12KeyStore.java``: a stored password has an encryption as its algorithm, and is not encrypted by it."""
    stored = password_key(parameters)
    data = with_mac([plain_safe(*bags, secret_bag(sealed(stored, OLD), NAME))], password=OLD)
    converted = convert_pfx(data, password=OLD, new_password=NEW, profile=quick)
    assert secrets_of(converted, NEW) == [stored]
    assert not any(opened(part, OLD) for part in parts_of(converted, NEW))


def test_a_secret_is_not_written_without_encryption(bags):
    """The form of Java's secrets has an encryption, and a profile without a password has none."""
    data = with_mac([plain_safe(*bags, secret_bag(sealed(SECRET, OLD), NAME))], password=OLD)
    with pytest.raises(InputError, match="'aeskey': its secret is encrypted on its own, and the profile no-password"):
        convert_pfx(data, password=OLD, new_password=None, profile="no-password")


def any_bag(chance, bags, depth=0):
    """A bag of any kind, under any password."""
    plain = chance.choice([SECRET, GOST])
    shut = sealed(plain, chance.choice([OLD, OLD, OLD, FOREIGN]), chance.choice([AES, RC2]))
    value_type = chance.choice([JAVA, "1.2.3.4"])
    kinds = [
        chance.choice(list(CLOSED.values())),
        secret_bag(shut, value_type=value_type),
        bag_of(5, der(0x30, oid(value_type) + explicit(shut))),
        bag_of(2, shut),
        bag_of(1, plain),
        *bags,
    ]
    if depth < 3 and chance.random() < 0.2:
        return bag_of(6, bags_of(*(any_bag(chance, bags, depth + 1) for _ in range(chance.randrange(3)))))
    return chance.choice(kinds)


@pytest.mark.parametrize("first", [0, 40, pytest.param(1_000, marks=pytest.mark.slow)])
def test_nothing_opens_with_the_old_password(bags, quick, first):
    """After a conversion no part of the file decrypts with the old password, and each one with it does with the new."""
    converted = 0
    for seed in range(first, first + (6 if first < 1_000 else 200)):
        chance = random.Random(seed)  # noqa: S311  # not for secrets
        contents = [bags_of(*(any_bag(chance, bags) for _ in range(chance.randrange(1, 4))), bags[1]) for _ in range(2)]
        data = with_mac([safe_by(AES, OLD, contents[0]), safe_by(AES, OLD, contents[1])], password=OLD)
        own = {opened(part, OLD) for part in parts_of(data, OLD)} & {SECRET, GOST}
        try:
            after = convert_pfx(data, password=OLD, new_password=NEW, profile=quick)
        except (PfxPasswordError, UnsupportedPfxError):
            continue
        converted += 1
        assert not any(opened(part, OLD) for part in parts_of(after, NEW)), seed
        assert own <= {opened(part, NEW) for part in parts_of(after, NEW)}, seed
    assert converted


JAVA_PROGRAM = """
import java.io.*; import java.security.*; import java.util.*; import javax.crypto.*;
public class Secrets {
  public static void main(String[] given) throws Exception {
    char[] password = given[0].toCharArray();
    KeyGenerator generator = KeyGenerator.getInstance("AES");
    generator.init(256);
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry("aeskey", generator.generateKey(), password, null);
    try (OutputStream out = new FileOutputStream(given[1])) { store.store(out, password); }
    System.out.println("made");
    System.in.read();
    for (String name : Arrays.asList(given).subList(1, given.length)) {
      try (InputStream in = new FileInputStream(name)) { store.load(in, password); }
      Key key = store.getKey("aeskey", password);
      System.out.println(key.getAlgorithm() + " " + Base64.getEncoder().encodeToString(key.getEncoded()));
    }
  }
}
"""


def test_java_gets_the_same_secret_key(require_tool, tmp_path):
    """``PKCS12KeyStore.java``: Java gets its own AES key with the new password, under every profile that it reads."""
    program, password = tmp_path / "Secrets.java", "secret"
    program.write_text(JAVA_PROGRAM)
    chosen = (profiles.MODERN_2023, profiles.LEGACY_3DES, profiles.LEGACY_RC2)
    files = [tmp_path / f"{name}.p12" for name in ("java", *(profile.name for profile in chosen))]
    command = [require_tool("java"), "-XX:TieredStopAtLevel=1", program, password, *files]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as java:
        assert java.stdout.readline() == "made\n"
        for profile, file in zip(chosen, files[1:], strict=True):
            given = {"profile": few(profile)}
            once = convert_pfx(files[0].read_bytes(), password=password, new_password="between", **given)
            file.write_bytes(convert_pfx(once, password="between", new_password=password, **given))
        first, *others = java.communicate("\n", timeout=120)[0].splitlines()
    assert first.startswith("AES ")
    assert others == [first] * 3
