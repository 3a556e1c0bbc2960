"""Names of readers with versions: what each stands for, no more than its versions can do, and the refusals."""

from __future__ import annotations

import pickle
import random
import re

import pytest

import pkcs12kit as pk
from pkcs12kit.certificates.key_kinds import KeyKind
from pkcs12kit.findings import Answer
from pkcs12kit.pkcs12 import profiles, readers
from pkcs12kit.pkcs12.compatibility import of_profile
from pkcs12kit.pkcs12.reader_table import ENTRIES, FAMILIES, GROUPS
from pkcs12kit.versions import Family, Names

MEANINGS = {
    # a name: the entries that it stands for
    "java": "java-26",
    "openssl": "openssl-3.5",
    "gnutls": "gnutls-3.8.9",
    "nss": "nss-3.110",
    "bouncycastle": "bouncycastle-1.80",
    "dotnet": "dotnet-9",
    "windows": "windows-2022",
    "openssl-3": "openssl-3.0 openssl-3.5",
    "openssl-1": "openssl-1.0 openssl-1.1",
    "openssl-3.2": "openssl-3.0 openssl-3.5",
    "openssl-3.0.19": "openssl-3.0",
    "openssl-3.5.9": "openssl-3.5",
    "openssl-4": "openssl-3.5",
    "java-17.0.5": "java-17",
    "java-25": "java-25",
    "java-25.0.3": "java-25",
    "java-25.0.5": "java-25.0.5",
    "java-25.0.7": "java-25.0.5",
    "java-25.0": "java-25 java-25.0.5",
    "java-22": "java-21 java-25",
    "java-11": "java-8 java-17",
    "java-30": "java-26",
    "java>=25": "java-25 java-25.0.5 java-26",
    "java >= 25.0.3": "java-25 java-25.0.5 java-26",
    "java>=25.0.5": "java-25.0.5 java-26",
    "java>=25.0.7": "java-25.0.5 java-26",
    "java>=22": "java-21 java-25 java-25.0.5 java-26",
    "java>=30": "java-26",
    "nss>=3.9": "nss-3.87 nss-3.110",
    "nss-3.9": "",
    "gnutls-3.8.3": "gnutls-3.8",
    "gnutls-3.8.10": "gnutls-3.8.9",
    "go-1.24": "go-crypto-0.25 go-sslmate-0.5",
    "go": "go-crypto-0.25 go-sslmate-0.5",
    "go>=1.24": "go-crypto-0.25 go-sslmate-0.5",
    "go-1.22": "go-crypto-0.4 go-sslmate-0.0 go-crypto-0.25 go-sslmate-0.5",
    "go-crypto": "go-crypto-0.25",
    "go-sslmate>=0.0": "go-sslmate-0.0 go-sslmate-0.5",
    "macos-14": "macos",
    "macos>=14": "macos",
}
MEANINGS = {name: entries.split() for name, entries in MEANINGS.items() if entries and name != "nss>=3.9"}


@pytest.mark.parametrize("name", MEANINGS)
def test_what_a_name_stands_for(name):
    """The entries, oldest first; a sentence says so unless the name is that of an entry."""
    reader = readers.find(name)
    assert list(reader.entries) == MEANINGS[name]
    assert bool(reader.remark) == (name not in ENTRIES)
    for entry in MEANINGS[name]:
        assert re.search(rf"(^|\W){re.escape(entry)}(\W|$)", reader.remark) or name in ENTRIES
    assert readers.find(reader) is reader
    assert pickle.loads(pickle.dumps(reader)) == reader  # noqa: S301  # our own


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("jav", "did you mean 'java'"),
        ("jav>=17", "unknown reader 'jav': did you mean 'java'"),
        ("java-7", "the oldest version in the table is java-8"),
        ("nss-3.9", "the oldest version in the table is nss-3.87"),
        ("nss>=3.9", "the oldest version in the table is nss-3.87"),
        ("java>17", "only conditions such as 'java>=26'"),
        ("java<=17", "only conditions such as 'java>=26'"),
        ("java==17", "only conditions such as 'java>=26'"),
        ("java>=", "only conditions such as 'java>=26'"),
        ("java>=x", "only conditions such as 'java>=26'"),
        ("java>=17.", "only conditions such as 'java>=26'"),
        ("java>=1.2.3.4.5", "only conditions such as 'java>=26'"),
        ("java-17-lts", "unknown reader 'java-17-lts'"),
        ("java-\u0661\u0667", "unknown reader"),
        ("java-" + "9" * 5_000, "unknown reader"),
        ("java>=" + "9" * 5_000, "unknown reader"),
        ("", "unknown reader ''"),
        (">=3", "unknown reader"),
        ("java>=17,<26", "unknown reader"),
    ],
)
def test_names_that_are_none(name, said):
    """A version that is too old, another operator or another text is refused, with the names that there are."""
    with pytest.raises(pk.UnknownNameError, match=re.escape(said)) as raised:
        readers.find(name)
    assert len(str(raised.value)) < 2_000
    assert pickle.loads(pickle.dumps(raised.value)).why == raised.value.why  # noqa: S301  # our own


def test_a_name_claims_no_more_than_its_entries():
    """Whatever the name, the kind of key and the profile: it is a yes only if each entry is, and a no if one is."""
    dice = random.Random(7)  # noqa: S311  # not for secrets
    names = [*readers.READERS, *MEANINGS]
    names += [
        f"{it.name}>={'.'.join(map(str, dice.choice([*it.numbers.values()])))}" for it in FAMILIES if it.has_versions
    ]
    for name in names:
        reader = readers.find(name)
        entries = [ENTRIES[entry] for entry in reader.entries]
        for profile in profiles.PROFILES:
            for kind in dice.sample([None, *KeyKind], 6):
                facts = of_profile(profile, key=kind)
                answers = {entry.judge(facts).answer for entry in entries}
                answer = reader.judge(facts).answer
                assert answer is not Answer.YES or answers == {Answer.YES}, (name, profile.name, kind)
                assert answer is Answer.NO or Answer.NO not in answers, (name, profile.name, kind)


def test_a_later_condition_never_opens_less():
    """name>=N is a no wherever name>=M with a later M is one: fewer versions have to open the file."""
    for family in FAMILIES:
        if not family.has_versions:
            continue
        conditions = [f"{family.name}>={'.'.join(map(str, number))}" for number in family.numbers.values()]
        for profile in profiles.PROFILES:
            opened = [readers.find(one).judge(of_profile(profile)).answer is Answer.YES for one in conditions]
            assert opened == sorted(opened), (family.name, profile.name)


def test_nothing_is_known_of_other_keys():
    """A key of a kind beyond the table is never a yes, for any reader and profile."""
    for profile in profiles.PROFILES:
        verdicts = readers.judge_profile(profile, key=KeyKind.OTHER)
        assert {verdict.answer for verdict in verdicts.values()} <= {Answer.NO, Answer.UNKNOWN}
    with pytest.raises(pk.InputError, match="nothing is known about key of another kind"):
        profiles.for_readers("openssl", key=KeyKind.OTHER)


def test_the_key_decides():
    """The same profile for the same program: a yes or a no by the kind of key; and the choice refuses such a key."""
    verdicts = {kind: readers.judge_profile(profiles.MODERN, key=kind)["openssl-3.0"].answer for kind in KeyKind}
    assert verdicts[KeyKind.ED25519] is verdicts[KeyKind.EC_P256] is Answer.YES
    assert verdicts[KeyKind.ML_DSA_65] is Answer.NO
    assert profiles.for_readers("openssl-3.5", key=KeyKind.ML_DSA_65).name == "fips-2026"
    for reader in ("openssl>=3.0", "nss", "go", "java-25", "bouncycastle"):
        with pytest.raises(pk.InputError, match="under any profile"):
            profiles.for_readers(reader, key=KeyKind.ML_DSA_65)
    for reader in ("java-17", "java", "nss"):
        with pytest.raises(pk.InputError, match="this key"):
            profiles.for_readers(reader, key=KeyKind.EC_SECP256K1)


def test_real_keys_and_certificates():
    """``key`` and ``certificates`` are keys and certificates as they come; other values are mistakes."""
    root = pk.lab.Authority.create("Root", key_type=pk.lab.KeyType.ED25519)
    server = root.issue_server("a.example", key_type=pk.lab.KeyType.EC_P256)
    for key in (server, server.certificate, server.private_key, server.private_key.public_key()):
        assert profiles.for_readers("nss", key=key).name == "fips-2026"
    with pytest.raises(pk.InputError, match=r"bouncycastle-1\.72.*ML-DSA"):
        profiles.for_readers(
            "bouncycastle-1.72",
            certificates=[pk.lab.Authority.create("M", key_type=pk.lab.KeyType.ML_DSA_44).certificate],
        )
    with pytest.raises(pk.InputError, match="windows-2022 is not known to open a file with these certificates"):
        profiles.for_readers("windows-2022", key=server, certificates=[server.certificate, root.certificate])
    for wrong in (7, "rsa", b"", object()):
        with pytest.raises(pk.ArgumentError):
            profiles.for_readers("nss", key=wrong)
        with pytest.raises(pk.ArgumentError):
            profiles.readers_of("modern", key=wrong)
        with pytest.raises(pk.ArgumentError):
            profiles.for_readers("nss", certificates=[wrong])


class TestNames:
    """The names of any table."""

    NAMES = Names("program", [Family(name="p", title="P", numbers={"p-2": (2,), "p-2.5": (2, 5), "p-4": (4,)})], {})

    def test_between(self):
        """After an update of version 2, version 3 need not have what the update has."""
        assert self.NAMES.meaning_of("p-3").entries == ("p-2", "p-4")
        assert self.NAMES.meaning_of("p>=3").entries == ("p-2", "p-4")

    def test_every_version_has_an_entry_below(self):
        """Whatever the number: the first entry is one that is not newer, or its stem; and >= has all that follow."""
        entries = [*self.NAMES.entries]
        for major in range(2, 6):
            for minor in range(8):
                number = f"{major}.{minor}"
                found = self.NAMES.meaning_of(f"p>={number}").entries
                assert found == tuple(entries[entries.index(found[0]) :]) or found[0] == "p-2", number
                alone = self.NAMES.meaning_of(f"p-{number}").entries
                assert alone[0] == found[0] or number == "2.0", number

    def test_groups_have_entries(self):
        """No group has an entry twice, or one that is not in the table."""
        for entries in GROUPS.values():
            assert len(set(entries)) == len(entries)
            assert set(entries) <= set(ENTRIES)
