"""Sentences and hints of ``build`` in the words of a manifest: ``--certs`` is ``certificates`` there.

Errors, hints and warnings of the library name the options of the command. All of those that a batch reports pass
through :func:`in_manifest_words`, and the commands in them are for the files of the bundle (:func:`call_of`).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.hints import Hint
from pkcs12kit.shell_words import read_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.paths.calls import Call

FLAGS: Final = frozenset(
    {"certs_only", "require_mac", "ignore_anchor_validity", "traditional", "no_anchor", "with_anchor", "force"}
    | {"truststore", "no_second_opinion", "rehearse", "fetch", "no_cache", "offline", "allow_private"}
)
"""The keys whose values are true or false."""
KEYS: Final[Mapping[str, str]] = {
    **{key.replace("_", "-"): key for key in FLAGS},
    "cert": "certificate",
    "certs": "certificates",
    "anchor": "trust_anchors",
    "out": "output",
    "password-file": "password",
    "password-env": "password",
    "cert-password-file": "certificate_password",
    "contents-password-file": "contents_password",
    "key-password-file": "key_password",
    "pkcs12-password-file": "pkcs12_password",
    **{
        key.replace("_", "-"): key
        for key in (
            *("key", "pkcs12", "from", "key_name", "key_id", "max_iterations", "at", "server_name", "policy"),
            *("algorithms", "ranking", "crl", "ocsp", "revocation", "revocation_max_age", "to", "key_out", "owner"),
            *("group", "mode", "profile", "for", "iterations", "mac_iterations", "friendly_name", "certificate_name"),
            *("ca_name", "cache", "timeout", "expires_within"),
        )
    },
}
"""The options of ``build`` that a bundle has as well, without their hyphens, and their keys in a manifest."""

_NAME: Final = r"--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?![\w-])"
_PROSE: Final = r"(?!(?:accepts|also|and|could|does|if|lets|names|or|out|raises|takes|to|uses|with|without)\b)"
_WORD: Final = r"(?:'[^']*'|\"[^\"]*\"|[^\s'\",;()])+"
_OPTION: Final = re.compile(rf"(?<![\w/.-]){_NAME}(?: {_PROSE}({_WORD}))?")
_PREPOSITION: Final = re.compile(r"\b(?:with|by) $")
_LEFT_OUT: Final = re.compile(r"\b(?:leave out|leave|without|or|and) $")
_IN_PYTHON: Final = re.compile(r"\s*\(in Python: [^()]*\)")
_FREE: Final = frozenset({"key", "key_id", "key_name", "owner", "group", "server_name"})
"""The keys before any value; before a value of the others stands one of :data:`_VALUE`, or prose goes on."""
_VALUE: Final = re.compile(r"[A-Z]{1,9}|soft|require|off|default|allow-all|sp800-78|pem|pkcs12|[0-9]+[a-z]?")
_NUMBERS: Final = frozenset({"timeout", "iterations", "mac_iterations", "max_iterations"})
_INSTEAD: Final = {
    "another --anchor": "another file in 'trust_anchors'",
    "build --fetch": "--fetch",
}
_BUILD: Final = "make a PKCS#12 file from a private key and certificates"
_OF_FILES: Final = Hint(text="name the private key in 'key' and its certificate in 'certificate' instead of 'pkcs12'")
_GATHERED: Final = re.compile(r" --into (\S+)")


def call_of(bundle: FleetBundle) -> Call:
    """Return the call whose files and requirements are those of a bundle, for commands to copy."""
    from pkcs12kit.paths.calls import Call

    options = bundle.options
    return Call.of(
        "batch",
        {
            "certificate": bundle.certificate,
            "certificates": bundle.certificates,
            "trust_anchors": bundle.trust_anchors,
            "time": options.get("at"),
            "policies": options.get("policy"),
            "fetch": options.get("fetch"),
            **{key: options[key] for key in ("server_name", "algorithms", "ignore_anchor_validity") if key in options},
        },
    )


def in_manifest_words(outcome: BundleOutcome) -> BundleOutcome:
    """Return an outcome whose sentences and hints name the keys of a manifest."""
    changes: dict[str, Any] = {
        "error": None if outcome.error is None else words(outcome.error),
        "hints": tuple(dict.fromkeys(map(_hint, outcome.hints))),
        "warnings": tuple(map(words, outcome.warnings)),
    }
    return replace(outcome, **changes)


def words(sentence: str) -> str:
    """Return a sentence that names options of ``build`` with the keys of a manifest instead."""
    if "--" not in sentence:
        return sentence
    for phrase, other in _INSTEAD.items():
        sentence = sentence.replace(phrase, other)
    parts: list[str] = []
    end = 0
    for found in _OPTION.finditer(sentence):
        key = KEYS.get(found[1])
        if key is None:
            continue
        before = sentence[end : found.start()]
        text, taken = _assigned(key, found, sentence)
        if " = " not in text:
            before = _PREPOSITION.sub("in ", before)
        parts += (before, text)
        end = taken
    return _IN_PYTHON.sub("", "".join((*parts, sentence[end:]))) if parts else sentence


def _assigned(key: str, option: re.Match[str], sentence: str) -> tuple[str, int]:
    """Return the key of an option, with its value where the sentence has one, and the end of both in the sentence."""
    value = option[2]
    if key in FLAGS:
        is_left_out = _LEFT_OUT.search(sentence[: option.start()]) or sentence.startswith(" out", option.end(1))
        return (repr(key) if is_left_out else f"{key} = true"), option.end(1)
    if value is None or not (key in _FREE or _VALUE.fullmatch(value)):
        return repr(key), option.end(1)
    try:
        text = read_word(value)
    except ValueError:
        return repr(key), option.end(1)
    return f"{key} = {text if key in _NUMBERS else json.dumps(text, ensure_ascii=False)}", option.end()


def _hint(hint: Hint) -> Hint:
    if hint.text == _BUILD:
        return _OF_FILES
    folder = None if hint.command is None else _GATHERED.search(hint.command)
    added = "" if folder is None else f", and name its folder {folder[1]} in 'certificates'"
    return Hint(text=words(hint.text) + added, command=hint.command)
