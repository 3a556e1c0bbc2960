"""Each reason of the closed list is produced, and its sentence names the certificate and the clause."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from pkcs12kit import lab
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.cli import cli
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.failure import Failure
from pkcs12kit.paths.report import PathReport, RejectedPath
from pkcs12kit.paths.revocation import Revocation, RevocationMode
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters

AT = datetime(2026, 3, 1, tzinfo=UTC)
AROUND = lab.Validity.around(AT)
EXPIRED = lab.Validity.around(AT, days_before=90, days_after=-1)
TO_COME = lab.Validity.around(AT, days_before=-1, days_after=90)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """A search that fails for one reason, which is about one certificate."""

    target: object
    pool: tuple
    anchor: TrustAnchor
    about: object
    server_name: str | None = None
    crls: tuple[bytes, ...] = ()
    require_revocation: bool = False

    @property
    def revocation(self):
        """The revocation data; None where revocation is not checked."""
        if not self.crls and not self.require_revocation:
            return None
        mode = RevocationMode.REQUIRE if self.require_revocation else RevocationMode.SOFT
        return Revocation(mode=mode, crls=self.crls)

    @property
    def parameters(self):
        """The requirements for the path."""
        return ValidationParameters(time=AT, server_name=self.server_name)

    def search(self):
        """Search for every path."""
        return find_paths(
            self.target,
            pool=CertificatePool(self.pool),
            trust_anchors=[self.anchor],
            parameters=self.parameters,
            revocation=self.revocation,
        )


@pytest.fixture(scope="module")
def scenario(chain, resign):
    """Make the scenario of a reason."""

    def of_path(path, about, **others):
        target, *pool = path.certificates
        return Scenario(
            target=target, pool=tuple(pool), anchor=path.trust_anchor, about=path.certificates[about], **others
        )

    def simple(about, *links, **others):
        return of_path(chain(*links), about, **others)

    def extended(about, extension, **others):
        """Two certificates above the anchor, one of them with the extension."""
        links = [{}, {}]
        links[1 - about]["extensions"] = (extension,)
        return simple(about, *links, **others)

    def issuer_not_found():
        whole = of_path(chain({}, {}, {}), 1)
        return dataclasses.replace(whole, pool=whole.pool[:1])

    def no_trust_anchor():
        other = TrustAnchor.from_certificate(lab.Authority.create("Other", validity=AROUND).certificate)
        whole = of_path(chain({}, {}), 0)
        root = whole.anchor.certificate
        return dataclasses.replace(whole, anchor=other, pool=(*whole.pool, root), about=root)

    def bad_signature():
        whole = of_path(chain({}, {}), 0)
        damaged = type(whole.target).from_der(whole.target.der[:-1] + bytes([whole.target.der[-1] ^ 1]))
        return dataclasses.replace(whole, target=damaged, about=damaged)

    def unsupported_algorithm():
        key = lab.KeyType.EC_P256.generate()
        whole = of_path(chain({"private_key": key}, {}), 0)
        odd = resign(whole.target, key, algorithm={"algorithm": "2.999.5"})
        return dataclasses.replace(whole, target=odd, about=odd)

    def revoked():
        anchor, ca = (lab.Authority.create(name, validity=AROUND) for name in ("TA", "CA"))
        target = ca.issue_server("www.example.com").certificate
        at = lab.Validity.around(AT, days_before=1, days_after=1)
        entry = lab.CrlEntry(
            serial_number=target.serial_number, date=at.not_before, reason=x509.ReasonFlags.key_compromise
        )
        return Scenario(
            target=target,
            pool=(anchor.issue_ca(ca),),
            anchor=TrustAnchor.from_certificate(anchor.certificate),
            about=target,
            crls=(ca.make_crl(validity=at, revoked=[entry]), anchor.make_crl(validity=at)),
        )

    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    excluded = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName("example.com")])
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("2.999.99"), b"\x05\x00")
    unreadable = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), b"\xff\xff")
    scenarios = {
        FailureReason.ISSUER_NOT_FOUND: issuer_not_found,
        FailureReason.NO_TRUST_ANCHOR: no_trust_anchor,
        FailureReason.BAD_SIGNATURE: bad_signature,
        FailureReason.UNSUPPORTED_ALGORITHM: unsupported_algorithm,
        FailureReason.WEAK_ALGORITHM: lambda: simple(0, {}, {"private_key": rsa.generate_private_key(65537, 1024)}),  # noqa: S505
        FailureReason.NOT_YET_VALID: lambda: simple(0, {}, {"validity": TO_COME}),
        FailureReason.EXPIRED: lambda: simple(1, {"validity": EXPIRED}, {}),
        FailureReason.REVOKED: revoked,
        FailureReason.REVOCATION_UNKNOWN: lambda: simple(1, {}, {}, require_revocation=True),
        FailureReason.NAME_CONSTRAINTS: lambda: simple(0, {"extensions": (lab.critical(excluded),)}, {}),
        FailureReason.EXPLICIT_POLICY: lambda: extended(0, lab.critical(x509.PolicyConstraints(0, None))),
        FailureReason.POLICY_MAPPING: lambda: extended(
            1, lab.critical(lab.policy_mappings(("2.999.1", "2.5.29.32.0")))
        ),
        FailureReason.NOT_A_CA: lambda: simple(1, {"only": ()}, {}),
        FailureReason.PATH_LENGTH: lambda: simple(1, {"path_length": 0}, {}, {}),
        FailureReason.KEY_USAGE: lambda: extended(1, lab.critical(lab.key_usage("crl_sign"))),
        FailureReason.UNKNOWN_CRITICAL_EXTENSION: lambda: extended(0, lab.critical(unknown)),
        FailureReason.MALFORMED_CERTIFICATE: lambda: extended(0, lab.non_critical(unreadable)),
        FailureReason.EXTENDED_KEY_USAGE: lambda: extended(0, lab.critical(purpose), server_name="www.example.com"),
        FailureReason.SERVER_NAME: lambda: simple(0, {}, {}, server_name="www.example.org"),
        FailureReason.BUDGET_EXHAUSTED: lambda: simple(0, *[{}] * 121),
    }

    return lambda reason: scenarios[reason]()


# A search goes by names, so that only one who validates a path of their own making meets this one.
NOT_BY_SEARCH = {FailureReason.NAME_CHAINING}
BY_SEARCH = [reason for reason in FailureReason if reason not in NOT_BY_SEARCH]


def misnamed(chain, refusal):
    """Fail by name chaining: the anchor has the right key and another name."""
    path = chain({}, {})
    other = lab.Authority.create("Other", validity=AROUND).certificate.subject
    anchor = TrustAnchor(name=other, subject_public_key_info=path.trust_anchor.subject_public_key_info)
    return refusal(dataclasses.replace(path, trust_anchor=anchor)), path.certificates[-1]


def test_the_list_is_closed():
    """Every reason is in the table above or is the one that no search meets; the values are what JSON prints."""
    assert {*BY_SEARCH, *NOT_BY_SEARCH} == set(FailureReason)
    assert len({reason.value for reason in FailureReason}) == len(FailureReason)


def assert_names(text, failure, certificate):
    """The sentence names the certificate by subject and serial number, and the clause."""
    assert str(certificate.subject) in text
    assert f"#{certificate.serial_number}" in text
    assert failure.detail in text
    assert f"[{failure.section}]" in text
    if failure.reason is FailureReason.BUDGET_EXHAUSTED:
        assert failure.section == "pkcs12kit.limits"
        assert "not a verdict" in text
    else:
        assert failure.section.startswith("RFC ")


@pytest.mark.parametrize("reason", BY_SEARCH, ids=lambda reason: reason.value)
def test_each_reason_is_produced_and_its_sentence_names_the_certificate(scenario, reason):
    """The first attempt has the reason; ``NoValidPathError`` says it in one sentence."""
    made = scenario(reason)
    report = made.search()
    assert report.valid == ()
    first = report.rejected[0]
    assert first.reason is reason
    assert first.certificate == made.about
    assert_names(str(first), first.failures[0], made.about)
    described = json.loads(json.dumps(first.to_json()))
    assert described["reason"] == reason.value
    assert described["certificate"]["serial"] == str(made.about.serial_number)
    assert described["section"] == first.section
    assert described["detail"]


def test_name_chaining_is_produced_by_validation(chain, refusal):
    """RFC 5280 section 6.1.3 (a)(4), on a path that was put together by hand."""
    failure, about = misnamed(chain, refusal)
    assert failure.reason is FailureReason.NAME_CHAINING
    assert failure.certificate == about
    assert_names(str(failure), failure, about)


def display(report):
    """Print a report as the command does where no terminal wraps its lines."""
    from rich.console import Console

    from pkcs12kit.display.paths import path_report

    output = io.StringIO()
    console = Console(file=output, width=10_000, color_system=None, highlight=False, markup=False)
    for renderable in path_report(report, every=False):
        console.print(renderable)
    return output.getvalue()


def assert_line_names(text, failure, certificate):
    """The command's line names the certificate, at least by common name and the ends of its serial number."""
    serial = str(certificate.serial_number)
    about = [line for line in text.splitlines() if certificate.subject.common_name in line.partition(":")[0]]
    [line] = [line for line in about if failure.detail in line]
    assert serial in line or (serial[:4] in line and serial[-4:] in line)
    assert failure.section in line


def test_the_commands_line_for_name_chaining(chain, refusal):
    """Return the text that the command prints."""
    failure, about = misnamed(chain, refusal)
    rejected = RejectedPath(certificates=(about,), failures=(failure,))
    assert_line_names(display(PathReport(target=about, valid=(), rejected=(rejected,))), failure, about)


@pytest.mark.parametrize("reason", BY_SEARCH, ids=lambda reason: reason.value)
def test_the_commands_line_names_the_certificate(scenario, tmp_path, reason):
    """``pkcs12kit paths`` on the same files: exit status 1, and a line with certificate, finding and clause."""
    made = scenario(reason)
    failure = made.search().rejected[0].failures[0]
    (tmp_path / "target.pem").write_text(made.target.to_pem())
    (tmp_path / "anchor.pem").write_text(made.anchor.certificate.to_pem())
    (tmp_path / "pool.pem").write_text("".join(certificate.to_pem() for certificate in made.pool))
    arguments = ["paths", str(tmp_path / "target.pem"), "--anchor", str(tmp_path / "anchor.pem"), "--at", "2026-03-01"]
    if made.pool:
        arguments += ["--certs", str(tmp_path / "pool.pem")]
    for number, crl in enumerate(made.crls):
        (tmp_path / f"{number}.crl").write_bytes(crl)
        arguments += ["--crl", str(tmp_path / f"{number}.crl")]
    if made.require_revocation:
        arguments += ["--revocation", "require"]
    if made.server_name is not None:
        arguments += ["--server-name", made.server_name]
    outcome = CliRunner().invoke(cli, arguments)
    assert outcome.exit_code == 1, outcome.output
    assert_line_names(outcome.stdout, failure, made.about)


def test_a_failure_never_steers_the_terminal(chain, refusal):
    """A subject with an escape sequence comes out escaped, in the sentence and in the command's line."""
    path = chain({}, {"name": "evil\x1b[2J\x1b]0;x\x07", "validity": EXPIRED})
    failure = refusal(path)
    assert isinstance(failure, Failure)
    rejected = RejectedPath(certificates=(path.target,), failures=(failure,))
    for text in (str(failure), display(PathReport(target=path.target, valid=(), rejected=(rejected,)))):
        assert text.replace("\n", "").isprintable()


def test_reasons_of_one_path_are_all_told(chain):
    """Every expired link of the closest path is named with its date, in one sentence each."""
    path = chain({"validity": EXPIRED}, {"validity": EXPIRED}, {})
    target, *pool = path.certificates
    report = find_paths(
        target,
        pool=CertificatePool(pool),
        trust_anchors=[path.trust_anchor],
        parameters=ValidationParameters(time=AT),
    )
    first = report.rejected[0]
    assert len(first.failures) == 2
    assert str(first).count("2026-02-28") == 2
    for certificate in pool:
        assert f"{certificate.subject} (#{certificate.serial_number})" in str(first)
