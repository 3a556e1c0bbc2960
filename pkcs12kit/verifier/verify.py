"""The library function behind ``verify``: all checks of one PKCS#12 file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_duration, require_flags, require_kind, require_several, require_texts
from pkcs12kit.findings import FILE_CHECKS, sort_findings
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.confirmation import NOT_ASKED, confirm
from pkcs12kit.paths.revocation import Revocation
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.paths.validity_now import not_valid_now
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.readers import find, remarks_on
from pkcs12kit.sources.arguments import as_trust_anchors
from pkcs12kit.sources.delivered_files import read_delivered
from pkcs12kit.sources.key_sources import Opening
from pkcs12kit.sources.pkcs12_files import naming_pkcs12
from pkcs12kit.verifier import checks
from pkcs12kit.verifier.delivered import DeliveredChain, choose_key, find_chain_paths
from pkcs12kit.verifier.java_check import check_java_entries
from pkcs12kit.verifier.reports import VerificationReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.pkcs12.compatibility import Reader
    from pkcs12kit.sources.arguments import TrustAnchorsArgument
    from pkcs12kit.sources.identities import KeySource
    from pkcs12kit.sources.reading import Source


def verify(  # noqa: PLR0913  # each question has its own keyword
    file: Source,
    *,
    trust_anchors: TrustAnchorsArgument,
    password: str | None = None,
    key: KeySource | None = None,
    key_password: str | Callable[[], str] | None = None,
    contents_password: str | None = None,
    require_mac: bool = False,
    key_name: str | None = None,
    key_id: bytes | None = None,
    certs_only: bool = False,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    expires_within: timedelta = timedelta(0),
    revocation: Revocation | None = None,
    second_opinion: bool = True,
    readers: Iterable[str | Reader] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> VerificationReport:
    """Check a file for a server against trust anchors, with the certificates of the file only.

    - ``file``: a path, ``-`` or bytes: a PKCS#12 file, or a chain in PEM or PKCS#7, with its private key in it or not.
    - ``key``, ``key_password``: the private key of a chain without one, as for :func:`~pkcs12kit.load_identity`.
    - ``trust_anchors``: files or values, as for :func:`~pkcs12kit.load_trust_anchors`.
    - ``password``, ``contents_password``, ``require_mac``: as for :func:`~pkcs12kit.decode_pfx`.
    - ``key_name`` (friendlyName), ``key_id`` (localKeyID): choose one of several keys, as in
      :func:`~pkcs12kit.load_identity`. Of several certificates of the key the newest that is valid is checked, and the
      others are named.
    - ``certs_only``: the file must have no key; the target of the path is its first certificate.
    - ``parameters``: the inputs of path validation; or only ``time`` (default: now) and ``server_name``.
    - ``expires_within``: the check of expiry fails if a certificate of the path expires within this time.
    - ``revocation``: check revocation with these CRLs and OCSP responses.
    - ``second_opinion``: False to leave certvalidator's opinion out.
    - ``readers``: names of :data:`~pkcs12kit.pkcs12.readers.READERS`, each of which must be known to open the file.
    - ``limits``: bounds on the work.

    The checks are :data:`~pkcs12kit.findings.FILE_CHECKS`. Certificates that are on no path, and other valid paths, are
    notes and not problems. The checks of what only a PKCS#12 file has (MAC, localKeyIDs, readers, Java's entries) are
    not made for a chain in another format, nor is the order of a PKCS#7 bundle, which is a set.

    A failed check is part of the report, not an error. Raises :class:`~pkcs12kit.errors.PfxPasswordError` where the
    password does not open the file, and the other errors of :func:`~pkcs12kit.decode_pfx`, with the file's name;
    :class:`~pkcs12kit.errors.InputError` for files that cannot be read, and where it is not clear which of several keys
    is meant; :class:`~pkcs12kit.errors.UnknownNameError` for an unknown reader;
    :class:`~pkcs12kit.errors.ArgumentError` for other arguments that cannot be used. Not checked: revocation, unless
    ``revocation`` asks for it; the strength of the password; keys and certificates of other identities in the file.
    """
    require_several({"readers": readers})
    require_flags(require_mac=require_mac, certs_only=certs_only, second_opinion=second_opinion)
    require_kind("limits", limits, Limits)
    require_kind("key_id", key_id, bytes, optional=True)
    require_kind("revocation", revocation, Revocation, optional=True)
    require_texts(password=password, contents_password=contents_password, key_name=key_name)
    require_duration("expires_within", expires_within)
    wanted = tuple({reader.name: reader for reader in map(find, readers)}.values())
    parameters = choose_parameters(parameters, time=time, server_name=server_name)
    warnings: list[str] = [*remarks_on(wanted)]
    anchors = as_trust_anchors(trust_anchors, on_warning=warnings.append, limits=limits)
    opening = Opening(
        password=password,
        key_password=key_password,
        contents_password=contents_password,
        key_name=key_name,
        key_id=key_id,
        time=parameters.time,
        require_mac=require_mac,
        limits=limits,
    )
    delivered = read_delivered(file, opening, key=key)
    decoded, anatomy = delivered.decoded, None
    with naming_pkcs12(delivered.name, delivered.pkcs12 or b""):
        chosen = None if certs_only else choose_key(decoded, key_name, key_id)
        if delivered.pkcs12 is not None:
            anatomy = inspect_pfx(
                delivered.pkcs12,
                password=password,
                contents_password=contents_password,
                time=parameters.time,
                limits=limits,
            )
    chain = DeliveredChain.of_file(decoded, chosen, parameters.time)
    paths = find_chain_paths(chain, anchors, parameters, limits)
    path = paths.path
    confirmation = confirm(path, path.parameters) if path is not None and second_opinion else NOT_ASKED
    statuses = checks.revocation_of(path, revocation, chain, limits)
    findings: tuple[Finding, ...] = (
        checks.check_contents(decoded, chain, paths),
        checks.check_private_key(decoded, chosen, parameters.time, certs_only=certs_only),
        *checks.check_arrangement(chain),
        *checks.check_chain_and_path(chain, paths),
        checks.check_authority_key_identifiers(chain, paths),
        checks.check_second_opinion(confirmation, path),
        checks.check_path_revocation(revocation, statuses),
        checks.check_server_name(chain.target, parameters),
        checks.check_expiry(chain, paths, parameters, expires_within),
        checks.check_other_paths(paths),
    )
    if anatomy is None:
        findings = checks.without_pkcs12(findings, delivered.format, wanted)
    else:
        findings = (
            *findings,
            checks.check_mac(anatomy, password, contents_password),
            checks.check_readers(anatomy, wanted),
            check_java_entries(anatomy, chain, paths, wanted, certs_only=certs_only, limits=limits),
        )
    return VerificationReport(
        findings=sort_findings(findings, FILE_CHECKS),
        parameters=parameters,
        has_private_key=bool(decoded.keys or decoded.unread_keys),
        certificates=decoded.certificates,
        target=chain.target,
        path=path,
        rejected=() if paths.report is None or path is not None else paths.report.rejected,
        confirmation=confirmation,
        revocation=statuses,
        call_warnings=(*warnings, *(() if path is None else not_valid_now(path))),
        anatomy=anatomy,
        format=delivered.format,
    )
