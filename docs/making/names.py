"""Names for autodoc: those that only type checkers import, and public names that no page describes."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Final, get_type_hints

import pkcs12kit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sphinx.domains.python import ObjectEntry

_ALIASES: Final[Mapping[str, str]] = {
    # alias of a type: the module that it is documented in
    "BundlesArgument": "pkcs12kit.verifier.expiry_bundles",
    "CertificateSource": "pkcs12kit.sources.loading",
    "CertificatesArgument": "pkcs12kit.sources.arguments",
    "ExpectArgument": "pkcs12kit.verifier.expectation",
    "IdentitySource": "pkcs12kit.sources.identities",
    "KeySource": "pkcs12kit.sources.identities",
    "Ranking": "pkcs12kit",
    "SignatureHash": "pkcs12kit.lab.keys",
    "Source": "pkcs12kit.sources.reading",
    "TrustAnchorSource": "pkcs12kit.sources.loading",
    "TrustAnchorsArgument": "pkcs12kit.sources.arguments",
    "CertificateIssuerPrivateKeyTypes": "cryptography.hazmat.primitives.asymmetric.types",
    "CertificatePublicKeyTypes": "cryptography.hazmat.primitives.asymmetric.types",
    "Extension": "cryptography.x509",
    "PrivateKeyTypes": "cryptography.hazmat.primitives.asymmetric.types",
}


def import_for_annotations() -> None:
    """Execute the imports below ``if TYPE_CHECKING:`` of all modules, so that annotations can be resolved.

    This happens after all modules are loaded, because the imports would otherwise run in circles. Each alias of a type
    is replaced by a class of the same name, so that pages show and link the name and not its definition.
    """
    aliases = {name: type(name, (), {"__module__": home}) for name, home in _ALIASES.items()}
    found = pkgutil.walk_packages(pkcs12kit.__path__, "pkcs12kit.")
    modules = [import_module(it.name) for it in found if not it.name.endswith(".__main__")]
    for module in modules:
        for statement in ast.parse(inspect.getsource(module)).body:
            if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
                # Our own source, and nothing that the imports of other modules have not run already.
                exec(compile(ast.Module(statement.body, []), str(module.__file__), "exec"), vars(module))  # noqa: S102
        vars(module).update((name, alias) for name, alias in aliases.items() if name in vars(module))
    everywhere = {name: value for module in modules for name, value in vars(module).items()}
    for module in modules:
        # An alias of another module can be a string with names that only that module imports.
        elsewhere = {name: value for name, value in everywhere.items() if name not in vars(module)}
        for value in list(vars(module).values()):
            if isinstance(value, type) and issubclass(value, tuple) and value.__module__ == module.__name__:
                hints = get_type_hints(value, localns=elsewhere)
                value.__new__.__annotations__ = hints  # the constructor of a NamedTuple is made in another module


NAMESPACES: Final = ("probing", "published", "revocation")
"""Public modules without a section of their own: their names are described on the pages of their subjects."""


def without_a_place(described: Mapping[str, ObjectEntry]) -> Iterator[str]:
    """Yield each public name that no page of the API describes, of all the objects that pages describe."""
    spaced = (
        f"{space}.{name}"
        for space in NAMESPACES
        for name in getattr(pkcs12kit, space).__all__
        if name not in pkcs12kit.__all__
    )
    for name in (*(name for name in pkcs12kit.__all__ if name not in NAMESPACES), *spaced):
        value = attrgetter(name)(pkcs12kit)
        full_name = value.__name__ if inspect.ismodule(value) else f"pkcs12kit.{name}"
        if full_name not in described or not described[full_name].docname.startswith("reference/api/"):
            yield name
