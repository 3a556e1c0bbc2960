"""The check of Java's entries: no for Java where its key store loses one or serves another chain, a note otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.pkcs12.bags import certificate_bag, other_bag, trusted_key_usage
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents
from pkcs12kit.pkcs12.readers import READERS

from ..calling import NO, YES, call

PASSWORD = "correct horse 42 battery"
QUICK = replace(pk.profiles.MODERN, encryption_iterations=3, mac_iterations=3)
MARK = (trusted_key_usage(),)
SECRET = bytes.fromhex("300b06032a0304a00404020102")  # SecretBag, RFC 7292 section 4.2.5


@pytest.fixture(scope="module")
def topology():
    """Two servers below a CA and an anchor: EE < I < TA, Other < I."""
    return lab.Topology.from_edges("EE<I<TA", "Other<I")


@pytest.fixture(scope="module")
def chain(topology):
    """EE, I and TA's own."""
    return (
        topology.certificate("EE", "I"),
        topology.certificate("I", "TA"),
        topology.authorities["TA"].certificate,
    )


def key_of(identity, name, own_id):
    """The key of an identity as a file has it."""
    info = identity.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PlainKey(private_key_info=info, friendly_name=name, local_key_id=own_id)


def bag(certificate, name=None, own_id=None, attributes=()):
    """The certBag of a certificate."""
    return certificate_bag(certificate.der, friendly_name=name, local_key_id=own_id, attributes=attributes)


def pfx(bags, *keys):
    """Make a file of bags in this order, the keys last."""
    return encode_contents(bags, list(keys), password=PASSWORD, profile=QUICK)


@pytest.fixture
def judge(chain):
    """Return the finding about Java of a file, for some readers, and check that the report agrees with it."""

    def of_file(data, *readers, **more):
        report = pk.verify(
            data, trust_anchors=chain[-1].der, password=PASSWORD, readers=readers, second_opinion=False, **more
        )
        (found,) = [one for one in report.findings if one.check is Check.JAVA_ENTRIES]
        assert not (report.ok and found.is_problem)
        return found

    return of_file


@pytest.fixture
def losing(topology, chain):
    """Files of which Java loses something: the bags and keys, options of ``verify``, and a part of the reason."""
    ee, ca, root = chain
    own = key_of(topology.servers["EE"], "s", b"1")
    other = topology.certificate("Other", "I")
    others = key_of(topology.servers["Other"], "S", b"2")
    mine = bag(ee, "s", b"1")
    mine_only = {"key_name": "s"}
    return {
        "the mark on the leaf": (([bag(ee, None, b"1", MARK), bag(ca), bag(root)], own), {}, "'s' has no certificate"),
        "two keys of one name": (
            ([mine, bag(other, "S", b"2"), bag(ca), bag(root)], own, others),
            mine_only,
            "the private key 's' is lost: a later entry, the private key 'S'",
        ),
        "a marked CA with the key's name": (
            ([mine, bag(ca, "S", None, MARK), bag(root)], own),
            {},
            "the trusted certificate 'S' is lost",
        ),
        "two marked CAs of one name": (
            ([bag(ca, "CA", None, MARK), bag(root, "ca", None, MARK)],),
            {"certs_only": True},
            "the trusted certificate 'CA' is lost",
        ),
        "a number and a name": (
            ([bag(ca, None, None, MARK), bag(root, "1", None, MARK)],),
            {"certs_only": True},
            "the trusted certificate without a name (I) is lost",
        ),
        "no mark": (([bag(ca), bag(root)],), {"certs_only": True}, "does not list every certificate"),
        "one mark": (([bag(ca, "a", None, MARK), bag(root, "b")],), {"certs_only": True}, "not list 1 certificate"),
        "a secret with the key's name": (
            (
                [mine, other_bag("secretBag", SECRET, friendly_name="X"), bag(ca), bag(root)],
                replace(own, friendly_name="x"),
            ),
            {},
            "the secret key 'X' is lost",
        ),
        "keys without localKeyID": (
            ([mine, bag(other, "o"), bag(ca), bag(root)], own, replace(others, local_key_id=None)),
            mine_only,
            "needs a localKeyID for each",
        ),
        "the localKeyID of another": (
            ([bag(ee, None, b"2"), bag(other, None, b"1"), bag(ca), bag(root)], own),
            {},
            "has the certificate of another key",
        ),
    }


def test_losses(losing, judge):
    """Each loss is a no for every Java, with its reason, and only a note for other readers."""
    for name, (parts, options, why) in losing.items():
        data = pfx(*parts)
        found = judge(data, "openssl-3", "java-17", **options)
        assert found.outcome is Outcome.NOT_OK, name
        assert why in found.why, name
        assert judge(data, "openssl-3", **options).outcome is Outcome.NOTE, name


def test_every_java(losing, judge):
    """The table of readers has several Javas; each of them has the same key store."""
    parts, options, _ = losing["the mark on the leaf"]
    javas = [name for name in READERS if name.startswith("java-")]
    assert len(javas) >= 3
    assert {judge(pfx(*parts), name, **options).outcome for name in javas} == {Outcome.NOT_OK}


def test_sound_files(topology, chain, judge):
    """Names that several unmarked CAs share, marks on CAs, and a key and its certificate without names lose nothing."""
    ee, ca, root = chain
    own = key_of(topology.servers["EE"], "s", b"1")
    for mark in ((), MARK):
        names = ("ca", "ca") if not mark else ("ca", "root")
        bags = [bag(ee, "s", b"1"), bag(ca, names[0], None, mark), bag(root, names[1], None, mark)]
        found = judge(pfx(bags, own), "java-17")
        assert found.outcome is Outcome.OK
        assert "'s' (private key, chain of 3)" in found.why
    unnamed = pfx([bag(ee, None, b"1"), bag(ca), bag(root)], replace(own, friendly_name=None))
    assert judge(unnamed, "java-17").outcome is Outcome.OK
    store = pfx([bag(ca, "a", None, MARK), bag(root, "b", None, MARK)])
    assert judge(store, "java-17", certs_only=True).outcome is Outcome.OK


def test_the_chain_that_java_makes(topology, judge):
    """Java takes the first certificate with the issuer's name: of a rekeyed CA that may be the wrong one."""
    ee, ca, root = (topology.certificate("EE", "I"), topology.certificate("I", "TA"), topology.authorities["TA"])
    rekeyed = lab.Topology.from_edges("EE<I<TA").certificate("I", "TA")
    assert rekeyed.subject == ca.subject
    own = key_of(topology.servers["EE"], "s", b"1")
    right = pfx([bag(ee, "s", b"1"), bag(ca), bag(rekeyed), bag(root.certificate)], own)
    wrong = pfx([bag(ee, "s", b"1"), bag(rekeyed), bag(ca), bag(root.certificate)], own)
    assert judge(right, "java-17").outcome is Outcome.OK
    found = judge(wrong, "java-17")
    assert found.outcome is Outcome.NOT_OK
    assert "serves a chain of 3 certificates that is not valid" in found.why


def test_the_certificate_that_java_takes():
    """Of two unnamed certificates with a key's localKeyID Java takes the last; another than the checked one is a no."""
    past = lab.Validity.around(days_before=300, days_after=-10)
    topology = lab.Topology.from_edges("EE<I<TA", lab.Edge(subject="EE", issuer="I", validity=past))
    root = topology.authorities["TA"].certificate
    now, old = sorted(
        (one for one in topology.certificates if not one.is_ca), key=lambda one: -one.not_after.timestamp()
    )
    own = key_of(topology.servers["EE"], "s", b"1")
    for order, outcome in (((old, now), Outcome.OK), ((now, old), Outcome.NOT_OK)):
        data = pfx([*(bag(one, None, b"1") for one in order), bag(topology.certificate("I", "TA")), bag(root)], own)
        report = pk.verify(data, trust_anchors=root.der, password=PASSWORD, readers=["java-17"], second_opinion=False)
        (found,) = [one for one in report.findings if one.check is Check.JAVA_ENTRIES]
        assert (report.target, found.outcome) == (now, outcome)
    assert "Java serves another certificate for this key: EE #" in found.why


def test_nothing_of_the_kind_is_written(topology, chain):
    """A bundle whose entries Java would lose is refused, and the entry named; names that differ are not."""
    ee, ca, root = chain
    marks = (MARK, MARK)
    for names in (("x", "X"), ("\u0130", "i\u0307"), (None, "1")):
        with pytest.raises(pk.InputError, match="Java would not have every entry"):
            pk.Bundle(certificates=(ca, root), certificate_names=names, truststore=True)
        with pytest.raises(pk.InputError, match="Java would not have every entry"):
            pk.Bundle(certificates=(ca, root), certificate_names=names, certificate_attributes=marks)
    key = topology.servers["EE"].private_key
    marked = {"certificate_attributes": (MARK, (), ()), "certificates": (ee, ca, root), "private_key": key}
    with pytest.raises(pk.InputError, match=r"has no certificate in Java|is lost"):
        pk.Bundle(friendly_name="s", **marked)
    pk.Bundle(friendly_name="s", **marked | {"certificate_attributes": ((), MARK, MARK)})
    pk.Bundle(certificates=(ca, root), certificate_names=("same", "same"))


@pytest.mark.parametrize("own", [None, "ta", "I", "1", "x", "\u0130"])
@pytest.mark.parametrize("ca_names", [(), ("X", "x"), ("i\u0307", "\u0130"), ("1", "TA"), ("EE",)])
def test_build_writes_no_such_file(topology, chain, judge, own, ca_names):
    """Whatever names are asked for: Java has every entry of the file, or the names are refused, in a few words."""
    ee, ca, root = chain
    identity = pk.Identity(private_key=topology.servers["EE"].private_key, certificate=ee)
    given = {"certificates": [ca], "trust_anchors": root.der, "password": PASSWORD, "profile": QUICK}
    given |= {"friendly_name": own, "ca_names": ca_names}
    for names in ({}, {"certificate_name": "X"}):
        try:
            built = pk.build(identity=identity, **given, **names)
        except pk.InputError as refused:
            assert "Java would not have every entry" in str(refused)  # noqa: PT017  # both answers are right
        else:
            assert judge(built.data, "java-17").outcome is Outcome.OK


def test_convert_names_what_java_loses(losing, tmp_path):
    """``convert --for java-17`` warns of each entry that Java does not have, since it keeps names and attributes."""
    (tmp_path / "word").write_text(PASSWORD)
    (tmp_path / "in.p12").write_bytes(pfx(*losing["two keys of one name"][0]))
    words = ["convert", tmp_path / "in.p12", tmp_path / "out.p12", "--password-file", tmp_path / "word"]
    for_java = call(*words, "--for", "java-17", "--iterations", "1000")
    assert for_java.status == YES
    assert "warning: " in for_java.errors
    assert "the private key 's' is lost" in for_java.errors
    assert "is lost" not in call(*words, "--for", "openssl-3", "--iterations", "1000").errors


def test_the_command(losing, chain, tmp_path):
    """``verify --for java-17`` exits with 1, names the entry and says what to do."""
    (tmp_path / "word").write_text(PASSWORD)
    (tmp_path / "anchor.der").write_bytes(chain[-1].der)
    (tmp_path / "in.p12").write_bytes(pfx(*losing["two marked CAs of one name"][0]))
    words = ["verify", tmp_path / "in.p12", "--certs-only", "--anchor", tmp_path / "anchor.der"]
    done = call(*words, "--password-file", tmp_path / "word", "--for", "java-17")
    assert done.status == NO
    assert "java-entries" in done.errors
    hint = done.errors.partition("hint: build a truststore")[2]
    assert all(word in hint for word in ("pkcs12kit build", "--certs-only", "--truststore"))
    assert call(*words, "--password-file", tmp_path / "word").status == YES
