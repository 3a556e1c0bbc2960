"""What a server sends, judged by the SHA-256 of a file's certificates, as ``probe --expect`` judges by the file."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit import lab
from pkcs12kit.fleet.served_certificates import ExpectedChain, why_not_served
from pkcs12kit.tls.certificate_message import CertificateMessage
from pkcs12kit.tls.probing.answers import ProtocolAnswer, ServerAnswer
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.tls.probing.target import probed_server
from pkcs12kit.verifier.expectation import ExpectedFile, compare
from pkcs12kit.verifier.probed_chains import ProbedChain, served_in

from ..thoroughness import examples

NAME = "mail.example.mil"
SERVER = probed_server(NAME)
VERSIONS = ("TLSv1.3", "TLSv1.2")


def _world():
    """Return certificates of one server, two generations and two types of keys, and those above: ``EE<B<A<TA``."""
    root, upper, issuer = map(lab.Authority.create, ("TA", "A", "B"))
    generations = [lab.Validity.around(days_before=before) for before in (300, 10)]
    old, new = (issuer.issue_server(NAME, validity=validity).certificate for validity in generations)
    other = issuer.issue_server("www.example.mil").certificate
    rsa = issuer.issue_server(NAME, key_type=lab.KeyType.RSA_2048).certificate
    other_root = lab.Authority.create("X")
    return SimpleNamespace(
        leaves=(old, new, other, rsa),
        old=old,
        new=new,
        other=other,
        rsa=rsa,
        above=(upper.issue_ca(issuer), root.issue_ca(upper), root.certificate),
        stray=other_root.issue_ca(lab.Authority.create("Y")),
        other_root=other_root.certificate,
    )


WORLD = _world()
FILE = (WORLD.new, *WORLD.above)


def answer(*chains, **given):
    """The answer of a server that sends these chains, in TLS 1.3, in TLS 1.2, and then for other types of keys."""
    made = [
        ProtocolAnswer(
            protocol=VERSIONS[number % 2],
            contact=Contact.ANSWERED,
            message=CertificateMessage(certificates=chain, protocol=VERSIONS[number % 2]),
        )
        for number, chain in enumerate(chains)
    ]
    return ServerAnswer(
        contact=Contact.ANSWERED,
        why="",
        answered_at="192.0.2.1:443",
        protocols=tuple(made[:2]),
        other_keys=tuple(made[2:]),
        **given,
    )


def expected(chain=FILE, *, known=True, has_anchor=True):
    """The certificates of a file."""
    return ExpectedChain(
        sha256=tuple(one.sha256 for one in chain), target=chain[0] if known else None, has_anchor=has_anchor
    )


def why(*chains, **given):
    """Return why a server that sends these chains does not send the file."""
    return why_not_served(SERVER, answer(*chains), expected(**given))


@pytest.mark.parametrize("known", [True, False])
def test_the_chain_of_the_file(known):
    """With the trust anchor or without it, in both versions; another order changes nothing for clients."""
    assert why(FILE, FILE, known=known) is None
    assert why(FILE[:-1], FILE, known=known) is None
    assert why((FILE[0], FILE[2], FILE[1])) is None


def test_an_old_certificate():
    """The forgotten reload: the sentence has the end of what is sent, and what is expected."""
    old = (WORLD.old, *WORLD.above)
    text = why(old, old)
    assert text.startswith("it still sends the certificate that ends 20")
    assert "EC P-256 in TLSv1.3 and TLSv1.2); expected the one that ends 20" in text
    assert WORLD.old.sha256[:16] in text
    assert WORLD.new.sha256[:16] in text
    assert why(FILE, old).startswith("it still sends")  # half of its processes loaded the new file
    assert why(old, FILE).startswith("it still sends")
    unknown = why(old, known=False)
    assert unknown.startswith(f"it sends another certificate, {NAME}, which ends 20")
    assert unknown.endswith(f"expected that of the file (SHA-256 {WORLD.new.sha256[:16]}...)")


def test_a_newer_and_another_certificate():
    """Each has its words."""
    assert why(FILE, chain=(WORLD.old, *WORLD.above)).startswith("it sends a newer certificate, which ends 20")
    assert why((WORLD.other, *WORLD.above)).startswith("it sends another certificate, www.example.mil, which ends")


def test_other_certificates_above():
    """The certificates above it count: one left out by its place in the file, one too many by its name."""
    text = why((FILE[0], FILE[2]))
    assert "but not the others of the file: it leaves out number 2 (SHA-256 " in text
    assert why(FILE[:-1], has_anchor=False).endswith(" of 4")
    assert "it sends Y (SHA-256 " in why((*FILE, WORLD.stray))
    assert why((*FILE, WORLD.other_root)) is None  # a self-signed one changes nothing for clients
    assert "it leaves out number 2" in why((FILE[0],))


def test_a_server_without_the_key():
    """The right certificates from a server that does not have their key are not served: no client can connect."""
    broken = ProtocolAnswer(
        protocol="TLSv1.3",
        contact=Contact.ANSWERED,
        message=CertificateMessage(certificates=FILE, protocol="TLSv1.3"),
        why="bad signature",
    )
    served = ServerAnswer(contact=Contact.ANSWERED, why="", answered_at="192.0.2.1:443", protocols=(broken,))
    assert "broke off after the certificates" in why_not_served(SERVER, served, expected())


def test_a_version_without_an_answer():
    """A version that does not answer in time is not a yes: it may still send the old one."""
    silent = ProtocolAnswer(protocol="TLSv1.2", contact=Contact.TIMED_OUT, why="the time is up")
    served = ServerAnswer(
        contact=Contact.ANSWERED,
        why="",
        answered_at="192.0.2.1:443",
        protocols=(*answer(FILE).protocols, silent),
    )
    assert why_not_served(SERVER, served, expected()) == "it did not answer in time in TLSv1.2"


def test_a_certificate_of_another_bundle():
    """A server with keys of two types is right for each bundle, whichever the other one has."""
    rsa = (WORLD.rsa, *WORLD.above)
    assert why_not_served(SERVER, answer(FILE, FILE, rsa), expected()) is None
    assert why_not_served(SERVER, answer(FILE, FILE, rsa), expected(rsa)) is None
    assert why_not_served(SERVER, answer(rsa, rsa), expected(), {WORLD.rsa.sha256}) is not None


CHAINS = st.builds(
    lambda leaf, above: (leaf, *above),
    st.sampled_from(WORLD.leaves),
    st.lists(st.sampled_from((*WORLD.above, WORLD.stray, WORLD.other_root)), max_size=5, unique=True)
    | st.sampled_from([WORLD.above, WORLD.above[:2]]),
)


@settings(max_examples=examples(300), deadline=None)
@given(
    sent=st.lists(CHAINS, min_size=1, max_size=4),
    leaf=st.sampled_from(WORLD.leaves),
    other=st.none() | st.sampled_from(WORLD.leaves),
    has_anchor=st.booleans(),
)
def test_agrees_with_the_comparison_of_files(sent, leaf, other, has_anchor):
    """Whatever is sent, the answer is that of ``probe --expect`` with the file, which knows the certificates."""
    files = [
        ExpectedFile(name=one.sha256, targets=(one,), certificates=(one, *WORLD.above[: 3 if has_anchor else 2]))
        for one in dict.fromkeys([leaf] if other is None else [leaf, other])
    ]
    served = answer(*sent)
    chains = [
        ProbedChain(
            handshakes=served_in(served, chain),
            report=SimpleNamespace(message=SimpleNamespace(certificates=chain)),
        )
        for chain in dict.fromkeys(one.message.certificates for one in served.all_answers)
    ]
    is_same = all(one.is_same for one in compare(files, chains) if one.file == leaf.sha256)
    found = why_not_served(
        SERVER,
        served,
        expected(files[0].certificates, has_anchor=has_anchor),
        {one.targets[0].sha256 for one in files[1:]},
    )
    assert (found is None) == is_same
    assert found is None or found.isprintable()
