"""The judgement that a bundle is as it was recorded: without a key derivation, and with its path found again."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError
from pkcs12kit.file_access import WITHOUT_KEY, FileAccess, describe_access
from pkcs12kit.files import read_private
from pkcs12kit.finder import find_path
from pkcs12kit.fleet.arguments import build_arguments
from pkcs12kit.fleet.inputs import input_marks, recorded_public
from pkcs12kit.fleet.jobs import installed_version
from pkcs12kit.fleet.pools import load_pool
from pkcs12kit.fleet.secrets import SecretSource, is_as_it_was

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.jobs import Job
    from pkcs12kit.fleet.pools import FleetPool
    from pkcs12kit.fleet.records import Record
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.verdict import ValidatedPath


class Prepared(NamedTuple):
    """A job with its arguments of ``build`` and its pool."""

    job: Job
    arguments: Mapping[str, Any]
    pool: FleetPool

    @classmethod
    def of(cls, job: Job) -> Prepared:
        """Read the options, and load the pool, CRLs and OCSP responses. Raises :class:`~pkcs12kit.InputError`."""
        arguments = build_arguments(job.bundle, time=job.time, evidence=job.evidence, limits=job.limits)
        bundle = job.bundle
        pool = load_pool(bundle.certificates, bundle.trust_anchors, job.pool, limits=arguments["limits"])
        return cls(job, arguments, pool)

    @property
    def limits(self) -> Limits:
        """The limits of the bundle."""
        limits: Limits = self.arguments["limits"]
        return limits

    @property
    def secret_source(self) -> SecretSource | None:
        """The source of the password of the new file; None where it takes none."""
        bundle = self.job.bundle
        return None if bundle.password is None else SecretSource(bundle.password, bundle.folder, self.job.time)

    def find(self, target: Certificate, others: tuple[Certificate, ...]) -> ValidatedPath:
        """Find the path. Raises :class:`~pkcs12kit.NoValidPathError`, and :class:`~pkcs12kit.InputError`."""
        known, own = self.pool.encodings, [one for one in others if one != target]
        further = [one for one in own if one.der not in known]
        names = ("parameters", "ranking", "revocation", "fetch", "limits")
        return find_path(
            target,
            pool=self.pool.certificates | CertificatePool(further) if further else self.pool.certificates,
            trust_anchors=self.pool.trust_anchors,
            **{name: self.arguments[name] for name in names},
        )

    def certificates_of(self, path: ValidatedPath) -> tuple[Certificate, ...]:
        """Return the certificates that a file with this path has, in its order."""
        include = self.arguments["include_anchor"]
        if include is None:
            include = self.arguments["to"] != "pem"
        return path.with_anchor if include else path.certificates


def unchanged_path(prepared: Prepared, record: Record) -> ValidatedPath | None:
    """Return the path of today if the bundle is as it was recorded and this path has the certificates of its file.

    None if anything differs or cannot be read: then the file has to be opened. Raises
    :class:`~pkcs12kit.NoValidPathError` if there is no path any more.
    """
    bundle, limits = prepared.job.bundle, prepared.limits
    if record.digest != digest_of(bundle):
        return None
    try:
        if input_marks(bundle, limits) != record.inputs or output_digest(prepared) != record.output:
            return None
        source = prepared.secret_source
        if source is not None and not is_as_it_was(source, record.password, limits=limits):
            return None
        public = recorded_public(bundle, record, prepared.arguments["parameters"].time, limits)
    except InputError:
        return None
    if public is None:
        return None
    path = prepared.find(*public)
    now = tuple(one.sha256 for one in prepared.certificates_of(path))
    return path if now == record.certificates else None


def digest_of(bundle: FleetBundle) -> str:
    """Return the digest of a bundle for its record; another version of pkcs12kit may write another file."""
    return sha256(f"{installed_version()} {bundle.digest}".encode()).hexdigest()


def output_digest(prepared: Prepared) -> str:
    """Return the SHA-256 of the file, and of that for the key, with the owner, group and mode that they would get.

    Raises :class:`~pkcs12kit.InputError` if there is none, or if it has others.
    """
    limits = prepared.limits
    limit = limits.input_bytes if prepared.arguments["to"] == "pem" else limits.pfx_bytes
    return ",".join(
        sha256(read_private(path, limit=limit, access=access)).hexdigest()
        for path, access in _accesses(prepared).items()
    )


def access_text(prepared: Prepared) -> str:
    """Return the owner, group and mode of the files, as text."""
    return ",".join(describe_access(path) for path in _accesses(prepared))


def _accesses(prepared: Prepared) -> dict[Path, FileAccess]:
    arguments = prepared.arguments
    asked = FileAccess.of(
        arguments["owner"], arguments["group"], arguments["mode"], with_key=not arguments["certs_only"]
    )
    output, *keys = map(Path, prepared.job.bundle.outputs.values())
    return {output: replace(asked, most=WITHOUT_KEY) if keys else asked, **dict.fromkeys(keys, asked)}
