"""The options for the form of a new file: PKCS#12, or PEM for servers, with the key in the same file or in its own."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import OneOf, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PEM: Final = "pem"
_FORMS: Final = ("pkcs12", _PEM)
_STANDARD_OUTPUT: Final = "-"
_ONLY_PKCS12: Final = {
    "profile_name": "--profile",
    "readers": "--for",
    "iterations": "--iterations",
    "mac_iterations": "--mac-iterations",
    "password_file": "--password-file",
    "password_env": "--password-env",
    "password_stdin": "--password-stdin",
    "friendly_name": "--friendly-name",
    "certificate_name": "--certificate-name",
    "ca_names": "--ca-name",
    "truststore": "--truststore",
}
"""The options of ``build`` that have no meaning for PEM, by the names of their values."""


class FormOptions(NamedTuple):
    """The options for the form of a new file, as they were given."""

    form: str
    output_key: str | None
    traditional: bool
    no_anchor: bool
    with_anchor: bool

    @property
    def is_pem(self) -> bool:
        """True for PEM."""
        return self.form == _PEM

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of :func:`~pkcs12kit.build` for the form."""
        return {
            "to": self.form,
            "key_output": self.output_key,
            "traditional": self.traditional,
            "include_anchor": None if self.with_anchor == self.no_anchor else self.with_anchor,
        }


_OPTIONS: Final = (
    option(
        OptionGroup.OUTPUT,
        "--to",
        "form",
        type=OneOf(list(_FORMS)),
        default=_FORMS[0],
        show_default=True,
        help="pkcs12: write a PKCS#12 file. pem: write the key, not encrypted, its certificate and each issuer as PEM,"
        " for nginx, HAProxy and Apache, without the trust anchor's certificate.",
    ),
    option(
        OptionGroup.OUTPUT,
        "--key-out",
        "output_key",
        type=Place("file", is_output=True),
        metavar="FILE",
        help="With --to pem: the file for the key. The file of --out then has only certificates. Both are written, or"
        " neither.",
    ),
    option(
        OptionGroup.OUTPUT,
        "--traditional",
        is_flag=True,
        help="With --to pem: write the key in the form older than PKCS#8: PKCS#1 (RSA PRIVATE KEY) or SEC 1 (EC PRIVATE"
        " KEY).",
    ),
    option(
        OptionGroup.OUTPUT,
        "--no-anchor",
        is_flag=True,
        help="Leave the trust anchor's own certificate out of the file. The default with --to pem: clients have it.",
    ),
    option(
        OptionGroup.OUTPUT,
        "--with-anchor",
        is_flag=True,
        help="Write the trust anchor's own certificate, at the end of the file. The default without --to pem.",
    ),
)


def form_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the form of the file; the command gets them together, as ``form``."""

    @wraps(command)
    def with_form(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        return command(form=FormOptions(*map(given.pop, FormOptions._fields)), **given)

    decorated: Callable[..., Any] = with_form
    for add in reversed(_OPTIONS):
        decorated = add(decorated)
    return decorated


def require_consistent_form(form: FormOptions, output: str, given: Mapping[str, object]) -> None:
    """Raise :class:`click.UsageError` for options that contradict each other or have no meaning in this form.

    ``given`` has the values of the options of the command, by name.
    """
    if form.no_anchor and form.with_anchor:
        raise click.UsageError("give --no-anchor or --with-anchor, not both")
    if not form.is_pem:
        for name, value in (("--key-out", form.output_key), ("--traditional", form.traditional)):
            if value:
                raise click.UsageError(f"{name} needs --to pem: a PKCS#12 file holds its key encrypted")
        return
    for name, option_name in _ONLY_PKCS12.items():
        if given.get(name) not in (None, False, ()):
            raise click.UsageError(
                f"--to pem writes the key without encryption, and no names; leave out {option_name}, which is only for"
                " PKCS#12"
            )
    if given.get("certs_only") and (form.output_key is not None or form.traditional):
        name = "--traditional" if form.output_key is None else "--key-out"
        raise click.UsageError(f"--certs-only writes no key; leave out {name}")
    if form.output_key is not None and _STANDARD_OUTPUT in {form.output_key, output}:
        raise click.UsageError("--key-out and --out are two files then; neither can be - for standard output")
