"""Imports between the modules of the package: no circle, and no small module that only one other module uses."""

import ast
from functools import cache
from pathlib import Path

import pkcs12kit

PACKAGE = Path(pkcs12kit.__file__).parent
SMALL = 60
# Small modules with one importer that stay modules, each with its reason.
ALLOWED = {
    "pkcs12kit.__main__": "entry point: python -m pkcs12kit",
    "pkcs12kit.sources.policy_files": "a public function, which the command also calls",
}


def modules(package=PACKAGE):
    """Return the path of each module, by its dotted name; a package is named as its folder."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(source, known):
    """Return the known modules that a source imports, within functions and for type checkers also."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    submodule = f"{module}.{alias.name}"
                    found.add(submodule if submodule in known else module)
    return found & known


@cache
def arrows():
    """Return the modules that each module imports. Packages that only re-export are no modules of their own."""
    paths = modules()
    known = frozenset(paths)
    return {name: imported(path.read_text("utf-8"), known) - {name} for name, path in paths.items()}


def circle(graph):
    """Return one circle of a graph as a list of its vertices; empty if there is none."""
    state = {}

    def visit(vertex, trail):
        state[vertex] = "open"
        for neighbour in sorted(graph[vertex]):
            if state.get(neighbour) == "open":
                return [*trail[trail.index(neighbour) :], neighbour]
            if neighbour not in state and (found := visit(neighbour, [*trail, neighbour])):
                return found
        state[vertex] = "done"
        return []

    for vertex in sorted(graph):
        if vertex not in state and (found := visit(vertex, [vertex])):
            return found
    return []


def test_a_circle_is_found():
    """The search below finds a circle in a graph that has one, and none in a graph without."""
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert imported("def f():\n    from pkcs12kit.lab import keys\n", frozenset({"pkcs12kit.lab.keys"}))


def test_no_circle_of_imports():
    """No module imports itself through others: not at the top, not within a function, not for type checkers."""
    assert circle(arrows()) == []


def test_small_modules_have_several_importers():
    """A module of fewer than 60 lines with one importer belongs into that importer, unless it is allowed above."""
    graph = arrows()
    paths = modules()
    importers = {name: sum(name in of_one for of_one in graph.values()) for name in graph}
    lonely = {
        name
        for name, path in paths.items()
        if path.name != "__init__.py" and importers[name] == 1 and len(path.read_text("utf-8").splitlines()) < SMALL
    }
    assert lonely <= ALLOWED.keys()
    assert ALLOWED.keys() <= paths.keys()
