"""``--device``: the clients that have to accept a chain, with their versions."""

from __future__ import annotations

from typing import Final

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import VersionedName
from pkcs12kit.devices.versions import DEVICE_NAMES, find_devices

devices_option: Final = option(
    OptionGroup.CHECKS,
    "--device",
    "devices",
    type=VersionedName(DEVICE_NAMES, find_devices),
    metavar="DEVICE",
    multiple=True,
    help="Fail if this device is known to reject the chain, judged by documented rules; the device itself is not"
    f' run. May be given again. A version, as in java-17 or "go>=1.24", limits what it is about. Known names:'
    f" {', '.join(DEVICE_NAMES)}.",
)
"""``--device``; the command gets the names as ``devices``."""
