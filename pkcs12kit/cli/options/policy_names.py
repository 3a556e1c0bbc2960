"""``--policy-names``: names for certificate policies that are not in the table of known ones."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from collections.abc import Callable


def policy_names_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--policy-names``; the names hold while the command runs, which gets no argument for them."""

    @option(
        OptionGroup.OUTPUT,
        "--policy-names",
        "policy_names",
        type=FILE,
        metavar="FILE",
        help="Names for certificate policies, beside those that are known: a text file with an object identifier and a"
        " name on each line, for example '2.999.1 id-example-medium'. The answer does not depend on them.",
    )
    @wraps(command)
    def with_names(policy_names: str | None, **given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        if policy_names is None:
            return command(**given)
        from pkcs12kit.certificates.policy_names import policy_names as using
        from pkcs12kit.sources.policy_files import load_policy_names

        with using(load_policy_names(policy_names)):
            return command(**given)

    decorated: Callable[..., Any] = with_names
    return decorated
