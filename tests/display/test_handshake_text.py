"""Handshakes as text: who accepted what, whether it is what was served, why not, and nothing that steers a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pkcs12kit import lab
from pkcs12kit.devices.judge import Bearing, Remark
from pkcs12kit.display.handshakes import device_tree, handshake_table
from pkcs12kit.findings import Answer
from pkcs12kit.probing import CertificateMessage, DeviceVerdict, Handshake, Verdict

HOSTILE = "because\x1b[2J\u202e of\nthat"


@pytest.fixture(scope="module")
def served():
    """Two certificates."""
    root = lab.Authority.create("TA")
    return (root.issue_server("s.example").certificate, root.certificate)


def shown(*renderables, width=120):
    """Print as at a terminal without colours, so wide."""
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    for renderable in renderables:
        console.print(renderable)
    return console.file.getvalue()


def handshake(client, verdict=Verdict.ACCEPTED, *, received=None, protocol="TLSv1.3", why=""):
    """One handshake."""
    message = None if received is None else CertificateMessage(certificates=received, protocol=protocol)
    version = f"{client.upper()} 1.0"
    return Handshake(client=client, version=version, protocol=protocol, verdict=verdict, why=why, received=message)


def test_table(served):
    """A row for each client, a column for each version of TLS; what came, in both with its bytes."""
    both = [handshake("openssl", protocol=one, received=served) for one in ("TLSv1.2", "TLSv1.3")]
    less = handshake("java", received=served[:1])
    swapped = handshake("nss", Verdict.REFUSED, received=served[::-1], why=HOSTILE)
    absent = handshake("curl", Verdict.NOT_TRIED, why="needs curl")
    text = shown(*handshake_table([*both, less, swapped, absent], served=served, required=["openssl"]))
    rows = {line.split()[0]: " ".join(line.split()) for line in text.splitlines()}
    sizes = [f"{CertificateMessage(certificates=served, protocol=one).size:,}" for one in ("TLSv1.2", "TLSv1.3")]
    assert rows["client"] == "client version TLSv1.2 TLSv1.3 received"
    assert rows["openssl"] == (
        f"openssl * 1.0 accepted accepted 2 certificates, {sizes[0]} or {sizes[1]} bytes, as served"
    )
    assert rows["java"].startswith("java 1.0 not tried accepted 1 certificate, ")
    assert rows["java"].endswith("bytes, not as served")
    assert rows["nss"].endswith("bytes, not as served")
    assert "curl 1.0 not tried not tried -" in rows["curl"]
    assert "└── nss TLSv1.3: because\\x1b[2J\\u202e of that\n" in text
    assert text.endswith("Not tried:\n└── curl TLSv1.3: needs curl\n")


@pytest.mark.parametrize("width", [80, 120])
def test_width(served, width):
    """No line is longer than the terminal is wide, however much a client says."""
    long = [handshake(name, Verdict.REFUSED, received=served, why="why " * 60) for name in ("openssl", "gnutls")]
    text = shown(*handshake_table(long, served=served, required=["openssl"]), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("why ") + text.count("why\n") == 120


def test_devices(served):
    """Marked as by rule, and each rule with its source."""
    refusal = Remark(bearing=Bearing.REFUSED, why=HOSTILE, certificate=served[0], source="https://example.org/")
    note = Remark(bearing=Bearing.NOTE, why="worth knowing")
    verdicts = [
        DeviceVerdict(device="ios", title="iOS", answer=Answer.NO, remarks=(refusal, note)),
        DeviceVerdict(device="go", title="Go", answer=Answer.YES, remarks=()),
        DeviceVerdict(device="java", title="Java", answer=Answer.UNKNOWN, remarks=()),
    ]
    lines = shown(device_tree(verdicts)).splitlines()
    assert lines == [
        "By rule, not tried:",
        "├── ios  iOS  would refuse",
        "│   ├── s.example: because\\x1b[2J\\u202e of that  [https://example.org/]",
        "│   └── worth knowing",
        "├── go  Go  would accept",
        "└── java  Java  not known",
    ]
