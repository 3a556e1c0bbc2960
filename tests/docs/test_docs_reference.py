"""The pages on failure reasons, standards and readers say what the code does, and leave nothing out."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

import pkcs12kit
from pkcs12kit import Name, lab
from pkcs12kit.cli import cli
from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.paths import hints
from pkcs12kit.paths.validation import extensions
from pkcs12kit.pkcs12.readers import READERS

PROJECT = Path(__file__).parents[2]
REFERENCE = PROJECT / "docs" / "reference"
REASONS = [reason.value for reason in pkcs12kit.FailureReason]
STATUSES = ("done", "partial", "unsupported")
# A clause as the code and the page write it: 6.1.3 (a)(1), A.2.
NUMBER = r"(?:[0-9]+|[A-Z](?![A-Za-z]))(?:\.[0-9]+)*"
STEPS = r"(?:\([a-z0-9]+\))+"
ONE = rf"(?:appendix |section )?{NUMBER}(?: {STEPS}(?:(?:,? and |, | to | ){STEPS})*)?"
CITATION = re.compile(rf"RFC (\d{{3,4}})(?:,? (?:sections?|appendix|appendices) ({ONE}(?:(?:,? and |, )(?:{ONE}))*))?")


def page(name):
    """Read a page of the reference."""
    return (REFERENCE / name).read_text("utf-8")


def words(text):
    """Undo line breaks."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def sections():
    """The sections by reason, in the order of the page."""
    parts = re.split(r"^\(reason-([a-z-]+)\)=\n## ([a-z-]+)\n", page("failure-reasons.md"), flags=re.MULTILINE)
    assert parts[1::3] == parts[2::3]  # each anchor stands before the heading of its name
    return dict(zip(parts[2::3], parts[3::3], strict=True))


@pytest.fixture(scope="module")
def overview():
    """The clauses of the overview by reason, as the table has them."""
    rows = re.findall(
        r"^\| `([a-z-]+)` \| \[[^]]+\]\(#reason-([a-z-]+)\)\. \| (.*) \|$",
        page("failure-reasons.md"),
        re.MULTILINE,
    )
    assert [reason for reason, _, _ in rows] == [target for _, target, _ in rows]
    return {reason: clauses for reason, _, clauses in rows}


class TestFailureReasons:
    """Each reason has a section: what it means, its cause, its cure, and an example that gives it."""

    def test_order(self, sections, overview):
        """Every reason of the closed list, in its order, in the overview and as a section."""
        assert list(sections) == REASONS
        assert list(overview) == REASONS

    @pytest.mark.parametrize("reason", REASONS)
    def test_cause_and_cure(self, sections, reason):
        """First what it means, then what has happened, then what to do, each of more than a few words."""
        meaning, cause, cure = re.fullmatch(
            r"(.*?)\n\n\*\*Cause\.\*\* (.*?)\n\n\*\*What to do\.\*\* (.*?)(?:\n\n<!--.*|\n*)",
            sections[reason],
            re.DOTALL,
        ).groups()
        assert min(len(words(part).split()) for part in (meaning, cause, cure)) >= 8

    @pytest.mark.parametrize("reason", pkcs12kit.FailureReason, ids=lambda reason: reason.value)
    def test_the_cure_is_the_hint(self, sections, reason):
        """What the command hints at for a reason is in its cure: every option of the hint."""
        cure = words(sections[reason.value].partition("**What to do.**")[2])
        hinted = re.findall(r"--[a-z-]+", hints._BY_REASON.get(reason, ""))
        assert [option for option in hinted if option not in cure] == []

    def test_every_hint_is_of_a_reason(self):
        """The test above asks about every hint that there is."""
        assert hints._BY_REASON.keys() <= set(pkcs12kit.FailureReason)

    def test_options_exist(self):
        """Every option that the page names is one of a command."""
        known = {
            option
            for name in cli.list_commands(click.Context(cli))
            for parameter in cli.get_command(click.Context(cli), name).params
            for option in parameter.opts
        }
        prose = re.sub(r"`(?:pip|openssl) [^`]*`", "", page("failure-reasons.md"))
        assert {option for option in re.findall(r"--[a-z][a-z0-9-]+", prose) if option not in known} <= {"--help"}

    @pytest.mark.parametrize("reason", sorted(set(REASONS) - {"name-chaining"}))
    def test_examples(self, sections, overview, reason):
        """What you see, which tests/broken makes, has one of the clauses of this reason."""
        (example,) = re.findall(r"^```text\n(.*?)^```", sections[reason], re.MULTILINE | re.DOTALL)
        clauses = re.findall(r"\[((?:RFC|pkcs12kit)[^]]+)\]", words(re.sub("[│├└─]", "", example)))
        wanted = citations(overview[reason]) or {overview[reason].strip("`")}
        assert any((citations(clause) or {clause}) <= wanted for clause in clauses)

    def test_why_a_crl_or_a_response_did_not_count(self, sections):
        """Each sentence of the table is one of the code, where a dot-dot-dot stands for what it quotes."""
        paths = PROJECT / "pkcs12kit/paths"
        code = "".join(file.read_text("utf-8") for file in [*(paths / "revocation").glob("*.py"), paths / "budget.py"])
        code = words(re.sub(r'"\s*\n\s*f?"', "", code))  # a text in several pieces
        rows = re.findall(r"^\| (`.*?`) \| [A-Z].*\. \| [A-Z].*\. \|$", sections["revocation-unknown"], re.MULTILINE)
        assert len(rows) > 20
        said = [part for row in rows for sentence in re.findall(r"`(.*?)`", row) for part in sentence.split("…")]
        assert [part for part in said if part.strip(" ,()") not in code] == []

    def test_figures(self, fpki):
        """What is said of the Federal PKI's certificates can be counted in them."""
        pool = list(pkcs12kit.load_certificates(fpki / "fpki-2024-10.p7b"))
        of_each = [certificate.extensions for certificate in pool]
        keys = defaultdict(set)
        for certificate in pool:
            keys[certificate.subject].add(certificate.subject_public_key_info)
        constrained = [own for own in of_each if own.name_constraints is not None]
        lengths = Counter(own.basic_constraints.path_length for own in of_each)
        policies = [own.policy_constraints for own in of_each if own.policy_constraints is not None]
        text = words(page("failure-reasons.md"))
        for said in (
            f"the {len(pool)} CA certificates that GSA listed",
            f"{sum(len(several) > 1 for several in keys.values())} CA names have several keys each",
            f"{sum(bool(own.ca_issuers) for own in of_each)} of the {len(pool)} contain a URL of their issuer",
            f"{len(constrained)} of the {len(pool)} certificates have name constraints, all of them critical",
            f"({sum(one.require_explicit_policy is not None for one in policies)} of the {len(pool)} do)",
            f"Of the {len(pool)} certificates {sum(own.policy_mappings is not None for own in of_each)} map policies",
            f"({lengths[0]} of the {len(pool)} have a path length of 0, and {lengths[1]} have a path length of 1)",
            f"All of the {len(pool)} have a critical keyUsage",
        ):
            assert said in text
        assert all(ExtensionOID.NAME_CONSTRAINTS.dotted_string in own.critical for own in constrained)
        assert all(ExtensionOID.KEY_USAGE.dotted_string in own.critical for own in of_each)
        assert {oid for own in of_each for oid in own.critical} == {
            oid.dotted_string
            for oid in (
                ExtensionOID.KEY_USAGE,
                ExtensionOID.BASIC_CONSTRAINTS,
                ExtensionOID.NAME_CONSTRAINTS,
                ExtensionOID.POLICY_CONSTRAINTS,
                ExtensionOID.INHIBIT_ANY_POLICY,
            )
        }
        (purposes,) = (own.extended_key_usage for own in of_each if own.extended_key_usage is not None)
        assert purposes == {"1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"}  # clients, mail
        assert {certificate.as_cryptography.signature_hash_algorithm.name for certificate in pool} == {
            "sha256",
            "sha384",
        }
        old = {
            certificate.subject.common_name
            for certificate in pkcs12kit.load_certificates(fpki / "dod-2019.pem")
            if certificate.as_cryptography.signature_hash_algorithm.name == "sha1"
        }
        assert {"DoD Root CA 2", "DOD ID SW CA-35"} <= old

    def test_what_lapsed(self, fpki):
        """The two expiries that end every path of 2024 are those that the search names today."""
        report = pkcs12kit.find_paths(
            pkcs12kit.load_certificate(fpki / "dod-sw-ca-67.pem"),
            pool=pkcs12kit.load_certificates(fpki / "fpki-2024-10.p7b"),
            trust_anchors=pkcs12kit.load_trust_anchors(fpki / "fcpcag2.pem"),
            parameters=pkcs12kit.ValidationParameters(time=datetime(2026, 11, 23, tzinfo=UTC)),
        )
        lapsed = [failure.certificate.not_after.date().isoformat() for failure in report.rejected[0].failures]
        assert lapsed == ["2024-11-16", "2026-02-07"]
        assert all(day in page("failure-reasons.md") for day in lapsed)


def expand(text):
    """List the clauses that a text names: '6.1.3 (b), (c) and 6.2' gives 6.1.3(b), 6.1.3(c), 6.2."""
    found = []
    for number, steps in re.findall(
        rf"({NUMBER})((?:(?:,? and |, | to | )?{STEPS})*)", text.replace("appendix ", "").replace("section ", "")
    ):
        letters = re.findall(STEPS, steps)
        if " to " in steps:
            first, last = letters[0][1], letters[-1][1]
            letters = [f"({chr(letter)})" for letter in range(ord(first), ord(last) + 1)]
        found += [number + letter for letter in letters] or [number]
    return found


def citations(text):
    """List what a text cites: pairs of the number of an RFC and a clause, which is empty where it cites the whole."""
    found = set()
    for number, clauses in CITATION.findall(text):
        found |= {(number, clause) for clause in expand(clauses)} if clauses else {(number, "")}
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RFC 5280 section 6.1.3 (a)(1).", {("5280", "6.1.3(a)(1)")}),
        ("(RFC 5280 sections 4.2.1.10, 6.1.3 (b) (c), 6.1.4 (g))", {"4.2.1.10", "6.1.3(b)", "6.1.3(c)", "6.1.4(g)"}),
        ("RFC 5280 section 6.1.4 (d) to (f)", {"6.1.4(d)", "6.1.4(e)", "6.1.4(f)"}),
        ("RFC 5280 section 6.1.2, RFC 5937 section 3", {("5280", "6.1.2"), ("5937", "3")}),
        ("RFC 6960 section 4.1 and appendix A.1", {("6960", "4.1"), ("6960", "A.1")}),
        ("RFC 7292 appendix B.1 has", {("7292", "B.1")}),
        ("RFC 9618, which", {("9618", "")}),
        ("RFC 959 section 4.2", {("959", "4.2")}),
    ],
)
def test_citations_are_read(text, expected):
    """What the tests below rely on."""
    assert citations(text) == {one if isinstance(one, tuple) else ("5280", one) for one in expected}


@pytest.fixture(scope="module")
def rows():
    """Each row as the number of the RFC (None for others), clauses, status, sentence, and where."""
    found, number = [], None
    for line in page("standards.md").splitlines():
        if heading := re.match(r"(?:## .*?RFC |\{rfc\}`)(\d+)", line):
            number = heading[1]
        elif line.startswith("## "):
            number = None
        if row := re.fullmatch(r"\| (.*?) \| (?!status)([a-z]+) \| (.*?) \| ([\w/, ]+) \|", line):
            clause, status, sentence, where = row.groups()
            if prefixed := re.match(r"(?:(\d{4}): |\{rfc\}`(\d+)`)", clause):
                of, clause = prefixed[1] or prefixed[2], clause[prefixed.end() :]
                found.append((of, expand(clause), status, sentence, where.split(", ")))
            else:
                clauses = expand(clause) if number else []
                found.append((number, clauses, status, sentence, where.split(", ")))
    return found


@pytest.fixture(scope="module")
def cited():
    """What the code cites, with the files that do."""
    found = defaultdict(set)
    for file in sorted((PROJECT / "pkcs12kit").rglob("*.py")):
        text = re.sub(r'"\s*\n\s*f?"', "", file.read_text("utf-8"))  # a text in several pieces
        text = re.sub(r"\s*\n\s*(?:# )?", " ", text)
        for citation in citations(text):
            found[citation].add(file.relative_to(PROJECT).as_posix())
    return found


class TestStandards:
    """The page of standards is of this code, and names every clause that the code cites."""

    def test_every_row_is_read(self, rows):
        """The tests below look at all rows of all tables of clauses."""
        tables = re.findall(r"^\| clause \| status \|.*\n\| ---.*\n((?:\|.*\n)+)", page("standards.md"), re.MULTILINE)
        assert len(rows) == sum(table.count("\n") for table in tables) > 0

    def test_statuses(self, rows):
        """The list of statuses is closed; what is not all done says what is and is not."""
        assert {status for _, _, status, _, _ in rows} == set(STATUSES)
        for number, clauses, status, sentence, _ in rows:
            assert status == "done" or len(sentence.split()) >= 4, (number, clauses)

    def test_no_clause_is_there_twice(self, rows):
        """Each has one status."""
        listed = Counter((number, clause) for number, clauses, _, _, _ in rows for clause in clauses if number)
        assert [clause for clause, count in listed.items() if count > 1] == []

    def test_where_exists(self, rows):
        """Every module and every test that is named is there, once; what is done, or in part, is shown by a test."""
        files = [file.relative_to(PROJECT) for root in ("pkcs12kit", "tests") for file in PROJECT.glob(f"{root}/**/*")]
        names = [file.with_suffix("").as_posix() for file in files if file.suffix in {".py", ".toml"}]
        for number, clauses, status, _, where in rows:
            for name in where:
                assert sum(one.endswith(f"/{name}") for one in names) == 1, (number, clauses, name)
            shown = any(name.startswith(("test_", "limbo_")) for name in where)
            assert shown or status == "unsupported", (number, clauses)

    def test_every_clause_that_the_code_cites_is_there(self, rows, cited):
        """It has a row of its own, or is one whose parts have rows; a clause is never hidden in the one above it."""
        listed = defaultdict(set)
        for number, clauses, _, _, _ in rows:
            listed[number].update(clauses)
        missing = {
            (number, clause): files
            for (number, clause), files in cited.items()
            if clause
            and listed.get(number)  # a row on the whole of a standard names no clauses
            and not any(row == clause or row.startswith((f"{clause}.", f"{clause}(")) for row in listed[number])
        }
        assert missing == {}

    def test_every_standard_that_the_code_cites_is_there(self, cited):
        """At least by its number."""
        mentioned = set(re.findall(r"\{rfc\}`(\d+)`", page("standards.md")))
        assert {number: files for (number, _), files in cited.items() if number not in mentioned} == {}

    def test_section_6_1_is_whole(self, rows):
        """RFC 5280's steps, each letter; where it has 6.1.3 (a) in parts, each part."""
        steps = {
            "6.1.1": "abcdefghi",
            "6.1.2": "abcdefghijk",
            "6.1.3": "abcdef",
            "6.1.4": "abcdefghijklmno",
            "6.1.5": "abcdefg",
        }
        wanted = {f"{section}({letter})" for section, letters in steps.items() for letter in letters}
        wanted = wanted - {"6.1.3(a)"} | {f"6.1.3(a)({part})" for part in range(1, 5)}
        listed = {clause for number, clauses, _, _, _ in rows if number == "5280" for clause in clauses}
        assert wanted <= listed
        assert {f"4.2.1.{part}" for part in range(1, 16)} | {"4.2.2.1", "4.2.2.2", "6.1.6", "6.2"} <= listed
        assert {f"7.{part}" for part in range(1, 6)} <= listed
        path_building = {clause for number, clauses, _, _, _ in rows if number == "4158" for clause in clauses}
        assert {f"3.5.{part}" for part in range(1, 22)} <= path_building

    def test_processed_extensions(self, rows):
        """The extensions that 6.1.4 (o) is said to know are those that the code knows."""
        (sentence,) = (
            sentence for number, clauses, _, sentence, _ in rows if number == "5280" and clauses == ["6.1.4(o)"]
        )
        names = {ObjectIdentifier(oid)._name for oid in extensions._PROCESSED}
        assert set(re.findall(r"\b[a-z]+[A-Z]\w+", sentence)) == names

    def test_version_2_is_no_certificate(self):
        """RFC 5280 section 4.1.2.1: pyca/cryptography refuses it, and so do we; nothing else about it is wrong."""
        der = lab.Authority.create("CA").certificate.der
        version_3 = bytes.fromhex("a003020102")
        assert der.count(version_3) == 1
        with pytest.raises(pkcs12kit.MalformedCertificateError, match="version"):
            pkcs12kit.Certificate.from_der(der.replace(version_3, bytes.fromhex("a003020101")))

    def test_domain_components(self):
        """RFC 5280 section 7.3: as other strings, whatever their case; A-labels and U-labels are different ones."""
        name = {
            text: Name([[("0.9.2342.19200300.100.1.25", text)]])
            for text in ("Example", "example", "b\u00fccher", "xn--bcher-kva")
        }
        assert name["Example"] == name["example"]
        assert name["b\u00fccher"] != name["xn--bcher-kva"]

    def test_proxy_certificates_are_refused(self):
        """RFC 3820: its extension is critical, and who issues it is no CA."""
        proxy = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.5.5.7.1.14"), b"\x30\x00")
        at = datetime(2026, 3, 1, tzinfo=UTC)
        topology = lab.Topology.from_edges("EE<CA<TA", validity=lab.Validity.around(at))
        end_entity = topology.servers["EE"]
        issuer = lab.Authority(
            name=end_entity.certificate.as_cryptography.subject,
            private_key=end_entity.private_key,
            certificate=end_entity.certificate,
        )
        reasons = []
        for extension in ((), (lab.critical(proxy),)):
            target = issuer.issue_server("proxy.example", extensions=extension).certificate
            report = pkcs12kit.find_paths(
                target,
                pool=pkcs12kit.CertificatePool([*topology.pool, end_entity.certificate]),
                trust_anchors=[topology.trust_anchor("TA")],
                parameters=pkcs12kit.ValidationParameters(time=at),
            )
            assert report.valid == ()
            reasons.append({failure.reason for failure in report.rejected[0].failures})
        not_a_ca, unknown = pkcs12kit.FailureReason.NOT_A_CA, pkcs12kit.FailureReason.UNKNOWN_CRITICAL_EXTENSION
        assert [found & {not_a_ca, unknown} for found in reasons] == [{not_a_ca}, {not_a_ca, unknown}]
        target = topology.authorities["CA"].issue_server("EE", extensions=(lab.critical(proxy),)).certificate
        with pytest.raises(pkcs12kit.NoValidPathError) as no:
            pkcs12kit.find_path(
                target,
                pool=topology.pool,
                trust_anchors=[topology.trust_anchor("TA")],
                parameters=pkcs12kit.ValidationParameters(time=at),
            )
        assert no.value.attempts[0].reason is pkcs12kit.FailureReason.UNKNOWN_CRITICAL_EXTENSION


def test_answers_and_standings_are_explained():
    """What a reader's answer may be, and how a statement is known: the closed lists, in the tables of the page."""
    explained = re.findall(r"^\| ([a-z ]+) \|", page("readers.md"), re.MULTILINE)
    answers, standings = explained.index("answer"), explained.index("evidence")
    assert explained[answers + 1 : standings] == [answer.value for answer in Answer]
    assert explained[standings + 1 :] == [evidence.value for evidence in Evidence]


def test_what_is_chosen_for_a_reader():
    """The table of profiles says for each reader what ``--for`` chooses, and leaves out none."""
    rows = re.findall(r"^\| [^|]+ \| (`[^|]+`) \| `([a-z0-9-]+)` \|$", page("profiles.md"), re.MULTILINE)
    said = {reader: profile for readers, profile in rows for reader in re.findall(r"`([^`]+)`", readers)}
    assert said == {reader: pkcs12kit.profiles.for_readers(reader).name for reader in READERS}


def test_limits_that_are_named_exist():
    """Each limit that the page names is one; what is said of the three that options raise is so."""
    known = set(pkcs12kit.Limits.__dataclass_fields__)
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| [A-Z]", page("limits.md"), re.MULTILINE)
    assert len(rows) >= 5
    assert {limit for row in rows for limit in re.findall(r"`([a-z_]+)`", row)} <= known
    assert {"pfx_iterations", "pfx_total_iterations", "retrieval_seconds", "probe_seconds"} <= known


def test_benchmarks_are_those_that_there_are():
    """Every script is in the table, each call has options that the script knows; what is wanted is what it wants."""
    scripts = {file.name: file.read_text("utf-8") for file in (PROJECT / "benchmarks").glob("*.py")}
    text = page("benchmarks.md")
    rows = dict(re.findall(r"^\| `(\w+\.py)` \|.*\| ([^|]+) \|$", text, re.MULTILINE))
    assert rows.keys() == scripts.keys() - {"reference_jobs.py"}
    calls = re.findall(r"^python benchmarks/(\w+\.py)(.*)$", text, re.MULTILINE)
    assert {script for script, _ in calls} == rows.keys()
    for script, arguments in calls:
        for option in re.findall(r"--[a-z-]+", arguments):
            assert f'"{option}"' in scripts[script], (script, option)
    for script, constant in (("pkcs12.py", "ALLOWED_RATIO"), ("retrieval.py", "WANTED")):
        (wanted,) = re.findall(rf"^{constant}(?:: Final)? = ([0-9.]+)$", scripts[script], re.MULTILINE)
        assert f"at most {wanted} times" in rows[script]
    for constant in ("UNCHANGED_MILLISECONDS", "NEW_MILLISECONDS", "WALL_OF_TWO"):
        (wanted,) = re.findall(rf"^{constant}: Final = ([0-9.]+)$", scripts["fleet.py"], re.MULTILINE)
        assert f"at most {wanted} " in rows["fleet.py"]
    assert "at most 1.5 times" in rows["startup.py"]
    assert "startup.py --instructions --at-most 1.5" in (PROJECT / ".ci" / "run").read_text("utf-8")


def test_new_pages_are_in_the_contents():
    """Every page of the reference is in one of its tables of contents, once."""
    contents = "\n".join(re.findall(r"^```\{toctree\}\n(?::.*\n)*([^`]*)```", page("index.md"), re.MULTILINE)).split()
    assert len(contents) == len(set(contents))
    pages = {file.stem for file in REFERENCE.glob("*.md")} - {"index"}
    assert pages <= {entry.removesuffix("/index") for entry in contents}
