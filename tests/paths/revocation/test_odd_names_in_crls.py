"""CRLs and distribution points with odd names or errors: read, or not used; never a Python warning."""

import pytest

import pkcs12kit as pk

from ... import der
from ...certificates.oddities import (
    BEGIN,
    CA_KEY,
    END,
    NOW,
    PRINTABLE,
    ROOT_KEY,
    attribute,
    extension,
    issuing,
    name,
    root,
    server,
)
from ...certificates.oddities import signed as sign

AMPERSAND, LONG = attribute(b"Smith & Sons", PRINTABLE), attribute(b"x" * 70)
URL = der.implicit(6, b"http://x/y.crl")


def crl(issuer, *extensions, key=CA_KEY, entries=()):
    """Return a CRL of version 2."""
    listed = [der.sequence(der.integer(number), der.time(BEGIN), *more) for number, *more in entries]
    return sign(
        key,
        der.integer(1),
        der.sequence(der.oid("1.2.840.10045.4.3.2")),
        name(issuer),
        der.time(BEGIN),
        der.time(END),
        der.sequence(*listed) if listed else b"",
        der.explicit(0, der.sequence(*extensions)) if extensions else b"",
    )


def scope(encoded):
    """Return issuingDistributionPoint with one full name."""
    return extension("2.5.29.28", der.sequence(der.explicit(0, der.explicit(0, encoded))), critical=True)


def points(*fields):
    """Return cRLDistributionPoints with one point."""
    return extension("2.5.29.31", der.sequence(der.sequence(*fields)))


def is_good(leaf, *crls, ca="Issuing"):
    """Return True if a path is found where the status of each certificate has to be known."""
    anchor = pk.TrustAnchor.from_certificate(pk.Certificate(root()))
    revocation = pk.Revocation(mode=pk.RevocationMode.REQUIRE, crls=pk.load_crls(*crls, crl("Root", key=ROOT_KEY)))
    report = pk.find_paths(
        pk.Certificate(leaf),
        pool=pk.CertificatePool([pk.Certificate(issuing(subject=ca))]),
        trust_anchors=[anchor],
        time=NOW,
        revocation=revocation,
    )
    return bool(report.valid)


@pytest.mark.parametrize("issuer", [AMPERSAND, LONG, attribute(b"Soci\xe9t\xe9"), attribute(b"\x00a\x00", 30)])
def test_the_crl_of_an_issuer_with_an_odd_name(issuer):
    """It counts, for and against (RFC 5280 section 6.3.3); a CRL of another name does not."""
    leaf = server(issuer=issuer)
    assert is_good(leaf, crl(issuer), ca=issuer)
    assert not is_good(leaf, crl(issuer, entries=[(77,)]), ca=issuer)
    assert not is_good(leaf, crl("Smith Sons"), ca=issuer)
    assert not is_good(leaf, ca=issuer)


@pytest.mark.parametrize("odd", [AMPERSAND, LONG], ids=["misfit", "long"])
def test_names_in_extensions(odd):
    """A directory name of a distribution point is compared as any name (section 6.3.3 (b)(2)(i))."""
    directory, other = der.explicit(4, name(odd)), der.explicit(4, name("Smith Sons"))
    leaf = server(points(der.explicit(0, der.explicit(0, directory))))
    aki = extension("2.5.29.35", der.sequence(der.explicit(1, directory), der.implicit(2, b"\x05")))
    assert is_good(leaf, crl("Issuing", scope(directory), aki))
    assert not is_good(leaf, crl("Issuing", scope(other), aki))
    assert not is_good(leaf, crl("Issuing", scope(directory), scope(directory)))
    assert not is_good(leaf, crl("Issuing", scope(directory), entries=[(77,)]))


def test_an_entry_with_an_odd_issuer_makes_the_crl_unusable():
    """Whose certificate is listed is not known then (section 5.3.3)."""
    flag = der.implicit(4, b"\xff")
    indirect = extension("2.5.29.28", der.sequence(flag), critical=True)
    for odd in (AMPERSAND, LONG):
        issuer = der.sequence(extension("2.5.29.29", der.sequence(der.explicit(4, name(odd))), critical=True))
        assert not is_good(server(), crl("Issuing", indirect, entries=[(5, issuer)]))


@pytest.mark.parametrize("value", [b"", b"\xff\xff", b"\x30\x03\x30\x05", der.sequence(der.sequence(der.explicit(0)))])
def test_points_that_cannot_be_read_are_not_taken_for_none(value):
    """Another issuer's CRL may be the one that counts: the CA's own can revoke, but not clear (section 6.3.3)."""
    damaged = server(extension("2.5.29.31", value))
    assert is_good(server(), crl("Issuing"))
    assert not is_good(damaged, crl("Issuing"))
    assert not is_good(damaged)


def test_points_with_a_form_that_is_not_supported():
    """The other names of the point are used; where it has none, or the form names the CRL's issuer, none is known."""
    x400 = der.explicit(3, der.sequence())
    assert is_good(server(points(der.explicit(0, der.explicit(0, x400, URL)))), crl("Issuing", scope(URL)))
    assert not is_good(server(points(der.explicit(0, der.explicit(0, x400)))), crl("Issuing"))
    assert not is_good(server(points(der.explicit(0, der.explicit(0, URL)), der.explicit(2, x400))), crl("Issuing"))
