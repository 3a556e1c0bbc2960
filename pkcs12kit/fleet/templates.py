"""The templates ``{name}`` and ``{folder}`` in the texts of a bundle, filled in once; and the defaults of a bundle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.errors import InputError
from pkcs12kit.fleet.bundles import PASSWORDS
from pkcs12kit.fleet.contradictions import ONLY_PKCS12
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PART: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_LONGEST: Final = 40
_INSTEAD: Final[Mapping[str, tuple[str, ...]]] = {
    # a key of the bundle: the defaults that it stands instead of
    "pkcs12": ("key", "certificate", "from", "key_password", "key_password_file"),
    "from": ("key", "certificate", "pkcs12", "pkcs12_password", "pkcs12_password_file"),
    "key": ("pkcs12", "from", "pkcs12_password", "pkcs12_password_file"),
    "certs_only": ("key", "pkcs12", "from", "key_password", "key_password_file", "key_name", "key_id", "serves"),
    "profile": ("for",),
    "for": ("profile",),
    "no_anchor": ("with_anchor",),
    "with_anchor": ("no_anchor",),
    **{
        one: (other,)
        for of in ("key", "pkcs12", "contents")
        for one, other in (
            (f"{of}_password", f"{of}_password_file"),
            (f"{of}_password_file", f"{of}_password"),
        )
    },
    "certificate_password": ("cert_password_file",),
    "cert_password_file": ("certificate_password",),
}


_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "key_password": ("key", "from"),
    "key_password_file": ("key", "from"),
    "pkcs12_password": ("pkcs12",),
    "pkcs12_password_file": ("pkcs12",),
    "require_mac": ("pkcs12", "from"),
}
"""Defaults that hold only for bundles with one of these keys."""


class Match(NamedTuple):
    """The values of the templates in one bundle; ``folder`` is None without ``each``."""

    name: str
    folder: str | None = None


def with_defaults(bundle: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the table of a bundle with the defaults that hold for it, and the keys of those."""
    left_out = {key for own in bundle if bundle[own] is not False for key in _INSTEAD.get(own, ())}
    if bundle.get("to") == "pem":
        left_out |= set(ONLY_PKCS12)
    if bundle.get("profile") == "no-password":
        left_out.add("password")
    taken = {key: value for key, value in defaults.items() if key not in bundle and key not in left_out}
    merged = taken | dict(bundle)
    left_out = {key for key, needs in _NEEDS.items() if key in taken and not any(merged.get(need) for need in needs)}
    if merged.get("to") != "pem":
        left_out |= {"key_out", "traditional"} & taken.keys() if bundle.get("to") is not None else set()
    kept = taken.keys() - left_out
    return {key: value for key, value in merged.items() if key in kept or key in bundle}, frozenset(kept)


def filled_in(table: Mapping[str, Any], match: Match, *, on_error: Callable[[str, str], object]) -> dict[str, Any]:
    """Return a table with the templates in its texts filled in; ``on_error`` gets a key and a sentence."""

    def fill(key: str, value: Any) -> Any:  # noqa: ANN401  # of TOML
        if isinstance(value, str):
            try:
                return fill_text(value, match)
            except InputError as error:
                on_error(key, str(error))
                return value
        if isinstance(value, list):
            return [fill(key, one) for one in value]
        if isinstance(value, dict):
            return {name: fill(key, one) for name, one in value.items()}
        return value

    return {key: fill(key, value) for key, value in table.items()}


def fill_text(text: str, match: Match) -> str:
    """Return a text with its templates filled in once: braces in a name are not templates.

    Raises :class:`~pkcs12kit.InputError` for another template.
    """
    if "{" not in text and "}" not in text:
        return text

    def part(found: re.Match[str]) -> str:
        said = found[0]
        if said in {"{{", "}}"}:
            return said[0]
        if said == "{name}":
            return match.name
        if said == "{folder}" and match.folder is not None:
            return match.folder
        raise InputError(_why_not(said))

    return _PART.sub(part, text)


def _why_not(said: str) -> str:
    if said == "{folder}":
        return "{folder} has a value only in a bundle with each"
    if len(said) == 1:
        return f"a single {said}; write {said * 2} for the character itself"
    return (
        f"{quoted(said, longest=_LONGEST)} is not a template: only {{name}} and {{folder}} are; write {{{{ for a brace"
    )


def wrong_templates(table: Mapping[str, Any], *, with_folder: bool) -> Iterator[tuple[str, str]]:
    """Yield each key of a table that has a text with a template that is not known, and what is wrong with it.

    Nothing is repeated of a password that stands there by mistake.
    """
    match = Match("name", "folder" if with_folder else None)
    for key, value in table.items():
        found: list[str] = []
        filled_in({key: value}, match, on_error=lambda _, text, found=found: found.append(text))  # type: ignore[misc]
        if found and key in PASSWORDS:
            found = ["has a brace that belongs to no template; write it twice for the character itself"]
        yield from ((key, text) for text in dict.fromkeys(found))
