"""What is known of how long a chain clients take: each figure bites one above it, and says where it is from."""

from __future__ import annotations

import pytest

from pkcs12kit.devices.model import JAVA, KNOWN_CHAIN_LIMITS, ChainLimit
from pkcs12kit.lab import Authority
from pkcs12kit.tls.certificate_message import TLS_1_2, CertificateMessage


@pytest.fixture(scope="module")
def certificate():
    """Any certificate."""
    return Authority.create("CA").certificate


def sent(certificate, count):
    """The message that has a certificate so many times."""
    return CertificateMessage(certificates=(certificate,) * count, protocol=TLS_1_2)


def test_certificates_are_counted(certificate):
    """Java accepts ten certificates and refuses eleven."""
    assert JAVA.exceeded(sent(certificate, 10)) == ()
    assert JAVA.exceeded(sent(certificate, 11)) == ("11 certificates are sent, and Java accepts 10",)


def test_bytes_are_counted(certificate):
    """As many bytes as are taken pass, one more does not: the lengths count too, the handshake header does not."""
    message = sent(certificate, 3)
    assert ChainLimit("client", None, message.size, "").exceeded(message) == ()
    (said,) = ChainLimit("client", None, message.size - 1, "").exceeded(message)
    assert said == f"{message.size:,} bytes are sent, and client accepts {message.size - 1:,}"


def test_every_limit_is_one():
    """Each entry bounds something, by a figure above zero, and names its source; no client is there twice."""
    assert len({limit.client for limit in KNOWN_CHAIN_LIMITS}) == len(KNOWN_CHAIN_LIMITS)
    for client, most_certificates, most_bytes, source in KNOWN_CHAIN_LIMITS:
        figures = [figure for figure in (most_certificates, most_bytes) if figure is not None]
        assert min(figures) > 0, client
        assert source.startswith("https://"), client
