"""Each field of a public value is documented by itself, where the reference and an editor show it."""

import ast
import inspect
from dataclasses import is_dataclass

import pytest

import pkcs12kit as pk

SPACES = (pk, pk.probing, pk.published, pk.revocation)
VALUES = sorted(
    {
        value
        for space in SPACES
        for name in space.__all__
        if isinstance(value := getattr(space, name), type) and is_dataclass(value)
    },
    key=lambda value: value.__name__,
)


def undocumented(source: str) -> list[str]:
    """List the fields in the source of a class that no docstring follows."""
    body = ast.parse(source).body[0].body
    found = []
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and not statement.target.id.startswith("_"):
            described = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if not described:
                found.append(statement.target.id)
    return found


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_every_field_has_its_own_docs(value):
    """A reader looks up one field and not a paragraph about all of them."""
    if value is pk.Limits:
        return  # each limit has its unit and its origin beside its figure
    assert undocumented(inspect.getsource(value)) == []


def test_a_field_without_docs_is_found():
    """The rule above fails for a field without docstring."""
    assert undocumented('class A:\n    a: int\n    """Yes."""\n    b: int\n    c: int = 1\n    """Yes."""\n') == ["b"]
