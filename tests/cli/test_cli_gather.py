"""``pkcs12kit gather``: what is written, what is said, and the exit status, against the lab served over HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

import pkcs12kit as pk
from pkcs12kit import lab

from ..retrieval.conftest import Server
from .conftest import run_environment

AT_HOME = ("--allow-private", "--no-cache")
ISSUING = "/issuedto/DODIDSWCA_37_IT.p7c"
COALITION = "/issuedto/USDODCCEBINTEROPERABILITYROOTCA2_IT.p7c"  # named by a certificate, and not published
# A shell starts what runs in the background with SIGINT ignored.
_LAUNCH = (
    "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nfrom pkcs12kit.cli import main\nmain()"
)


class Site:
    """The lab, published; ``pages`` is what is there, ``stalled`` the paths that do not answer as long as they are."""

    def __init__(self, server):
        self.server = server
        self.base = server.base
        self.replica = lab.make_replica(key_type=lab.KeyType.EC_P256, base_url=self.base)
        self.pages = self.replica.published()
        self.stalled = set()
        self.reached = threading.Event()
        server.otherwise(self.answer)

    async def answer(self, exchange):
        """Answer with what is there."""
        if exchange.target in self.stalled:
            self.reached.set()
            await self.server.until(lambda: exchange.target not in self.stalled)
        content = self.pages.get(exchange.target)
        await exchange.answer(content or b"", status=404 if content is None else 200)

    @property
    def asked(self):
        """The paths that were asked for."""
        return [exchange.target for exchange in self.server.requests]


@pytest.fixture
def site(_no_proxies):
    """The lab on a server of its own."""
    with Server() as server:
        yield Site(server)
    assert server.errors == []


@pytest.fixture
def given(site, tmp_path):
    """The files that a user has: the server's certificate and the anchor."""
    (tmp_path / "server.pem").write_text(site.replica.server.certificate.to_pem())
    (tmp_path / "anchor.pem").write_text(site.replica.trust_anchor.to_pem())
    return tmp_path / "server.pem", tmp_path / "anchor.pem"


@pytest.fixture
def gather(call, given):
    """Call ``gather`` into a folder beside the current one, where a failure may write."""
    target, anchor = given

    def call_gather(*more, into=target.parent / "gathered", anchored=True):
        options = ("--anchor", anchor) if anchored else ()
        return call("gather", target, "--into", into, *options, *more)

    return call_gather


def test_the_certificates_written_make_the_path(gather, call, given, tmp_path):
    """From the certificate and the anchor alone: ``paths`` finds in the folder what ``gather`` shows."""
    outcome = gather(*AT_HOME)
    assert outcome.status == 0
    assert outcome.text.startswith("Path, valid until ")
    assert "Federal Common Policy CA  #304" in outcome.text
    assert f"Wrote {tmp_path / 'gathered'}: " in outcome.text
    assert call("paths", given[0], "--certs", tmp_path / "gathered", "--anchor", given[1]).status == 0
    assert (tmp_path / "gathered" / "index.json").is_file()
    assert outcome.errors == ""


def test_a_failing_url_says_what_it_would_have_given(gather, site):
    """An unreachable URL names itself, why, and what is missing for it."""
    del site.pages[ISSUING]
    outcome = gather("--all", *AT_HOME)
    assert f"{site.base}{ISSUING}: the server answers 404" in outcome.text
    assert "missing from there: certificates of DOD ID SW CA-37, which issued mdm.example.mil" in outcome.text


def test_without_a_path_it_is_a_no(gather, site, tmp_path):
    """Exit status 1, the closest attempt, a hint; what was fetched is written all the same."""
    site.pages = {path: data for path, data in site.pages.items() if "37" not in path and "DODROOT" not in path}
    outcome = gather(*AT_HOME)
    assert outcome.status == 1
    assert "No valid path from mdm.example.mil to a trust anchor." in outcome.text
    assert "hint: " in outcome.errors
    assert len(pk.load_certificates(tmp_path / "gathered")) > 0


def test_without_an_anchor_the_question_is_whether_all_came(gather, site):
    """Exit status 1 names what did not; 0 once everything that leads up is there."""
    assert gather(*AT_HOME, anchored=False).status == 1  # the lab's CCEB root publishes nothing, as dead URLs do
    site.pages[COALITION] = site.replica.trust_anchor.der
    outcome = gather(*AT_HOME, anchored=False)
    assert outcome.status == 0
    assert not any("issuedby" in path.lower() for path in site.asked)
    assert "Path" not in outcome.text


def test_json_is_one_object(gather, tmp_path):
    """Every request with its outcome, every certificate, and what became of the folder."""
    outcome = gather("--all", "--json", *AT_HOME)
    assert outcome.status == 0
    value = outcome.json
    assert {"certificates", "urls", "path", "incomplete", "folder"} <= set(value)
    assert len(value["folder"]["new"]) == len(value["certificates"]) == 27
    assert value["folder"]["folder"] == str(tmp_path / "gathered")
    assert {url["status"] for url in value["urls"]} == {"fetched", "failed"}


def test_a_later_run_takes_away_what_is_gone_and_nothing_else(gather, site, tmp_path):
    """What its URLs no longer give goes; what came from URLs that were not asked, or failed, stays."""
    assert gather("--all", *AT_HOME).status == 0
    early = gather("--json", *AT_HOME).json["folder"]
    assert early["gone"] == []
    assert len(early["kept"]) + len(early["unchanged"]) == 27
    for path in ("/issuedto/DODROOTCA3_IT.p7c", "/issuedby/DODINTEROPERABILITYROOTCA2_IB.p7c"):
        fewer = [each for each in pk.load_certificates(site.pages[path]) if each.serial_number != 907]
        site.pages[path] = "".join(each.to_pem() for each in fewer).encode()
    del site.pages[ISSUING]
    later = gather("--all", "--json", *AT_HOME).json["folder"]
    (gone,) = later["gone"]
    assert gone.startswith("DoD-Root-CA-3_by_DoD-Interoperability-Root-CA-2_")
    assert len(list((tmp_path / "gathered").glob("*.cer"))) == 26


def test_what_a_limit_leaves_out_is_not_gone(gather, tmp_path, monkeypatch):
    """A run that takes fewer certificates removes none that its URLs may still give."""
    gather("--all", *AT_HOME)
    before = {path.name for path in (tmp_path / "gathered").iterdir()}
    limited = replace(pk.DEFAULT_LIMITS, retrieval_certificates=3)
    monkeypatch.setattr("pkcs12kit.cli.options.fetch.DEFAULT_LIMITS", limited)
    assert "limits.retrieval_certificates" in gather("--all", *AT_HOME).text
    assert {path.name for path in (tmp_path / "gathered").iterdir()} == before


def test_offline_takes_what_the_cache_has(gather, site, tmp_path):
    """The second time nobody is asked, and the answer is the same."""
    cache = ("--cache", tmp_path / "cache", "--allow-private")
    assert gather(*cache).status == 0
    before = len(site.asked)
    assert gather(*cache, "--offline", into=tmp_path / "second").status == 0
    assert len(site.asked) == before
    empty = gather("--cache", tmp_path / "empty", "--allow-private", "--offline", into=tmp_path / "third")
    assert empty.status == 1
    assert "not in the cache" in empty.text
    [hint] = empty.errors.splitlines()
    text, command = hint.split(": pkcs12kit gather ")
    assert text == "hint: leave --offline out, and what is missing is fetched from the URLs in the certificates"
    assert f"--into {tmp_path / 'third'}" in command
    assert f"--cache {tmp_path / 'empty'}" in command
    assert "--offline" not in command


def test_private_addresses_need_to_be_allowed(gather, site):
    """Loopback is not asked; the hint names the option."""
    outcome = gather("--no-cache")
    assert outcome.status == 1
    assert "127.0.0.1 is not a public address" in outcome.text
    assert "--allow-private also connects" in outcome.errors
    assert site.asked == []


def test_a_limit_that_ended_it_is_said(gather, site):
    """``--timeout`` bites, names itself, and is no path."""
    site.stalled = set(site.pages)
    outcome = gather("--timeout", "0.3", *AT_HOME)
    assert outcome.status == 1
    assert "Cut short: the 0.3 seconds for all URLs are over (limits.retrieval_seconds)" in outcome.text
    assert "--timeout" in outcome.errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--offline", "--no-cache"), "--offline needs a cache"),
        (("--cache", "here", "--no-cache"), "--cache needs a cache"),
        (("--timeout", "0"), "--timeout"),
        (("--timeout", "nan"), "--timeout"),
        (("--cache", ""), "without a name"),
        (("--into", ""), "without a name"),
    ],
)
def test_bad_usage(gather, site, options, said):
    """Options that contradict each other are refused before anything is asked."""
    outcome = gather(*options)
    assert outcome.status == 2
    assert said in outcome.errors
    assert site.asked == []


def test_a_folder_that_cannot_be_written(gather, site, tmp_path):
    """Exit status 2, one sentence, before anything is asked, and the file in its place is untouched."""
    (tmp_path / "gathered").write_text("mine")
    outcome = gather(*AT_HOME)
    assert outcome.status == 2
    assert outcome.errors.startswith("error: ")
    assert (tmp_path / "gathered").read_text() == "mine"
    assert site.asked == []


def test_no_server_answers(gather, site):
    """Without a network it says what may help: a proxy, or another computer."""
    site.server.stop()
    outcome = gather(*AT_HOME)
    assert outcome.status == 1
    assert "cannot connect to its host" in outcome.text
    assert "no server answered" in outcome.errors
    assert "http_proxy" in outcome.errors


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_an_interrupt_leaves_nothing_behind(site, given, tmp_path, number, status):
    """Interrupted in the middle of requests, it ends at once: no folder, no half of a cache entry, no traceback."""
    site.stalled = {ISSUING}
    options = ["--anchor", given[1], "--into", tmp_path / "gathered", "--cache", tmp_path / "cache", "--allow-private"]
    command = [sys.executable, "-c", _LAUNCH, "gather", given[0], *options]
    with subprocess.Popen(
        [*map(str, command)], env=run_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert site.reached.wait(30)
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (status, "")
    assert "Traceback" not in errors
    assert not (tmp_path / "gathered").exists()
    assert not [*(tmp_path / "cache").glob("*.tmp"), *(tmp_path / "cache").glob(".*.tmp")]


def test_progress_at_a_terminal(terminal, site, given, tmp_path):
    """One line with counts, bytes and the URL under way, gone at the end; none of it where it is no terminal."""
    site.stalled = {ISSUING}
    shown = terminal("gather", given[0], "--anchor", given[1], "--into", tmp_path / "gathered", *AT_HOME)
    shown.expect(" URLs, ")
    assert site.reached.wait(30)
    site.stalled = set()
    shown.expect("Gathered ")
    shown.finish()
    assert f"http://127.0.0.1:{site.server.port}/" in shown.shown
