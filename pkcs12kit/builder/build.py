"""The call that finds the path and writes the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_flags, require_kind, require_several
from pkcs12kit.builder.output import OutputFile, Writing, require_form
from pkcs12kit.builder.pem_output import PemOutput
from pkcs12kit.builder.report import BuildReport
from pkcs12kit.builder.server import Delivery, Server
from pkcs12kit.devices.named_issuers import named_issuer_mismatches
from pkcs12kit.devices.self_signed import describe_own_anchor, is_own_anchor
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.file_access import FileAccess
from pkcs12kit.finder import path_request, require_fetching
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.outputs.existing import Form
from pkcs12kit.paths.confirmation import NOT_ASKED, ConfirmationError, Opinion, confirm
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.paths.validity_now import not_valid_now
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.profiles import Profile
from pkcs12kit.pkcs12.readers import require_all_open
from pkcs12kit.sources.arguments import as_certificates, as_trust_anchors, concrete
from pkcs12kit.sources.key_sources import Opening
from pkcs12kit.sources.reading import is_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from os import PathLike

    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.ranking import Ranking
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.compatibility import Reader
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.retrieval.options import FetchOptions
    from pkcs12kit.retrieval.retrieved import Retrieval
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.sources.identities import IdentitySource, KeySource
    from pkcs12kit.sources.loading import CertificateSource
    from pkcs12kit.sources.reading import Source


def build(  # noqa: PLR0913  # the one call of a provisioning script: each input has its own keyword
    *,
    source: Source | None = None,
    identity: IdentitySource | None = None,
    key: KeySource | None = None,
    certificate: CertificateSource | None = None,
    pkcs12: Source | DecodedPfx | None = None,
    key_password: str | Callable[[], str] | None = None,
    pkcs12_password: str | Callable[[], str] | None = None,
    certificate_password: str | Callable[[], str] | None = None,
    contents_password: str | None = None,
    key_name: str | None = None,
    key_id: bytes | None = None,
    require_mac: bool = False,
    certs_only: bool = False,
    certificates: CertificatesArgument = (),
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    fetch: FetchOptions | None = None,
    second_opinion: bool = True,
    output: str | PathLike[str] | None = None,
    owner: str | int | None = None,
    group: str | int | None = None,
    mode: int | None = None,
    to: str = "pkcs12",
    key_output: str | PathLike[str] | None = None,
    traditional: bool = False,
    password: str | Callable[[], str] | None = None,
    profile: Profile | str | None = None,
    for_readers: Iterable[Reader | str] = (),
    include_anchor: bool | None = None,
    friendly_name: str | None = None,
    certificate_name: str | None = None,
    ca_names: Iterable[str] = (),
    truststore: bool = False,
    protect: Mapping[str, Iterable[str | PathLike[str]]] | None = None,
    overwrite: bool = False,
    if_changed: bool = False,
    dry_run: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> BuildReport:
    """Find the certification path, validate it twice, and write one PKCS#12 file with key and path, or PEM.

    Where values come from outside, a source (a path, ``"-"`` or bytes) and a loaded value are both accepted.

    - ``identity``, or ``key`` and ``certificate``, or ``pkcs12``, also with a ``certificate`` to use with its key: the
      server's key and certificate. ``key`` and ``certificate`` may be objects of pyca/cryptography, or PKCS#12 files.
      ``key_password``, ``pkcs12_password`` (``password`` there), ``certificate_password``, ``contents_password``,
      ``key_name``, ``key_id`` and ``require_mac`` are as in :func:`~pkcs12kit.load_identity`. Of several certificates
      of the key the newest that is valid is used. With ``certs_only``, ``certificate`` only: no key is written.
    - ``source``: a delivered folder or zip instead, in which key, certificate and CA certificates are found; ``key`` is
      then the name of a file in it, if it has several keys, and ``certificate`` chooses by the certificate.
    - ``certificates``: what to search in, besides the other certificates in the file of the identity.
    - ``trust_anchors``: the certificates that the path may end at.
    - ``parameters``, ``time``, ``server_name``, ``ranking``, ``revocation``, ``fetch``: as in
      :func:`~pkcs12kit.find_path`. Nothing is fetched without ``fetch``.
    - ``second_opinion``: False to write without asking the second validator.
    - ``output``: the file to write, as :func:`~pkcs12kit.write_pfx` does. None to return only the report. ``owner``,
      ``group``, ``mode``: as there; with ``certs_only``, everybody may read it (``0o644``). No source is replaced,
      except a PKCS#12 file, and no file or folder of ``protect``: lists of them by names for messages, such as those
      that a loaded pool was read from. ``overwrite`` replaces a file of another kind, and a PKCS#12 source with other
      keys.
    - ``to``: ``"pkcs12"``, or ``"pem"`` for nginx, HAProxy and Apache: the key, not encrypted, then its certificate and
      each issuer; ``traditional`` as in :func:`~pkcs12kit.encode_pem`. ``key_output``: a file for the key, apart from
      the certificates; both are written, or neither. No password, profile or name can be given.
    - ``password``: protects the new file, and is not empty; a function is called only when there is a path to write.
      None for PEM and for a profile without a password.
    - ``profile``: the algorithms, by name or as a :class:`~pkcs12kit.Profile`; ``modern`` if left out. Or
      ``for_readers``: the programs that must open the file, with their versions; the strongest profile that all of them
      open is used, and a key, a certificate or a password that one of them is not known to open is refused. A
      :class:`~pkcs12kit.Profile` may be given with them, if they are known to open it.
    - ``include_anchor`` (None: only for PKCS#12), ``friendly_name``, ``certificate_name``, ``ca_names``: as in
      :meth:`Bundle.from_path <pkcs12kit.Bundle.from_path>`. ``truststore``: with ``certs_only``, mark the certificates
      as trusted for Java.
    - ``if_changed``: leave ``output`` alone if it already has the same key, certificates, order, names, password,
      profile and iterations (PEM: the same bytes), and the owner, group and mode that it would get.
    - ``dry_run``: do everything except writing. Only free disk space is not checked.
    - ``on_warning``: called with each warning and reject at once; the report has them too.

    Raises :class:`~pkcs12kit.InputError` for input that cannot be used (:class:`~pkcs12kit.KeyMismatchError` for a key
    of another certificate, :class:`~pkcs12kit.PasswordError` for a password that is missing, wrong or empty),
    :class:`~pkcs12kit.NoValidPathError`, :class:`~pkcs12kit.ConfirmationError` if the second validator rejects the
    path, and :class:`~pkcs12kit.OutputError`. Nothing is written if an error is raised. Not checked: revocation, unless
    ``revocation`` asks for it.
    """
    require_flags(
        require_mac=require_mac,
        certs_only=certs_only,
        second_opinion=second_opinion,
        truststore=truststore,
        overwrite=overwrite,
        if_changed=if_changed,
        dry_run=dry_run,
    )
    require_fetching(fetch, on_warning)
    require_several({"ca_names": ca_names, "for_readers": for_readers})
    require_kind("protect", protect, Mapping, optional=True)
    require_several({f"protect[{name!r}]": several for name, several in (protect or {}).items()})
    warnings = _Warnings(on_warning)
    require_kind("include_anchor", include_anchor, bool, optional=True)
    readers, ca_names = tuple(for_readers), tuple(ca_names)
    form = require_form(
        to,
        password=password,
        profile=profile,
        for_readers=readers,
        friendly_name=friendly_name,
        certificate_name=certificate_name,
        ca_names=ca_names,
        truststore=truststore,
        key_output=key_output,
        traditional=traditional,
    )
    if certs_only and (key_output is not None or traditional):
        raise ArgumentError("certs_only writes no key: leave key_output and traditional out")
    certificates, trust_anchors = concrete(certificates), concrete(trust_anchors)
    writing = Writing(
        access=FileAccess.of(owner, group, mode, with_key=not certs_only, on_warning=warnings.add),
        inputs=[
            ("source", source if source is None or not is_folder(source) else None),
            ("identity", identity),
            ("key", key if source is None else None),
            ("certificate", certificate),
            ("pkcs12", pkcs12),
            ("certificates", certificates),
            ("trust_anchors", trust_anchors),
            *((name, tuple(several)) for name, several in (protect or {}).items()),
        ],
        overwrite=overwrite,
        if_changed=if_changed,
        dry_run=dry_run,
        limits=limits,
    )
    file: OutputFile | PemOutput
    if form is Form.PEM:
        file = PemOutput(output, key_output, writing, traditional=traditional)
    else:
        file = OutputFile(output, password, _profile(profile, readers), writing, readers=readers)
    parameters = choose_parameters(parameters, time=time, server_name=server_name)
    opening = Opening(
        key_password=key_password,
        password=pkcs12_password,
        certificate_password=certificate_password,
        contents_password=contents_password,
        key_name=key_name,
        key_id=key_id,
        time=parameters.time,
        require_mac=require_mac,
        on_warning=warnings.add,
        limits=limits,
    )
    outputs = tuple(path for path in (output, key_output) if path is not None)
    delivery = None if source is None else Delivery(source, outputs)
    server = Server(identity, key, certificate, pkcs12, opening, delivery, certs_only=certs_only)
    anchors = as_trust_anchors(trust_anchors, on_warning=warnings.add, limits=limits)
    pool = as_certificates(certificates, limits=limits) | server.other_certificates
    for reject in pool.rejects:
        warnings.pass_on(str(reject))
    request = path_request(server.target, (), pool, anchors, parameters, ranking, revocation, None, limits)
    path, retrievals = _find(request, fetch, warnings)
    confirmation = _confirmation(path, request.parameters) if second_opinion else NOT_ASKED
    bundle = _bundle(
        server.identity,
        path,
        friendly_name,
        certificate_name,
        ca_names,
        include_anchor=form is not Form.PEM if include_anchor is None else include_anchor,
        truststore=truststore,
    )
    server.require_nothing_lost(bundle, form, limits)
    left_out = tuple(file.require_nothing_lost(server.decoded, bundle))
    file.encode(bundle)
    for sentence in (*_about_path(path, confirmation), *left_out, *file.warnings()):
        warnings.add(sentence)
    file.write()
    return BuildReport(
        path=path,
        confirmation=confirmation,
        certificates=bundle.certificates,
        has_private_key=bundle.private_key is not None,
        format=to,
        profile=file.profile,
        data=file.data,
        output=file.output,
        key_data=file.key_data,
        key_output=file.key_output,
        changed=file.is_new,
        change=file.change,
        differences=file.differences,
        replaced=file.replaced,
        identity_certificates=tuple(server.other_certificates),
        dry_run=dry_run,
        rejects=pool.rejects,
        warnings=tuple(warnings.kept),
        retrievals=retrievals,
    )


class _Warnings:
    """Warnings, passed on as they come and kept for the report."""

    def __init__(self, on_warning: Callable[[str], object] | None) -> None:
        self._on_warning = on_warning
        self.kept: list[str] = []

    def pass_on(self, sentence: str) -> None:
        """Pass on a sentence that is elsewhere in the report."""
        if self._on_warning is not None:
            self._on_warning(sentence)

    def add(self, sentence: str) -> None:
        """Keep a sentence and pass it on, once."""
        if sentence in self.kept:
            return
        self.kept.append(sentence)
        self.pass_on(sentence)


def _find(
    request: PathRequest, fetch: FetchOptions | None, warnings: _Warnings
) -> tuple[ValidatedPath, tuple[Retrieval, ...]]:
    """Find the path, fetching what is missing if asked to. Raises :class:`~pkcs12kit.NoValidPathError`."""
    if fetch is None:
        return request.find_path(), ()
    from pkcs12kit.retrieval.find_path import fetch_path

    fetched = fetch_path(request, fetch, warnings.add)
    return fetched.path, fetched.retrievals


def _profile(profile: Profile | str | None, readers: tuple[Reader | str, ...]) -> Profile:
    """Return the profile that is given by name, as a value, or by the readers that must open the file."""
    if readers and profile is not None:
        if not isinstance(profile, Profile):
            raise ArgumentError("give a profile or for_readers, not both: the readers decide on the profile")
        require_all_open(readers, profile)
        return profile
    if readers:
        return profiles.for_readers(*readers)
    return profiles.MODERN if profile is None else profiles.find(profile)


def _confirmation(path: ValidatedPath, parameters: ValidationParameters) -> Confirmation:
    """Return the second opinion. Raises :class:`~pkcs12kit.ConfirmationError` if it is a no."""
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
        raise InputError("a truststore holds only certificates, no key")
    return Bundle.from_path(
        identity,
        path,
        include_anchor=include_anchor,
        friendly_name=friendly_name,
        certificate_name=certificate_name,
        ca_names=ca_names,
    )


def _about_path(path: ValidatedPath, confirmation: Confirmation) -> Iterable[str]:
    """Yield what a user should know of the path."""
    yield from not_valid_now(path)
    if is_own_anchor(path):
        yield describe_own_anchor(path)
    yield from map(str, named_issuer_mismatches(path))
    if confirmation.opinion is Opinion.CANNOT_JUDGE:
        yield f"no second opinion: {confirmation}"
    if path.revocation is not None:
        yield from path.revocation.warnings
