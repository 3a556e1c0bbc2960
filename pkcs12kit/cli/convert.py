"""``pkcs12kit convert``: the same contents under other protection, under another password, or as PEM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.passwords import password_options, require_mac_option
from pkcs12kit.cli.options.protection import chosen_profile, protection_options
from pkcs12kit.cli.options.search import json_option, limits_option
from pkcs12kit.cli.options.values import FILE, VARIABLE, OneOf
from pkcs12kit.text import counted, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.cli.options.protection import ProtectionOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.profiles import Profile


@click.command(
    "convert",
    cls=Command,
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
      --password-file password.txt""",
)
@click.argument("file", type=FILE, metavar="IN.p12")
@click.argument("output", type=FILE, metavar="OUT")
@click.option(
    "--to",
    "form",
    type=OneOf(["pkcs12", "pem"]),
    default="pkcs12",
    show_default=True,
    help="What to write: a PKCS#12 file, or the key (not encrypted) and its chain as PEM, for nginx and HAProxy. Of a"
    " file without a key PEM has all certificates.",
)
@click.option("--certs-only", is_flag=True, help="With --to pem: the key's chain without the key, for Apache.")
@click.option("--key-only", is_flag=True, help="With --to pem: the key (not encrypted) without its chain.")
@protection_options
@password_options
@click.option(
    "--new-password-file", type=FILE, metavar="F", help="File whose first line is the password of the new file."
)
@click.option("--new-password-env", type=VARIABLE, metavar="VAR", help="Environment variable that holds it.")
@click.option("--ask-new-password", is_flag=True, help="Ask for it at the terminal. Default: the password of IN.p12.")
@click.option(
    "--contents-password-file", type=FILE, metavar="F", help="Password of the contents, where the MAC has another."
)
@click.option("--key-name", metavar="NAME", help="With --to pem: the friendly name of the key, if there are several.")
@require_mac_option
@limits_option
@json_option
def command(
    file: str,
    output: str,
    form: str,
    protection: ProtectionOptions,
    password_file: str | None,
    password_env: str | None,
    new_password_file: str | None,
    new_password_env: str | None,
    contents_password_file: str | None,
    key_name: str | None,
    limits: Limits,
    *,
    certs_only: bool,
    key_only: bool,
    password_stdin: bool,
    require_mac: bool,
    ask_new_password: bool,
    as_json: bool,
) -> None:
    """Write the contents of a PKCS#12 file anew: other protection, another password, or PEM.

    Keys, certificates, their order, names and every other attribute stay as they are. IN.p12 may be - for standard
    input, OUT for standard output; OUT may be the same file. What is written is readable by its owner alone. The
    password is asked for at the terminal if the file needs one and no option says where it is.
    """
    from pkcs12kit.cli.options.passwords import (
        given_password,
        open_with_password,
        password_for_copy,
        password_from_file,
    )
    from pkcs12kit.cli.output.console import print_json, print_lines, warn, write_bytes
    from pkcs12kit.files import write_private
    from pkcs12kit.pkcs12.conversion import convert_pfx
    from pkcs12kit.pkcs12.decoder import decode_pfx
    from pkcs12kit.pkcs12.readers import require_password
    from pkcs12kit.sources.pkcs12_files import naming_pkcs12, read_pkcs12
    from pkcs12kit.sources.reading import name_of

    if as_json and output == "-":
        raise click.UsageError("--json and OUT - both want standard output")
    new_password_given = new_password_file is not None or new_password_env is not None or ask_new_password
    only = {option for option, given in (("--certs-only", certs_only), ("--key-only", key_only)) if given}
    _require_sense(form, protection, key_name, only, new_password_given=new_password_given)
    profile = chosen_profile(protection)
    if new_password_given and not profile.takes_password:
        raise click.UsageError(f"the profile {profile.name} takes no password")
    contents_password = None if contents_password_file is None else password_from_file(contents_password_file)
    given = given_password(password_file, password_env, stdin=password_stdin)
    data = read_pkcs12(file, limits)

    def decode(password: str | None) -> DecodedPfx:
        with naming_pkcs12(name_of(file), data):
            return decode_pfx(
                data,
                password=password,
                contents_password=contents_password,
                require_mac=require_mac,
                limits=limits,
            )

    decoded, password = open_with_password(decode, given, name_of(file))
    warnings = [f"{name_of(file)}: {warning}" for warning in decoded.warnings]
    for warning in warnings:
        warn(warning)
    private_keys, certificates = len(decoded.keys), decoded.certificates
    if form == "pem":
        with naming_pkcs12(name_of(file), data):
            written, private_keys, certificates = _pem(decoded, key_name, certs_only=certs_only, key_only=key_only)
    else:
        new_password = None
        if profile.takes_password:
            new_password = password_for_copy(
                new_password_file, new_password_env, ask=ask_new_password, otherwise=password
            )
            require_password(protection.readers, new_password)
        written = convert_pfx(
            data,
            password=password,
            contents_password=contents_password,
            new_password=new_password,
            profile=profile,
            limits=limits,
        )
    if output == "-":
        write_bytes(written)
        return
    write_private(output, written)
    if as_json:
        used = None if form == "pem" else profile
        print_json(_report(output, used, private_keys, certificates, len(written)) | {"warnings": warnings})
    else:
        what = _pem_in_words(private_keys, len(certificates)) if form == "pem" else f"profile {profile.name}"
        print_lines(harmless(f"Wrote {output}: {what}, {len(written):,} bytes"))


def _pem(
    decoded: DecodedPfx, key_name: str | None, *, certs_only: bool, key_only: bool
) -> tuple[bytes, int, tuple[Certificate, ...]]:
    """Write PEM; say how many keys are in it, and which certificates. A file without a key has those alone."""
    from pkcs12kit.pkcs12.conversion import contents_for_pem, encode_pem

    certs_only = certs_only or not (decoded.keys or key_only or key_name)
    chosen: dict[str, Any] = {"friendly_name": key_name, "certs_only": certs_only, "key_only": key_only}
    identity, certificates = contents_for_pem(decoded, **chosen)
    return encode_pem(decoded, **chosen), int(identity is not None), certificates


def _pem_in_words(private_keys: int, certificates: int) -> str:
    chain = counted(certificates, "certificate")
    if not private_keys:
        return f"PEM, {chain}, no key"
    return f"PEM, the key not encrypted, {chain}" if certificates else "PEM, the key alone, not encrypted"


def _require_sense(
    form: str, protection: ProtectionOptions, key_name: str | None, only: set[str], *, new_password_given: bool
) -> None:
    """Refuse what says how a PKCS#12 file is to be where none is written, and the other way round."""
    if form == "pem" and (any(protection) or new_password_given):
        raise click.UsageError("--to pem takes neither a profile nor a new password: its key is not encrypted")
    if form != "pem" and (key_name is not None or only):
        option = "--key-name" if key_name is not None else min(only)
        raise click.UsageError(f"{option} takes --to pem: a PKCS#12 file keeps every key and certificate")
    if len(only) > 1:
        raise click.UsageError("give --certs-only or --key-only, not both")


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
