"""Property: a subject name with control characters never reaches a terminal unescaped.

tests/cli (TestHostileNames) proves it for commands, and this module for all functions that draw text, with any text.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

import pkcs12kit as pk
from pkcs12kit.cli.output import console as output
from pkcs12kit.cli.output import messages
from pkcs12kit.cli.output.gather import fetched_bundle, known_bundles
from pkcs12kit.devices.judge import Bearing, Remark
from pkcs12kit.display.findings import changes_tree, findings_tree
from pkcs12kit.display.handshakes import device_tree, handshake_table
from pkcs12kit.display.labels import with_expiry
from pkcs12kit.display.paths import path_report, path_tree, rejected_paths
from pkcs12kit.display.pfx import pfx_tree
from pkcs12kit.display.pictures import picture_of_report, to_dot, to_mermaid, to_svg
from pkcs12kit.findings import Answer
from pkcs12kit.probing import DeviceVerdict, Handshake, Verdict
from pkcs12kit.published import BundleReport, PublishedBundle
from pkcs12kit.text import harmless

from ..thoroughness import examples
from .hostile import HOSTILE, NAMES, assert_harmless

AT = datetime(2026, 3, 1, tzinfo=UTC)
MARKUP = ("[red]a[/red]", "[link=http://evil.example]b[/link]", "[/]", ":smile:", "line\r\nerror: faked")
# A common name has 1 to 64 characters (RFC 5280 appendix A.1, ub-common-name), and UTF-8 has no surrogates.
IN_CERTIFICATES = [name[:64] for name in (*HOSTILE, *MARKUP) if name and not re.search("[\ud800-\udfff]", name)]
COMMON_NAMES = st.sampled_from(IN_CERTIFICATES) | st.text(
    st.characters(exclude_categories=["Cs"]) | st.characters(categories=["Cc", "Cf", "Zl", "Zp"]),
    min_size=1,
    max_size=20,
)
TEXTS = NAMES | st.sampled_from(MARKUP)
COLOURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


def printed(renderables, *, colours=False):
    """Print as the command does: to a pipe, or to a terminal with colours."""
    file = io.StringIO()
    system = "truecolor" if colours else None
    console = Console(
        file=file, width=10_000, markup=False, highlight=False, emoji=False, color_system=system, force_terminal=colours
    )
    for renderable in renderables:
        console.print(renderable)
    return file.getvalue()


@pytest.fixture(scope="module")
def certificate():
    """An authority and a server by these names: ``certificate(issuer, subject)``."""
    key = ec.generate_private_key(ec.SECP256R1())

    def make(issuer, subject):
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (issuer, subject)]
        builder = x509.CertificateBuilder(names[0], names[1], key.public_key(), 7)
        builder = builder.not_valid_before(AT - timedelta(days=9)).not_valid_after(AT + timedelta(days=9))
        if issuer == subject:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return pk.Certificate.from_der(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))

    return make


@pytest.fixture(scope="module")
def anatomy(replica):
    """The anatomy of a PKCS#12 file."""
    weak = pk.profiles.MODERN.with_iterations(encryption=1, mac=1)
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    return pk.inspect_pfx(pk.encode_pfx(bundle, password="p", profile=weak), password="p")


def search(root, server, time):
    """Search a path from the server to the root."""
    parameters = pk.ValidationParameters(time=time)
    anchors = [pk.TrustAnchor.from_certificate(root)]
    return pk.find_paths(server, pool=pk.CertificatePool(), trust_anchors=anchors, parameters=parameters)


def renderables_of_names(root, server):
    """Draw everything that names certificates: with a path, without one, and where all is expired."""
    found, expired = search(root, server, AT), search(root, server, AT + timedelta(days=99))
    missing = search(server, server, AT)
    assert found.valid
    assert expired.rejected
    for report in (found, expired, missing):
        yield from path_report(report, every=True)
        yield from rejected_paths(report)
    yield path_tree(found.best, before_next=str(pk.NoValidPathError(expired)))
    yield with_expiry(server)
    message = pk.probing.CertificateMessage(certificates=(server, root), protocol="TLSv1.3")
    sent = pk.check_served_chain(
        message, trust_anchors=found.trust_anchors, parameters=pk.ValidationParameters(time=AT)
    )
    yield findings_tree(sent.findings, title=str(root.subject), answer=sent.ok)
    yield changes_tree(sent.changes)


def renderables_of_texts(text, anatomy):
    """Draw everything that quotes what files, servers and programs say."""
    handshake = Handshake(client=text, version=text, protocol="TLSv1.3", verdict=Verdict.REFUSED, why=text)
    yield from handshake_table([handshake], served=(), required=[text])
    remark = Remark(bearing=Bearing.REFUSED, why=text, certificate=anatomy.certificates[0], source=text)
    yield device_tree([DeviceVerdict(device="ios", title="iOS", answer=Answer.NO, remarks=(remark,))])
    for outcome in pk.Outcome:
        finding = pk.Finding(check=pk.Check.ORDER, outcome=outcome, why=text)
        yield findings_tree([finding], title=text, answer=False)
    yield changes_tree([text, text])
    safes = [
        replace(safe, bags=tuple(replace(bag, friendly_name=text) for bag in safe.bags))
        for safe in anatomy.safe_contents
    ]
    arrangement = replace(anatomy.arrangement, problems=(text,))
    yield pfx_tree(replace(anatomy, safe_contents=tuple(safes), arrangement=arrangement), title=text)
    bundle = PublishedBundle(name=text, title=text, urls=(text,))
    yield from known_bundles([bundle])
    yield from fetched_bundle(BundleReport(bundle=bundle, url=text, why=text))


@settings(deadline=None, max_examples=examples(40))
@given(issuer=COMMON_NAMES, subject=COMMON_NAMES)
@example(issuer="\x1b[2J\x1b]0;owned\x07", subject="\u202egnp.exe\u2066")
def test_names_in_trees_and_tables(certificate, issuer, subject):
    """Paths, attempts, findings and labels show every printable character of a name, and no other."""
    root, server = certificate(issuer, issuer), certificate(issuer, subject)
    if issuer == subject:
        return
    drawn = list(renderables_of_names(root, server))
    plain = printed(drawn)
    assert_harmless(plain)
    assert " ".join(harmless(subject).split()) in " ".join(plain.split())
    assert_harmless(COLOURS.sub("", printed(drawn, colours=True)))


@settings(deadline=None, max_examples=examples(60))
@given(text=TEXTS)
@example(text="\x9b31m\x1b[2J\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\")
def test_texts_in_trees_and_tables(anatomy, text):
    """Texts of clients, files and servers are shown, not interpreted by the terminal or as rich's markup."""
    drawn = list(renderables_of_texts(text, anatomy))
    plain = printed(drawn)
    assert_harmless(plain)
    assert " ".join(plain.split()).count(" ".join(harmless(text).split())) >= 10
    assert_harmless(COLOURS.sub("", printed(drawn, colours=True)))


@settings(deadline=None, max_examples=examples(60))
@given(text=TEXTS, name=COMMON_NAMES)
def test_sentences(certificate, text, name):
    """Errors, warnings, hints and commands to copy are lines of their own, and stay so."""
    own = certificate(name, name)
    no = pk.NoValidPathError(search(certificate("root", "root"), own, AT))
    told = [text, no, pk.Reject(source=text, position=1, reason=text), pk.InputError(text), own, own.subject]
    for say in (
        output.warn,
        lambda sentence: output.print_hints([pk.Hint(text=str(sentence), command=text)]),
        output.print_error,
    ):
        for sentence in told:
            said = spoken(say, sentence)
            assert_harmless(said)
            assert said.count("\n") == 1
    assert_harmless(output.as_typed(["pkcs12kit", "paths", text, "--anchor", text]))


def spoken(say, sentence):
    """Catch what a function prints to standard error in a call of its own: a call prints a hint once."""
    messages.begin([])
    with pytest.MonkeyPatch.context() as patch:
        errors = io.StringIO()
        patch.setattr("sys.stderr", errors)
        say(sentence)
    return COLOURS.sub("", errors.getvalue())


@settings(deadline=None, max_examples=examples(30))
@given(issuer=COMMON_NAMES, subject=COMMON_NAMES)
def test_names_in_pictures_on_standard_output(certificate, issuer, subject):
    """``--dot -``, ``--mermaid -`` and ``--svg -`` also print to a terminal; each is safe there."""
    root, server = certificate(issuer, issuer), certificate(issuer, subject)
    picture = picture_of_report(search(root, server, AT))
    for render in (to_dot, to_mermaid, to_svg):
        assert_harmless(render(picture))


def test_what_is_not_harmless_is_noticed():
    """The tests above can fail."""
    for text in ("\x1b[2J", "\u202e", "\x9b", "\u200b", "\r"):
        with pytest.raises(AssertionError):
            assert_harmless(printed([text]) if text != "\r" else text)
