"""The whole way in one call: from a key, a certificate, a heap of CA certificates and an anchor to a PKCS#12 file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pkcs12kit.arguments import require_several
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError
from pkcs12kit.files import read_private, require_writable, write_pfx
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.confirmation import NOT_ASKED, ConfirmationError, Opinion, confirm
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.search import find_path
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.comparison import why_changed
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.sources.loading import load_certificate, load_certificates, load_identity, load_trust_anchors
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.ranking import Ranking
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.profiles import Profile
    from pkcs12kit.retrieval.options import FetchOptions
    from pkcs12kit.retrieval.retrieved import Retrieval
    from pkcs12kit.sources.loading import CertificateSource, TrustAnchorSource
    from pkcs12kit.sources.reading import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport(Shown):
    """What was built. Neither the key nor the password is in it, except encrypted, in ``data``."""

    path: ValidatedPath
    confirmation: Confirmation
    certificates: tuple[Certificate, ...] = field(repr=False)
    """In the order of the file: the target, its issuers, the trust anchor where it was to be included."""
    has_private_key: bool
    """Whether the file holds the key, too."""
    profile: Profile
    data: bytes = field(repr=False)
    """The bytes of the file (RFC 7292, DER)."""
    output: Path | None
    """Where it stands; None where it was not to be written."""
    changed: bool
    """False where the file was left alone, because it already held just this."""
    change: str | None
    """Why the file was not left alone, where that was asked for."""
    dry_run: bool = False
    """True where nothing was to be written: ``changed`` says what would have been."""
    rejects: tuple[Reject, ...]
    """What could not be read in the sources of CA certificates."""
    warnings: tuple[str, ...]
    retrievals: tuple[Retrieval, ...] = field(default=(), repr=False)
    """What came of each URL, without its content; empty where nothing was to be fetched or was missing."""

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``: certificates in file order, expiry, policies, second opinion, warnings."""
        return {
            "output": str(self.output) if self.output is not None else None,
            "changed": self.changed,
            "change": self.change,
            "dry_run": self.dry_run,
            "bytes": len(self.data),
            "profile": self.profile.name,
            "iterations": {"encryption": self.profile.encryption_iterations, "mac": self.profile.mac_iterations},
            "private_key": self.has_private_key,
            "certificates": [certificate.to_json() for certificate in self.certificates],
            "expires": format_time(self.path.expires),
            "policies": sorted(self.path.authority_constrained_policy_set),
            "second_opinion": self.confirmation.to_json(),
            "rejects": [str(reject) for reject in self.rejects],
            "warnings": list(self.warnings),
            "retrievals": [retrieval.to_json() for retrieval in self.retrievals],
        }


def build(  # noqa: PLR0913  # the one call of a provisioning script: each input has its own keyword
    *,
    key: Source | None = None,
    certificate: Source | None = None,
    pkcs12: Source | None = None,
    certificates: Iterable[CertificateSource] = (),
    trust_anchors: Iterable[TrustAnchorSource],
    output: str | PathLike[str] | None = None,
    password: str | Callable[[], str] | None,
    key_password: str | None = None,
    pkcs12_password: str | None = None,
    require_mac: bool = False,
    certs_only: bool = False,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    fetch: FetchOptions | None = None,
    second_opinion: bool = True,
    include_anchor: bool = True,
    friendly_name: str | None = None,
    certificate_name: str | None = None,
    ca_names: Iterable[str] = (),
    truststore: bool = False,
    profile: Profile = profiles.MODERN,
    if_changed: bool = False,
    dry_run: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> BuildReport:
    """Find the path, let two validators judge it, and write one PKCS#12 file.

    The identity is ``key`` and ``certificate``, or ``pkcs12`` (an existing file, opened with ``pkcs12_password``;
    with ``require_mac`` it has to have a MAC, and otherwise a warning says that it has none); with ``certs_only``,
    ``certificate`` alone, a CA's for example, and the file holds no key. ``certificates`` are the sources of
    candidates, as :func:`~pkcs12kit.load_certificates` reads them; what stands beside the identity's certificate in
    its own file is a candidate too. ``password`` protects the new file; where it is a function, that is called once
    there is a path to write, so that nobody is asked for nothing. It is None for a profile that takes none.

    ``friendly_name``, ``certificate_name`` and ``ca_names`` are as in :meth:`Bundle.from_path
    <pkcs12kit.Bundle.from_path>`; ``truststore``, with ``certs_only``, marks the certificates as trusted, for Java.
    With ``if_changed`` the file at ``output`` is left alone where it opens with the same password, has the same
    key, certificates, order, names, profile and iterations, and is readable by its owner alone; the report says which.
    With ``dry_run`` everything is done, and may fail, as without it, but nothing is written: not looked at is only
    whether the disk has room.

    ``parameters`` say what the path has to fulfil; ``time`` and ``server_name`` are short for parameters with just
    these, and the time is now where none is given. ``ranking`` says which of several valid paths is best, as
    :func:`~pkcs12kit.find_path` takes it. With ``fetch``, certificates that are missing are fetched, and CRLs and OCSP
    responses where ``revocation`` asks for them, as :func:`~pkcs12kit.find_path_fetching` does; without it nothing is
    ever asked from the network. ``output`` is written as :func:`~pkcs12kit.write_pfx` does;
    without it the PFX is in the report alone. ``on_warning`` is called with each reject and warning as it comes up;
    the report has them too.

    Raises :class:`~pkcs12kit.errors.InputError` for what cannot be read, :class:`~pkcs12kit.errors.KeyMismatchError`
    before anything else is read where key and certificate do not belong together,
    :class:`~pkcs12kit.NoValidPathError`, :class:`~pkcs12kit.ConfirmationError` where the second opinion is a no, and
    :class:`~pkcs12kit.errors.OutputError`. Whatever is raised, nothing was written. Raises :class:`TypeError` where one
    source is given instead of several, and for ``if_changed`` without ``output``. Not checked: revocation, unless
    ``revocation`` asks for it.
    """
    require_several({"certificates": certificates, "trust_anchors": trust_anchors})
    if parameters is not None and (time is not None or server_name is not None):
        raise TypeError("give time and server_name inside parameters, or no parameters")
    if parameters is None:
        parameters = ValidationParameters(time=time or datetime.now(UTC), server_name=server_name)
    ca_names = tuple(ca_names)
    tell = on_warning or _say_nothing
    of_file: list[str] = []
    identity, target = _identity_and_target(
        key,
        certificate,
        pkcs12,
        key_password,
        pkcs12_password,
        limits,
        certs_only=certs_only,
        require_mac=require_mac,
        on_warning=of_file.append,
    )
    for warning in of_file:
        tell(warning)
    anchors = load_trust_anchors(*trust_anchors, limits=limits)
    pool = _pool(tuple(certificates), pkcs12 if certificate is None else certificate, pkcs12_password, limits)
    for reject in pool.rejects:
        tell(str(reject))
    question = _Question(target, pool, anchors, parameters, ranking, revocation, limits)
    found = question.answer() if fetch is None else question.answer_fetching(fetch, tell)
    path = found.path
    confirmation = _confirmation(path, parameters) if second_opinion else NOT_ASKED
    if callable(password):
        password = password() if profile.takes_password else None
    bundle = _bundle(
        identity, path, friendly_name, certificate_name, ca_names, include_anchor=include_anchor, truststore=truststore
    )
    file = _file(bundle, output, password, profile, limits, if_changed=if_changed)
    warnings = tuple(_warnings(path, confirmation, password, profile))
    for warning in warnings:
        tell(warning)  # those of fetching were told while the path was looked for
    if output is not None and file.changed:
        if dry_run:
            require_writable(output)
        else:
            write_pfx(output, file.data)
    return BuildReport(
        path=path,
        confirmation=confirmation,
        certificates=bundle.certificates,
        has_private_key=bundle.private_key is not None,
        profile=profile,
        data=file.data,
        output=Path(output) if output is not None else None,
        changed=file.changed,
        change=file.change,
        dry_run=dry_run,
        rejects=pool.rejects,
        warnings=(*of_file, *found.warnings, *warnings),
        retrievals=found.retrievals,
    )


def _say_nothing(_: str) -> None:
    pass


def _identity_and_target(  # noqa: PLR0913  # what load_identity takes
    key: Source | None,
    certificate: Source | None,
    pkcs12: Source | None,
    key_password: str | None,
    pkcs12_password: str | None,
    limits: Limits,
    *,
    certs_only: bool,
    require_mac: bool,
    on_warning: Callable[[str], object],
) -> tuple[Identity | None, Certificate]:
    """Load the identity, or a certificate alone where there is to be no key."""
    if certs_only:
        if certificate is None or key is not None or pkcs12 is not None:
            raise InputError("a file of certificates alone is built from a certificate, without a key or a PKCS#12")
        return None, load_certificate(certificate, limits=limits)
    identity = load_identity(
        key=key,
        certificate=certificate,
        pkcs12=pkcs12,
        key_password=key_password,
        password=pkcs12_password,
        require_mac=require_mac,
        on_warning=on_warning,
        limits=limits,
    )
    return identity, identity.certificate


def _pool(
    sources: tuple[CertificateSource, ...], beside: Source | None, password: str | None, limits: Limits
) -> CertificatePool:
    """Load the candidates, and those that stand in the identity's own file; standard input is gone by now."""
    pool = load_certificates(*sources, limits=limits) if sources else CertificatePool()
    if beside is None or beside == "-":
        return pool
    return pool | load_certificates(beside, password=password, limits=limits)


class _Found(NamedTuple):
    path: ValidatedPath
    warnings: tuple[str, ...] = ()
    retrievals: tuple[Retrieval, ...] = ()


class _Question(NamedTuple):
    """What path is looked for. Both ways to answer raise where there is none."""

    target: Certificate
    pool: CertificatePool
    trust_anchors: tuple[TrustAnchor, ...]
    parameters: ValidationParameters
    ranking: Ranking
    revocation: Revocation | None
    limits: Limits

    def answer(self) -> _Found:
        """Look in what was given."""
        return _Found(find_path(**self._asdict()))

    def answer_fetching(self, options: FetchOptions, tell: Callable[[str], object]) -> _Found:
        """Fetch what is missing."""
        from pkcs12kit.retrieval.find_path import find_path_fetching

        fetched = find_path_fetching(**self._asdict(), options=options, on_warning=tell)
        return _Found(fetched.path, fetched.warnings, fetched.retrievals)


def _confirmation(path: ValidatedPath, parameters: ValidationParameters) -> Confirmation:
    """Ask for the second opinion. Raises where it is a no."""
    confirmation = confirm(path, parameters)
    if confirmation.opinion is Opinion.INVALID:
        raise ConfirmationError(path, confirmation)
    return confirmation


def _bundle(
    identity: Identity | None,
    path: ValidatedPath,
    friendly_name: str | None,
    certificate_name: str | None,
    ca_names: tuple[str, ...],
    *,
    include_anchor: bool,
    truststore: bool,
) -> Bundle:
    if identity is None:
        return Bundle.certificates_only(
            path,
            include_anchor=include_anchor,
            friendly_name=certificate_name or friendly_name,
            ca_names=ca_names,
            truststore=truststore,
        )
    if truststore:
        raise InputError("a truststore holds certificates alone, no key")
    return Bundle.from_path(
        identity,
        path,
        include_anchor=include_anchor,
        friendly_name=friendly_name,
        certificate_name=certificate_name,
        ca_names=ca_names,
    )


class _File(NamedTuple):
    data: bytes
    changed: bool
    change: str | None


def _file(
    bundle: Bundle,
    output: str | PathLike[str] | None,
    password: str | None,
    profile: Profile,
    limits: Limits,
    *,
    if_changed: bool,
) -> _File:
    """Give the file that stands where it already is what would be written, if that is asked for, or else a new one."""
    change = None
    if if_changed:
        if output is None:
            raise TypeError("if_changed needs an output: there is nothing to leave alone")
        try:
            there = read_private(output, limit=limits.pfx_bytes)
        except InputError as error:
            change = str(error)
        else:
            change = why_changed(there, bundle, password=password, profile=profile, limits=limits)
            if change is None:
                return _File(there, changed=False, change=None)
    data = encode_pfx(bundle, password=password, profile=profile, limits=limits)
    return _File(data, changed=True, change=change)


def _warnings(path: ValidatedPath, confirmation: Confirmation, password: str | None, profile: Profile) -> Iterable[str]:
    if confirmation.opinion is Opinion.CANNOT_JUDGE:
        yield f"no second opinion: {confirmation}"
    if path.revocation is not None:
        yield from path.revocation.warnings
    if not profile.takes_password:
        yield f"the profile {profile.name} has no password: anybody who has the file has what is in it"
    elif not password:
        yield "the password is empty: anybody who has the file has what is in it"
    if password and (not password.isascii() or not password.isprintable()):
        yield "the password is not printable ASCII: Java, for one, cannot open such a file"
