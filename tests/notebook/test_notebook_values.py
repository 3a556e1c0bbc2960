"""Values in notebooks: shown through IPython, in light and dark, without secrets."""

from __future__ import annotations

import base64
import copy
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit.notebook import show as showing
from pkcs12kit.notebook.style import SORTING, STYLE
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.text import NO_FORMULAS
from pkcs12kit.times import format_time

PASSWORD = "correct horse battery"
# Public classes that show their repr, and why that is enough. Errors and closed lists of words are not named here.
AS_REPR = {
    "AlgorithmPolicy": "figures to choose, not something found",
    "BundleChanges": "its report counts what changed",
    "Cause": "a line of the failure that has it",
    "CertificateMessage": "its report draws what is sent",
    "CertificateStatus": "a line of the path that has it",
    "ChecksumVerdict": "its report says it",
    "Confirmation": "one sentence",
    "DeviceVerdict": "a row of its report",
    "EvidenceAttempt": "a line of the certificate that it was considered for",
    "EvidenceLocations": "addresses, in the hints of the report",
    "EvidenceTime": "a part of a line of the attempt that has it",
    "Failure": "a line of the attempt that has it",
    "FetchOptions": "figures to choose, not something found",
    "Finding": "a row of its report",
    "Handshake": "a row of its report",
    "Hint": "one line",
    "Limits": "figures to choose, not something found",
    "ExpectedFile": "one line",
    "FileComparison": "its report says it in findings",
    "Name": "one line",
    "Note": "one line",
    "OtherFault": "a line of the attempt that has it",
    "ProbedChain": "its report is drawn",
    "ProbedServer": "one line",
    "Profile": "figures to choose; its table is in the documentation",
    "ProtocolAnswer": "its report says it in findings",
    "PublishedBundle": "an address to fetch from",
    "Ranking": "a function",
    "Reject": "one line",
    "Revocation": "what was given, not what was found",
    "RevocationReport": "a line of the path that has it",
    "ServedIn": "two words",
    "ServerAnswer": "its report says it in findings",
    "ValidationParameters": "what was asked for, not what was found",
}
SPACES = (pk, pk.probing, pk.published, pk.revocation)
KINDS = sorted(showing._DRAWN_BY)


def test_every_public_class_is_drawn_or_has_a_reason_not_to_be(values):
    """Nothing public is forgotten: it is drawn, or the table above says why its repr does."""
    named = {name: getattr(space, name) for space in SPACES for name in space.__all__}
    classes = {name: value for name, value in named.items() if isinstance(value, type)}
    classes["Picture"] = pk.pictures.Picture
    plain = {name for name, one in classes.items() if issubclass(one, Enum | Exception) and not issubclass(one, Shown)}
    drawn = {name for name, one in classes.items() if issubclass(one, Shown)}
    assert drawn == set(KINDS) == set(values)
    assert sorted(set(classes) - drawn - plain) == sorted(name for name in AS_REPR if name in classes)
    assert set(AS_REPR) <= set(named)


@pytest.mark.parametrize("kind", KINDS)
def test_is_well_formed_and_needs_nothing_from_elsewhere(kind, values, html):
    """Each element ends where it should; no attribute names an address or a handler, and no style or script does."""
    text = pk.to_html(values[kind])
    read = html(text)
    assert read.faults == []
    assert read.elements[0] == ("div", {"class": f"pkcs12kit {NO_FORMULAS}", "lang": "en", "dir": "ltr"})
    attributes = {name for _, attributes in read.elements for name in attributes}
    assert attributes.isdisjoint({"href", "src", "srcset", "action", "formaction", "data", "xlink:href", "background"})
    assert not any(name.startswith("on") for name in attributes)
    assert {tag for tag, _ in read.elements}.isdisjoint(
        {"a", "img", "iframe", "object", "embed", "link", "form", "base"}
    )
    assert set(read.scripts) <= {SORTING}
    for style in read.styles:
        assert not re.search(r"url\(|@import|@font-face|expression\(", style)


def test_styles_touch_nothing_else_of_the_page():
    """Each rule of the style sheet applies only to our element: the rest of the notebook looks as before."""
    rules = re.sub(r"@media [^{]*\{(.*?\})\s*\}", r"\1", STYLE)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", rules) for one in rule.split(",")]
    assert len(selectors) > 50
    assert [one for one in selectors if not re.search(r"(^|\s)\.pkcs12kit\b", one)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_ipython_shows_it(kind, values, cannot_run):
    """IPython's own formatter takes HTML and text from the value; the text has no escape codes in it."""
    try:
        from IPython.core.formatters import DisplayFormatter
    except ImportError:
        cannot_run("needs the package ipython")
    shown, metadata = DisplayFormatter().format(values[kind])
    assert set(shown) == {"text/html", "text/plain"}
    assert metadata == {}
    assert shown["text/html"].startswith('<div class="pkcs12kit ')
    assert all(char.isprintable() or char == "\n" for char in shown["text/plain"])
    assert shown["text/plain"].strip()


@pytest.mark.parametrize("kind", KINDS)
def test_no_private_key_and_no_password_is_shown(kind, values, replica):
    """Neither in any of the forms in which keys are written, nor the password of the file."""
    numbers = replica.server.private_key.private_numbers().private_value
    der = replica.server.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    raw = numbers.to_bytes(32, "big")
    secrets = [str(numbers), f"{numbers:x}", f"{numbers:X}", der.hex(), PASSWORD]
    secrets += [base64.b64encode(raw[start:]).decode().rstrip("=")[:-2] for start in range(3)]
    secrets += [base64.b64encode(PASSWORD.encode()).decode(), repr(raw)[2:-1]]
    for text in values[kind]._repr_mimebundle_().values():
        assert [secret for secret in secrets if secret in text] == []


def test_nothing_tells_the_length_of_a_password(replica):
    """Files that differ only in their passwords show the same."""
    bundle = pk.Bundle.certificates_only(replica.valid_paths[0])
    weak = pk.profiles.MODERN.with_iterations(encryption=1, mac=1)
    shown = set()
    for password in ("a", "b" * 40):
        report = pk.inspect_pfx(pk.encode_pfx(bundle, password=password, profile=weak), password=password)
        shown.add(pk.to_html(report, time=replica.at))
    assert len(shown) == 1


def test_values_are_as_they_were(values):
    """Showing is all that is added: repr, copying and immutability of the slotted values stay."""
    certificate = values["Certificate"]
    assert repr(certificate).startswith("<Certificate ")
    assert copy.deepcopy(certificate) == certificate
    assert not hasattr(certificate, "__dict__")
    assert not hasattr(values["CertificatePool"], "__dict__")
    assert not hasattr(values["Identity"], "__dict__")
    with pytest.raises(AttributeError, match="immutable"):
        certificate.seen = True


def test_a_certificate_is_drawn_without_the_search_and_the_clients():
    """Showing a value loads only the module that draws it."""
    script = (
        "import sys, pkcs12kit as pk\n"
        "assert 'pkcs12kit.notebook' not in sys.modules\n"
        "pk.CertificatePool()._repr_mimebundle_()\n"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pkcs12kit.notebook.pools" in loaded
    assert loaded.isdisjoint({"pkcs12kit.paths.search", "pkcs12kit.tls", "pkcs12kit.retrieval", "aiohttp"})


def test_what_is_not_ours_is_not_drawn():
    """A class of somebody else that has the name of one of ours is not taken for it."""
    stranger = type("Certificate", (), {})()
    with pytest.raises(TypeError, match="a Certificate is not drawn"):
        pk.to_html(stranger)
    with pytest.raises(ValueError, match="no time zone"):
        pk.to_html(pk.CertificatePool(), time=datetime(2018, 6, 1))  # noqa: DTZ001  # that is what is refused


def test_a_class_of_a_users_own_is_drawn_as_its_base(replica):
    """A subclass of a value of ours is shown like the value."""

    class Mine(pk.CertificatePool):
        __slots__ = ()

    assert "Certificate pool: 1 certificate," in pk.to_html(Mine([replica.issuing_ca]))


def test_an_anchor_whose_validity_is_ignored_does_not_expire_first(html):
    """The mark is at the certificate that ends the path, as in ``expires``; the anchor ends earlier."""
    root = pk.lab.Authority.create("TA", validity=pk.lab.Validity.around(days_before=300, days_after=-10))
    server = root.issue_server("EE", serial_number=7, validity=pk.lab.Validity.around(days_after=85)).certificate
    now = root.certificate.not_after + timedelta(days=10)
    parameters = pk.ValidationParameters(time=now, check_trust_anchor_validity=False)
    anchor = pk.TrustAnchor.from_certificate(root.certificate)
    path = pk.find_path(server, pool=pk.CertificatePool(), trust_anchors=[anchor], parameters=parameters)
    text = html(pk.to_html(path)).text
    assert text.count("expires first") == 1
    assert re.search(r"EE  #7\b[^•]*?expires first", text)
    assert f"Expires on {server.not_after:%Y-%m-%d}" in text


def test_a_path_says_where_the_time_lies_and_who_expires_first(values, html):
    """Each card has its dates, how much is over, and one the mark; the bars are over one axis."""
    path = values["ValidatedPath"]
    text = html(pk.to_html(path)).text
    first = min(path.with_anchor, key=lambda certificate: certificate.not_after)
    assert text.count("expires first") == 1
    assert re.search(rf"{first.subject.common_name}  #{first.serial_number}\b[^•]*?expires first", text)
    assert text.count("% over") == len(path.with_anchor)
    assert text.count("trust anchor") == 1
    assert path.parameters.time.date().isoformat() in text


def test_the_time_that_is_asked_for_counts(values, html):
    """A path is looked at as of its own time, a certificate as of now, and either as of the time that is named."""
    path, certificate = values["ValidatedPath"], values["Certificate"]
    after = path.trust_anchor.certificate.not_after + timedelta(seconds=1)
    assert "✗ expired" not in html(pk.to_html(path)).text
    assert html(pk.to_html(path, time=after)).text.count("✗ expired") == len(path.with_anchor)
    assert "✓ current" in html(pk.to_html(certificate, time=certificate.not_after)).text
    assert "✗ expired" in html(pk.to_html(certificate, time=certificate.not_after + timedelta(seconds=1))).text
    assert "✗ not yet valid" in html(pk.to_html(certificate, time=certificate.not_before - timedelta(seconds=1))).text


def test_a_report_has_the_picture_the_chosen_path_and_every_reason(values, html):
    """A search shows the graph, its best path, the others, and of each attempt what was found and the clause."""
    report = values["PathReport"]
    read = html(pk.to_html(report))
    assert [tag for tag, _ in read.elements].count("svg") == 1
    assert f"✓ {len(report.valid)} valid paths" in read.text
    assert read.text.count("The one before it is better") == len(report.valid) - 1
    for rejected in report.rejected:
        assert rejected.detail in read.text
        assert rejected.section in read.text


def test_periods_have_the_timeline_and_every_date(values, html):
    """The answer, one picture with a text alternative, and a row for each period with the reason of its end."""
    report = values["ValidityReport"]
    read = html(pk.to_html(report))
    drawings = [attributes for tag, attributes in read.elements if tag == "svg"]
    assert len(drawings) == 1
    assert drawings[0]["role"] == "img"
    ids = {attributes.get("id") for tag, attributes in read.elements if tag in {"title", "desc"}}
    assert set(drawings[0]["aria-labelledby"].split()) <= ids
    assert [tag for tag, _ in read.elements].count("tr") == 1 + len(report.periods)
    assert "✗" in read.text
    for period in report.periods:
        assert f"{format_time(period.begin)}" in read.text
        for one in (*period.began_with, *period.ended_by):
            assert one.label in read.text
        for failure in period.closest.failures if period.closest else ():
            assert failure.detail in read.text


def test_a_search_without_a_path_shows_the_closest_attempt(values, html):
    """The report is as of the time of the search, and the cards of faulty certificates show their failures."""
    error = values["NoValidPathError"]
    text = html(pk.to_html(error)).text
    assert "✗ No valid path" in text
    closest = error.attempts[0]
    for failure in closest.failures:
        assert f"✗ {failure.reason.value}: {failure.detail} [{failure.section}]" in text
    over = error.report.time - closest.certificate.not_after
    assert f"over for {over.days:,} days" in text


def test_a_pool_is_a_table_by_subject(replica, html):
    """Every certificate is a row, by subject, with what a script sorts by; the script is there once."""
    read = html(pk.to_html(replica.pool, time=replica.at))
    cells = [attributes for tag, attributes in read.elements if tag == "td"]
    assert len(cells) == 8 * len(replica.pool)
    subjects = [attributes["title"].partition(",")[0] for attributes in cells[::8]]
    assert subjects == sorted(subjects, key=str.casefold)
    untils = [attributes["data-key"] for attributes in cells[4::8]]
    assert sorted(untils) == sorted(certificate.to_json()["not_after"] for certificate in replica.pool)
    assert read.scripts == [SORTING]


def test_a_name_without_common_name_is_whole_in_a_table(html):
    """The label of such a name is its RFC 4514 text, in tables as in sentences and pictures."""
    from cryptography import x509

    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example"),
            x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "Example Root CA"),
        ]
    )
    certificate = pk.lab.Authority.create(name).certificate
    cell, *_ = (one for one in html(pk.to_html(pk.CertificatePool([certificate]))).elements if one[0] == "td")
    assert cell[1]["title"] == "OU=Example Root CA,O=Example"
    assert (
        "OU=Example Root CA,O=ExampleOU=Example Root CA,O=Example"
        in html(pk.to_html(pk.CertificatePool([certificate]))).text
    )


def test_rejects_are_told(replica, html):
    """Certificates that could not be read are listed, with the reason as text."""
    pool = pk.CertificatePool(replica.pool, rejects=[pk.Reject(source="a<b>.pem", position=3, reason="no & none")])
    text = html(pk.to_html(pool)).text
    assert "1 could not be read" in text
    assert "a<b>.pem: certificate 3: no & none" in text


def test_a_key_is_told_and_not_shown(values, html):
    """An identity, a bundle and a file that was read say that a key is there."""
    for kind in ("Identity", "Bundle", "DecodedPfx"):
        assert "private key" in html(pk.to_html(values[kind])).text
    without = pk.Bundle(certificates=values["Bundle"].certificates)
    assert "without a private key" in html(pk.to_html(without)).text


def test_a_closed_file_says_so(values, html):
    """Without the password its certificates are not there; that is said, and who can open it."""
    data = values["BuildReport"].data
    text = html(pk.to_html(pk.inspect_pfx(data))).text
    assert "closed without the password" in text
    assert "○ not verified" in text
    assert "wrong password" in html(pk.to_html(pk.inspect_pfx(data, password="another"))).text


def test_what_is_left_out_is_counted(replica, values, html):
    """Each limit of notebooks applies, and the reader sees how much is left out."""
    few = replace(pk.DEFAULT_LIMITS, notebook_rows=2, notebook_items=3, notebook_paths=2, notebook_characters=60)
    pool = html(pk.to_html(replica.pool, limits=few))
    assert [tag for tag, _ in pool.elements].count("tr") == 1 + 2
    assert f"{len(replica.pool) - 2} more certificates not shown" in pool.text
    report = values["PathReport"]
    text = html(pk.to_html(report, limits=few)).text
    assert f"{len(report.valid) - 2} more valid paths not shown" in text
    assert f"{len(report.rejected) - 2:,} more attempts not shown" in text
    assert f"and {len(report.best.certificates) - 3} more certificates" in text
    assert re.search(r"… and \d+ more characters", text)


def test_a_large_certificate_stays_small(replica, html):
    """A subjectAltName of 3,000 long names is not 3,000 long names in the notebook."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key = replica.server.private_key
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "large")])
    names = [x509.DNSName(f"{number}.{'a' * 60}.{'b' * 60}.example") for number in range(3_000)]
    one = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = pk.to_html(pk.Certificate.from_der(one.public_bytes(Encoding.DER)))
    assert len(text) < 20_000
    assert re.search(r"… and [\d,]+ more characters", html(text).text)


def test_the_examples_of_the_page_run(cannot_run):
    """Each code block of the page on notebooks runs as it stands, one after the other."""
    if find_spec("IPython") is None:
        cannot_run("needs the package ipython")
    page = (Path(__file__).parents[2] / "docs" / "reference" / "notebooks.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)], capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert (len(blocks), done.returncode, done.stderr) == (2, 0, "")
