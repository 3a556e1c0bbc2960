"""The programs that judge a scenario: pkcs12kit, OpenSSL's verify and ocsp, Java's PKIX validator."""

from __future__ import annotations

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pkcs12kit as pk
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import FailureReason, InputError
from pkcs12kit.paths.revocation import check_revocation

from ..running import openssl_version, run_program
from .worlds import Verdict

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from .worlds import Scenario

HERE: Final = Path(__file__).parent
_SECONDS: Final = 600
UNREADABLE: Final = "a file cannot be read: "
"""The start of pkcs12kit's answer where a CRL or a response raises an InputError."""
_CERT_REVOKED: Final = "23"
"""X509_V_ERR_CERT_REVOKED."""


class Answer(NamedTuple):
    """A program's verdict, and its words."""

    verdict: Verdict
    said: str


def write_scenario(scenario: Scenario, folder: Path) -> None:
    """Write the files of a scenario into a folder that does not exist yet."""
    folder.mkdir()
    (folder / "path.pem").write_text(_armored(scenario.path, "CERTIFICATE"), "ascii")
    (folder / "target.pem").write_text(_armored(scenario.path[:1], "CERTIFICATE"), "ascii")
    (folder / "issuer.pem").write_text(_armored((*scenario.path, scenario.anchor)[1:2], "CERTIFICATE"), "ascii")
    (folder / "anchor.pem").write_text(_armored([scenario.anchor], "CERTIFICATE"), "ascii")
    (folder / "untrusted.pem").write_text(_armored((*scenario.path[1:], *scenario.pool), "CERTIFICATE"), "ascii")
    if scenario.pool:
        (folder / "pool.pem").write_text(_armored(scenario.pool, "CERTIFICATE"), "ascii")
    if scenario.crls:
        (folder / "crls.pem").write_text(_armored(scenario.crls, "X509 CRL"), "ascii")
    if scenario.response is not None:
        (folder / "response.der").write_bytes(scenario.response)


def _armored(objects: Iterable[bytes], label: str) -> str:
    return "".join(
        f"-----BEGIN {label}-----\n{base64.encodebytes(it).decode('ascii')}-----END {label}-----\n" for it in objects
    )


def ask_pkcs12kit(scenario: Scenario, now: datetime) -> Answer:
    """Return pkcs12kit's answer: about the path, or about the target where there is an OCSP response."""
    path = CertificationPath(
        certificates=tuple(map(pk.Certificate.from_der, scenario.path)),
        trust_anchor=pk.TrustAnchor.from_certificate(pk.Certificate.from_der(scenario.anchor)),
    )
    responses = () if scenario.response is None else (scenario.response,)
    revocation = pk.Revocation(mode="require", crls=scenario.crls, ocsp_responses=responses)
    pool = pk.CertificatePool(map(pk.Certificate.from_der, scenario.pool))
    try:
        report = check_revocation(path, time=now, revocation=revocation, pool=pool)
    except InputError as error:
        return Answer(Verdict.UNKNOWN, f"{UNREADABLE}{error}")
    if scenario.response is not None:
        return Answer(Verdict(report.statuses[0].status.value), str(report.statuses[0]))
    if report.failure is None:
        return Answer(Verdict.GOOD, "")
    revoked = report.failure.reason is FailureReason.REVOKED
    return Answer(Verdict.REVOKED if revoked else Verdict.UNKNOWN, str(report.failure))


class OpenSSL:
    """``openssl verify`` and ``openssl ocsp``, a process for each question."""

    def __init__(self, program: str) -> None:
        self._program = program

    def _run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return run_program(self._program, *arguments)

    def version(self) -> str:
        """Return the version."""
        return openssl_version(self._program)

    def verify(self, folder: Path, now: datetime, *options: str) -> Answer:
        """Return the answer about a path and its CRLs."""
        crls = ["-CRLfile", folder / "crls.pem"] if (folder / "crls.pem").exists() else []
        done = self._run(
            *("verify", "-no-CApath", "-attime", int(now.timestamp())),
            *("-CAfile", folder / "anchor.pem", "-untrusted", folder / "untrusted.pem"),
            *("-crl_check_all", *options, *crls, folder / "target.pem"),
        )
        said = " ".join((done.stdout + done.stderr).split())
        if done.returncode == 0:
            return Answer(Verdict.GOOD, said)
        # After some errors it goes on, and prints further ones. Those of a CRL signer's path begin with [CRL path].
        first = re.search(r"^error (\d+) at", done.stdout + done.stderr, re.MULTILINE)
        return Answer(Verdict.REVOKED if first and first[1] == _CERT_REVOKED else Verdict.UNKNOWN, said)

    def ocsp(self, folder: Path) -> Answer:
        """Return the answer about the target and its OCSP response; the command takes no time but the clock's."""
        done = self._run(
            *("ocsp", "-no-CApath", "-no_nonce", "-respin", folder / "response.der", "-CAfile", folder / "anchor.pem"),
            *("-issuer", folder / "issuer.pem", "-cert", folder / "target.pem"),
        )
        output = done.stdout + done.stderr
        said = " ".join(output.split())
        found = re.search(r"target\.pem: (good|revoked|unknown)", output)
        sound = "Response verify OK" in output and "Status times invalid" not in output
        return Answer(Verdict(found[1]) if found and sound else Verdict.UNKNOWN, said)

    def ask_all(self, scenarios: Sequence[Scenario], folder: Path, now: datetime) -> dict[str, dict[str, Answer]]:
        """Return the answers of each way of asking OpenSSL, by scenario."""

        def ask(scenario: Scenario) -> dict[str, Answer]:
            files = folder / file_name(scenario)
            if scenario.response is not None:
                return {"openssl-ocsp": self.ocsp(files)}
            return {
                "openssl": self.verify(files, now),
                "openssl-extended": self.verify(files, now, "-extended_crl", "-use_deltas"),
            }

        with ThreadPoolExecutor(2) as pool:
            return dict(zip((it.name for it in scenarios), pool.map(ask, scenarios), strict=True))


def file_name(scenario: Scenario) -> str:
    """Return the name of a scenario's folder."""
    return scenario.name.replace("/", "+")


def ask_java(java: str, scenarios: Sequence[Scenario], folder: Path, now: datetime) -> dict[str, Answer]:
    """Return Java's answers by scenario, all by one virtual machine. It asks no server: its proxy is nowhere."""
    names = {file_name(it): it.name for it in scenarios}
    (folder / "names").write_text("\n".join(names), "ascii")
    nowhere = ["-Dhttp.proxyHost=127.0.0.1", "-Dhttp.proxyPort=9"]
    done = run_program(
        *(java, "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dfile.encoding=UTF-8", *nowhere),
        *(HERE / "Revocation.java", int(now.timestamp()), folder),
        seconds=_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {names[label]: Answer(Verdict(verdict), said) for label, verdict, said in lines}
