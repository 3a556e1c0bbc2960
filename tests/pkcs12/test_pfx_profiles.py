"""Profiles: what they state is what is written, dated ones stay as they are, and readers choose among them."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, replace

import pytest

from pkcs12kit.errors import ArgumentError, InputError, PasswordError, UnknownNameError
from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.pkcs12 import profiles, readers
from pkcs12kit.pkcs12.compatibility import Bounds, Feature, PfxFacts, Protection, Reader, ReaderStatement, of_profile
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

from .conftest import PASSWORD

pytestmark = pytest.mark.released_iterations

# What each dated profile is, for good: certificates, key, MAC, iterations (encryption, MAC), salt lengths.
AES = ("PBES2", "AES-256-CBC", "SHA-256")
TRIPLE_DES = ("pbeWithSHAAnd3-KeyTripleDES-CBC", None, None)
RC2 = ("pbeWithSHAAnd40BitRC2-CBC", None, None)
DATED = {
    "fips-2026": (AES, AES, ("PBMAC1", "SHA-256"), (600_000, 600_000), (16, 16)),
    "modern-2023": (AES, AES, ("HMAC", "SHA-256"), (100_000, 100_000), (16, 8)),
    "legacy-3des": (TRIPLE_DES, TRIPLE_DES, ("HMAC", "SHA-1"), (2_048, 2_048), (8, 8)),
    "legacy-rc2": (RC2, TRIPLE_DES, ("HMAC", "SHA-1"), (2_048, 2_048), (8, 8)),
    "unencrypted-certificates-2023": (None, AES, ("HMAC", "SHA-256"), (100_000, 100_000), (16, 8)),
    "no-password": (None, None, (None, None), (0, 0), (0, 0)),
}


def test_dated_profiles_never_move():
    """A name that a script relies on stands for the same algorithms and figures for ever."""

    def scheme(it):
        return it and (it.algorithm, it.cipher, it.digest)

    stated = {
        it.name: (
            scheme(it.certificate_encryption),
            scheme(it.key_encryption),
            (it.mac_algorithm, it.mac_digest),
            (it.encryption_iterations, it.mac_iterations),
            (it.encryption_salt_length, it.mac_salt_length),
        )
        for it in profiles.PROFILES
    }
    assert stated == DATED
    with pytest.raises(FrozenInstanceError):
        profiles.MODERN.mac_iterations = 1


def test_names():
    """MODERN and LEGACY stand for dated profiles; every name is found, others are refused with those there are."""
    assert profiles.find("modern") is profiles.MODERN is profiles.MODERN_2023
    assert profiles.find("legacy") is profiles.LEGACY is profiles.LEGACY_3DES
    assert [profiles.find(name).name for name in DATED] == list(DATED)
    assert profiles.names() == ("modern", "legacy", *DATED)
    with pytest.raises(
        UnknownNameError, match=r"unknown profile 'modren': did you mean 'modern'.*legacy, fips-2026"
    ) as raised:
        profiles.find("modren")
    assert raised.value.nearest[0] == "modern"
    with pytest.raises(ArgumentError, match="profile: expected str or Profile, not int"):
        profiles.find(7)
    assert profiles.find(profiles.LEGACY_RC2) is profiles.LEGACY_RC2


def few(profile):
    """A profile with as few iterations as it allows, other ones for the MAC."""
    if not profile.takes_password:
        return profile
    return profile.with_iterations(encryption=profile.minimum_iterations + 6, mac=profile.minimum_iterations + 10)


@pytest.mark.parametrize("profile", profiles.PROFILES, ids=lambda profile: profile.name)
def test_what_is_stated_is_written(bundle, profile):
    """Algorithms, iterations for encryption and MAC apart, salt lengths: as the file itself states them."""
    profile = few(profile)
    password = PASSWORD if profile.takes_password else None
    report = inspect_pfx(encode_pfx(bundle, password=password, profile=profile), password=password)
    if profile.mac_algorithm is None:
        assert report.mac is None
    else:
        assert (report.mac.algorithm, report.mac.digest) == (profile.mac_algorithm, profile.mac_digest)
        assert (report.mac.iterations, len(report.mac.salt)) == (profile.mac_iterations, profile.mac_salt_length)
    certificates, key = report.safe_contents
    assert key.bags[0].type == ("keyBag" if profile.key_encryption is None else "pkcs8ShroudedKeyBag")
    for encryption, scheme in (
        (certificates.encryption, profile.certificate_encryption),
        (key.bags[0].encryption, profile.key_encryption),
    ):
        assert (encryption is None) == (scheme is None)
        if encryption is not None:
            assert encryption.algorithm == scheme.algorithm
            assert encryption.iterations == profile.encryption_iterations
            assert len(encryption.salt) == profile.encryption_salt_length


@pytest.mark.parametrize("name", ["fips-2026", None, "legacy-3des", "unencrypted-certificates-2023"])
def test_the_released_counts_are_written(bundle, name):
    """Without other iterations, MAC, certificates and key have those of the profile; modern-2023 is the default."""
    chosen = {} if name is None else {"profile": name}
    report = inspect_pfx(encode_pfx(bundle, password=PASSWORD, **chosen))
    certificates, key = report.safe_contents
    encryption, mac = DATED[name or "modern-2023"][3]
    assert report.mac.iterations == mac
    assert key.bags[0].encryption.iterations == encryption
    if name != "unencrypted-certificates-2023":
        assert certificates.encryption.iterations == encryption


def test_no_pkcs12kdf_in_fips_2026(bundle):
    """RFC 9879: no key comes from PKCS12KDF, for the MAC neither."""
    profile = few(profiles.FIPS_2026)
    report = inspect_pfx(encode_pfx(bundle, password=PASSWORD, profile=profile), password=PASSWORD)
    described = [report.mac.to_json(), *(safe.encryption.to_json() for safe in report.safe_contents if safe.encryption)]
    described += [bag.encryption.to_json() for safe in report.safe_contents for bag in safe.bags if bag.encryption]
    assert [it["kdf"] for it in described] == ["PBKDF2"] * 3
    assert Feature.PKCS12KDF not in of_profile(profile).features


def test_iterations_of_a_copy():
    """Encryption and MAC apart; the original stays; what makes no sense is refused."""
    modern = profiles.MODERN_2023
    assert modern.with_iterations() == modern
    assert modern.with_iterations(mac=7) == replace(modern, mac_iterations=7)
    assert modern.with_iterations(encryption=7) == replace(modern, encryption_iterations=7)
    assert modern.mac_iterations == 100_000
    for wrong in ({"mac": 0}, {"encryption": -1}):
        with pytest.raises(ValueError, match="at least 1"):
            modern.with_iterations(**wrong)
    with pytest.raises(
        ValueError, match="at least 1,000 iterations are needed, not 999"
    ):  # NIST SP 800-132 section 5.2
        profiles.FIPS_2026.with_iterations(mac=999)
    with pytest.raises(ValueError, match="no encryption"):
        profiles.NO_PASSWORD.with_iterations(encryption=1)
    with pytest.raises(ValueError, match="no MAC"):
        profiles.NO_PASSWORD.with_iterations(mac=1)
    with pytest.raises(ValueError, match="or neither"):
        replace(modern, mac_digest=None)


def test_password_where_none_protects(small_bundle):
    """Neither a password that protects nothing nor a profile that lacks one goes through in silence."""
    with pytest.raises(PasswordError, match="protects nothing"):
        encode_pfx(small_bundle, password=PASSWORD, profile=profiles.NO_PASSWORD)
    with pytest.raises(PasswordError, match="none was given"):
        encode_pfx(small_bundle, password=None)


class TestReaders:
    """The table, and what follows from it."""

    def test_every_name_of_the_issue(self):
        """Each reader that may be named is there, and says something, with a source for each statement."""
        assert set(readers.READERS) == {
            *("openssl-1.0", "openssl-1.1", "openssl-3.0", "openssl-3.5", "openssl-3", "openssl"),
            *("java-8", "java-17", "java-21", "java-21.0.13", "java-25", "java-25.0.5", "java-26", "java"),
            *("windows-2016", "windows-2019", "windows-2022", "windows", "macos", "ios", "android"),
            *("nss-3.87", "nss-3.110", "nss", "gnutls-3.7", "gnutls-3.8", "gnutls-3.8.9", "gnutls"),
            *("bouncycastle-1.72", "bouncycastle-1.80", "bouncycastle", "dotnet-9", "dotnet", "fips-140-3"),
            *("go-crypto-0.4", "go-crypto-0.25", "go-crypto", "go-sslmate-0.0", "go-sslmate-0.5", "go-sslmate"),
            *("go-1.19", "go-1.24", "go"),
        }
        for reader in readers.READERS.values():
            assert all(statement.source for statement in reader.statements)
            features = [statement.feature for statement in reader.statements]
            assert len(features) == len(set(features)), f"{reader.name} contradicts itself"

    @pytest.mark.parametrize("name", ["windows-2016", "windows-2022"])
    def test_what_microsoft_says_of_windows(self, name):
        """That Server 2019 opens AES with SHA-256, Server 2016 does not, and both open triple DES with SHA-1."""
        expected = {Feature.AES: name == "windows-2022", Feature.TRIPLE_DES: True, Feature.MAC_SHA1: True}
        for feature, opens in expected.items():
            statement = readers.READERS[name].statement_on(feature)
            assert (statement.opens, statement.evidence) == (opens, Evidence.DOCUMENTED)
            assert statement.source.startswith("https://learn.microsoft.com/en-us/troubleshoot/windows-server/")

    @pytest.mark.parametrize("name", readers.READERS)
    def test_one_reader(self, name):
        """For each reader a profile is chosen that it is known to open."""
        profile = profiles.for_readers(name)
        assert profiles.readers_of(profile)[name].answer is Answer.YES

    @pytest.mark.parametrize(
        ("names", "chosen"),
        [
            (["java-26"], "fips-2026"),
            (["java-26", "fips-140-3"], "fips-2026"),
            (["java-26", "java-17"], "modern-2023"),
            (["dotnet", "windows-2022", "openssl-3", "nss", "gnutls"], "modern-2023"),
            (["openssl-3.5", "java-25.0.5", "gnutls-3.8.9", "nss-3.110"], "fips-2026"),
            (["java>=17"], "modern-2023"),
            (["go-crypto"], "legacy-3des"),
            (["java", "openssl", "nss", "gnutls"], "fips-2026"),
            (["windows-2016", "java-26"], "legacy-3des"),
            (["windows-2016", "macos", "android", "java-8", "ios"], "legacy-3des"),
        ],
    )
    def test_the_strongest_that_all_open(self, names, chosen):
        """One reader that knows nothing newer is enough for an older profile; order and repetition do not matter."""
        assert profiles.for_readers(*names).name == chosen
        assert profiles.for_readers(*reversed(names), *names).name == chosen

    def test_no_profile_for_all(self):
        """The error lists the profiles that each reader opens; for one reader there is no list."""
        each = (
            "opened by all of fips-140-3, windows-2016: fips-140-3 opens fips-2026; windows-2016 opens legacy-3des,"
            " legacy-rc2. Write one file for each of them"
        )
        with pytest.raises(InputError, match=re.escape(each)):
            profiles.for_readers("fips-140-3", "windows-2016")

    def test_names_that_are_none(self):
        """A name that is no reader's is answered with those that are; no name at all is a mistake in the program."""
        with pytest.raises(UnknownNameError, match=r"unknown reader 'netscape'.*openssl-1\.0, openssl-1\.1"):
            profiles.for_readers("netscape")
        with pytest.raises(ArgumentError, match="at least one"):
            profiles.for_readers()

    def test_iterations_are_capped(self, monkeypatch):
        """The lowest limit among those named holds, for encryption, MAC and total apart."""
        strong = profiles.MODERN_2023.with_iterations(encryption=1_500_000, mac=1_400_000)
        dotnet = readers.choose(["dotnet", "java-17"], [strong])
        assert (dotnet.encryption_iterations, dotnet.mac_iterations) == (300_000, 300_000)
        bounds = replace(readers.READERS["dotnet"].bounds, total=600_000, mac=150_000)
        narrow = {"dotnet": replace(readers.READERS["dotnet"], bounds=bounds)}
        monkeypatch.setattr(readers, "READERS", narrow)
        capped = readers.choose(["dotnet"], [strong])
        assert (capped.encryption_iterations, capped.mac_iterations) == (200_000, 150_000)


class TestWhoOpens:
    """From the facts of any file to an answer with its reason, for each reader."""

    def test_unknown_algorithm(self):
        """An algorithm that the table does not cover is unknown for each reader, unless another fact is a no."""
        scrypt = Protection(algorithm="PBES2", cipher="AES-256-CBC", kdf="scrypt")
        facts = replace(of_profile(profiles.MODERN), encryptions=(scrypt,))
        verdicts = readers.judge(facts)
        assert verdicts["openssl-3"].answer is Answer.UNKNOWN
        assert verdicts["openssl-3"].why == "nothing is known about PBES2 with AES-256-CBC with scrypt"
        assert verdicts["fips-140-3"].answer is Answer.NO  # its MAC

    def test_limits(self):
        """Too many iterations, in one derivation or in all; too few, or too short a salt, for approved mode."""
        many = readers.judge(of_profile(profiles.MODERN.with_iterations(encryption=600_000, mac=600_000)))
        assert many["dotnet"].answer is Answer.NO
        assert "600,000 iterations, and at most 300,000 are allowed" in many["dotnet"].why
        assert "1,800,000 iterations in all, and at most 1,000,000 are allowed" in many["dotnet"].why
        assert many["java-17"].answer is Answer.YES
        weak = replace(profiles.FIPS_2026, minimum_iterations=1, mac_iterations=999, encryption_salt_length=15)
        verdict = readers.judge(of_profile(weak))["fips-140-3"]
        assert verdict.answer is Answer.NO
        assert "999 iterations, and at least 1,000 are needed" in verdict.why
        assert "a salt of 15 bytes, and at least 16 are needed" in verdict.why

    def test_password(self):
        """A password that is empty, or beyond ASCII, where that is known to matter."""
        facts = of_profile(profiles.MODERN)
        assert readers.judge(replace(facts, non_ascii_password=True))["java-17"].answer is Answer.NO
        assert readers.judge(replace(facts, non_ascii_password=False))["java-17"].answer is Answer.YES
        legacy = replace(of_profile(profiles.LEGACY), empty_password=True)
        answers = {name: verdict.answer for name, verdict in readers.judge(legacy).items()}
        assert (answers["macos"], answers["ios"]) == (Answer.NO, Answer.YES)

    def test_what_was_not_looked_into_is_said(self):
        """A yes for a file that was not opened says so."""
        facts = replace(of_profile(profiles.MODERN), complete=False)
        assert "not all contents were opened" in readers.judge(facts)["nss"].why

    def test_json(self):
        """Each answer is yes, no or unknown, with why and where from."""
        described = {name: verdict.to_json() for name, verdict in profiles.readers_of("legacy").items()}
        assert {it["opens"] for it in described.values()} == {"yes", "no"}
        assert described["macos"]["sources"] == ["https://github.com/zeroc-ice/ice/pull/6503"]
        assert all(it["why"] for it in described.values())

    def test_nothing_protected(self):
        """No MAC and a key in the clear count too."""
        facts = PfxFacts(encryptions=(), mac=None, clear_certificates=True, clear_key=True)
        verdicts = readers.judge(facts)
        assert verdicts["openssl-3"].answer is Answer.YES
        assert verdicts["java-17"].answer is Answer.NO
        assert verdicts["nss"].answer is Answer.NO


def test_one_unknown_is_no_yes():
    """A reader of which one feature is not known is not known to open the file; bounds are inclusive."""
    aes = ReaderStatement(feature=Feature.AES, opens=True, evidence=Evidence.TRIED, source="us")
    mac = replace(aes, feature=Feature.MAC_SHA256)
    facts = of_profile(profiles.MODERN_2023)
    bounds = Bounds(encryption=100_000, mac=100_000, total=300_000, minimum=100_000)
    reader = Reader(name="r", title="R", statements=(aes, mac), bounds=bounds)
    assert reader.judge(facts).answer is Answer.YES
    unknown = replace(reader, statements=(aes,)).judge(facts)
    assert (unknown.answer, unknown.why) == (Answer.UNKNOWN, "nothing is known about MAC with SHA-256")
    assert reader.judge(replace(facts, clear_certificates=True)).answer is Answer.UNKNOWN
    beside = replace(facts, encryptions=(*facts.encryptions, Protection(algorithm="1.2.3", iterations=100_000)))
    assert replace(reader, bounds=Bounds()).judge(beside).why == "nothing is known about 1.2.3"
    for figure in ("encryption", "mac", "total"):
        tighter = replace(bounds, **{figure: getattr(bounds, figure) - 1})
        assert replace(reader, bounds=tighter).judge(facts).answer is Answer.NO
    assert replace(reader, bounds=replace(bounds, minimum=100_001)).judge(facts).answer is Answer.NO
    assert "not all contents were opened" in reader.judge(replace(facts, complete=False)).why
    assert "not all contents were opened" not in reader.judge(facts).why


def test_password_that_a_reader_is_known_to_refuse():
    """For any profile: Java 17 opens no file with a password beyond ASCII, and macOS none with the empty one."""
    with pytest.raises(PasswordError, match="java-17: does not open password beyond ASCII; tried by us"):
        readers.require_password(["nss", "java-17"], "p\xe4ssword")
    with pytest.raises(PasswordError, match="macos: does not open empty password"):
        readers.require_password(["macos"], "")
    readers.require_password(["java-17", "macos", "openssl-1.0"], PASSWORD)
    readers.require_password(["nss", "openssl-1.0"], "p\xe4ssword")  # opened; and not known
