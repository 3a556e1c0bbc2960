"""Which server a certificate is for: RFC 9525, with the syntax of RFC 5280 section 4.2.1.6."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.paths.validation.server_name import mismatch, require_server_name
from pkcs12kit.tls.address import ServerAddress, parse_host

from ...thoroughness import examples

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate_for(*names, common_name="cn.example.com"):
    """A certificate with these alternative names: texts are dNSNames, addresses iPAddresses, the rest as given."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder(subject, subject, KEY.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(general_name, names)), critical=False)
    return Certificate.from_der(builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER))


def general_name(name):
    """Make an alternative name, sound or not."""
    if isinstance(name, str):
        return x509.DNSName._init_without_validation(name)
    return name if isinstance(name, x509.GeneralName) else x509.IPAddress(name)


V4, V6 = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1")


@pytest.mark.parametrize(
    ("presented", "server_name"),
    [
        ("www.example.com", "www.example.com"),
        ("WWW.example.COM", "www.Example.com"),
        ("www.example.com", "www.example.com."),
        ("localhost", "localhost"),
        # Section 6.3: the wildcard is "the complete content of the left-most label"
        ("*.example.com", "www.example.com"),
        ("*.Example.com", "WWW.example.com"),
        ("*.example.com", "under_score.example.com"),
        ("*.example.com", "xn--bcher-kva.example.com"),
        ("*.example.com", "bücher.example.com"),
        ("*.xn--bcher-kva.example", "www.bücher.example"),
        # Section 6.3: U-labels of the reference identifier are compared as A-labels
        ("xn--bcher-kva.example", "bücher.example"),
        ("xn--bcher-kva.example", "BÜCHER.Example"),
        ("xn--bcher-kva.example", "bu\u0308cher.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.EXAMPLE"),
        ("xn--strae-oqa.example", "straße.example"),
        ("xn--fsqu00a.xn--0zwm56d", "例子。测试"),
        # Section 6.4: addresses compare as octets, whatever their text
        (V4, "192.0.2.1"),
        (V6, "2001:db8::1"),
        (V6, "2001:DB8:0:0:0:0:0:1"),
        (V6, "[2001:db8::0001]"),
        (ipaddress.ip_address("::ffff:c000:201"), "::ffff:192.0.2.1"),
    ],
)
def test_match(presented, server_name):
    """RFC 9525 section 6: the certificate is for the server, alone and among other names."""
    assert mismatch(certificate_for(presented), server_name) is None
    assert mismatch(certificate_for("a.example.org", V6, presented, "b.example.org"), server_name) is None


@pytest.mark.parametrize(
    ("presented", "server_name"),
    [
        ("example.com", "www.example.com"),
        ("www.example.com", "example.com"),
        ("notexample.com", "example.com"),
        # Section 6.3: only as the whole left-most label, only one, only for one label
        ("*.example.com", "example.com"),
        ("*.example.com", "a.b.example.com"),
        ("*.example.com", "a.bücher.example.com"),
        ("*.*.example.com", "a.b.example.com"),
        ("www.*.com", "www.example.com"),
        ("w*.example.com", "www.example.com"),
        ("*w.example.com", "www.example.com"),
        ("xn--*.example.com", "xn--bcher-kva.example.com"),
        ("*", "localhost"),
        ("*", "example.com"),
        ("*.com", "example.com"),
        ("*.", "example."),
        ("*.example.com", "*.example.com"),
        # RFC 5280 section 4.2.1.6: dNSName in the preferred name syntax
        ("foo_bar.example.com", "foo_bar.example.com"),
        ("www.example.com.", "www.example.com"),
        ("www.example.com.", "www.example.com."),
        (".example.com", "www.example.com"),
        (" www.example.com", "www.example.com"),
        ("www.example.com\0.evil.example", "www.example.com"),
        ("bücher.example", "bücher.example"),
        ("\u212ahost.example.com", "khost.example.com"),
        ("-a.example.com", "-a.example.com"),
        # Section 6.4: an address is looked for in iPAddress alone, a DNS name in dNSName alone
        ("192.0.2.1", "192.0.2.1"),
        ("*.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        (V4, "192.0.2.2"),
        (V4, "::ffff:192.0.2.1"),
        (V6, "2001:db8::2"),
        (x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")), "192.0.2.1"),
        (x509.UniformResourceIdentifier("https://www.example.com"), "www.example.com"),
        (x509.RFC822Name("www.example.com"), "www.example.com"),
        (x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example")])), "a.example"),
    ],
)
def test_mismatch(presented, server_name):
    """RFC 9525 section 6: the certificate is for another server."""
    found = mismatch(certificate_for(presented, common_name="x"), server_name)
    assert found is not None
    assert found.isprintable()


@pytest.mark.parametrize(
    "server_name",
    [
        *("", ".", " ", "a b", "a..b", ".example.com", "www.example.com..", " www.example.com", "*.example.com"),
        *("https://www.example.com", "www.example.com:443", "[192.0.2.1]", "[www.example.com]", "[]", "2001:db8::1]"),
        *("fe80::1%eth0", "192.0.2", "0x7f.1", "1", "256.0.0.1", "192.000.002.001"),
        *("a\0b", "ü" * 64, "\u200bexample.com"),
    ],
)
def test_what_is_no_server_name_matches_nothing(server_name):
    """Section 6.1: a reference identifier is a DNS name or an IP address; what merely looks like one fails closed."""
    certificate = certificate_for("*.example.com", "www.example.com", "0.1", "1", V4, V6)
    assert "neither a DNS name nor an IP address" in mismatch(certificate, server_name)


def test_a_common_name_never_counts():
    """RFC 9525 section 2: the subject's common name is not an identifier, with a subjectAltName or without."""
    assert "no subjectAltName" in mismatch(certificate_for(common_name="www.example.com"), "www.example.com")
    assert mismatch(certificate_for("a.example.com", common_name="www.example.com"), "www.example.com") is not None
    assert mismatch(certificate_for(V4, common_name="www.example.com"), "www.example.com") is not None


def test_one_bad_name_does_not_spoil_the_rest():
    """Section 6.3: an identifier that is not to the rules 'MUST be ignored', the others are matched."""
    certificate = certificate_for("a.*.example.com", "*.*", "\0", "192.0.2.9", "", "www.example.com")
    assert mismatch(certificate, "www.example.com") is None


def test_the_sentence_says_whom_the_certificate_is_for():
    """A failure names the presented identifiers, the wanted one and what was ignored, within bounds."""
    certificate = certificate_for(*(f"h{number}.example.com" for number in range(30)), V4, "foo_bar.example.com")
    found = mismatch(certificate, "foo_bar.example.com")
    assert "it is for h0.example.com, h1.example.com" in found
    assert "and 21 more, not for foo_bar.example.com" in found
    assert "foo_bar.example.com is ignored" in found
    assert len(mismatch(certificate, "x" * 10_000)) < 600


names = st.lists(st.sampled_from(["a", "b", "xn--bcher-kva"]), min_size=1, max_size=4).map(".".join)


@settings(deadline=None, max_examples=examples(60))
@given(presented=st.lists(names | names.map("*.{}".format), min_size=1, max_size=4), wanted=names, random=st.randoms())
def test_order_and_company_of_names_do_not_matter(presented, wanted, random):
    """Section 6: one presented identifier that matches is enough, whatever stands beside it."""
    found = mismatch(certificate_for(*presented), wanted) is None
    assert found == any(mismatch(certificate_for(name), wanted) is None for name in presented)
    assert found == (mismatch(certificate_for(*random.sample(presented, len(presented))), wanted) is None)


@settings(deadline=None, max_examples=examples(60))
@given(st.text(max_size=30) | st.text("a.:[]%*0x", max_size=12))
def test_any_text_gets_an_answer(server_name):
    """Whatever the user wants to reach, the answer is a sentence or None, never an exception."""
    found = mismatch(CERTIFICATE, server_name)
    assert found is None or found.isprintable()


CERTIFICATE = certificate_for("*.example.com", V4)


def _fault_of(text):
    try:
        require_server_name(text)
    except pk.ArgumentError as error:
        return str(error)
    return None


class TestWhatIsNotAServerName:
    """The error for a text around a name has the name; every text is accepted or refused, and never an exception."""

    @pytest.mark.parametrize(
        ("text", "problem", "meant"),
        [
            ("https://host:443/", "is a URL", "host"),
            ("HTTPS://mdm.example.mil", "is a URL", "mdm.example.mil"),
            ("https://[2001:db8::1]:8443/x", "is a URL", "2001:db8::1"),
            ("ldaps://mdm.example.mil:636/?a", "is a URL", "mdm.example.mil"),
            ("https:/mdm.example.mil", "has a path", "mdm.example.mil"),
            ("mdm.example.mil:443", "has a port", "mdm.example.mil"),
            ("[2001:db8::1]:443", "has a port", "2001:db8::1"),
            ("192.0.2.1:443", "has a port", "192.0.2.1"),
            ("mdm.example.mil/mifs", "has a path", "mdm.example.mil"),
            ("mdm.example.mil ", "has white space around it", "mdm.example.mil"),
            ("\tmdm.example.mil\n", "has white space around it", "mdm.example.mil"),
            ("*.example.mil", "has a wildcard", "www.example.mil"),
            ("[192.0.2.1]", "is in brackets", "192.0.2.1"),
            ("fe80::1%eth0", "has a zone", "fe80::1"),
            ("https://b\u00fccher.example/", "is a URL", "xn--bcher-kva.example"),
            ("\uff57\uff57\uff57.example.mil", "is neither", "www.example.mil"),
            ("", "is empty", "a name such as mdm.example.mil"),
            (" ", "is empty", "a name such as mdm.example.mil"),
            ("a.mil b.mil", "is neither", "a name such as mdm.example.mil"),
            ("https://", "is a URL", "a name such as mdm.example.mil"),
            ("192.0.2.0/24", "has a path", "192.0.2.0"),
        ],
    )
    def test_refused_with_the_name_in_it(self, text, problem, meant):
        """In :class:`ValidationParameters` too, so wherever a name is given."""
        with pytest.raises(pk.ArgumentError, match=problem) as raised:
            pk.ValidationParameters(time=AT, server_name=text)
        assert str(raised.value).endswith(f"host name or IP address only; write {meant}")
        assert str(raised.value).isprintable()

    def test_passwords_in_urls_are_not_shown(self):
        """Neither the text with one, nor a part of it as the name."""
        for text in ("https://user:hunter2@host/", "https://user:hun/ter2@host", "https://hunter2/x@host", "hunter2@h"):
            with pytest.raises(pk.ArgumentError) as raised:
                require_server_name(text)
            assert "hun" not in str(raised.value)
            assert "@ho" not in str(raised.value)

    @given(st.text("ab1.:-/@[]*%? \u00fc\uff0e\x00", max_size=12) | st.text(max_size=20))
    @settings(max_examples=examples(400))
    def test_any_text(self, text):
        """A name is accepted exactly if a certificate could be for it; a name that is proposed is accepted."""
        fault = _fault_of(text)
        assert (fault is not None) == ("neither a DNS name" in (mismatch(certificate_for("x.example"), text) or ""))
        if fault is not None:
            assert fault.isprintable()
            assert _fault_of(fault.rpartition("; write ")[2].removeprefix("a name such as ")) is None

    @given(st.text("ab1.-_\u00fc", min_size=1, max_size=12) | st.ip_addresses().map(str))
    @settings(max_examples=examples(400))
    def test_hosts_to_probe(self, text):
        """What is accepted as the host of an address is accepted as the name of its certificate."""
        try:
            host = ServerAddress(host=parse_host(text)).name
        except pk.InputError:
            return
        require_server_name(host)
