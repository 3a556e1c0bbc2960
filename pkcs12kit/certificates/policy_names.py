"""Names of certificate policies, for messages: published ones, and those that a caller adds.

A name says nothing about trust. Every name here is the one in the policy's own document, and was compared with at least
two independent copies of it; a policy whose name could not be confirmed is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.errors import ArgumentError
from pkcs12kit.text import harmless, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LISTED: Final = 6
_NAME_AT_MOST: Final = 100
_OBJECT_IDENTIFIER: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]{0,38}))+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyName:
    """The name of one certificate policy."""

    oid: str
    """The dotted object identifier."""
    name: str
    """The name, as its document spells it."""
    source: str
    """The document, and the section that registers the policy."""


_TABLE: Final[tuple[tuple[str, str, str, dict[int, str]], ...]] = (
    ("RFC 5280 section 4.2.1.4", "2.5.29.32", "", {0: "anyPolicy"}),
    (
        "X.509 Certificate Policy for the U.S. Federal PKI Common Policy Framework, version 2.13, section 1.2",
        "2.16.840.1.101.3.2.1.3",
        "id-fpki-common-",
        {
            6: "policy",
            7: "hardware",
            8: "devices",
            13: "authentication",
            16: "high",
            17: "cardAuth",
            36: "devicesHardware",
            39: "piv-contentSigning",
            40: "derived-pivAuth",
            41: "derived-pivAuth-hardware",
            45: "pivi-authentication",
            46: "pivi-cardAuth",
            47: "pivi-contentSigning",
        },
    ),
    (
        "X.509 Certificate Policy for the Federal Bridge Certification Authority, version 3.9, section 1.2",
        "2.16.840.1.101.3.2.1.3",
        "id-fpki-certpcy-",
        {
            1: "rudimentaryAssurance",
            2: "basicAssurance",
            3: "mediumAssurance",
            4: "highAssurance",
            12: "mediumHardware",
            14: "medium-CBP",
            15: "mediumHW-CBP",
            18: "pivi-hardware",
            19: "pivi-cardAuth",
            20: "pivi-contentSigning",
            37: "mediumDevice",
            38: "mediumDeviceHardware",
        },
    ),
    (
        "NIST Computer Security Objects Register, PKI registration, Federal Bridge (SHA-1 policies)",
        "2.16.840.1.101.3.2.1.3",
        "id-fpki-SHA1-",
        {
            21: "medium-CBP",
            22: "mediumHW-CBP",
            23: "policy",
            24: "hardware",
            25: "devices",
            26: "authentication",
            27: "cardAuth",
        },
    ),
    (
        "X.509 Certificate Policy for the United States Department of Defense, version 11, section 1.2",
        "2.16.840.1.101.2.1.11",
        "id-US-dod-",
        {
            5: "medium",
            9: "mediumHardware",
            10: "PIV-Auth",
            17: "mediumNPE",
            18: "medium-2048",
            19: "mediumHardware-2048",
            20: "PIV-Auth-2048",
            31: "peerInterop",
            36: "mediumNPE-112",
            37: "mediumNPE-128",
            38: "mediumNPE-192",
            39: "medium-112",
            40: "medium-128",
            41: "medium-192",
            42: "mediumHardware-112",
            43: "mediumHardware-128",
            44: "mediumHardware-192",
            59: "admin",
            60: "internalNPE-112",
            61: "internalNPE-128",
            62: "internalNPE-192",
        },
    ),
    (
        "X.509 Certificate Policy for External Certification Authorities of the DoD, version 4.8, section 1.2",
        "2.16.840.1.101.3.2.1.12",
        "id-eca-",
        {
            1: "medium",
            2: "medium-hardware",
            3: "medium-token",
            4: "medium-sha256",
            5: "medium-token-sha256",
            6: "medium-hardware-pivi",
            7: "cardauth-pivi",
            8: "contentsigning-pivi",
            9: "medium-device-sha256",
            10: "medium-hardware-sha256",
            11: "medium-sha384",
            12: "medium-token-sha384",
            13: "medium-device-sha384",
            14: "medium-hardware-sha384",
            15: "medium-device-hardware-sha384",
            16: "medium-device-hardware-sha256",
        },
    ),
    (
        "CA/Browser Forum, Baseline Requirements for TLS Server Certificates, section 7.1.6.1",
        "2.23.140.1",
        "",
        {1: "extended-validation (EV)"},
    ),
    (
        "CA/Browser Forum, Baseline Requirements for TLS Server Certificates, section 7.1.6.1",
        "2.23.140.1.2",
        "",
        {1: "domain-validated (DV)", 2: "organization-validated (OV)", 3: "individual-validated (IV)"},
    ),
    *(
        (
            "CA/Browser Forum, Baseline Requirements for S/MIME Certificates, section 7.1.6.1",
            f"2.23.140.1.5.{kind}",
            f"smime-{validated}-validated-",
            {1: "legacy", 2: "multipurpose", 3: "strict"},
        )
        for kind, validated in enumerate(("mailbox", "organization", "sponsor", "individual"), start=1)
    ),
)


def _read_table() -> Iterator[PolicyName]:
    for source, arc, prefix, names in _TABLE:
        for last, name in names.items():
            yield PolicyName(oid=f"{arc}.{last}", name=f"{prefix}{name}", source=source)


POLICY_NAMES: Final[Mapping[str, PolicyName]] = MappingProxyType({one.oid: one for one in _read_table()})
"""The names that are known, by object identifier."""

_ADDED: ContextVar[Mapping[str, str]] = ContextVar("added_policy_names", default=MappingProxyType({}))


@contextmanager
def policy_names(names: Mapping[str, str]) -> Iterator[None]:
    """Use these names of certificate policies within a ``with`` block, beside those that are known.

    ``names`` are by dotted object identifier, and replace a known name. They appear in reports, messages and notebooks
    that are made within the block, in this thread or task only. They are text for people: no answer depends on them.
    Raises :class:`~pkcs12kit.ArgumentError` for a key that is not an object identifier, or a value that is not text.
    """
    token = _ADDED.set(MappingProxyType({**_ADDED.get(), **_checked(names)}))
    try:
        yield
    finally:
        _ADDED.reset(token)


def is_object_identifier(text: str) -> bool:
    """Return True for an object identifier in dotted form."""
    return _OBJECT_IDENTIFIER.fullmatch(text) is not None


def _checked(names: Mapping[str, str]) -> dict[str, str]:
    given = cast("object", names)
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise ArgumentError(f"policy_names: expected a mapping of object identifiers to names, not {kind}")
    for oid, name in given.items():
        if not isinstance(oid, str) or not is_object_identifier(oid):
            raise ArgumentError(f"policy_names: {quoted(str(oid))} is not a dotted object identifier")
        if not isinstance(name, str) or not name.strip():
            raise ArgumentError(f"policy_names: the name of {oid} is not a text")
    return dict(names)


def policy_name(oid: str) -> str | None:
    """Return the name of a certificate policy, safe to print; None where it is not known."""
    added = _ADDED.get().get(oid)
    if added is not None:
        return harmless(added.strip(), longest=_NAME_AT_MOST)
    known = POLICY_NAMES.get(oid)
    return None if known is None else known.name


def policy_label(oid: str) -> str:
    """Return name and object identifier, ``anyPolicy (2.5.29.32.0)``; the identifier alone without a name."""
    name = policy_name(oid)
    return harmless(oid) if name is None else f"{name} ({harmless(oid)})"


def by_arcs(policies: Iterable[str]) -> list[str]:
    """Return policies in the order of their arcs, anyPolicy last."""
    return sorted(policies, key=lambda policy: (policy == ANY_POLICY, [int(arc) for arc in policy.split(".")]))


def policy_list(policies: Iterable[str], *, at_most: int = _LISTED) -> str:
    """Return policies with their names for a message, in the order of their arcs: the first ones, and how many more."""
    return ", ".join(shortened(by_arcs(policies), at_most, policy_label))


def policy_to_json(oid: str) -> dict[str, str | None]:
    """Return a policy as ``--json`` prints it: ``oid`` and ``name``, null where no name is known."""
    return {"oid": oid, "name": policy_name(oid)}
