"""Real servers with real mistakes: what each sends of what it was given, and what ``probe`` says to the word.

``faults.toml`` has it all in one table. Apache httpd, nginx and OpenSSL's s_server send what they are given as it is,
and do not start where the first certificate is not that of the key. Java goes by names: of a PKCS#12 file it sends the
certificate of the key, and after each certificate the first one in the file whose subject is the issuer, until one is
self-signed or none is there. So it mends any order, sends nothing that is beside that path, cuts the chain where one is
missing, and of a self-signed root and a cross-certificate for the same CA takes whichever comes first in the file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack

import pytest

from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.verifier.probe import probe

from ..thoroughness import mostly_slow
from .faults import FAULTS, Material
from .servers import NotStartedError

PASSWORD = "correct horse 42"
SERVERS = ("apache", "nginx", "openssl", "java")
RIGHT = next(fault for fault in FAULTS if fault.name == "right")


@pytest.fixture(scope="module")
def material(replica):
    """The certificates of the table."""
    return Material.of(replica)


@pytest.fixture(scope="module")
def start(serve, material, tmp_path_factory):
    """Start a server with what each fault gives it: ``start("nginx", faults)`` gives the ports."""

    def begin(name, faults, **more):
        folder = tmp_path_factory.mktemp(name)
        if name == "java":
            password_file = folder / "password.txt"
            password_file.write_text(PASSWORD)
            files = [material.write_pkcs12(it.given, folder / f"{it.name}.p12", PASSWORD) for it in faults]
            return serve(name)(files, password_file, **more)
        if name == "openssl":
            return serve(name)([material.write_openssl(it.given, folder / it.name) for it in faults], **more)
        files = [material.write_pem(it.given, folder / f"{it.name}.pem") for it in faults]
        return serve(name)(files, folder / "server", **more)

    return begin


@pytest.fixture(scope="module", params=SERVERS)
def ports(request, start):
    """One server with all faults side by side: its name, and the port of each fault with which it starts."""
    faults = [fault for fault in FAULTS if request.param not in fault.ends]
    with start(request.param, faults) as numbers:
        yield request.param, dict(zip((fault.name for fault in faults), numbers, strict=True))


@pytest.mark.parametrize("fault", mostly_slow(FAULTS, every=3), ids=lambda fault: fault.name)
def test_probe_names_exactly_what_is_wrong(ports, files, replica, material, start, fault):
    """RFC 5246 section 7.4.2, RFC 5280 section 6.1, RFC 9525: the checks that say no and why, and what to change."""
    server, numbers = ports
    if server in fault.ends:
        with pytest.raises(NotStartedError, match=fault.ends[server]), start(server, [fault]):
            pass
        return
    expected = fault.of(server)
    for certificates, changes in (((), expected.changes), ((files.certificates,), expected.with_pool)):
        report = probe(
            f"127.0.0.1:{numbers[fault.name]}",
            server_name=replica.server_name,
            trust_anchors=[files.trust_anchor],
            certificates=certificates,
        )
        assert [one.protocol for one in report.answer.answers] == [TLS_1_3, TLS_1_2]
        assert report.served_chain_in_tls_1_2 is None
        assert material.labels(report.served_chain.message.certificates) == expected.sends
        said_no = {it.check.value: it.why for it in (*report.findings, *report.served_chain.findings) if it.is_problem}
        assert said_no == dict(zip(expected.no, material.fill(expected.no.values()), strict=True))
        assert report.changes == material.fill(changes)
        assert report.ok is (not expected.no)
    # With a pool it is known what to send, whatever is wrong: the path (RFC 5280 section 6.1).
    own, *issuers = material.labels(report.served_chain.should_send)
    assert (own, tuple(issuers[:4])) == (expected.sends[0], RIGHT.given[1:5])
    assert issuers[4:] in ([], ["anchor"])


@pytest.mark.slow
def test_the_command_asks_several_servers_at_once(start, files, replica):
    """Three ports of one host, as a MobileIron Core has them, and an IPv6 address: each is reported by itself."""
    alone = next(fault for fault in FAULTS if fault.name == "server-alone")
    with ExitStack() as stack:
        (apache,) = stack.enter_context(start("apache", [RIGHT]))
        (nginx,) = stack.enter_context(start("nginx", [alone]))
        (java,) = stack.enter_context(start("java", [RIGHT]))
        (v6,) = stack.enter_context(start("openssl", [RIGHT], host="::1"))
        command = [sys.executable, "-m", "pkcs12kit", "probe", "--json", "--anchor", files.trust_anchor]
        of_one_host = ["127.0.0.1", *(part for port in (apache, nginx, java) for part in ("--port", str(port)))]
        done = [
            subprocess.run(
                [*command, "--server-name", replica.server_name, *hosts],
                capture_output=True,
                encoding="utf-8",
                check=False,
                timeout=60,
            )
            for hosts in (of_one_host, [f"[::1]:{v6}"])
        ]
    assert [it.returncode for it in done] == [1, 0], [it.stderr for it in done]
    three, one = (json.loads(it.stdout) for it in done)
    assert [(it["host"], it["port"], it["ok"]) for it in three["servers"]] == [
        ("127.0.0.1", apache, True),
        ("127.0.0.1", nginx, False),
        ("127.0.0.1", java, True),
    ]
    assert f"127.0.0.1:{nginx} failed: chain" in done[0].stderr
    (other,) = one["servers"]
    assert (other["ok"], other["host"], other["answered_at"]) == (True, "::1", f"[::1]:{v6}")
