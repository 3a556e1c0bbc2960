"""Servers of other makers on loopback, each file on a port of its own, ended with the test that asked for them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509

from ..waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PATIENCE: Final = 60.0  # seconds until a server answers; a busy machine starts a virtual machine in ten
_ATTEMPTS: Final = 5  # a port that was free can be taken by the time the server asks for it
_TAKEN: Final = "Address already in use"
_SOURCE: Final = Path(__file__).with_name("HttpsServer.java")
LOOPBACK: Final = "127.0.0.1"

_APACHE: Final = """\
ServerRoot "{folder}"
ServerName mdm.example.mil
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/error.log"
DefaultRuntimeDir "{folder}"
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
DocumentRoot "{folder}"
{user}
SSLSessionCache none
{sites}
"""
_APACHE_SITE: Final = """\
Listen {address}
<VirtualHost {address}>
    SSLEngine on
    SSLCertificateFile "{pem}"
</VirtualHost>
"""
# Before 1.23.4 nginx has no TLS 1.3 unless it is told to.
_NGINX: Final = """\
daemon off;
pid "{folder}/nginx.pid";
error_log stderr;
events {{ }}
http {{
    access_log off;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
{sites}
}}
"""
_NGINX_SITE: Final = """\
    server {{
        listen {address} ssl;
        ssl_certificate "{pem}";
        ssl_certificate_key "{pem}";
        location / {{ return 204; }}
    }}
"""
_TOMCAT: Final = """\
<Server port="-1">
    <Service name="Catalina">
        {connector}
        <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
    </Service>
</Server>
"""


class OpenSSLFiles(NamedTuple):
    """What ``s_server`` takes, PEM: the certificate that has the key, and the others, None where there are none."""

    key: Path
    certificate: Path
    chain: Path | None
    second: OpenSSLFiles | None = None
    """The certificate of another type of key."""


class NotStartedError(AssertionError):
    """A server ended instead of listening; the text is what it said."""


@contextmanager
def apache(
    program: str, modules: Path, pems: Sequence[Path], folder: Path, *, host: str = LOOPBACK, site: str = _APACHE_SITE
) -> Iterator[tuple[int, ...]]:
    """Serve by Apache httpd from PEM files of key and chain; gives the port of each.

    ``site`` is the configuration of one, with ``{address}`` and ``{pem}`` to fill in, as it is for :func:`nginx`.
    """
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""

    def configure(ports: Sequence[int]) -> str:
        return _APACHE.format(folder=folder, modules=modules, user=user, sites=_sites(site, host, ports, pems))

    running = folder / "apache.pid"
    with _served([program, "-D", "FOREGROUND", "-f"], configure, len(pems), folder, host, running) as ports:
        yield ports


@contextmanager
def nginx(
    program: str, pems: Sequence[Path], folder: Path, *, host: str = LOOPBACK, site: str = _NGINX_SITE
) -> Iterator[tuple[int, ...]]:
    """Serve by nginx from PEM files of key and chain; gives the port of each."""

    def configure(ports: Sequence[int]) -> str:
        return _NGINX.format(folder=folder, sites=_sites(site, host, ports, pems))

    command = [program, "-p", str(folder), "-e", "stderr", "-c"]
    with _served(command, configure, len(pems), folder, host, folder / "nginx.pid") as ports:
        yield ports


@contextmanager
def haproxy(program: str, frontend: str, folder: Path) -> Iterator[tuple[int, ...]]:
    """Serve by HAProxy; ``frontend`` has ``{address}`` to fill in. Gives that one port."""

    def configure(ports: Sequence[int]) -> str:
        return frontend.format(address=_address(LOOPBACK, ports[0]))

    with _served([program, "-db", "-f"], configure, 1, folder, LOOPBACK) as ports:
        yield ports


@contextmanager
def tomcat(program: str, connector: str, files: Sequence[Path], folder: Path) -> Iterator[tuple[int, ...]]:
    """Serve by Tomcat, whose ``conf`` has the files; ``connector`` has ``{port}`` to fill in. Gives that one port."""

    def configure(ports: Sequence[int]) -> str:
        (folder / "conf").mkdir(exist_ok=True)
        for file in files:
            shutil.copy(file, folder / "conf")
        return _TOMCAT.format(connector=connector.format(port=ports[0]))

    # CATALINA_BASE is what paths in its configuration begin from.
    command = ["env", f"CATALINA_BASE={folder}", "JAVA_OPTS=-XX:TieredStopAtLevel=1", program, "run", "-config"]
    with _served(command, configure, 1, folder, LOOPBACK) as ports:
        yield ports


@contextmanager
def openssl(program: str, files: Sequence[OpenSSLFiles], *, host: str = LOOPBACK) -> Iterator[tuple[int, ...]]:
    """Serve by ``openssl s_server``, which builds no chain of its own here; gives the port of each.

    Each is a program, which chooses its port itself.
    """
    with ExitStack() as stack:
        servers = [stack.enter_context(_started(_s_server(program, one, host))) for one in files]
        yield tuple(int(_said(server, r"^ACCEPT .*:([0-9]+)$")) for server in servers)


@contextmanager
def java(program: str, files: Sequence[Path], password_file: Path) -> Iterator[tuple[int, ...]]:
    """Serve by Java's own HTTPS server from PKCS#12 files, in one virtual machine; gives the port of each."""
    command = [program, "-XX:TieredStopAtLevel=1", str(_SOURCE), str(password_file), *map(str, files)]
    with _started(command) as process:
        yield tuple(int(_said(process, r"^([0-9]+)$")) for _ in files)


def _sites(template: str, host: str, ports: Sequence[int], pems: Sequence[Path]) -> str:
    return "".join(
        template.format(address=_address(host, port), pem=pem) for port, pem in zip(ports, pems, strict=True)
    )


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _s_server(program: str, files: OpenSSLFiles, host: str) -> list[str]:
    chain = [] if files.chain is None else ["-cert_chain", str(files.chain)]
    if files.second is not None:
        second = {"-dcert": files.second.certificate, "-dkey": files.second.key, "-dcert_chain": files.second.chain}
        chain += [part for name, path in second.items() if path is not None for part in (name, str(path))]
    return [
        *(program, "s_server", "-accept", _address(host, 0), "-www"),
        *("-cert", str(files.certificate), "-key", str(files.key), *chain),
        *("-no-CAfile", "-no-CApath", "-no-CAstore"),  # else it fills in what it finds there
    ]


@contextmanager
def _started(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a server that says its port."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)


def _said(process: subprocess.Popen[str], pattern: str) -> str:
    """Wait for a line, and give its group."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(pattern, line.strip()):
            return found[1]
    raise NotStartedError("".join(lines))


@contextmanager
def _served(
    command: Sequence[str],
    configure: Callable[[Sequence[int]], str],
    count: int,
    folder: Path,
    host: str,
    running: Path | None = None,
) -> Iterator[tuple[int, ...]]:
    """Start a server that takes its configuration from a file, and try other ports where one was taken.

    ``running`` is a file that it writes once it has read keys and certificates: some listen before that, and then end.
    """
    folder.mkdir()
    for attempt in range(_ATTEMPTS):
        ports = _free_ports(count, host)
        file, log = folder / f"{attempt}.conf", folder / f"{attempt}.log"
        file.write_text(configure(ports))
        with log.open("wb") as output:
            process = subprocess.Popen([*command, str(file)], stdout=output, stderr=output, start_new_session=True)
            try:
                if all(_answers(process, host, port, running) for port in ports):
                    yield ports
                    return
            finally:
                _end(process)
        error_log = folder / "error.log"
        said = log.read_text() + (error_log.read_text() if error_log.exists() else "")
        if _TAKEN not in said:
            break
    raise NotStartedError(said)


def _free_ports(count: int, host: str) -> tuple[int, ...]:
    """Find ports that are free at the moment, all at once, so that they differ."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket(family)) for _ in range(count)]
        for one in held:
            one.bind((host, 0))
        return tuple(one.getsockname()[1] for one in held)


def _answers(process: subprocess.Popen[bytes], host: str, port: int, running: Path | None) -> bool:
    """Wait until the server takes connections; False where it ended instead."""

    def ended_or_answers() -> bool:
        if process.poll() is not None:
            return True
        if running is not None and not running.exists():
            return False
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            return False
        return True

    return wait_until(ended_or_answers) and process.poll() is None


def _end(process: subprocess.Popen) -> None:
    """End a server with all its workers, which are of its session."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=10)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    finally:
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def sent_to(openssl: str, port: int, anchor: Path, server_name: str) -> list[x509.Certificate]:
    """Return the certificates that OpenSSL's client gets, and accepts as those of the server."""
    done = subprocess.run(
        [
            *(openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-servername", server_name, "-showcerts"),
            *("-CAfile", anchor, "-no-CApath", "-no-CAstore", "-verify_return_error", "-verify_hostname", server_name),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Verify return code: 0 (ok)" in done.stdout
    return x509.load_pem_x509_certificates(done.stdout.partition("Server certificate")[0].encode())
