"""Devices with versions: the names and conditions that ``--device`` accepts beyond the names of the table.

A bare name keeps the meaning of the table: every version that its title names. ``go-1.24`` is one version, and
``go>=1.24`` every version from it on; all of them have to accept a chain. Most devices have one entry for all versions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from pkcs12kit.arguments import require_names
from pkcs12kit.devices.model import ChainProperty, DeviceLimit, DeviceRule, Effect, Quantity
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.findings import Evidence
from pkcs12kit.versions import Family, Names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.devices.model import Device
    from pkcs12kit.versions import Number

_Statement = TypeVar("_Statement", DeviceRule, DeviceLimit)
_OLDEST: Final[dict[str, Number]] = {
    # the first version that a title names; a version before it is not known
    "ios": (13,),
    "android": (9,),
    "macos": (10, 15),
    "chrome": (58,),
    "firefox": (48,),
    "java": (8,),
}
_GO_1_24: Final = "https://go.dev/doc/go1.24"
_POLICIES: Final = (
    ChainProperty.POLICY_MAPPINGS_CRITICAL,
    ChainProperty.POLICY_CONSTRAINTS_CRITICAL,
    ChainProperty.INHIBIT_ANY_POLICY_CRITICAL,
)


def _go_1_24(go: Device) -> Device:
    """Return Go from 1.24 on: it evaluates policies, and refuses short RSA keys."""
    rules = (
        replace(rule, effect=Effect.ACCEPTED, evidence=Evidence.DOCUMENTED, source=_GO_1_24, note="it evaluates them")
        if rule.property in _POLICIES
        else _documented(rule)
        for rule in go.rules
    )
    limits = [replace(limit, least=1_024, source=_GO_1_24, note="") for limit in go.limits if _is_of_rsa(limit)]
    return replace(
        go,
        name="go-1.24",
        title="Go 1.24 and later, crypto/tls with its own verifier (not with the roots of Windows and macOS)",
        rules=tuple(rules),
        limits=(*(_documented(limit) for limit in go.limits if not _is_of_rsa(limit)), *limits),
    )


def _is_of_rsa(limit: DeviceLimit) -> bool:
    return limit.quantity is Quantity.RSA_BITS


def _documented(rule: _Statement) -> _Statement:
    """Return a rule with the address alone as its source: what was tried was tried with another version."""
    if rule.evidence is not Evidence.TRIED:
        return rule
    return replace(rule, evidence=Evidence.DOCUMENTED, source=rule.source.rpartition("; ")[2])


_GO_1_19: Final = replace(
    DEVICES["go"],
    name="go-1.19",
    title="Go 1.18 to 1.23, crypto/tls with its own verifier (not with the roots of Windows and macOS)",
)
VERSIONS: Final = {device.name: device for device in (_GO_1_19, _go_1_24(DEVICES["go"]))}
"""The entries for some versions of a device."""
DEVICE_NAMES: Final = (*DEVICES, *VERSIONS)
"""The names of all devices: those of the table, and those with versions."""

_NAMES: Final = Names(
    "device",
    (
        *(
            Family(name=device.name, title=device.title, numbers={device.name: ()}, oldest=_OLDEST.get(device.name, ()))
            for device in DEVICES.values()
            if device.name != "go"
        ),
        Family(name="go", title="Go", numbers={"go-1.19": (1, 18), "go-1.24": (1, 24)}),
    ),
    {},
)


def find_devices(name: str) -> tuple[tuple[Device, ...], str]:
    """Return the devices that a name stands for, and a sentence that says so, empty for the name of an entry.

    Raises :class:`~pkcs12kit.errors.UnknownNameError`, also for a version older than those of the table.
    """
    if name in DEVICES:
        return (DEVICES[name],), ""
    meaning = _NAMES.meaning_of(name)
    return tuple(VERSIONS.get(entry) or DEVICES[entry] for entry in meaning.entries), meaning.remark


def require_devices(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once. Raises :class:`~pkcs12kit.errors.UnknownNameError` for one that is not a device."""
    wanted = require_names("devices", names)
    for name in wanted:
        find_devices(name)
    return wanted
