"""pkcs12kit and other makers' programs as an expert would use them: each with the options that help it most."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

import pkcs12kit as pk
from pkcs12kit.pkcs12.profiles import PROFILES

from ..running import openssl_version, run_program
from .rival_jobs import write_key

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable
    from pathlib import Path

    from .rival_jobs import Job

PASSWORD: Final = "correct horse 42"  # nothing is protected by it but keys made for one run
ITERATIONS: Final = 123_456
PATIENCE: Final = 20
"""Seconds that a search may take."""


class Found(NamedTuple):
    """The path that a program found, target first; None where it found none. And what it said."""

    path: tuple[pk.Certificate, ...] | None
    said: str


@dataclass(frozen=True, kw_only=True)
class _Program:
    """What the programs with a command have in common."""

    program: str

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return run_program(self.program, *arguments)


def _files(job: Job) -> tuple[Path, Path]:
    """Write the server's certificate and the anchor's."""
    target, anchor = job.heap.with_name("target.pem"), job.heap.with_name("anchor.pem")
    target.write_text(job.target.to_pem(), "ascii")
    anchor.write_text(job.anchor.to_pem(), "ascii")
    return target, anchor


class OpenSSL(_Program):
    """``openssl pkcs12 -export -chain``; and ``openssl verify``, where the job is beyond the options of the former."""

    def version(self) -> str:
        """Tell the version."""
        return openssl_version(self.program)

    def help(self) -> str:
        """Give what it says of its options."""
        return self.run("pkcs12", "-help").stderr

    def find(self, job: Job) -> Found:
        """Answer a job."""
        if not job.is_plain:
            return self._verify(job)
        data, said = self.write(job)
        if data is None:  # which says nothing of where: verify does
            return Found(None, f"{said}{self._verify(job).said}")
        return Found(_in_pkcs12(data), said)

    def _verify(self, job: Job) -> Found:
        """Ask with the policy check, without which the real certificates are refused."""
        target, anchor = _files(job)
        options: list[object] = ["-show_chain", "-policy", job.policy or "anyPolicy", "-policy_check"]
        if job.policy is not None:
            options.append("-explicit_policy")
        if job.at is not None:
            options += ["-attime", int(job.at.timestamp())]
        if job.crls:
            file = job.heap.with_name("crls.pem")
            file.write_bytes(b"".join(_crl_pem(crl) for crl in job.crls))
            options += ["-crl_check_all", "-CRLfile", file]
        where = ["-no-CApath", "-no-CAstore", "-CAfile", anchor, "-untrusted", job.heap]
        done = self.run("verify", *options, *where, target)
        said = done.stdout + done.stderr
        if done.returncode:
            return Found(None, said)
        # It shows the chain by names. That is enough: no two right answers and no wrong one have the same names.
        names = tuple(re.findall(r"^depth=\d+: .*?CN = ([^,(\n]*?)(?: \(untrusted\))?$", done.stdout, re.MULTILINE))
        return Found(next((path for path in job.right if _names(path) == names[:-1]), ()), said)

    def write(self, job: Job, *, iterations: int | None = None, pbmac1: bool = False) -> tuple[bytes | None, str]:
        """Make a PKCS#12 file of a job, None where it cannot; and give what it said."""
        target, anchor = _files(job)
        key, out = write_key(job, job.heap.with_name("server.key")), job.heap.with_name("openssl.p12")
        out.unlink(missing_ok=True)
        options: list[object] = ["-inkey", key, "-in", target, "-passout", f"pass:{PASSWORD}", "-out", out]
        if iterations is not None:
            options += ["-iter", iterations]
        if pbmac1:
            options.append("-pbmac1_pbkdf2")
        where = ["-no-CApath", "-no-CAstore", "-CAfile", anchor, "-untrusted", job.heap]
        done = self.run("pkcs12", "-export", "-chain", *where, *options)
        return (out.read_bytes() if done.returncode == 0 else None), done.stdout + done.stderr


class Keytool(_Program):
    """Java's: all CA certificates in the key store as trusted ones, then ``keytool -importcert`` of the reply."""

    def version(self) -> str:
        """Tell the version."""
        return self.run("-version", "-J-version").stderr.split('"')[1]

    def help(self) -> str:
        """Give what it says of its options."""
        return "".join(self.run(*asked).stderr for asked in (["-help"], ["-importcert", "-help"]))

    def find(self, job: Job) -> Found:
        """Answer a job."""
        data, said = self.write(job)
        return Found(None if data is None else _in_pkcs12(data), said)

    def write(self, job: Job, *, iterations: int | None = None, pbmac1: bool = False) -> tuple[bytes | None, str]:
        """Make a PKCS#12 file of a job, None where it cannot; and give what it said."""
        store, own, out = (job.heap.with_name(name) for name in ("store.p12", "own.p12", "keytool.p12"))
        out.unlink(missing_ok=True)
        reply, _ = _files(job)
        everyone = [job.anchor]
        if job.heap.suffix == ".pem":
            everyone += job.pool
        else:  # then the file itself is the reply
            reply = job.heap
        protection = BestAvailableEncryption(PASSWORD.encode())
        own.write_bytes(
            pkcs12.serialize_key_and_certificates(b"server", job.identity.private_key, _selfmade(job), None, protection)
        )
        certificates = [it.as_cryptography for it in dict.fromkeys(everyone)]
        trusted = [pkcs12.PKCS12Certificate(it, f"ca-{number:03}".encode()) for number, it in enumerate(certificates)]
        store.write_bytes(pkcs12.serialize_java_truststore(trusted, protection))
        into_store = ["-srckeystore", own, "-srcstorepass", PASSWORD, "-destkeystore", store]
        into_out = ["-srckeystore", store, "-srcstorepass", PASSWORD, "-srcalias", "server", "-destkeystore", out]
        options = []
        if iterations is not None:
            options.append(f"-J-Dkeystore.pkcs12.macIterationCount={iterations}")
        if pbmac1:
            options.append("-J-Dkeystore.pkcs12.macAlgorithm=PBEWithHmacSHA256")
        said = ""
        for command in (
            ["-importkeystore", *into_store, "-deststorepass", PASSWORD],
            ["-importcert", "-trustcacerts", "-alias", "server", "-file", reply, "-keystore", store],
            ["-importkeystore", *into_out, "-deststorepass", PASSWORD, *options],
        ):
            done = self.run(*command, "-noprompt", *([] if "-srckeystore" in command else ["-storepass", PASSWORD]))
            said += done.stdout + done.stderr
            if done.returncode:
                return None, said
        return out.read_bytes(), said


class Cfssl(_Program):
    """``cfssl bundle``: the chain as PEM in JSON. It writes no PKCS#12."""

    def version(self) -> str:
        """Tell the version."""
        return self.run("version").stdout.split()[1]

    def help(self) -> str:
        """Give what it says of its options."""
        said = [self.run(*asked) for asked in ([], ["bundle", "-help"])]
        return "".join(done.stdout + done.stderr for done in said)

    def find(self, job: Job) -> Found:
        """Answer a job."""
        target, anchor = _files(job)
        heap = ["-int-dir" if job.heap.is_dir() else "-int-bundle", job.heap]
        given = ["-cert", target, "-ca-bundle", anchor, *heap, "-flavor", "optimal"]
        done = self.run("bundle", *given)
        said = done.stdout + done.stderr
        answer = next((json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")), {})
        if "bundle" not in answer:
            return Found(None, said)
        return Found(tuple(pk.load_certificates(answer["bundle"].encode())), said)


class Certvalidator:
    """pyhanko-certvalidator: its candidate paths, one after the other, until one is valid."""

    def version(self) -> str:
        """Tell the version."""
        return version("pyhanko-certvalidator")

    def find(self, job: Job) -> Found:
        """Answer a job."""
        return asyncio.run(self._find(job))

    async def _find(self, job: Job) -> Found:
        from asn1crypto import crl
        from asn1crypto import x509 as structures
        from pyhanko_certvalidator.context import ValidationContext
        from pyhanko_certvalidator.errors import PathError, ValidationError
        from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend
        from pyhanko_certvalidator.policy_decl import PKIXValidationParams
        from pyhanko_certvalidator.validate import async_validate_path

        leaf, root, *others = (structures.Certificate.load(it.der) for it in (job.target, job.anchor, *job.pool))
        parameters = None
        if job.policy is not None:
            parameters = PKIXValidationParams(
                user_initial_policy_set=frozenset([job.policy]), initial_explicit_policy=True
            )
        backend = AIOHttpFetcherBackend() if job.fetch else None
        context = ValidationContext(
            trust_roots=[root],
            other_certs=others,
            moment=job.at or datetime.now(UTC),
            allow_fetching=job.fetch,
            fetchers=backend.get_fetchers() if backend else None,
            crls=[crl.CertificateList.load(it) for it in job.crls],
            revocation_mode="require" if job.crls else "soft-fail",
        )
        said = []
        end = time.monotonic() + PATIENCE
        try:
            async for path in context.path_builder.async_build_paths_lazy(leaf):
                if time.monotonic() > end:
                    return Found(None, f"no valid path among the candidates of {PATIENCE} seconds")
                try:
                    await async_validate_path(context, path, parameters=parameters)
                except (PathError, ValidationError) as no:
                    said.append(str(no))
                else:
                    found = [it.dump() for it in path.iter_certs(include_root=False)]
                    return Found(tuple(map(pk.Certificate.from_der, reversed(found))), "")
        except PathError as no:
            said.append(str(no))
        finally:
            if backend:
                await backend.close()
        return Found(None, "\n".join(said))


class Ours:
    """pkcs12kit."""

    def version(self) -> str:
        """Tell the version."""
        return "this version"

    def find(self, job: Job) -> Found:
        """Answer a job."""
        target, anchor = _files(job)
        policies = {} if job.policy is None else {"user_initial_policy_set": {job.policy}}
        parameters = pk.ValidationParameters(
            time=job.at or datetime.now(UTC), initial_explicit_policy=job.policy is not None, **policies
        )
        question = {
            "pool": pk.load_certificates(job.heap),
            "trust_anchors": pk.load_trust_anchors(anchor),
            "parameters": parameters,
            "revocation": pk.Revocation(mode=pk.RevocationMode.REQUIRE, crls=job.crls) if job.crls else None,
        }
        try:
            if job.fetch:
                options = pk.FetchOptions(cache=False, allow_private=True)
                return Found(pk.find_path(job.target, fetch=options, **question).certificates, "")
            path = pk.find_path(pk.load_certificate(target), **question)
        except pk.NoValidPathError as no:
            return Found(None, str(no))
        return Found(path.certificates, "")

    def write(self, job: Job, *, iterations: int | None = None, pbmac1: bool = False) -> tuple[bytes | None, str]:
        """Make a PKCS#12 file of a job, None where it cannot; and give what it said."""
        target, anchor = _files(job)
        out = job.heap.with_name("ours.p12")
        profile = next(it for it in PROFILES if it.mac_algorithm == "PBMAC1") if pbmac1 else pk.profiles.MODERN
        pk.build(
            key=write_key(job, job.heap.with_name("server.key")),
            certificate=target,
            certificates=[job.heap],
            trust_anchors=[anchor],
            output=out,
            password=PASSWORD,
            profile=profile.with_iterations(mac=iterations) if iterations else profile,
        )
        return out.read_bytes(), ""


def _in_pkcs12(data: bytes) -> tuple[pk.Certificate, ...]:
    return pk.decode_pfx(data, password=PASSWORD).certificates


def _names(path: Iterable[pk.Certificate]) -> tuple[str, ...]:
    attributes = (it.as_cryptography.subject.get_attributes_for_oid(NameOID.COMMON_NAME) for it in path)
    return tuple(str(found[0].value) for found in attributes)


def _selfmade(job: Job) -> x509.Certificate:
    """Make the self-signed certificate that keytool gives a new key; the reply of the CA takes its place."""
    key, now = job.identity.private_key, datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "new key")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=90))
    return builder.sign(key, hashes.SHA256())


def _crl_pem(crl: bytes) -> bytes:
    return x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM)
