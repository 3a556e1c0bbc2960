"""Property: text from outside stays text."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
import pkcs12kit.notebook
from pkcs12kit.notebook.html import element, write
from pkcs12kit.published import BundleReport, PublishedBundle
from pkcs12kit.text import harmless

from ..thoroughness import examples

AT = datetime(2026, 3, 1, tzinfo=UTC)
PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</style><svg/onload=alert(1)>",
    "</title></svg><b>bold",
    "<!-- ",
    "--> <i>",
    "]]><u>",
    "&lt;b&gt; &#x3c;i&#x3e;",
    "<?php ?>",
    "javascript:alert(1)",
    "\u202egnp.exe\u202c",
    "\u2066a\u2069\u200f\u200b",
    "\x1b[2J\x07\x00\x7f\x9b",
    "\x1b]8;;http://example.com\x1b\\click",
    "one\ntwo\u2028three",
    "e\u0301\u0489" * 8,
    "שלום عالم",
    r"$x^2$ \(z\) $$y$$",
    r"\[w\] \begin{align}q\end{align}",
    r"\ref{a} \$1$ `a/b`",
]
SPECIAL = "<>&\"'/=;:()`!-[]{}\\#%\x00\x08\x1b\n\r\t\u0085\u2028\u202e\u2066\u200f\ufeff"
# A common name has 64 octets at most (RFC 5280 appendix A.1, ub-common-name), as pyca/cryptography counts.
TEXTS = st.sampled_from(PAYLOADS) | st.text(
    st.sampled_from(SPECIAL) | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=16
)
MANY = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def named():
    """A self-signed certificate with a name: ``named("common name")``."""
    key = ec.generate_private_key(ec.SECP256R1())

    def make(common_name):
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
        builder = builder.not_valid_before(datetime(2025, 1, 1, tzinfo=UTC)).public_key(key.public_key())
        builder = builder.not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
        usable = "".join(char for char in common_name if char.isascii() and char != "\0") or "x"
        names = [x509.DNSName(usable), x509.DirectoryName(name), x509.UniformResourceIdentifier(usable)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        encoded = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
        return key, pk.Certificate.from_der(encoded)

    return make


def shown(key, certificate, text):
    """Everything that shows this certificate's names, or a friendly name or reason with the text in it."""
    parameters = pk.ValidationParameters(time=AT, server_name="mdm.example.mil")
    anchor = pk.TrustAnchor.from_certificate(certificate)
    report = pk.find_paths(certificate, pool=pk.CertificatePool(), trust_anchors=[anchor], parameters=parameters)
    identity = pk.Identity(private_key=key, certificate=certificate)
    pool = pk.CertificatePool([certificate], rejects=[pk.Reject(source=text, position=1, reason=text)])
    sent = pk.check_served_chain(
        pk.probing.CertificateMessage(certificates=(certificate,), protocol=text),
        trust_anchors=(anchor,),
        parameters=parameters,
    )
    handshake = pk.probing.Handshake(
        client=text, version=text, protocol=text, verdict=pk.probing.Verdict.REFUSED, why=text
    )
    rehearsal = pk.probing.RehearsalReport(
        served_chain=sent,
        server_name=text,
        server_name_given=True,
        handshakes=(handshake,),
        required=frozenset({text}),
    )
    fetched = BundleReport(bundle=PublishedBundle(name="x", title=text, urls=(text,)), url=text, why=text)
    picture = pk.pictures.picture_of_pool(pool, trust_anchors=[anchor], time=AT)
    periods = pk.validity_periods(certificate, pool=pool, trust_anchors=[anchor], time=AT)
    return certificate, anchor, pool, identity, report, periods, picture, sent, rehearsal, fetched


def rules(made):
    """Return the rules of the notes on the certificate; a name may make one, which is a row of a table."""
    _, certificate = made
    return [note.rule for note in pk.lint_certificates([certificate])]


@MANY
@given(text=TEXTS)
def test_a_name_makes_no_element_and_no_attribute(named, html, text):
    """For any name or message, the page has the same elements and attributes as for an innocent one.

    The picture breaks names into lines, and squeezes those of uncertain width; there the kinds of elements and
    attributes are the same.
    """
    like = next(one for one in ("Example", "an example", "an_example") if rules(named(one)) == rules(named(text)))
    for value, innocent in zip(shown(*named(text), text), shown(*named(like), "Example"), strict=True):
        read, expected = html(pk.to_html(value, time=AT)), html(pk.to_html(innocent, time=AT))
        assert read.faults == []
        assert read.scripts == expected.scripts
        assert read.styles == expected.styles
        if isinstance(value, pk.PathReport | pk.ValidityReport | pk.pictures.Picture):
            assert {tag for tag, _ in read.elements} - {"tspan"} == {tag for tag, _ in expected.elements}
            assert _attributes(read) <= _attributes(expected) | {"textlength", "lengthadjust"}
        else:
            assert read.skeleton == expected.skeleton


def _attributes(read):
    return {name for _, attributes in read.elements for name in attributes}


@MANY
@given(text=TEXTS)
def test_no_control_character_reaches_the_page_or_the_text(named, text):
    """Neither HTML nor plain text has a character that is not printable, but for line feeds."""
    for value in shown(*named(text), text):
        for shown_text in value._repr_mimebundle_().values():
            assert {char for char in shown_text if not char.isprintable()} <= {"\n"}


@settings(max_examples=examples(200))
@given(text=st.text(st.sampled_from(SPECIAL) | st.characters()))
def test_text_is_read_back_as_it_was(html, text):
    """A parser of the HTML gets back the safe text, in text and in attributes, surrogates included."""
    read = html(write(element("p", text, title=text), longest=10_000))
    assert read.faults == []
    assert [found for found in read.elements if found != ("span", {})] == [("p", {"title": harmless(text)})]
    assert read.text == harmless(text)


def test_markup_is_written_in_one_place():
    """Verbatim markup is only the style sheet, the script and the picture; everything else goes through write()."""
    found = [
        (file.stem, ast.unparse(node.args[0]))
        for file in sorted(Path(pkcs12kit.notebook.__file__).parent.glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Verbatim"
    ]
    assert found == [("fleet", "SORTING"), ("pools", "SORTING"), ("searches", "svg"), ("show", "STYLE")]
