"""Keys of one bundle that contradict each other or have no effect, as ``build`` refuses its options."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.errors import InputError
from pkcs12kit.file_access import FileAccess
from pkcs12kit.pkcs12 import profiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkcs12kit.pkcs12.profiles import Profile

ONLY_PKCS12: Final = (
    "profile",
    "for",
    "iterations",
    "mac_iterations",
    "password",
    "friendly_name",
    "certificate_name",
    "ca_name",
    "truststore",
)
"""The keys that have a meaning only for a PKCS#12 file."""
_OF_FETCHING: Final = ("cache", "no_cache", "offline", "allow_private", "timeout")
_PASSWORDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    # a password: the key with its file, and the keys of which one is needed
    "key_password": ("key_password_file", ("key", "from")),
    "pkcs12_password": ("pkcs12_password_file", ("pkcs12",)),
    "certificate_password": ("cert_password_file", ("certificate",)),
    "contents_password": ("contents_password_file", ("pkcs12", "key", "certificate", "from")),
}


class Contradiction(NamedTuple):
    """The key that is wrong, the sentence about it, and the other keys that make it wrong."""

    key: str
    text: str
    others: tuple[str, ...] = ()


def contradictions(bundle: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield what is wrong with the keys of one bundle together. The value of each is right."""
    given = {key: value for key, value in bundle.items() if value is not False}
    for key in ("trust_anchors", "output"):
        if key not in given:
            yield Contradiction(key, f"{key} is missing: give it here or in [defaults]")
    yield from _of_identity(given)
    yield from _of_form(given)
    yield from _of_protection(given)
    yield from _of_passwords(given)
    yield from _of_fetching(given)
    if "revocation_max_age" in given and not given.keys() & {"crl", "ocsp", "revocation"}:
        yield Contradiction("revocation_max_age", "has an effect only with crl, ocsp or revocation")
    if "mode" in given:
        try:
            FileAccess.of(None, None, given["mode"], with_key="certs_only" not in given)
        except InputError as error:
            yield Contradiction("mode", str(error).removeprefix("mode: "))


def _of_identity(given: Mapping[str, Any]) -> Iterator[Contradiction]:
    yield from _of_sources(given)
    if "require_mac" in given and not given.keys() & {"pkcs12", "from"}:
        yield Contradiction("require_mac", "has an effect only with pkcs12 or from: other input has no MAC")
    for key in ("key_name", "key_id"):
        if key in given and "certs_only" in given:
            yield Contradiction(key, "certs_only writes no key; leave it out", ("certs_only",))


def _of_sources(given: Mapping[str, Any]) -> Iterator[Contradiction]:
    named = given.keys() & {"key", "certificate", "pkcs12"}
    if "from" in given:
        if "pkcs12" in given:
            yield Contradiction("from", "also finds PKCS#12 files: leave pkcs12 out", ("pkcs12",))
        if "certs_only" in given:
            yield Contradiction("from", "looks for a private key, and certs_only writes none", ("certs_only",))
    elif "certs_only" in given:
        if named != {"certificate"}:
            yield Contradiction("certs_only", "needs certificate, and allows neither key nor pkcs12", tuple(named))
    elif named == {"key"}:
        yield Contradiction("key", "certificate is missing: a key needs its certificate", ("key",))
    elif named == {"certificate"}:
        yield Contradiction("certificate", "key is missing: give it, or certs_only = true", ("certificate",))
    elif not named:
        yield Contradiction("", "key and certificate are missing: give both, or pkcs12, or from")
    elif {"key", "pkcs12"} <= named:
        yield Contradiction("key", "give key or pkcs12, not both", ("key", "pkcs12"))


def _of_form(given: Mapping[str, Any]) -> Iterator[Contradiction]:
    if "no_anchor" in given and "with_anchor" in given:
        yield Contradiction("no_anchor", "give no_anchor or with_anchor, not both", ("with_anchor",))
    if "serves" in given and "certs_only" in given:
        yield Contradiction("serves", "certs_only writes no server's certificate; leave it out", ("certs_only",))
    if "rehearse" in given and "certs_only" in given:
        yield Contradiction("rehearse", "needs a private key to serve TLS; leave it out", ("certs_only",))
    if "truststore" in given and "certs_only" not in given:
        yield Contradiction("truststore", "needs certs_only: a truststore has no key")
    is_pem = given.get("to") == "pem"
    for key in ("key_out", "traditional"):
        if key in given and not is_pem:
            yield Contradiction(key, 'needs to = "pem": a PKCS#12 file holds its key encrypted')
        elif key in given and "certs_only" in given:
            yield Contradiction(key, "certs_only writes no key; leave it out", ("certs_only",))
    for key in ONLY_PKCS12 if is_pem else ():
        if key in given:
            text = 'is only for PKCS#12: to = "pem" writes the key without encryption, and no names; leave it out'
            yield Contradiction(key, text, ("to",))


def _of_protection(given: Mapping[str, Any]) -> Iterator[Contradiction]:
    if given.get("to") == "pem":
        return
    others = ("profile", "for", "iterations", "mac_iterations")
    if "profile" in given and "for" in given:
        yield Contradiction("profile", "give profile or for, not both", ("for",))
        return
    try:
        profile = chosen_profile(given)
    except InputError as error:
        key = next((one for one in ("for", "iterations", "mac_iterations") if one in given), "profile")
        yield Contradiction(key, str(error), tuple(one for one in others if one in given))
        return
    if profile.takes_password and "password" not in given:
        text = 'password is missing: give { file = "..." }, { env = "..." } or { command = ["..."] }'
        yield Contradiction("password", text)
    if not profile.takes_password and "password" in given:
        text = f"the profile {profile.name} has no password; leave it out or choose another profile"
        yield Contradiction("password", text, ("profile",))


def chosen_profile(options: Mapping[str, Any]) -> Profile:
    """Return the profile that the keys of a bundle choose. Raises :class:`~pkcs12kit.InputError`."""
    readers = tuple(options.get("for", ()))
    return _profile(options.get("profile"), readers, options.get("iterations"), options.get("mac_iterations"))


@lru_cache(maxsize=256)  # a fleet has few kinds of bundles, and judging all readers takes a millisecond
def _profile(name: str | None, readers: tuple[str, ...], iterations: int | None, mac: int | None) -> Profile:
    return profiles.of_options(name, readers, iterations=iterations, mac_iterations=mac)


def _of_passwords(given: Mapping[str, Any]) -> Iterator[Contradiction]:
    for key, (of_file, needs) in _PASSWORDS.items():
        if key in given and of_file in given:
            yield Contradiction(key, f"give {key} or {of_file}, not both", (of_file,))
        for one in (key, of_file):
            if one in given and not given.keys() & set(needs):
                yield Contradiction(one, f"has an effect only with {' or '.join(needs)}; leave it out")


def _of_fetching(given: Mapping[str, Any]) -> Iterator[Contradiction]:
    if "fetch" not in given:
        for key in _OF_FETCHING:
            if key in given:
                yield Contradiction(key, f"has an effect only with fetch; add fetch = true or leave {key} out")
    for key in ("offline", "cache"):
        if key in given and "no_cache" in given:
            yield Contradiction(key, "needs a cache, and no_cache turns it off; give one of the two", ("no_cache",))
