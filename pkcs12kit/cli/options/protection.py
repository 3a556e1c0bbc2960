"""The options for the protection of a new file: a profile by name, or by the programs that must open the file."""

from __future__ import annotations

from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.readers import readers_option
from pkcs12kit.cli.options.values import OneOf
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.readers import require_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.pkcs12.profiles import Profile


class ProtectionOptions(NamedTuple):
    """The options for the protection of a new file, as they were given."""

    profile_name: str | None
    readers: tuple[str, ...]
    iterations: int | None
    mac_iterations: int | None


_OPTIONS: Final = (
    option(
        OptionGroup.PROTECTION,
        "--profile",
        "profile_name",
        type=OneOf(profiles.names()),
        metavar="PROFILE",
        help=f"The encryption and the MAC of the new file: {', '.join(profiles.names())}. A later version of pkcs12kit"
        " can give 'modern' and 'legacy' another meaning; the others never change. Default: modern.",
    ),
    readers_option(
        OptionGroup.PROTECTION,
        "A program that must be able to open the new file, instead of --profile. pkcs12kit uses the strongest profile"
        " that all these programs are known to open, and writes no file with a key or a certificate that one of them is"
        " not known to open. May be given again.",
    ),
    option(
        OptionGroup.PROTECTION,
        "--iterations",
        type=click.IntRange(min=1),
        metavar="N",
        help="The number of iterations of each key derivation, instead of the profile's.",
    ),
    option(
        OptionGroup.PROTECTION,
        "--mac-iterations",
        type=click.IntRange(min=1),
        metavar="N",
        help="The number of iterations for the MAC, where it differs from --iterations.",
    ),
)


def protection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for protection; the command gets them together, as ``protection``."""

    @wraps(command)
    def with_protection(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        return command(protection=ProtectionOptions(*map(given.pop, ProtectionOptions._fields)), **given)

    decorated: Callable[..., Any] = with_protection
    for add in reversed(_OPTIONS):
        decorated = add(decorated)
    return decorated


def chosen_profile(protection: ProtectionOptions) -> Profile:
    """Return the profile that the options choose.

    Raises :class:`click.UsageError` where they contradict each other, and the errors of
    :func:`~pkcs12kit.profiles.for_readers`.
    """
    if protection.profile_name is not None and protection.readers:
        raise click.UsageError("give --profile or --for, not both")
    try:
        return profiles.of_options(
            protection.profile_name,
            protection.readers,
            iterations=protection.iterations,
            mac_iterations=protection.mac_iterations,
        )
    except profiles.IterationsError as error:
        raise click.UsageError(str(error) if error.reader is None else f"--for {error}") from None


def new_protection(
    protection: ProtectionOptions, password_file: str | None, password_env: str | None, *, stdin: bool
) -> tuple[Profile, Callable[[], str] | None]:
    """Return the profile of a new file, and a function that gets its password once, None if it takes no password.

    The function raises an error where a reader named with ``--for`` is known to reject the password. Raises
    :class:`click.UsageError` as :func:`chosen_profile` does, and for a password that the profile does not take.
    """
    from pkcs12kit.cli.options.passwords import password_for_new_file

    profile = chosen_profile(protection)
    if not profile.takes_password:
        if password_file is not None or password_env is not None or stdin:
            raise click.UsageError(
                f"the profile {profile.name} has no password; leave the password option out or choose another profile"
            )
        return profile, None
    get = password_for_new_file(password_file, password_env, stdin=stdin)

    @cache
    def checked() -> str:
        password = get()
        require_password(protection.readers, password)
        return password

    return profile, checked
