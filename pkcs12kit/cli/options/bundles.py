"""The options for published bundles of certificates, and the call that fetches these bundles."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import FILE, Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from click.shell_completion import CompletionItem

    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.retrieval.bundles.published import PublishedBundle
    from pkcs12kit.retrieval.bundles.report import BundleReport
    from pkcs12kit.retrieval.options import FetchOptions


class BundleOptions(NamedTuple):
    """The options for published bundles, as they were given."""

    bundles: tuple[str, ...]
    bundles_file: str | None
    bundle_anchors: tuple[str, ...]
    expires_within: timedelta
    strict_checksums: bool
    allow_unsigned: bool

    def known(self) -> Mapping[str, PublishedBundle]:
        """Return the bundles that have a name, those of the user's file included."""
        from pkcs12kit.retrieval.bundles.published import load_bundles

        return load_bundles(self.bundles_file)

    def fetch(
        self, folder: str, *, parameters: ValidationParameters, options: FetchOptions, limits: Limits
    ) -> tuple[BundleReport, ...]:
        """Fetch each bundle and compare it with what the folder has of it.

        The certificate of a checksum file's signer is validated by ``parameters``. Raises :class:`click.UsageError`
        where two options contradict each other.
        """
        if self.strict_checksums and self.allow_unsigned:
            raise click.UsageError(
                "--strict-checksums rejects the bundles that --unsigned accepts; give one of the two"
            )
        if not self.bundles:
            return ()
        from pkcs12kit.cli.output.console import warn
        from pkcs12kit.retrieval.bundles.fetch import choose_bundle, fetch_bundle
        from pkcs12kit.retrieval.bundles.report import certificates_in_folder
        from pkcs12kit.sources.loading import load_trust_anchors

        known = self.known()
        named = [choose_bundle(name, known, limits=limits) for name in dict.fromkeys(self.bundles)]
        anchors = load_trust_anchors(*self.bundle_anchors, on_warning=warn) if self.bundle_anchors else ()
        return tuple(
            fetch_bundle(
                bundle,
                trust_anchors=anchors,
                time=parameters.time,
                algorithm_policy=parameters.algorithm_policy,
                previous=certificates_in_folder(folder, urls=bundle.urls, limits=limits),
                expires_within=self.expires_within,
                strict_checksums=self.strict_checksums,
                allow_unsigned=self.allow_unsigned,
                options=options,
                limits=limits,
            )
            for bundle in named
        )


class _BundleName(click.ParamType[str]):
    """The name of a bundle, its URL, or the file that has it."""

    name = "text"

    def is_input(self, value: str) -> bool:
        """Return True for a file; a known name comes first."""
        from pkcs12kit.retrieval.bundles.carried import is_file_name
        from pkcs12kit.retrieval.bundles.published import PUBLISHED

        return value not in PUBLISHED and is_file_name(value)


def _complete_bundle(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of bundles to offer, those of the user's file included; files where no name fits."""
    from click.shell_completion import CompletionItem

    from pkcs12kit.retrieval.bundles.published import load_bundles

    known = load_bundles()
    named = [CompletionItem(name, help=known[name].title) for name in sorted(known) if name.startswith(incomplete)]
    return named or [CompletionItem(incomplete, type="file")]


_OPTIONS: Final = (
    option(
        OptionGroup.BUNDLES,
        "--bundle",
        "bundles",
        type=_BundleName(),
        metavar="NAME|URL|FILE",
        shell_complete=_complete_bundle,
        multiple=True,
        help="Start with a published bundle of certificates: dod, eca, fpki, a name from --bundles, a URL, or a file"
        " that was carried by hand, whose signed checksums are checked in the same way. CERT can then be left out."
        " May be given again.",
    ),
    option(
        OptionGroup.BUNDLES,
        "--bundles",
        "bundles_file",
        type=FILE,
        metavar="FILE",
        help="A TOML file that adds or replaces names for --bundle. Default: bundles.toml in the platform's folder for"
        " settings, if there is one.",
    ),
    option(
        OptionGroup.BUNDLES,
        "--bundle-anchor",
        "bundle_anchors",
        type=FILE,
        metavar="FILE",
        multiple=True,
        several=False,
        help="A root to which the certificate of the checksum file's signer must lead. May be given again. Default: the"
        " known root of the bundle.",
    ),
    option(
        OptionGroup.BUNDLES,
        "--expires-within",
        type=Duration(),
        default="30d",
        show_default=True,
        help="List the certificates of a bundle that expire within this time.",
    ),
    option(
        OptionGroup.BUNDLES,
        "--strict-checksums",
        is_flag=True,
        help="Use a bundle only if its signed checksums are verified. Weak, unproven or missing checksums are not"
        " enough.",
    ),
    option(
        OptionGroup.BUNDLES,
        "--unsigned",
        "allow_unsigned",
        is_flag=True,
        help="Also use a bundle whose signed checksums are missing or come from an unknown signer, although its"
        " publisher signs (dod, eca, and names with roots in --bundles). Anybody could have made such a bundle.",
    ),
)


def bundle_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for published bundles; the command gets them together, as ``bundling``."""

    @wraps(command)
    def with_bundling(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        options = BundleOptions(**{name: given.pop(name) for name in BundleOptions._fields})
        return command(bundling=options, **given)

    decorated: Callable[..., Any] = with_bundling
    for add in reversed(_OPTIONS):
        decorated = add(decorated)
    return decorated
