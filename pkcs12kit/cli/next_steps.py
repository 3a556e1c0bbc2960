"""What to do next after an error: from what was given, and what really is in it."""

from __future__ import annotations

from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from pkcs12kit.cli.passwords import at_terminal
from pkcs12kit.errors import InputError, KeyMismatchError, LimitExceededError, OutputError, PasswordError
from pkcs12kit.sources.sniffing import Kind, sniff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkcs12kit.errors import Pkcs12KitError

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
