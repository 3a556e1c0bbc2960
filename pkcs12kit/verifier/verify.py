"""``verify``: one file, every check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_several
from pkcs12kit.findings import Check
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.confirmation import NOT_ASKED, confirm
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.readers import READERS
from pkcs12kit.sources.loading import load_trust_anchors, opened_pkcs12
from pkcs12kit.verifier import checks
from pkcs12kit.verifier.delivered import Subject, choose_key, in_order_of, search_paths
from pkcs12kit.verifier.reports import VerificationReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.sources.loading import TrustAnchorSource
    from pkcs12kit.sources.reading import Source


def verify(  # noqa: PLR0913  # each question has its own keyword
    file: Source,
    *,
    trust_anchors: Iterable[TrustAnchorSource],
    password: str | None,
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
    readers: Iterable[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> VerificationReport:
    """Hold a PKCS#12 file against trust anchors, from what is in the file alone. A no is an answer and no error.

    Checked are: MAC, contents, that a certificate is for the private key, localKeyIDs, that no (subject, key) comes
    twice, that the certificates lead to a trust anchor, in the order of the file, by a valid path, what certvalidator
    says of that, the server's name, when the first certificate of the path expires, and who can open the file.
    Certificates that are on no path, and other valid paths, are told and are no reason to say no.

    ``password``, ``contents_password`` and ``require_mac`` are as in :func:`~pkcs12kit.decode_pfx`. Of several keys
    ``key_name`` (friendlyName), ``key_id`` (localKeyID) or both say which is meant. With ``certs_only`` the file has to
    hold no key, and its first certificate is what the path is for. ``time`` and ``server_name`` are short for
    ``parameters`` with just these; the time is now where none is given. A path that does not last until
    ``expires_within`` after that time is a no. ``readers`` are names of :data:`~pkcs12kit.pkcs12.readers.READERS`: each
    has to be known to open the file.

    Raises :class:`~pkcs12kit.errors.PfxPasswordError` where the password does not open the file, and whatever else
    :func:`~pkcs12kit.decode_pfx` raises, with the file's name; :class:`~pkcs12kit.errors.InputError` for files that
    cannot be read and where it is not said which of several keys is meant; :class:`KeyError` for a reader that is not
    known; :class:`TypeError` and :class:`ValueError` for arguments that make no sense. Not checked: revocation, unless
    ``revocation`` asks for it; whether the password is a good one; keys and certificates of other identities in the
    file.
    """
    require_several({"trust_anchors": trust_anchors, "readers": readers})
    if parameters is not None and (time is not None or server_name is not None):
        raise TypeError("give time and server_name inside parameters, or no parameters")
    if expires_within < timedelta(0):
        raise ValueError("expires_within is a time to come, and not negative")
    wanted = tuple(dict.fromkeys(readers))
    for name in wanted:
        if name not in READERS:
            raise KeyError(f"no reader {name!r}; there are {', '.join(READERS)}")
    if parameters is None:
        parameters = ValidationParameters(time=time or datetime.now(UTC), server_name=server_name)
    anchors = load_trust_anchors(*trust_anchors, limits=limits)
    with opened_pkcs12(file, limits) as data:
        decoded = decode_pfx(
            data,
            password=password,
            contents_password=contents_password,
            require_mac=require_mac,
            limits=limits,
        )
        key = None if certs_only else choose_key(decoded, key_name, key_id)
        anatomy = inspect_pfx(data, password=password, contents_password=contents_password, limits=limits)
    subject = Subject.of(decoded, key)
    search = search_paths(subject, anchors, parameters, limits)
    path = search.path
    confirmation = confirm(path, path.parameters) if path is not None and second_opinion else NOT_ASKED
    findings = (
        checks.of_mac(anatomy, password, contents_password),
        checks.of_contents(decoded, subject, search),
        checks.of_private_key(decoded, key, certs_only=certs_only),
        *checks.of_arrangement(subject),
        *checks.of_chain_and_path(subject, search),
        checks.of_second_opinion(confirmation, path),
        checks.of_revocation(path, revocation, subject, limits),
        checks.of_server_name(subject.target, parameters),
        checks.of_expiry(subject, path, parameters, expires_within),
        checks.of_other_paths(search),
        checks.of_readers(anatomy, wanted),
    )
    return VerificationReport(
        findings=in_order_of(Check, findings),
        parameters=parameters,
        has_private_key=bool(decoded.keys),
        certificates=decoded.certificates,
        target=subject.target,
        path=path,
        rejected=() if search.report is None or path is not None else search.report.rejected,
        confirmation=confirmation,
        anatomy=anatomy,
    )
