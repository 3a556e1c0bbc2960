"""``pkcs12kit convert``: copy a PKCS#12 file with another protection or password, or as PEM."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.access import access_options
from pkcs12kit.cli.options.outputs import force_option
from pkcs12kit.cli.options.passwords import contents_password_option, password_options, require_mac_option
from pkcs12kit.cli.options.pkcs12_input import key_options
from pkcs12kit.cli.options.protection import chosen_profile, protection_options
from pkcs12kit.cli.options.search import json_option, limits_option
from pkcs12kit.cli.options.values import FILE, VARIABLE, OneOf, Place
from pkcs12kit.text import counted, harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.cli.options.access import AccessOptions
    from pkcs12kit.cli.options.protection import ProtectionOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.profiles import Profile


_MOST_NAMED: Final = 10
"""Certificates that one warning names."""


class _PemOptions(NamedTuple):
    """The options that need ``--to pem``, as they were given."""

    key_name: str | None
    key_id: bytes | None
    certs_only: bool
    key_only: bool
    traditional: bool

    @property
    def given(self) -> tuple[str, ...]:
        """The names of those that were given."""
        return tuple(
            f"--{name.replace('_', '-')}" for name, value in self._asdict().items() if value not in {None, False}
        )


@click.command(
    "convert",
    cls=Command,
    most_used=("--to", "--profile", "--for", "--password-file", "--new-password-file"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit convert server.p12 for-windows.p12 --for windows-2016 \\
      --password-file password.txt
  pkcs12kit convert old.p12 new.p12 --password-file old.txt \\
      --new-password-file new.txt
  pkcs12kit convert server.p12 /etc/nginx/server.pem --to pem \\
      --password-file password.txt
  pkcs12kit convert server.p12 server-chain.pem --to pem --certs-only \\
      --password-file password.txt
  pkcs12kit convert server.p12 server.p12 --password-file password.txt \\
      --profile modern
  pkcs12kit convert server.p12 chain.pem --to pem --certs-only \\
      --force --password-file password.txt --if-changed""",
)
@click.argument("file", type=FILE, metavar="IN.p12")
@click.argument("output", type=Place("file", is_output=True, in_place="file"), metavar="OUT")
@password_options(OptionGroup.INPUT, "IN.p12")
@contents_password_option
@key_options("With --to pem: {} of the key to write, if the file has several keys")
@require_mac_option
@limits_option
@option(
    OptionGroup.OUTPUT,
    "--to",
    "form",
    type=OneOf(["pkcs12", "pem"]),
    default="pkcs12",
    show_default=True,
    help="pkcs12: write a PKCS#12 file. pem: write the key, not encrypted, and its chain as PEM, for nginx and HAProxy;"
    " if the file has no key, write all its certificates.",
)
@option(
    OptionGroup.OUTPUT,
    "--certs-only",
    is_flag=True,
    help="With --to pem: write the key's chain without the key, for Apache.",
)
@option(
    OptionGroup.OUTPUT,
    "--key-only",
    is_flag=True,
    help="With --to pem: write the key, not encrypted, without its chain. The file needs no certificate for it.",
)
@option(
    OptionGroup.OUTPUT,
    "--traditional",
    is_flag=True,
    help="With --to pem: write the key in the form older than PKCS#8, as Workspace ONE Access expects it: PKCS#1 (RSA"
    " PRIVATE KEY) or SEC 1 (EC PRIVATE KEY).",
)
@option(
    OptionGroup.OUTPUT,
    "--if-changed",
    is_flag=True,
    help="Do not write OUT if it already has the same contents, under the same password. The exit status is 0 in both"
    " cases.",
)
@access_options
@force_option
@protection_options
@option(
    OptionGroup.PROTECTION,
    "--new-password-file",
    type=FILE,
    metavar="FILE",
    help="A file whose first line is the password of the new file. Default: the password of IN.p12; if that has none,"
    " the new file has an empty one.",
)
@option(
    OptionGroup.PROTECTION,
    "--new-password-env",
    type=VARIABLE,
    metavar="VAR",
    help="An environment variable that holds the password of the new file.",
)
@option(
    OptionGroup.PROTECTION,
    "--ask-new-password",
    is_flag=True,
    help="Ask for the password of the new file at the terminal.",
)
@json_option
def command(
    file: str,
    output: str,
    form: str,
    access: AccessOptions,
    protection: ProtectionOptions,
    password_file: str | None,
    password_env: str | None,
    new_password_file: str | None,
    new_password_env: str | None,
    contents_password_file: str | None,
    key_name: str | None,
    key_id: bytes | None,
    limits: Limits,
    *,
    certs_only: bool,
    key_only: bool,
    traditional: bool,
    force: bool,
    if_changed: bool,
    password_stdin: bool,
    require_mac: bool,
    ask_new_password: bool,
    as_json: bool,
) -> None:
    """Copy a PKCS#12 file with another protection or password, or as PEM.

    Keys, certificates, their order, their names and all other attributes stay the same. IN.p12 may be - for standard
    input, and OUT - for standard output. OUT may be the same file as IN.p12. Only its owner can read the new file; an
    existing file keeps its owner, group and mode. You are asked for the password of IN.p12 at the terminal if it needs
    one and no option gives it.

    If the key has several certificates, --to pem takes the newest that is valid now, and names the others.
    """
    from pkcs12kit.cli.options.passwords import given_password, open_with_password, password_from_file
    from pkcs12kit.cli.output.console import print_json, print_lines, write_bytes
    from pkcs12kit.cli.output.copy import free_place, require_nothing_lost, why_changed, write_copy
    from pkcs12kit.file_access import FileAccess
    from pkcs12kit.pkcs12.conversion import convert_pfx
    from pkcs12kit.pkcs12.decoder import decode_pfx
    from pkcs12kit.sources.pkcs12_files import naming_pkcs12, read_pkcs12
    from pkcs12kit.sources.reading import name_of

    _require_file(output, as_json=as_json, if_changed=if_changed)
    new_password_given = new_password_file is not None or new_password_env is not None or ask_new_password
    for_pem = _PemOptions(key_name, key_id, certs_only, key_only, traditional)
    _require_consistent_options(form, protection, for_pem.given, new_password_given=new_password_given)
    profile = chosen_profile(protection)
    _require_password_wanted(profile, new_password_given=new_password_given)
    place = None if output == "-" else free_place(file, output, form, force=force, limits=limits)
    contents_password = None if contents_password_file is None else password_from_file(contents_password_file)
    given = given_password(password_file, password_env, stdin=password_stdin)
    data = read_pkcs12(file, limits)

    warnings: list[str] = []
    add_warnings, add_of_output = _warner(name_of(file), warnings), _warner(None, warnings)
    decode = partial(decode_pfx, contents_password=contents_password, require_mac=require_mac, limits=limits)
    options = for_pem if form == "pem" else None
    decoded, password = open_with_password(partial(_decode, decode, data, name_of(file), options), given, name_of(file))
    add_warnings(decoded.warnings)
    add_of_output(_require_readable(decoded, protection.readers))
    private_keys, certificates = len(decoded.keys) + len(decoded.unread_keys), decoded.certificates
    if form == "pem":
        new_password = None
        add_warnings(decoded.left_out)
        with naming_pkcs12(name_of(file), data):
            written, private_keys, certificates = _pem(decoded, for_pem, lambda sentence: add_warnings([sentence]))
    else:
        new_password = _new_password(
            new_password_file,
            new_password_env,
            protection.readers,
            add_warnings,
            profile,
            ask=ask_new_password,
            otherwise=password or contents_password,
        )
        with naming_pkcs12(name_of(file), data):
            written = convert_pfx(
                data,
                password=password,
                contents_password=contents_password,
                new_password=new_password,
                profile=profile,
                on_warning=lambda sentence: add_warnings([sentence]),
                limits=limits,
            )
        add_warnings(_java_losses(written, new_password, protection.readers, limits))
    add_warnings(_not_valid_now(certificates))
    if place is None:
        write_bytes(written)
        return
    with_key = bool(private_keys or (form != "pem" and decoded.other_bags))
    compare = partial(why_changed, is_pem=form == "pem", password=new_password, limits=limits) if if_changed else None
    require_nothing_lost(place, warnings, force=force)
    asked = FileAccess.of(*access, with_key=with_key, on_warning=lambda sentence: add_of_output([sentence]))
    done = write_copy(place, written, decoded, asked, compare, limits)
    if as_json:
        report = _report(output, None if form == "pem" else profile, private_keys, certificates, len(written))
        print_json(report | done._asdict() | {"warnings": warnings})
        return
    in_words = _pem_in_words(private_keys, len(certificates)) if form == "pem" else f"profile {profile.name}"
    print_lines(harmless(f"{done.in_words(output)}: {in_words}, {len(written):,} bytes"))


def _warner(name: str | None, warnings: list[str]) -> Callable[[Iterable[str]], None]:
    """Return a function that prints each warning once, after the name of a file, and adds it to ``warnings``."""
    from pkcs12kit.cli.output.console import warn

    def add(sentences: Iterable[str]) -> None:
        for sentence in sentences:
            if (named := sentence if name is None else f"{name}: {sentence}") not in warnings:
                warnings.append(named)
                warn(named)

    return add


def _require_readable(decoded: DecodedPfx, readers: Iterable[str]) -> Iterable[str]:
    """Return what to know of the readers' names. Raises the error for keys that one is not known to open."""
    from pkcs12kit.pkcs12.features import of_decoded
    from pkcs12kit.pkcs12.readers import remarks_on, require_contents

    require_contents(readers, of_decoded(decoded))
    return remarks_on(readers)


def _new_password(
    file: str | None,
    variable: str | None,
    readers: Iterable[str],
    add_warnings: Callable[[Iterable[str]], None],
    profile: Profile,
    *,
    ask: bool,
    otherwise: str | None,
) -> str | None:
    """Return the password of the copy, which each of the readers has to accept; None if the profile has none."""
    from pkcs12kit.cli.options.passwords import password_for_copy
    from pkcs12kit.pkcs12.readers import require_password

    if not profile.takes_password:
        return None
    password = password_for_copy(file, variable, ask=ask, otherwise=otherwise)
    add_warnings(_about_password(password, is_new=file is not None or variable is not None or ask))
    require_password(readers, password)
    return password


def _about_password(password: str, *, is_new: bool) -> Iterable[str]:
    """Return what a user should know of the password of the copy; of one that is kept, only that it is empty."""
    from pkcs12kit.pkcs12.passwords import warnings_about

    if not password:
        return ["the password of the new file is empty: anyone who has the file can read its contents"]
    return warnings_about(password) if is_new else ()


def _not_valid_now(certificates: Iterable[Certificate]) -> Iterable[str]:
    """Return a sentence with the certificates of the copy that are not valid by this computer's clock."""
    from pkcs12kit.paths.validity_now import outside_validity
    from pkcs12kit.times import time_or_now

    outside = tuple(outside_validity(certificates, time_or_now(None)))
    return (f"not valid now: {'; '.join(shortened(outside, _MOST_NAMED))}",) if outside else ()


def _java_losses(data: bytes, password: str | None, readers: Iterable[str], limits: Limits) -> tuple[str, ...]:
    """Return a sentence for each entry of the new file that Java's key store does not have, if it is for Java."""
    from pkcs12kit.pkcs12.inspection import inspect_pfx
    from pkcs12kit.pkcs12.readers import is_java

    if not is_java(readers):
        return ()
    java = inspect_pfx(data, password=password or "", limits=limits).java
    return () if java is None else tuple(f"for Java, {loss}" for loss in java.losses)


def _decode(
    decode: Callable[..., DecodedPfx], data: bytes, name: str, options: _PemOptions | None, password: str | None
) -> DecodedPfx:
    """Return the contents of a file, opened with a password; for PEM it must open the chosen key as well."""
    from pkcs12kit.sources.pkcs12_files import naming_pkcs12

    with naming_pkcs12(name, data):
        decoded = decode(data, password=password)
        if options is not None and (decoded.keys or (decoded.unread_keys and not options.certs_only)):
            decoded.key(friendly_name=options.key_name, local_key_id=options.key_id)
    return decoded


def _pem(
    decoded: DecodedPfx, options: _PemOptions, on_warning: Callable[[str], object]
) -> tuple[bytes, int, tuple[Certificate, ...]]:
    """Return the PEM, its number of keys, and its certificates. Of a file without a key all certificates are taken."""
    from datetime import UTC, datetime

    from pkcs12kit.pkcs12.conversion import contents_for_pem, encode_pem

    chosen: dict[str, Any] = {
        "friendly_name": options.key_name,
        "local_key_id": options.key_id,
        "time": datetime.now(UTC),
        "certs_only": options.certs_only or not (decoded.keys or decoded.unread_keys or options.given),
        "key_only": options.key_only,
    }
    written = encode_pem(decoded, **chosen, traditional=options.traditional, on_warning=on_warning)
    _, certificates = contents_for_pem(decoded, **chosen)
    return written, 0 if chosen["certs_only"] else 1, certificates


def _pem_in_words(private_keys: int, certificates: int) -> str:
    chain = counted(certificates, "certificate")
    if not private_keys:
        return f"PEM, {chain}, no key"
    return f"PEM, the key not encrypted, {chain}" if certificates else "PEM, only the key, not encrypted"


def _require_file(output: str, *, as_json: bool, if_changed: bool) -> None:
    """Raise :class:`click.UsageError` where OUT is standard output and another option does not allow that."""
    if as_json and output == "-":
        raise click.UsageError("--json and OUT - both write to standard output; give OUT a file")
    if if_changed and output == "-":
        raise click.UsageError("--if-changed compares with an existing file; give OUT a file, not standard output")


def _require_consistent_options(
    form: str, protection: ProtectionOptions, for_pem: tuple[str, ...], *, new_password_given: bool
) -> None:
    """Raise :class:`click.UsageError` for PKCS#12 options with PEM output, and the other way round."""
    if form == "pem" and (any(protection) or new_password_given):
        raise click.UsageError("--to pem writes the key without encryption; leave out the profile and the new password")
    if form != "pem" and for_pem:
        raise click.UsageError(f"{for_pem[0]} needs --to pem: a PKCS#12 file keeps every key and certificate as it is")
    if "--certs-only" in for_pem and (others := {"--key-only", "--traditional"} & {*for_pem}):
        raise click.UsageError(f"give --certs-only or {min(others)}, not both: --certs-only writes no key")


def _require_password_wanted(profile: Profile, *, new_password_given: bool) -> None:
    if new_password_given and not profile.takes_password:
        raise click.UsageError(
            f"the profile {profile.name} has no password; leave the password option out or choose another profile"
        )


def _report(
    output: str, profile: Profile | None, private_keys: int, certificates: Iterable[Certificate], size: int
) -> dict[str, Any]:
    iterations = profile and {"encryption": profile.encryption_iterations, "mac": profile.mac_iterations}
    return {
        "output": output,
        "bytes": size,
        "profile": profile and profile.name,
        "iterations": iterations,
        "private_keys": private_keys,
        "certificates": [certificate.to_json() for certificate in certificates],
    }
