"""Every command on files of every kind in which one element is another: an answer, or the project's own error.

No foreign exception, which would be exit status 70, and status 1 only with the reason of a no. The mutants are those of
``mutator.py``: few of them here, spread over all elements and values, and many in the test that is marked slow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.errors import Pkcs12KitError
from pkcs12kit.paths.confirmation import Opinion, confirm
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.sources.sniffing import Kind, sniff

from ..calling import NO, UNUSABLE, YES, Call, call, check, write
from ..retrieval.conftest import Server  # pytest makes no top-level package of tests
from ..thoroughness import examples
from .conftest import Files
from .materials import AT, HOST, PASSWORD, Materials, signed
from .mutator import Mutants, replaced, tlv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")  # pyca's words on odd certificates

_QUICK = replace(profiles.MODERN, encryption_iterations=2_000, mac_iterations=2_000, minimum_iterations=1)
_CALLS = 6
"""Of each role by default."""
_CALLS_IN_SLOW = 50
_DECOYS = 150


@dataclass(frozen=True, kw_only=True)
class Role:
    """One kind of file in one place: what it is when it is sound, and the calls that are given a changed one."""

    sound: Callable[[Materials], bytes]
    calls: Callable[[Files, Path], Iterator[tuple[object, ...]]]
    signer: Callable[[Materials], lab.Authority] | None = None
    """Who signs a changed certificate again."""


def _of_a_target(files, path):
    yield files.paths("--server-name", HOST, "--policy", "1.2.3.4", "--all", server=path)
    yield files.build("--key", files / "server.key", "--cert", path)


def _of_a_ca(files, path):
    yield files.paths(ca=path)
    yield ("graph", path, files / "server.der", *files.search()[2:], "--json")
    yield ("diff", files / "root.der", path, "--target", files / "server.der", *files.search()[2:], "--json")
    yield (*files.paths(ca=path)[:-1], "--all", "--svg", files / "out.svg", "--dot", files / "out.dot")


def _of_a_trust_anchor(files, path):
    yield files.paths(root=path)
    yield ("graph", files / "ca.der", "--anchor", path, "--json", "--mermaid", files / "out.mmd")


def _of_a_heap(files, path):
    yield files.paths(ca=path)
    yield ("graph", path, *files.search()[2:], "--json")
    yield ("diff", files / "ca.der", path)


def _of_a_crl(files, path):
    yield files.paths("--crl", path, "--crl", files / "root.crl", "--revocation", "require")


def _of_an_ocsp_response(files, path):
    yield files.paths("--ocsp", path, "--crl", files / "root.crl", "--revocation", "require")


def _of_a_key(files, path):
    yield files.build("--key", path, "--cert", files / "server.der")


def _of_a_pkcs12(files, path, *password):
    yield ("inspect", path, *password, "--json")
    yield ("inspect", path, *password)
    yield ("verify", path, *password, *files.search()[2:], "--json")
    yield ("convert", path, "-", "--to", "pem", "--certs-only", *password)
    yield ("diff", path, files / "ca.der", *password)
    yield files.build("--pkcs12", path, *(("--pkcs12-password-file", password[1]) if password else ()))


ROLES = {
    "target": Role(
        sound=lambda made: made.server.certificate.der, calls=_of_a_target, signer=lambda made: made.authority
    ),
    "CA": Role(sound=lambda made: made.ca.der, calls=_of_a_ca, signer=lambda made: made.root),
    "trust anchor": Role(
        sound=lambda made: made.root.certificate.der, calls=_of_a_trust_anchor, signer=lambda made: made.root
    ),
    "PKCS#7": Role(sound=lambda made: made.bundle, calls=_of_a_heap),
    "CRL": Role(sound=lambda made: made.crls[0], calls=_of_a_crl),
    "OCSP response": Role(sound=lambda made: made.ocsp, calls=_of_an_ocsp_response),
    "PKCS#8": Role(sound=lambda made: made.key, calls=_of_a_key),
    "SEC 1": Role(sound=lambda made: made.key_of_openssl, calls=_of_a_key),
    "PKCS#12": Role(sound=lambda made: made.pkcs12(profiles.NO_PASSWORD, None), calls=_of_a_pkcs12),
    "PKCS#12 with a password": Role(
        sound=lambda made: made.pkcs12(_QUICK, PASSWORD),
        calls=lambda files, path: _of_a_pkcs12(files, path, "--password-file", files / "password.txt"),
    ),
}


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
class TestEachKind:
    """One element of a sound file after another, replaced by each hostile value."""

    def test_sound(self, files, role):
        """The files are sound before anything is changed, so that there is something to lose."""
        path = write(files.folder, "sound", role.sound(files.materials))
        for words in role.calls(files, path):
            assert call(*words).status == YES, words

    def test_some(self, files, role):
        """So many calls as a second has room for."""
        try_each(files, role, _CALLS)

    @pytest.mark.slow
    def test_many(self, files, role):
        """Another choice of mutants, and far more."""
        try_each(files, role, _CALLS_IN_SLOW, start=1)


def try_each(files, role, count, *, start=0):
    """Call the commands of a role for so many mutants, spread over all."""
    for name, mutant in Mutants(role.sound(files.materials)).some(count, start=start):
        content = mutant if role.signer is None else signed(mutant, role.signer(files.materials))
        path = write(files.folder, "mutant", content)
        for words in role.calls(files, path):
            try:
                call(*words)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None


class TestDecoys:
    """Certificates in the CA's name that nobody has signed: whatever is in them, the path is found."""

    def test_a_heap_of_them(self, files, tmp_path):
        """Beside the CA's own certificate; those that cannot be read are named, each with its file."""
        try_heap(files, tmp_path, _DECOYS)

    @pytest.mark.slow
    def test_a_large_heap_of_them(self, files, tmp_path):
        """Far more of them, in one folder."""
        try_heap(files, tmp_path, 1_000)

    def test_each_shows_itself(self, files):
        """``repr``, JSON and the page of a notebook, of all that can be read."""
        shown = 0
        for name, mutant in Mutants(files.materials.ca.der).some(100):
            try:
                certificate = pk.Certificate.from_der(mutant)
                anchor = pk.TrustAnchor.from_certificate(certificate)
            except Pkcs12KitError:
                continue
            shown += 1
            for value in (certificate, pk.CertificatePool([certificate]), anchor):
                page = value._repr_mimebundle_()
                for text in (repr(value), str(value), *page.values(), json.dumps(certificate.to_json())):
                    assert text.encode("utf-8"), name
        assert shown > 10


def try_heap(files, folder, count):
    """Search among so many decoys at most, and look at what is said of those that cannot be read."""
    unreadable = set()
    for number, (_, mutant) in enumerate(Mutants(files.materials.ca.der).some(count)):
        path = write(folder, f"{number}.cer", mutant)
        if sniff(mutant) is not Kind.CERTIFICATE:
            continue  # keys, requests and other files in a folder are passed over
        try:
            pk.Certificate.from_der(mutant)
        except Pkcs12KitError:
            unreadable.add(path)
    assert len(unreadable) > 10
    done = call(*files.paths("--certs", folder))
    assert done.status == YES
    assert len(json.loads(done.output)["paths"][0]["certificates"]) == 2
    for path in unreadable:
        assert f"warning: {path}: " in done.errors
    assert call("graph", folder, *files.search()[2:], "--json").status == YES


class TestAnswersOfServers:
    """What is fetched over HTTP, one thing of it changed at a time; the rest of the site is sound."""

    @pytest.fixture(scope="class")
    def site(self, tmp_path_factory):
        """A server with all that certificates name, and the files that a user has."""
        with Server() as server:
            made = Materials.create(server.base)
            files = Files(folder=tmp_path_factory.mktemp("site"), materials=made)
            pages = {"/CA.cer": made.ca.der, "/CA.crl": made.crls[0], "/Root.crl": made.crls[1], "/CA.ocsp": made.ocsp}

            async def answer(exchange):
                content = pages.get(exchange.target)
                await exchange.answer(content or b"", status=404 if content is None else 200)

            server.otherwise(answer)
            yield files, pages
        assert server.errors == []

    @pytest.mark.usefixtures("_no_proxies")
    @pytest.mark.parametrize("page", [None, "/CA.cer", "/CA.crl", "/Root.crl", "/CA.ocsp"])
    def test_some(self, site, page):
        """``gather``, and ``build --fetch`` with revocation."""
        self.try_page(site, page, 2)

    @pytest.mark.slow
    @pytest.mark.usefixtures("_no_proxies")
    @pytest.mark.parametrize("page", ["/CA.cer", "/CA.crl", "/CA.ocsp"])
    def test_many(self, site, page):
        """The same, of more."""
        self.try_page(site, page, 30)

    def try_page(self, site, page, count):
        """Call both commands for so many mutants of a page."""
        files, pages = site
        fetching = ("--allow-private", "--no-cache", "--anchor", files / "root.der", "--at", "2026-06-01T12:00:00Z")
        own = ("--key", files / "server.key", "--cert", files / "server.der", "--password-file", files / "password.txt")
        sound = pages.get(page)
        changed = [("sound", sound)] if page is None else Mutants(sound).some(count)
        for name, mutant in changed:
            pages[page] = mutant
            try:
                gathered = call("gather", files / "server.der", "--into", files / "gathered", *fetching, "--json")
                built = call(
                    *("build", *own, *fetching, "--fetch", "--revocation", "require", "--out", files / "out.p12"),
                    *("--profile", "legacy", "--dry-run", "--json"),
                )
            except AssertionError as error:
                raise AssertionError(f"{page}, {name}: {error}") from None
            finally:
                pages[page] = sound
            assert page is not None or (gathered.status, built.status) == (YES, YES), (gathered, built)


SHAPELESS = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"", b"\0", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----", b"<html>", b"PK\x03\x04", tlv(0x30)]),
)


@st.composite
def damage(draw):
    """A function that damages a file without regard to what is in it: cut off, bytes changed, repeated or left out."""
    cuts = draw(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["flip", "cut", "drop", "repeat"])), max_size=3))
    octet = draw(st.integers(1, 255))

    def apply(data: bytes) -> bytes:
        for place, kind in cuts:
            at = int(place * len(data))
            changed = bytes(byte ^ octet for byte in data[at : at + 1])
            data = {
                "flip": data[:at] + changed + data[at + 1 :],
                "cut": data[:at],
                "drop": data[:at] + data[at + octet :],
                "repeat": data[: at + octet] + data[at:],
            }[kind]
        return data

    return apply


@given(name=st.sampled_from(sorted(ROLES)), damaged=damage(), junk=st.none() | SHAPELESS)
@settings(deadline=None, max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_without_regard_to_structure(files, name, damaged, junk):
    """What transmission does, and what is no ASN.1 at all."""
    role = ROLES[name]
    path = write(files.folder, "damaged", damaged(role.sound(files.materials)) if junk is None else junk)
    for words in role.calls(files, path):
        call(*words)


@given(junk=SHAPELESS)
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_password_files_of_anything(files, junk):
    """A password is text of some length; anything else is refused by name."""
    words = files.build("--key", files / "server.key", "--cert", files / "server.der")
    at = words.index("--password-file") + 1
    path = write(files.folder, "junk.txt", junk)
    assert call(*words[:at], path, *words[at + 1 :]).status in {YES, UNUSABLE}


WORDS = st.one_of(st.text(st.characters(exclude_characters="\0"), max_size=30), st.from_regex(r"\A[0-9.:TZ+-]{1,30}\Z"))


@given(
    option=st.sampled_from(["--at", "--policy", "--server-name", "--algorithms"]),
    word=WORDS,
)
@settings(deadline=None, max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_options_of_anything(files, option, word):
    """Also times at the ends of the calendar, and names that are no names."""
    call(*files.paths(f"{option}={word}"))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z"])
def test_times_at_the_ends_of_the_calendar(files, moment):
    """In UTC they are before the year 1 and after 9999."""
    for words in (("--at", moment), (f"--at={moment}", "--server-name", HOST)):
        assert call(*files.paths(*words)).status in {NO, UNUSABLE}


def test_second_opinion_on_what_asn1crypto_stumbles_over(files):
    """A BIT STRING without the octet that each has, in an otherName: an IndexError is no opinion, and no crash."""
    made = files.materials
    names = "0.7.0.4.1.0"  # of the server, in its subjectAltName
    mutant = replaced(made.server.certificate.der, f"{names}.5.1.0", tlv(3))
    path = pk.find_path(
        pk.Certificate.from_der(signed(mutant, made.authority)),
        pool=pk.CertificatePool([made.ca]),
        trust_anchors=[pk.TrustAnchor.from_certificate(made.root.certificate)],
        parameters=(parameters := pk.ValidationParameters(time=AT)),
    )
    assert confirm(path, parameters).opinion is Opinion.CANNOT_JUDGE


@pytest.mark.parametrize(
    "done",
    [
        Call(70, "", "error: an error in pkcs12kit itself"),
        Call(NO, "{}", "error: x"),
        Call(NO, "", "error: x"),
        Call(NO, '{"paths": []}', ""),
        Call(UNUSABLE, '{"paths": []}', "error: x"),
        Call(YES, "", ""),
        Call(YES, "{}", "Traceback (most recent call last)"),
    ],
)
def test_the_check_can_fail(done):
    """Each of what it is there to find."""
    with pytest.raises((AssertionError, json.JSONDecodeError)):
        check(done, ["pkcs12kit", "paths", "--json"])


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("0.1", tlv(2, b"\x01" * 3_000)),  # a serial number of which Python writes no decimal text
        ("0.5.0.0.1", tlv(12, b"\x1b[2J\0\xe2\x80\xae<script>alert(1)</script>$x$")),  # the subject's common name
    ],
)
def test_odd_values_of_a_valid_certificate_everywhere(files, tmp_path, place, value):
    """Signed by its CA they are no reason to refuse it: they are shown harmlessly, by every command, and built."""
    made = files.materials
    server = write(tmp_path, "server.cer", signed(replaced(made.server.certificate.der, place, value), made.authority))
    made_by = ("--profile", "legacy", "--out")  # few iterations
    out, password = tmp_path / "out.p12", ("--password-file", files / "password.txt")
    drawn = ("--svg", tmp_path / "a.svg", "--dot", tmp_path / "a.dot", "--mermaid", tmp_path / "a.mmd")
    calls = [
        files.paths(server=server),
        ("paths", server, *files.search(), "--all", *drawn),
        ("graph", server, files / "ca.der", *files.search()[2:], "--json"),
        ("graph", server, files / "ca.der", *files.search()[2:], *drawn),
        ("build", "--key", files / "server.key", "--cert", server, *files.search(), *password, *made_by, out),
        ("verify", out, *files.search()[2:], *password),
        ("verify", out, *files.search()[2:], *password, "--json"),
        ("diff", server, files / "ca.der", "--target", server, "--certs", files / "ca.der", *files.search()[2:]),
        ("diff", out, files / "ca.der", *password),
        ("inspect", out, *password),
        ("inspect", out, *password, "--json"),
        ("convert", out, "-", "--to", "pem", "--certs-only", *password),
    ]
    for words in calls:
        done = call(*words)
        assert done.status == YES, (words, done)
        assert "\x1b" not in done.output + done.errors
    for picture in drawn[1::2]:
        assert "\x1b" not in picture.read_text("utf-8")
    certificate = pk.Certificate.from_der(server.read_bytes())
    pool = pk.CertificatePool([certificate, made.ca])
    report = pk.find_paths(
        certificate,
        pool=pool,
        trust_anchors=[pk.TrustAnchor.from_certificate(made.root.certificate)],
        parameters=pk.ValidationParameters(time=AT),
    )
    for value_shown in (certificate, pool, report, report.best, pk.inspect_pfx(out, password=PASSWORD)):
        page = value_shown._repr_mimebundle_()
        for text in (repr(value_shown), str(value_shown), *page.values()):
            assert text.encode("utf-8")
            assert "\x1b" not in text
        assert "<script>alert" not in page["text/html"]
