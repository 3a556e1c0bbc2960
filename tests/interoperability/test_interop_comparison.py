"""What pkcs12kit and other makers' programs make of the jobs of this project, held to ``comparison.toml``."""

from __future__ import annotations

import os
import re
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

import pkcs12kit as pk

from .comparison import COMPARISON
from .rival_jobs import SERVER, Jobs, write_key
from .rivals import ITERATIONS, PASSWORD, Certvalidator, Cfssl, Keytool, OpenSSL, Ours
from .servers import OpenSSLFiles
from .servers import openssl as s_server

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "comparison.md"
WRITER = runpy.run_path(str(ROOT / "docs" / "making" / "comparison.py"))
COMMANDS = {"openssl": OpenSSL, "keytool": Keytool, "cfssl": Cfssl}
LIBRARIES = {"certvalidator": Certvalidator, "pkcs12kit": Ours}
TRIED = [
    pytest.param(row, tool, cell, id=f"{row.name}-{tool}")
    for row in COMPARISON.rows
    for tool, cell in COMPARISON.cells[row.name].items()
    if cell.tried
]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory, request):
    """Makes jobs, each once: ``jobs("loops")``."""
    maker = Jobs(tmp_path_factory.mktemp("jobs"), lambda: request.getfixturevalue("fpki"))
    made = {}

    def make(name):
        if name not in made:
            made[name] = getattr(maker, name)()
        return made[name]

    make.published = maker.published
    return make


@pytest.fixture(scope="module")
def rival(require_tool, cannot_run):
    """A program in the version that the table is of: ``rival("openssl")``."""

    def make(name):
        tool = LIBRARIES[name]() if name in LIBRARIES else COMMANDS[name](program=require_tool(name))
        expected, found = COMPARISON.tools[name], tool.version()
        if not found.startswith(expected.holds_for):
            cannot_run(f"the table is of {name} {expected.version}, and here is {found}")
        return tool

    return make


class Tried:
    """What became of the questions of one cell."""

    def __init__(self, tool):
        self.tool, self.said = tool, []

    def ask(self, job):
        """Whether the answer is right: a right path, or none where there is none."""
        found = self.tool.find(job)
        right = job.answers(found.path) if found.path is not None else not job.right
        if not right or not job.right:
            self.said.append(found.said)
        return right

    def answer(self, jobs, row):
        """Sum up: what must be right decides; of the others, all or some."""
        if not all(self.ask(job) for name in row.must for job in jobs(name)):
            return "no"
        others = [self.ask(job) for name in row.jobs for job in jobs(name)]
        if all(others):
            return "yes"
        return "partly" if any(others) else "no"


def mentioned(tried, jobs, row):
    """Whether it finds no path, and what it says has what there is to say."""
    (job,) = jobs(row.name)
    refuses = tried.ask(job)
    return "yes" if refuses and all(re.search(words, tried.said[0]) for words in row.mentions) else "no"


def written(tried, jobs, row):
    """Whether a file of it opens and has what it should: all of the chain, and the MAC that was asked for."""
    (job,) = jobs("chain")
    asked = {"iterations": {"iterations": ITERATIONS}, "pbmac1": {"pbmac1": True}}.get(row.name, {})
    data, said = tried.tool.write(job, **asked)
    tried.said.append(said)
    if data is None:
        return "no"
    opened = pk.decode_pfx(data, password=PASSWORD)
    assert [it.der for it in opened.certificates] == [it.der for it in (*job.right[0], job.anchor)]
    assert opened.private_key is not None
    assert row.name != "iterations" or opened.mac.derivation.iterations == ITERATIONS
    assert row.name != "pbmac1" or opened.mac.algorithm == "PBMAC1"
    return "yes"


def fetched(tried, jobs, _row):
    """Whether it fetches an issuer from where the certificate says."""
    with jobs.published() as job:
        return "yes" if tried.ask(job) else "no"


def rehearsed(tried, jobs, _row):
    """Whether it tries a file in a handshake; OpenSSL's two commands do, by hand and from PEM files."""
    (job,) = jobs("chain")
    if isinstance(tried.tool, OpenSSL):
        certificate, chain, anchor = (job.heap.with_name(name) for name in ("target.pem", "heap.pem", "anchor.pem"))
        certificate.write_text(job.target.to_pem(), "ascii")
        anchor.write_text(job.anchor.to_pem(), "ascii")
        key = write_key(job, job.heap.with_name("server.key"))
        with s_server(tried.tool.program, [OpenSSLFiles(key, certificate, chain)]) as (port,):
            where = ["-connect", f"127.0.0.1:{port}", "-verify_hostname", SERVER, "-verify_return_error"]
            done = tried.tool.run("s_client", *where, "-no-CApath", "-no-CAstore", "-CAfile", anchor)
        assert done.returncode == 0, done.stderr
        return "partly"
    data, _ = tried.tool.write(job)
    report = pk.rehearse(data, trust_anchors=[job.anchor.der], password=PASSWORD, server_name=SERVER)
    assert report.handshakes
    return "yes" if report.ok else "no"


def drawn(_tried, jobs, _row):
    """Whether a picture comes out of a search."""
    report = pk.find_paths(**question(jobs))
    return "yes" if pk.pictures.to_svg(pk.pictures.picture_of_report(report)).startswith("<svg") else "no"


def confirmed(_tried, jobs, _row):
    """Whether another implementation says yes."""
    asked = question(jobs)
    opinion = pk.confirm(pk.find_path(**asked), asked["parameters"]).opinion
    return "yes" if opinion is pk.Opinion.VALID else "no"


def question(jobs):
    """The plain chain, as the library is asked."""
    (job,) = jobs("chain")
    return {
        "target": job.target,
        "pool": pk.CertificatePool(job.pool),
        "trust_anchors": [pk.TrustAnchor.from_certificate(job.anchor)],
        "parameters": pk.ValidationParameters(time=datetime.now(UTC)),
    }


OTHERWISE = {
    "says_expired": mentioned,
    "says_missing": mentioned,
    "writes": written,
    "iterations": written,
    "pbmac1": written,
    "published": fetched,
    "rehearsal": rehearsed,
    "pictures": drawn,
    "opinion": confirmed,
}


@pytest.mark.slow
@pytest.mark.usefixtures("_no_proxies")
@pytest.mark.parametrize(("row", "tool", "cell"), TRIED)
def test_cell(row, tool, cell, jobs, rival):
    """Each program answers each job as the table says, and says why where it does not. A yes too many fails, too."""
    tried = Tried(rival(tool))
    if cell.lacks:
        assert not re.search(cell.lacks, tried.tool.help())
        if cell.answer == "no":
            return
    answer = OTHERWISE[row.name](tried, jobs, row) if row.name in OTHERWISE else tried.answer(jobs, row)
    assert answer == cell.answer, tried.said
    if cell.says:
        assert any(re.search(cell.says, said) for said in tried.said), tried.said


def test_the_page_is_up_to_date():
    """The page has what is expected of each cell. ``PKCS12KIT_WRITE_PAGE=1`` writes it anew."""
    head, begin, _ = PAGE.read_text("utf-8").partition(WRITER["BEGIN"])
    assert begin
    expected = head + WRITER["render"](COMPARISON)
    if os.environ.get("PKCS12KIT_WRITE_PAGE"):
        PAGE.write_text(expected, "utf-8")
    assert PAGE.read_text("utf-8") == expected


def test_the_readme_has_the_same():
    """The README's table is the page's in short."""
    assert WRITER["short_table"](COMPARISON) in (ROOT / "README.md").read_text("utf-8")


def test_every_cell_is_tried_or_cited():
    """A program without a version was not tried: what is said of it is cited, with a link. Every note is used."""
    used = set()
    for row, cells in COMPARISON.cells.items():
        assert row in {it.name for it in COMPARISON.rows}
        for tool, cell in cells.items():
            assert cell.answer in {"yes", "no", "partly", "none"}
            assert not cell.note or cell.note in COMPARISON.notes
            used.add(cell.note)
            if cell.tried:
                assert COMPARISON.tools[tool].version
                assert cell.answer == "yes" or cell.says or cell.lacks or cell.note
            if cell.cited:
                assert "](https://" in COMPARISON.notes[cell.note]
    assert used - {""} == set(COMPARISON.notes)
