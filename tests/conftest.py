"""What every test may ask for: the shared data, a replica of the Federal PKI, and programs of other makers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, settings

from pkcs12kit import lab
from pkcs12kit.tls.handshake import Handshake, Verdict
from pkcs12kit.tls.rehearsal.clients.registry import make_client

from . import thoroughness
from .interoperability import servers
from .iterations import FEW, set_iterations
from .scheduling import in_order

# In CI the same examples each time: a red run there is a change's fault. Elsewhere new ones, which find the rest.
# No clock: hypothesis fails an example after 200 milliseconds by default, and strategies that a busy machine slows.
_NO_CLOCK: Final = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
os.environ.pop("PYTHONUNBUFFERED", None)  # what tests start buffers as it does for users

SHARED = Path(__file__).parents[2] / "shared"
APACHE_MODULES: Final = Path("/usr/lib/apache2/modules")
CATALINA: Final = Path("/usr/share/tomcat10/bin/catalina.sh")


set_iterations(FEW)


@pytest.fixture(autouse=True)
def _released_iterations(request):
    """Leave the profiles as they are released to the tests that are marked so."""
    if request.node.get_closest_marker("released_iterations") is None:
        yield
        return
    set_iterations(None)
    yield
    set_iterations(FEW)


def pytest_configure(config):
    """Choose the examples of property tests, and take SIGINT as at a terminal: it is ignored in the background."""
    if config.option.markexpr != "not slow":
        thoroughness.try_every_example()
    same_each_time = not os.environ.get("PKCS12KIT_RANDOM")  # a test that fails once in a hundred runs helps nobody
    settings.register_profile("suite", derandomize=same_each_time, max_examples=thoroughness.examples(100), **_NO_CLOCK)
    settings.load_profile("suite")
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Let every other worker import the tests from the last to the first.

    Two workers that start together would compile each module twice. So each compiles one half, and reads what the other
    has compiled.
    """
    report = yield
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if int(number) % 2 and isinstance(collector, pytest.Directory):
        report.result.reverse()
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Start the longest modules first, and let ``pytest -m slow`` run property tests again with all their examples."""
    items.sort(key=in_order(items))
    if config.option.markexpr == "slow":
        for item in items:
            if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
                item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _signals_as_before():
    """Restore the signal handlers that a command called in this process replaces; later tests would miss theirs."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _cannot_run(reason: str) -> None:
    """Skip with a reason; in CI a check that cannot run is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"cannot run in CI: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def cannot_run():
    """End a test that lacks something: ``cannot_run("needs ...")`` skips it, and fails it in CI."""
    return _cannot_run


@pytest.fixture(scope="session")
def as_root() -> None:
    """End a test that gives files to other users, which only root may do."""
    if os.geteuid() != 0:
        _cannot_run("needs root, which may give files away")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the project."""
    if not (SHARED / "data").is_dir():
        _cannot_run("needs the folder ../shared beside the project")
    return SHARED


@pytest.fixture(scope="session")
def fpki(shared: Path) -> Path:
    """Real certificates of the Federal PKI and the DoD PKI."""
    return shared / "data" / "fpki"


@pytest.fixture(scope="session")
def require_tool():
    """Find a program of another maker on PATH: ``require_tool("openssl")`` is its path."""

    def require(name: str) -> str:
        found = shutil.which(name)
        if found is None:
            _cannot_run(f"needs the program {name}")
        return str(found)

    return require


def administrators_path() -> str:
    """Return PATH with the folder of Debian's servers, which users' PATH lacks, if it has that of its programs."""
    path = os.environ.get("PATH", os.defpath)
    return f"{path}:/usr/sbin" if {"/bin", "/usr/bin"} & set(path.split(os.pathsep)) else path


@pytest.fixture(scope="session")
def serve(require_tool, cannot_run):
    """Start a server of another maker: ``serve("nginx")`` is that of ``servers`` with the programs that it takes."""

    def find(name):
        if name == "java":
            require_tool("javac")  # java runs a source file by it
        if name in {"java", "openssl"}:
            return partial(getattr(servers, name), require_tool(name))
        if name == "tomcat":
            if not CATALINA.exists():
                cannot_run(f"needs Tomcat in {CATALINA} (Debian's tomcat10-common)")
            return partial(servers.tomcat, str(CATALINA))
        program = {"apache": "apache2"}.get(name, name)
        program = shutil.which(program, path=administrators_path()) or require_tool(program)
        if name in {"nginx", "haproxy"}:
            return partial(getattr(servers, name), program)
        if not APACHE_MODULES.is_dir():
            cannot_run(f"needs Apache's modules in {APACHE_MODULES} (Debian's apache2-bin)")
        return partial(servers.apache, program, APACHE_MODULES)

    return find


_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def _no_proxies(monkeypatch):
    """Tests' own servers are asked directly, whatever the environment says."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(autouse=True, scope="session")
def _cache_of_these_tests(tmp_path_factory):
    """Nothing is read from the user's cache or written there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def _start(work):
    """Start work in a process of its own, whose number is returned; an exception ends it with 1."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


@pytest.fixture(scope="session")
def in_children():
    """Works side by side, each in a process of its own, while a block runs; afterwards all must have ended well."""

    @contextmanager
    def do(works):
        children = [_start(work) for work in works]
        yield
        statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert statuses == [0] * len(children)

    return do


@pytest.fixture(scope="session")
def in_child():
    """Work in a process of its own: ``in_child(work)`` is its exit status; 1 an exception, negative a signal."""

    def do(work):
        return os.waitstatus_to_exitcode(os.waitpid(_start(work), 0)[1])

    return do


@pytest.fixture(scope="session")
def replica():
    """The Federal PKI's shape, with quick keys."""
    return lab.make_replica(key_type=lab.KeyType.EC_P256)


@pytest.fixture(scope="session")
def files(replica, tmp_path_factory):
    """The replica as files: to read, never to write to."""
    return lab.write(replica, tmp_path_factory.mktemp("lab"))


_READERS: Final = {
    # program: (how it lists a file, what a certificate's common name stands in)
    "openssl": ("pkcs12 -in {file} -passin file:{password_file} -nokeys", r"^subject=.*?CN ?= ?(.*)$"),
    "keytool": ("-list -v -storetype PKCS12 -keystore {file} -storepass:file {password_file}", r"^Owner: CN=([^,]*)"),
    "pk12util": ("-l {file} -w {password_file}", r'Subject: "CN=([^",]*)'),
    "certtool": ("--p12-info --inder --infile {file} --password {password}", ""),
}


@pytest.fixture(scope="session")
def list_certificates(require_tool):
    """Let a program of another maker open a PKCS#12 file: ``list_certificates("keytool", file, password_file)``.

    It has to accept the password, and gives the common names of the certificates in the order of the file. Certtool
    takes a password as an argument only, and prints the certificates without their names.
    """

    def list_them(program: str, file: Path, password_file: Path) -> list[str]:
        arguments, pattern = _READERS[program]
        password = password_file.read_text("utf-8").removesuffix("\n")
        given = [part.format(file=file, password_file=password_file, password=password) for part in arguments.split()]
        done = subprocess.run(
            [require_tool(program), *given], capture_output=True, encoding="utf-8", check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if pattern:
            return re.findall(pattern, done.stdout, re.MULTILINE)
        printed = x509.load_pem_x509_certificates(done.stdout.encode())
        return [
            str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value) for certificate in printed
        ]

    return list_them


class _StandIn:
    """A client that is not installed, or that is and says one thing to each handshake."""

    def __init__(self, name, verdict=None, received=None):
        self.name, self._verdict, self._received = name, verdict, received

    def missing(self):
        return f"needs {self.name}" if self._verdict is None else None

    def shake_hands(self, endpoint):
        for protocol in endpoint.protocols:
            why = "" if self._verdict is Verdict.ACCEPTED else "because\x1b[2J"
            said = {"verdict": self._verdict, "why": why, "received": self._received}
            yield Handshake(client=self.name, version="1", protocol=protocol, **said)


def stand_in_for_clients(monkeypatch, **said):
    """Leave OpenSSL as the only real client of rehearsals, and let others say what is given."""
    from pkcs12kit.tls.rehearsal import run as rehearsal

    pairs = {name: one if isinstance(one, tuple) else (one,) for name, one in said.items()}
    clients = {"openssl": make_client("openssl")} | {name: _StandIn(name, *pair) for name, pair in pairs.items()}
    monkeypatch.setattr(rehearsal, "make_client", lambda name: clients.get(name) or _StandIn(name))


@pytest.fixture
def answering(monkeypatch):
    """Leave OpenSSL alone as a client of rehearsals: ``answering(go=Verdict.REFUSED)`` lets others be there too.

    A pair has what the client received beside the verdict; ``openssl`` can be one that only says something, too.
    """
    stand_in_for_clients(monkeypatch)
    return partial(stand_in_for_clients, monkeypatch)
