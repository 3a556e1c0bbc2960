"""The answer no: why there is no path, and what to try next."""

from __future__ import annotations

import re
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.cli.options.fetch import advice
from pkcs12kit.cli.options.passwords import at_terminal
from pkcs12kit.cli.output.console import RIGHT_TIME, hint, print_error, print_json, print_text
from pkcs12kit.errors import FailureReason, InputError, KeyMismatchError, LimitExceededError, OutputError, PasswordError
from pkcs12kit.paths.confirmation import ConfirmationError
from pkcs12kit.paths.failure import SECTION_OF_TRUST_ANCHORS
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.sources.sniffing import Kind, sniff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.errors import PathError, Pkcs12KitError
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.retrieval.retrieved import Retrieval


_NEXT_STEPS: Final = {
    FailureReason.ISSUER_NOT_FOUND: "give the missing certificate with --certs",
    FailureReason.BAD_SIGNATURE: "give the certificate of the issuer's right key with --certs, if the CA was rekeyed",
    FailureReason.NO_TRUST_ANCHOR: "give cross-certificates that lead from it to the trust anchor with --certs, or"
    " another --anchor, if that is what the clients trust",
    FailureReason.EXPIRED: "give renewed certificates with --certs; --at TIME asks about another time",
    FailureReason.NOT_YET_VALID: "--at TIME asks about another time",
    FailureReason.WEAK_ALGORITHM: "--algorithms allow-all accepts it, to look at old files",
    FailureReason.EXPLICIT_POLICY: "--policy takes policies of the trust anchor's domain; leave it out to accept any",
    FailureReason.SERVER_NAME: "give the name that the certificate is for with --server-name, or leave it out",
    FailureReason.EXTENDED_KEY_USAGE: "have its CA issue a certificate for TLS servers, or leave --server-name out",
    FailureReason.NAME_CONSTRAINTS: "have a CA issue it that may issue for this name, or give another way with --certs",
    FailureReason.REVOKED: "have its CA issue a new certificate, or give another way to the trust anchor with --certs",
    FailureReason.BUDGET_EXHAUSTED: "give fewer certificates with --certs: those on the way to the anchor suffice",
    FailureReason.REVOCATION_UNKNOWN: "give what is missing with --crl or --ocsp, or accept it with --revocation soft",
}
_FOR_WANT_OF_CERTIFICATES: Final = frozenset({FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR})
_ANOTHER_WAY: Final = (
    "give certificates for another way to the trust anchor with --certs; pkcs12kit paths CERT --all shows each attempt"
)
FETCH: Final = "--fetch"
GATHER: Final = "pkcs12kit gather CERT --into FOLDER"
_IGNORE_ANCHOR: Final = "--ignore-anchor-validity accepts it, if the clients do; --at TIME asks about another time"
_RENEW_TARGET: Final = "renew the certificate: have its CA issue a new one; --at TIME asks about another time"

_URLS_SHOWN: Final = 3
_URL_SHOWN: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_RENEW_ISSUER: Final = "build the file anew with renewed certificates in --certs; --at TIME asks about another time"


def refuse(no: PathError, *, as_json: bool, sources_given: bool, retrievals: Sequence[Retrieval] | None) -> None:
    """Say why nothing was built: to standard error, with JSON to standard output where it was asked for.

    The object has ``error``, a sentence; ``rejected``, as ``paths --json`` has it; ``second_opinion`` where that
    is what said no; and ``retrievals`` unless these are None: nothing was to be fetched.
    """
    if as_json:
        fetched = {} if retrievals is None else {"retrievals": [retrieval.to_json() for retrieval in retrievals]}
        print_json(_to_json(no) | fetched)
        print_error(no)
        return
    if isinstance(no, NoValidPathError):
        from pkcs12kit.display.paths import rejected_paths

        target = no.report.target.subject
        print_text(rejected_paths(no.report), err=True)
        print_error(f"no valid path from {target.label} to a trust anchor; nothing written")
        option = None if retrievals is None else advice(retrievals)
        if option is not None:
            hint(option)
        elif retrievals is not None:
            suggest(no.report, sources_given=True)
        else:
            suggest(no.report, sources_given=sources_given, fetching=FETCH)
    else:
        print_error(no)


def suggest(report: PathReport, *, sources_given: bool, fetching: str | None = None) -> None:
    """Say what to do next where a search found nothing; ``fetching``, FETCH or GATHER, is what might still fetch it."""
    closest = report.rejected[0] if report.rejected else None
    step = _next_step(closest, report.target) if closest is not None else None
    missing = "it"
    if not sources_given and (closest is None or closest.reason in _FOR_WANT_OF_CERTIFICATES):
        step = "no --certs given: give the CA certificates that you have, as files, folders or zips"
        missing = "what is missing"
    if step is not None:
        can_fetch = fetching is not None and closest is not None and _can_be_fetched(closest, fetching)
        hint(f"{step}; or fetch {missing}: {fetching}" if can_fetch else step)


def about_time(rejected: Sequence[RejectedPath]) -> str | None:
    """Say what helps with a file whose path fails for its time; None where that is not what is wrong."""
    if not rejected:
        return None
    closest = rejected[0]
    if closest.clock_looks_wrong:
        return RIGHT_TIME
    if closest.reason is FailureReason.NOT_YET_VALID:
        return _NEXT_STEPS[closest.reason]
    if closest.reason is not FailureReason.EXPIRED:
        return None
    return _RENEW_TARGET if closest.certificate == closest.certificates[0] else _RENEW_ISSUER


def _can_be_fetched(closest: RejectedPath, fetching: str) -> bool:
    """Whether what is missing may be had over HTTP, as the certificate says."""
    if closest.reason is FailureReason.REVOCATION_UNKNOWN and fetching == FETCH:
        extensions = closest.certificate.extensions
        urls = (*extensions.ocsp_responders, *extensions.crl_locations)
    else:
        missing = closest.failures[0].missing_issuer
        urls = () if missing is None else missing.locations
    return any(url.lower().startswith(("http://", "https://")) for url in urls)


def _next_step(closest: RejectedPath, target: Certificate) -> str:
    if closest.clock_looks_wrong:
        return RIGHT_TIME if closest.reason is FailureReason.NOT_YET_VALID else f"{RIGHT_TIME}. Else {_RENEW_TARGET}"
    if closest.section == SECTION_OF_TRUST_ANCHORS:
        return _IGNORE_ANCHOR
    if closest.reason is FailureReason.EXPIRED and closest.certificate == target:
        return _RENEW_TARGET
    if closest.reason is FailureReason.REVOCATION_UNKNOWN:
        return _NEXT_STEPS[closest.reason].replace("--ocsp", f"--ocsp{_where_to_ask(closest.certificate)}")
    return _NEXT_STEPS.get(closest.reason, _ANOTHER_WAY)


def _where_to_ask(certificate: Certificate) -> str:
    """Return where a certificate says that its revocation status can be had, in brackets; empty where it says nothing.

    What is too long to read, or has a character that no URL has, is left out: it might read like another hint.
    """
    extensions = certificate.extensions
    urls = (*extensions.crl_locations, *extensions.delta_crl_locations, *extensions.ocsp_responders)
    named = [url for url in dict.fromkeys(urls) if _URL_SHOWN.fullmatch(url)][:_URLS_SHOWN]
    return f" (the certificate names {', '.join(named)})" if named else ""


def _to_json(no: PathError) -> dict[str, Any]:
    answer: dict[str, Any] = {"error": str(no), "rejected": []}
    if isinstance(no, NoValidPathError):
        answer["rejected"] = [path.to_json() for path in no.attempts]
    elif isinstance(no, ConfirmationError):
        answer["second_opinion"] = no.confirmation.to_json()
    return answer


_NAMES_LOOKED_AT: Final = 1_000
"""Of a folder, for one that is like a name that is not there: two seconds where all are long and alike."""

_KEYS: Final = frozenset({Kind.PRIVATE_KEY, Kind.ENCRYPTED_PRIVATE_KEY, Kind.OPENSSH_PRIVATE_KEY})
# name of the parameter: what it takes
_TAKES: Final = {
    "key": "key",
    "certificate": "certificate",
    "target_file": "certificate",
    "certificates": "certificate",
    "trust_anchors": "certificate",
    "bundle_anchors": "certificate",
    "sources": "certificate",
    "more_sources": "certificate",
    "pkcs12": "pkcs12",
    "file": "pkcs12",
    "crls": "revocation",
    "ocsp_responses": "revocation",
}
_WHATEVER_IT_IS_FOR: Final = {
    Kind.HTML: "a web page was saved in its place, one to sign in at for example: download it anew, and look into it",
    Kind.EMPTY: "copy or download it anew",
    Kind.CUT_SHORT: "copy or download it anew, whole",
    Kind.TEXT: "take PEM with its lines -----BEGIN ...----- and -----END ...-----, or the file itself",
    Kind.PUBLIC_KEY: "the private key or the certificate that it belongs to is meant",
}
_INSTEAD: Final = {
    ("certificate", Kind.REQUEST): "give the certificate that the CA issued upon this request",
    ("certificate", Kind.REVOCATION_LIST): "--crl takes CRLs",
    ("key", Kind.REQUEST): "give the private key that was made with this request",
    ("key", Kind.CERTIFICATE): "give the private key of this certificate",
    ("key", Kind.PKCS12): "--pkcs12 takes the key and its certificate from such a file",
    ("pkcs12", Kind.CERTIFICATE): "pkcs12kit build makes a PKCS#12 file of a private key and certificates",
    ("pkcs12", Kind.PRIVATE_KEY): "pkcs12kit build makes a PKCS#12 file of a private key and certificates",
    ("revocation", Kind.CERTIFICATE): "--certs takes certificates",
}
_MISMATCH: Final = "give the certificate that was issued for this key, or the key that it was requested with"
_PASSWORD_SOURCES: Final = ("password_file", "password_env", "password_stdin")
_WRONG_PASSWORD: Final = {
    "file": "of a password file the first line counts, with every space in it",
    "env": "the whole value of {} counts, with every space in it",
    "stdin": "of standard input the first line counts, with every space in it",
}
_TYPED_WRONG: Final = "type it once more: capital letters count, and every space"
_SWAPPED: Final = "are --key and --cert swapped?"
_UNPROTECTED: Final = "openssl pkcs12 -in {} -nokeys -out NEW.pem writes its certificates as PEM"
_FETCHED_BY_NONE: Final = "URLs are not read: download it and give the file"


def next_step(error: Pkcs12KitError, given: dict[str, object], named: Iterable[tuple[str, str]]) -> str | None:
    """Say what may help; None where the error says it itself.

    ``given`` has all parameters of the command; ``named`` those that the error may be about, each with its value.
    """
    if isinstance(error, KeyMismatchError):
        return _MISMATCH
    with suppress(OSError):  # what may not be looked at, or has too long a name, as the error says
        if isinstance(error, OutputError):
            return _about_place(given)
        if isinstance(error, InputError) and not isinstance(error, LimitExceededError):
            about = _about_password if isinstance(error, PasswordError) else _about_file
            return next((step for name, value in named for step in (about(value, given, name),) if step), None)
    return None


def _about_password(value: str, given: dict[str, object], name: str) -> str | None:
    if _TAKES.get(name) == "certificate":  # a PKCS#12 file, whose password no option has
        return _INSTEAD["key", Kind.PKCS12] if "pkcs12" in given else _UNPROTECTED.format(quote(value))
    of = {"key": "key_password_file", "pkcs12": "pkcs12_password_file"}.get(name)
    return wrong_password(given, (of,) if of else _PASSWORD_SOURCES)


def wrong_password(given: Mapping[str, object], sources: Iterable[str] = _PASSWORD_SOURCES) -> str | None:
    """Say what counts of a password that opened nothing, by the option that it came from, or as it was typed.

    None where it came from none of ``sources``, and there is no terminal to ask for it at.
    """
    for source in sources:
        if value := given.get(source):
            return _WRONG_PASSWORD[source.rpartition("_")[2]].format(value)
    return _TYPED_WRONG if at_terminal() else None


def _about_file(value: str, given: dict[str, object], name: str) -> str | None:
    path = Path(value)
    if value == "-" or path.is_dir():
        return None
    if path.exists():
        return _about_content(value, given, name)
    return _FETCHED_BY_NONE if "://" in value else _similar(path)


def _about_place(given: dict[str, object]) -> str | None:
    for name in ("output", "output_svg", "output_dot", "output_mermaid", "folder"):
        value = given.get(name)
        if not isinstance(value, str) or value == "-":
            continue
        place = Path(value)
        if name == "folder":
            return "name a folder, or one that is not there yet" if place.is_file() else None
        if place.is_dir():
            return f"name a file in it, such as {place / 'server.p12'}" if name == "output" else "name a file in it"
        if not place.parent.exists():
            return f"make the folder {place.parent} first"
    return None


def _similar(path: Path) -> str | None:
    """Find a name beside one that is not there, which may have been meant."""
    if path.parent.is_dir():
        near = get_close_matches(path.name, (one.name for one in islice(path.parent.iterdir(), _NAMES_LOOKED_AT)), n=1)
        return f"did you mean {path.parent / near[0]}?" if near else None
    return f"there is no folder {path.parent} either"


def _about_content(value: str, given: dict[str, object], name: str) -> str | None:
    takes, kinds = _TAKES.get(name), _kinds_in(value)
    if takes is None:
        return None
    other = {"key": given.get("certificate"), "certificate": given.get("key")}.get(name)
    wanted = {"key": Kind.CERTIFICATE, "certificate": Kind.PRIVATE_KEY}.get(name)
    if wanted in kinds and isinstance(other, str) and _kinds_in(other) & (_KEYS | {Kind.CERTIFICATE}) - {wanted}:
        return _SWAPPED
    if takes == "certificate" and kinds & _KEYS:
        return "--key takes the private key" if "key" in given else "give its certificate; a private key is not needed"
    return next(
        (step for kind in kinds for step in (_INSTEAD.get((takes, kind)) or _WHATEVER_IT_IS_FOR.get(kind),) if step),
        None,
    )


def _kinds_in(file: str) -> frozenset[Kind]:
    """Look what is in a file, and in its PEM blocks; nothing where it cannot be read."""
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.containers import pem_blocks
    from pkcs12kit.sources.reading import read_source

    if not Path(file).is_file():  # a pipe has been read, and gives nothing a second time
        return frozenset()
    try:
        data = read_source(file, DEFAULT_LIMITS)
    except InputError:
        return frozenset()
    kind = sniff(data)
    return frozenset(block.kind for block in pem_blocks(data)) if kind is Kind.PEM else frozenset({kind})
