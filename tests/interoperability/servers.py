"""Servers of other makers, each on a loopback port of its own, ended with the test that asked for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE: Final = 60.0  # seconds until a server answers; a busy machine starts a virtual machine in ten
_ATTEMPTS: Final = 5  # a port that was free can be taken by the time the server asks for it
_SOURCE: Final = Path(__file__).with_name("HttpsServer.java")

_APACHE: Final = """\
ServerRoot "{folder}"
ServerName mdm.example.mil
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/error.log"
DefaultRuntimeDir "{folder}"
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
DocumentRoot "{folder}"
{user}
SSLEngine on
SSLSessionCache none
SSLCertificateFile "{pem}"
"""
_NGINX: Final = """\
daemon off;
pid "{folder}/nginx.pid";
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate "{pem}";
        ssl_certificate_key "{pem}";
        location / {{ return 204; }}
    }}
}}
"""


@contextmanager
def apache(program: str, modules: Path, pem: Path, folder: Path) -> Iterator[int]:
    """Serve by Apache httpd from one PEM file of key and chain; gives the port."""
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    text = _APACHE.replace("{modules}", str(modules)).replace("{user}", user)
    with _served([program, "-D", "FOREGROUND", "-f"], text, pem, folder) as port:
        yield port


@contextmanager
def nginx(program: str, pem: Path, folder: Path) -> Iterator[int]:
    """Serve by nginx from one PEM file of key and chain; gives the port."""
    with _served([program, "-p", str(folder), "-e", "stderr", "-c"], _NGINX, pem, folder) as port:
        yield port


@contextmanager
def java(program: str, file: Path, password_file: Path) -> Iterator[int]:
    """Serve by Java's own HTTPS server from a PKCS#12 file; gives the port."""
    process = subprocess.Popen(
        [program, "-XX:TieredStopAtLevel=1", str(_SOURCE), str(file), str(password_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said, process.communicate()[1]
        yield int(said)
    finally:
        _end(process)


@contextmanager
def _served(command: Sequence[str], configuration: str, pem: Path, folder: Path) -> Iterator[int]:
    """Start a server that takes its configuration from a file, and try another port where one was taken."""
    folder.mkdir()
    for attempt in range(_ATTEMPTS):
        port = _free_port()
        file, log = folder / f"{attempt}.conf", folder / f"{attempt}.log"
        file.write_text(configuration.format(folder=folder, port=port, pem=pem))
        with log.open("wb") as output:
            process = subprocess.Popen([*command, str(file)], stdout=output, stderr=output, start_new_session=True)
            try:
                if _answers(process, port):
                    yield port
                    return
            finally:
                _end(process)
    error_log = folder / "error.log"
    raise AssertionError(log.read_text() + (error_log.read_text() if error_log.exists() else ""))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server takes connections; False where it ended instead."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False


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
