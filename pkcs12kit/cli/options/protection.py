"""How the new file is protected: options for a profile by name, or by who has to open it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pkcs12kit.cli.options.values import OneOf
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.readers import READERS, require_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.pkcs12.profiles import Profile


class ProtectionOptions(NamedTuple):
    """What says how a file is protected, as it was given."""

    profile_name: str | None
    readers: tuple[str, ...]
    iterations: int | None
    mac_iterations: int | None


def protection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add these options to a command, which gets them together, as ``protection``."""

    @wraps(command)
    def gather(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        return command(protection=ProtectionOptions(*map(given.pop, ProtectionOptions._fields)), **given)

    command_with_options: Callable[..., Any] = gather
    for option in reversed(
        (
            click.option(
                "--profile",
                "profile_name",
                type=OneOf(profiles.names()),
                metavar="PROFILE",
                help=f"How the file is protected: {', '.join(profiles.names())}. 'modern' and 'legacy' may move to a"
                " newer one, the others never. Default: modern.",
            ),
            click.option(
                "--for",
                "readers",
                type=OneOf(list(READERS)),
                metavar="READER",
                multiple=True,
                help="Who has to open the file, instead of --profile: the strongest profile is taken that everyone"
                f" named is known to open. May be given again. One of {', '.join(READERS)}.",
            ),
            click.option(
                "--iterations",
                type=click.IntRange(min=1),
                metavar="N",
                help="Iterations of each key derivation, instead of the profile's.",
            ),
            click.option(
                "--mac-iterations",
                type=click.IntRange(min=1),
                metavar="N",
                help="Iterations for the MAC, where they are to be others than --iterations.",
            ),
        )
    ):
        command_with_options = option(command_with_options)
    return command_with_options


def chosen_profile(protection: ProtectionOptions) -> Profile:
    """Find the profile. Raises :class:`click.UsageError`, and what :func:`~pkcs12kit.profiles.for_readers` does."""
    if protection.profile_name is not None and protection.readers:
        raise click.UsageError("give --profile or --for, not both")
    if protection.readers:
        profile = profiles.for_readers(*protection.readers)
    else:
        profile = profiles.find(protection.profile_name or "modern")
    if protection.iterations is None and protection.mac_iterations is None:
        return profile
    mac = protection.iterations if protection.mac_iterations is None else protection.mac_iterations
    try:
        profile = profile.with_iterations(encryption=protection.iterations, mac=mac)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for name in protection.readers:
        verdict = profiles.readers_of(profile)[name]
        if verdict.answer.value != "yes":
            raise click.UsageError(f"--for {name}: {verdict.why}")
    return profile


def for_all_readers(protection: ProtectionOptions, get: Callable[[], str]) -> Callable[[], str]:
    """Get a password as ``get`` does, and raise an error where a reader named by ``--for`` is known to refuse it."""

    def checked() -> str:
        password = get()
        require_password(protection.readers, password)
        return password

    return checked
