"""The public API explains itself: fields and parameters one by one, help that fits a screen, a clean ``dir``."""

import ast
import inspect
import pydoc
from dataclasses import is_dataclass
from importlib.metadata import version

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


FUNCTIONS = sorted(name for name in pk.__all__ if inspect.isfunction(getattr(pk, name)))
AS_IN = {"find_paths": "find_path", "validity_periods": "find_path", "what_if": "find_path"}
"""A function whose parameters are those of another one, which its docstring names."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_described(name):
    """A function with more than three parameters has a list of them; ``limits`` means the same everywhere."""
    function = getattr(pk, name)
    parameters = [parameter for parameter in inspect.signature(function).parameters if parameter != "limits"]
    if len(parameters) <= 3:
        return
    told = function.__doc__ + (getattr(pk, AS_IN[name]).__doc__ if name in AS_IN else "")
    assert [parameter for parameter in parameters if f"``{parameter}" not in told] == []
    assert name not in AS_IN or f"pkcs12kit.{AS_IN[name]}`" in function.__doc__


def test_the_help_of_build_fits_a_screen():
    """The help of ``pk.build`` has at most sixty lines in a window of 120 columns, the signature included.

    From Python 3.13 on ``help`` writes each parameter on a line of its own; here the signature is one long line.
    """
    lines = [f"build{inspect.signature(pk.build)}", *pydoc.getdoc(pk.build).splitlines()]
    assert sum(max(1, -(-len(line) // 120)) for line in lines) <= 60


def test_only_public_names_are_listed():
    """``dir(pk)`` has the public names and nothing else; the version is there for who asks for it."""
    assert sorted(dir(pk)) == sorted(pk.__all__)
    assert len(pk.__all__) <= 105
    assert pk.__version__ == version("pkcs12kit")
    with pytest.raises(AttributeError, match="nothing"):
        _ = pk.nothing
