"""Fixtures for notebooks: one value of each kind from a replica, a reader of HTML, and a browser."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit.devices.judge import Bearing, Remark
from pkcs12kit.findings import Answer
from pkcs12kit.fleet.outcomes import BundleOutcome, Ending, Status
from pkcs12kit.fleet.report import FleetReport
from pkcs12kit.probing import (
    Contact,
    DeviceVerdict,
    Handshake,
    ProbedServer,
    ProbeReport,
    ServerAnswer,
    Verdict,
)
from pkcs12kit.published import BundleReport, load_bundles
from pkcs12kit.tls.address import ServerAddress

from .browser import Chromium

PASSWORD = "correct horse battery"
VOID = {"br", "col", "hr", "img", "input", "link", "meta"}


@dataclass
class Read:
    """The result of parsing HTML: elements with their attributes, text, and elements left open."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def skeleton(self):
        """Tags and names of attributes, in order: what must not depend on text from outside.

        Left out are bare ``span`` elements: what could delimit a formula stands in one.
        """
        return [(tag, *attributes) for tag, attributes in self.elements if (tag, attributes) != ("span", {})]


class _Reader(HTMLParser):
    """Reads HTML, and minds that each element ends where it should."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.read, self._open = Read(), []

    def handle_starttag(self, tag, attrs):
        self.read.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.read.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.read.faults.append(f"</{tag}> out of place")

    def handle_data(self, data):
        inside = self._open[-1] if self._open else None
        if inside in {"script", "style"}:
            getattr(self.read, f"{inside}s").append(data)
        else:
            self.read.text += data

    def handle_comment(self, data):
        self.read.faults.append(f"a comment: {data}")

    def handle_decl(self, decl):
        self.read.faults.append(f"a declaration: {decl}")

    def handle_pi(self, data):
        self.read.faults.append(f"a processing instruction: {data}")

    def close(self):
        super().close()
        self.read.faults += [f"<{tag}> stays open" for tag in self._open]


def read_html(text: str) -> Read:
    """Parse HTML by the standard library's parser."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.read


@pytest.fixture(scope="session")
def html():
    """Parse HTML: ``html(text)``."""
    return read_html


@pytest.fixture(scope="session")
def chromium(require_tool, tmp_path_factory):
    """Headless Chromium, without a network."""
    return Chromium(program=require_tool("chromium"), folder=tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="session")
def render(chromium):
    """Render a page or an SVG and measure it: ``render(page)``, with the options of a window."""
    return chromium.render


@pytest.fixture(scope="session")
def screenshot(chromium, tmp_path_factory):
    """Save a screenshot of a page or an SVG for a person: ``screenshot(page, name)`` returns its path."""
    named = os.environ.get("PKCS12KIT_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(page, name, **options):
        file = folder / f"{name}{'.svg' if page.startswith('<svg') else '.html'}"
        picture = folder / f"{name}.png"
        chromium.run(page, f"--screenshot={picture}", file=file, **options)
        return picture

    return shoot


def fleet_report(path, time):
    """Return a report on two bundles: one with this path, and one that failed."""
    first = min(path.certificates, key=lambda one: one.not_after)
    made = BundleOutcome(
        name="web <1>",
        output="/etc/web.p12",
        status=Status.REWRITTEN,
        why=("certificates: + <CA>",),
        expires=path.expires,
        first_to_expire=Ending(label=first.label, sha256=first.sha256, not_after=first.not_after),
        certificates=tuple(one.sha256 for one in path.certificates),
        hook_error="exit status <1>",
    )
    failed = BundleOutcome(name="mail", output="/etc/mail.p12", status=Status.FAILED, error="mail.key: no such file")
    return FleetReport(manifest=Path("fleet.toml"), mode="run", bundles=(made, failed), time=time, warnings=("<w>",))


@pytest.fixture(scope="session")
def values(replica, files, tmp_path_factory):
    """One value of each public kind that shows itself, by the name of its class."""
    anchor = pk.TrustAnchor.from_certificate(replica.trust_anchor)
    parameters = pk.ValidationParameters(time=replica.at, server_name=replica.server_name)
    asked = {"pool": replica.pool, "trust_anchors": [anchor]}
    report = pk.find_paths(replica.server.certificate, **asked, parameters=parameters)
    path = report.best
    later = replace(parameters, time=replica.trust_anchor.not_after)
    none = pk.find_paths(replica.server.certificate, **asked, parameters=later)
    bundle = pk.Bundle.from_path(replica.server, path, friendly_name="mdm <1>")
    data = pk.encode_pfx(bundle, password=PASSWORD, profile=pk.profiles.MODERN.with_iterations(encryption=1, mac=1))
    remark = Remark(bearing=Bearing.UNKNOWN, why="it is not known", certificate=path.target)
    file = tmp_path_factory.mktemp("pfx") / "server.p12"
    file.write_bytes(data)
    against = {"password": PASSWORD, "trust_anchors": [files.trust_anchor], "parameters": parameters}
    message = pk.probing.CertificateMessage(certificates=bundle.certificates, protocol="TLSv1.3")
    sent = pk.check_served_chain(message, trust_anchors=[anchor], parameters=parameters)
    rehearsal = pk.probing.RehearsalReport(
        served_chain=sent,
        server_name=replica.server_name,
        server_name_given=True,
        handshakes=(
            Handshake(client="openssl", version="OpenSSL 3", protocol="TLSv1.3", verdict=Verdict.ACCEPTED, why=""),
            Handshake(client="go", version="Go 1", protocol="TLSv1.3", verdict=Verdict.REFUSED, why="it <does>"),
        ),
        required=frozenset({"openssl"}),
        devices=(DeviceVerdict(device="ios", title="iOS", answer=Answer.UNKNOWN, remarks=(remark,)),),
    )
    answer = ServerAnswer(contact=Contact.REFUSED, why="nothing listens", answered_at=None, protocols=())
    built = pk.build(
        key=files.key,
        certificate=files.certificate,
        certificates=[files.certificates],
        trust_anchors=[files.trust_anchor],
        password=PASSWORD,
        parameters=parameters,
    )
    kept = [one for one in replica.pool if one not in path.certificates]
    comparison = pk.compare_certificates(
        replica.pool, kept, targets=replica.server.certificate, trust_anchors=[anchor], parameters=parameters
    )
    shown = (
        replica.server.certificate,
        anchor,
        replica.server,
        replica.pool,
        pk.CertificationPath(certificates=path.certificates, trust_anchor=path.trust_anchor),
        path,
        report,
        pk.what_if(path.target, without=path.certificates[2], **asked, parameters=parameters),
        pk.validity_periods(replica.server.certificate, **asked, parameters=later),
        pk.pictures.picture_of_pool(replica.pool, trust_anchors=[anchor], time=replica.at, report=report),
        none.rejected[0],
        pk.NoValidPathError(none),
        bundle,
        pk.decode_pfx(data, password=PASSWORD),
        pk.inspect_pfx(data, password=PASSWORD),
        pk.list_contents(files.key, files.certificates, data, password=PASSWORD),
        pk.verify(file, **against),
        pk.expiry_report(file, **against),
        rehearsal,
        sent,
        ProbeReport(
            server=ProbedServer(address=ServerAddress(host="mdm.example.mil"), port=443, server_name="mdm.example.mil"),
            answer=answer,
            findings=(pk.Finding(check=pk.Check.CONTACT, outcome=pk.Outcome.NOT_OK, why="nothing listens"),),
            served_chain=sent,
        ),
        pk.GatherReport(target=path.target, certificates=(), urls=(), report=report, given=replica.pool),
        comparison,
        BundleReport(bundle=load_bundles()["fpki"], why="it could not be had"),
        built,
        fleet_report(path, replica.at),
    )
    return {type(value).__name__: value for value in shown}
