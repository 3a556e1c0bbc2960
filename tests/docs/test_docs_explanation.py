"""What the pages of explanation say of the Federal PKI, of other programs and of the code is so."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

import pkcs12kit as pk
from pkcs12kit.tls.handshake import Verdict

PROJECT = Path(__file__).parents[2]
PAGES = PROJECT / "docs" / "explanation"
IN_2018, IN_2024 = datetime(2018, 6, 1, tzinfo=UTC), datetime(2024, 10, 15, tzinfo=UTC)
SHORT = {
    "Federal Common Policy CA": "Common",
    "Federal Bridge CA": "Bridge",
    "Federal Bridge CA 2013": "2013",
    "Federal Bridge CA 2016": "2016",
    "DoD Interoperability Root CA 2": "Interoperability",
    "DoD Root CA 3": "Root 3",
    "US DoD CCEB Interoperability Root CA 2": "CCEB",
}


@pytest.fixture
def says():
    """Whether a page has a sentence, wherever its lines break."""

    def on(page: str, sentence: str) -> None:
        text = " ".join((PAGES / page).read_text("utf-8").split())
        assert sentence in text

    return on


def common_name(name):
    """Shorten a name of one of the drawn CAs."""
    return SHORT.get(name.common_name or "")


def circling(links):
    """Name those who certify themselves by way of others."""
    reached = {start: {end for begin, end in links if begin == start and end != start} for start, _ in links}
    for _ in reached:
        for start, ends in reached.items():
            reached[start] = ends.union(*(reached.get(end, set()) for end in ends))
    return {start for start, ends in reached.items() if start in ends}


class TestFederalPki:
    """The figures of bridges-and-cross-certificates.md."""

    PAGE = "bridges-and-cross-certificates.md"

    def test_the_pool_of_2018(self, fpki, says):
        """How many certificates there are, for how many CAs, how many were valid, and who goes in circles."""
        pool = list(pk.load_certificates(fpki / "fpki-historic.pem"))
        subjects = {common_name(certificate.subject) for certificate in pool}
        valid = sum(certificate.not_before <= IN_2018 <= certificate.not_after for certificate in pool)
        years = [certificate.not_before.year for certificate in pool]
        assert (len(subjects), subjects - {"Bridge"}) == (6, {"Common", "2013", "2016", "Interoperability", "Root 3"})
        says(
            self.PAGE,
            f"holds {len(pool)} certificates for its five CAs and one more bridge, issued between {min(years)} and"
            f" {max(years)}. On that day {valid} of them were valid.",
        )
        links = {(common_name(certificate.issuer), common_name(certificate.subject)) for certificate in pool}
        assert len(circling(links)) == 5
        says(self.PAGE, "Five of its six CAs certify each other in circles.")

    def test_the_drawing(self, fpki):
        """It has each certificate that was valid on that day, and no other: issuer, subject, end of its number."""
        pool = pk.load_certificates(fpki / "fpki-historic.pem")
        valid = {
            (common_name(certificate.issuer), common_name(certificate.subject), str(certificate.serial_number)[-5:])
            for certificate in pool
            if certificate.not_before <= IN_2018 <= certificate.not_after
        }
        assert valid == {
            ("Common", "Common", "304"),
            ("Common", "2013", "11424"),
            ("2013", "Common", "5724"),
            ("Common", "2016", "16194"),
            ("2016", "Common", "93812"),
            ("2013", "Interoperability", "9644"),
            ("2016", "Interoperability", "47633"),
            ("Interoperability", "2016", "1061"),
            ("Interoperability", "Root 3", "655"),
            ("Interoperability", "Root 3", "748"),
            ("CCEB", "Root 3", "28"),
            ("Root 3", "Root 3", "1"),
        }
        drawn = re.search(r"```text\n(.*?)```", (PAGES / self.PAGE).read_text("utf-8"), re.DOTALL)[1]
        without_years = re.sub(r"CA 20\d\d|Root CA \d|CA-37", "", drawn)
        assert sorted(re.findall(r"\d+", without_years)) == sorted({serial for *_, serial in valid} | {"18"})

    def test_the_pool_of_2024(self, fpki, says):
        """Certificates, subjects, rekeyed ones, and one path for each issuing CA of the DoD."""
        pool = pk.load_certificates(fpki / "fpki-2024-10.p7b")
        keys = {}
        for certificate in pool:
            keys.setdefault(certificate.subject, set()).add(certificate.node)
        rekeyed = sum(len(nodes) > 1 for nodes in keys.values())
        says(self.PAGE, f"has {len(pool)} certificates with {len(keys)} subjects.")
        says(
            self.PAGE,
            f"Of the {len(keys)} subjects of October 2024, {rekeyed} have certificates for more than one key.",
        )
        issuing = [certificate for certificate in pool if (certificate.subject.common_name or "").startswith("DOD ")]
        assert len([one for one in issuing if "SW CA" in one.subject.common_name]) == 5
        says(
            self.PAGE, f"each of the {len(issuing)} issuing CAs of the DoD in it, five of them for servers (DOD SW CA),"
        )
        anchors = pk.load_trust_anchors(fpki / "fcpcag2.pem")
        for certificate in issuing:
            parameters = pk.ValidationParameters(time=IN_2024)
            report = pk.find_paths(certificate, pool=pool, trust_anchors=anchors, parameters=parameters)
            [path] = report.valid
            assert path.certificates[-1].subject.common_name == "Federal Bridge CA G4"

    def test_what_ended_it(self, fpki, says):
        """The two cross-certificates without which there is no path, and when they expired."""
        pool = list(pk.load_certificates(fpki / "fpki-2024-10.p7b"))
        ends = {}
        for certificate in pool:
            link = certificate.issuer.common_name, certificate.subject.common_name
            ends[link] = max(certificate.not_after, ends.get(link, certificate.not_after))
        interoperability = "DoD Interoperability Root CA 2"
        root, bridge = (
            f"{ends[link]:%-d %B %Y}"
            for link in ((interoperability, "DoD Root CA 3"), ("Federal Bridge CA G4", interoperability))
        )
        says(self.PAGE, f"for DoD Root CA 3 expired on {root}, and the bridge's for {interoperability} on {bridge}.")

    def test_how_long_cross_certificates_were_valid(self, fpki):
        """'In use in 2018 were valid for three years at most' (why-chains-go-wrong.md)."""
        for certificate in pk.load_certificates(fpki / "fpki-historic.pem"):
            if not certificate.is_self_issued and certificate.not_before <= IN_2018 <= certificate.not_after:
                assert (certificate.not_after - certificate.not_before).days <= 3 * 365 + 1

    def test_one_name_in_two_encodings(self, fpki):
        """'One name occurs in two encodings' (why-chains-go-wrong.md)."""
        pool = pk.load_certificates(fpki / "fpki-2024-10.p7b")
        encodings = {}
        for certificate in pool:
            plain = certificate.as_cryptography
            encodings.setdefault(certificate.subject, set()).add(plain.subject.public_bytes())
            encodings.setdefault(certificate.issuer, set()).add(plain.issuer.public_bytes())
        assert [len(several) for several in encodings.values() if len(several) > 1] == [2]


CLIENTS = {"curl (OpenSSL 3.0)": "curl", "Java 17": "java", "Go 1.19": "go", "GnuTLS 3.7": "gnutls", "NSS 3.87": "nss"}


def table():
    """Read 'What clients say': for each file, what each client says."""
    text = (
        (PAGES / "why-chains-go-wrong.md").read_text("utf-8").partition("## What clients say")[2].partition("\n## ")[0]
    )
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    assert header[1:] == list(CLIENTS)
    return {row[0].strip("`"): dict(zip(CLIENTS.values(), row[1:], strict=True)) for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("name", table())
def test_what_clients_say(name, cannot_run):
    """Each client says what the table quotes, in both versions of TLS, of the file that the page makes."""
    page = (PAGES / "why-chains-go-wrong.md").read_text("utf-8")
    serial_numbers = re.search(rf'write\("{name}"((?:, \d+)*)\)', page)[1]
    replica = pk.lab.make_replica()
    password = "correct horse battery staple"
    data = serialize_key_and_certificates(
        None,
        replica.server.private_key,
        replica.server.certificate.as_cryptography,
        [replica.certificate(int(number)).as_cryptography for number in re.findall(r"\d+", serial_numbers)],
        BestAvailableEncryption(password.encode()),
    )
    parameters = pk.ValidationParameters(time=datetime.now(UTC), server_name=replica.server_name)
    report = pk.rehearse(data, password=password, trust_anchors=[replica.trust_anchor.der], parameters=parameters)
    said = {}
    for handshake in report.handshakes:
        said.setdefault(handshake.client, []).append(handshake)
    for client, quoted in table()[name].items():
        if client not in said:
            cannot_run(f"needs the client {client}")
        for handshake in said[client]:
            if quoted == "accepted":
                assert handshake.verdict is Verdict.ACCEPTED
            else:
                assert handshake.verdict is Verdict.REFUSED
                assert quoted in handshake.why


def test_where_the_threat_model_points_to_is_there():
    """Each room and each test that threat-model.md names exists."""
    named = re.findall(r"`([a-z0-9_/]+(?:\.py|/))`", (PAGES / "threat-model.md").read_text("utf-8"))
    assert len(named) > 30
    for name in named:
        is_test = Path(name).name.startswith("test_")
        assert (PROJECT / ("tests" if is_test else "pkcs12kit") / name).exists(), name


OFFLINE = """
import sys
asked = []
def hook(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"}:
        asked.append((event, *(one for one in arguments if isinstance(one, str | bytes | tuple))))
sys.addaudithook(hook)
from pkcs12kit.cli import main
sys.argv = ["pkcs12kit", *sys.argv[1:]]
try:
    main()
finally:
    for event in asked:
        print("ASKED", *event, file=sys.stderr)
"""
GIVEN = "--anchor lab/anchor.pem --password-env PASSWORD"


@pytest.mark.slow
def test_nothing_is_asked_of_the_network(tmp_path):
    """'No other command does': Python's audit events of connecting and resolving, for each command in turn."""

    def call(line):
        return subprocess.run(
            [sys.executable, "-P", "-c", OFFLINE, *line.split()],
            cwd=tmp_path,
            env={"PASSWORD": "p", "PYTHONPATH": str(PROJECT), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    for line in (
        "lab lab",
        "paths lab/server.pem --certs lab/certs --anchor lab/anchor.pem --crl lab/crls",
        "graph lab/certs --anchor lab/anchor.pem --svg pool.svg",
        f"build --key lab/server.key --cert lab/server.pem --certs lab/certs --out server.p12 {GIVEN}",
        "inspect server.p12 --password-env PASSWORD",
        f"verify server.p12 {GIVEN}",
        "convert server.p12 old.p12 --profile legacy --password-env PASSWORD",
    ):
        done = call(line)
        assert (done.returncode, done.stderr.count("ASKED")) == (0, 0), done.stderr
    # The same hook sees what does ask: a rehearsal, which stays on this computer, and a probe.
    rehearsed = [line for line in call(f"rehearse server.p12 {GIVEN}").stderr.splitlines() if "ASKED" in line]
    assert rehearsed
    assert all("127.0.0.1" in line or "localhost" in line for line in rehearsed), rehearsed
    assert "ASKED" in call("probe 127.0.0.1:9 --anchor lab/anchor.pem --timeout 5").stderr
