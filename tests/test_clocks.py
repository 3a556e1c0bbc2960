"""No test asserts seconds: a busy machine would fail it, and a quick one would hide what it looks for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
CLOCKS = {
    f"{name}{unit}"
    for name in ("monotonic", "perf_counter", "process_time", "thread_time", "time")
    for unit in ("", "_ns")
} | {"clock_gettime", "clock_gettime_ns", "times", "getrusage", "default_timer", "timeit", "repeat"}
OF_MODULES = {"time", "timeit", "os", "resource"}
IMPORTED = re.compile(rf"^\s*(import|from) .*\b({'|'.join(OF_MODULES)})\b", re.MULTILINE)
NAMED = re.compile(rf"\b({'|'.join(CLOCKS)})\b")
SLOW = 4  # tests with a clock, at most: calls of C, which counts do not see, and kills at moments of a whole run
ALLOWED = {
    # function outside of tests: why it has a clock
    "fuzz/run.py:fuzz_randomly": "it runs for as long as was asked",
    "interoperability/rivals.py:_find": "another library's search, which has no end of its own, is given up",
}


def clocks_of(tree):
    """Return what a module calls clocks: the modules under their names there, and the functions."""
    modules, functions = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {it.asname or it.name: it.name for it in node.names if it.name in OF_MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module in OF_MODULES:
            functions |= {it.asname or it.name for it in node.names if it.name in CLOCKS or it.name == "*"}
    return modules, functions


def reads_a_clock(node, modules, functions):
    """Return True if a function reads a clock itself; naming one counts, as it can be called under another name."""
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id in modules:
            if one.attr in CLOCKS:
                return True
        elif isinstance(one, ast.Name) and one.id in functions:
            return True
    return False


def is_slow(node):
    """Return True if a function or class is marked slow."""
    return any(ast.unparse(it) == "pytest.mark.slow" for it in node.decorator_list)


def timed(tree):
    """Return the names of the functions of a module that read a clock: those marked slow, and the others."""
    modules, functions = clocks_of(tree)
    slow, others = [], []

    def look_into(parent, marked):
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.ClassDef):
                look_into(node, marked or is_slow(node))
            elif reads_a_clock(node, modules, functions):
                name = getattr(node, "name", f"line {getattr(node, 'lineno', 0)}")
                is_marked = marked or (isinstance(node, ast.FunctionDef) and is_slow(node))
                (slow if is_marked else others).append(name)

    look_into(tree, marked=False)
    return slow, others


def test_clocks_are_few_and_slow():
    """Only a few tests, marked slow, read a clock; counting.py counts steps instead."""
    slow, others = [], []
    for path in sorted(TESTS.rglob("*.py")):
        name = path.relative_to(TESTS).as_posix()
        text = path.read_text("utf-8")
        found = timed(ast.parse(text)) if IMPORTED.search(text) and NAMED.search(text) else ([], [])
        for names, all_of_them in zip(found, (slow, others), strict=True):
            all_of_them += [f"{name}:{it}" for it in names]
    assert sorted(others) == sorted(ALLOWED)
    assert len(slow) <= SLOW, slow


def with_a_deadline(tree):
    """Return the lines that let hypothesis fail an example for the time that it takes."""
    keywords = [it for node in ast.walk(tree) if isinstance(node, ast.Call) for it in node.keywords]
    return [
        it.lineno
        for it in keywords
        if it.arg == "deadline" and isinstance(it.value, ast.Constant) and it.value.value is not None
    ]


def test_examples_have_no_deadline():
    """Hypothesis fails an example that takes 200 milliseconds, if it is not told otherwise."""
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check
    for path in TESTS.rglob("*.py"):
        text = path.read_text("utf-8")
        assert "deadline" not in text or with_a_deadline(ast.parse(text)) == [], path
    assert with_a_deadline(ast.parse("settings(deadline=None)\nsettings(deadline=500)")) == [2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import time\ndef test():\n    assert time.perf_counter() < 1", ([], ["test"])),
        ("import time as clock\nasync def test():\n    clock.monotonic()", ([], ["test"])),
        ("from time import process_time as now\nclass Test:\n    def test(self):\n        now()", ([], ["test"])),
        ("import time\nnow = time.time", ([], ["line 2"])),
        ("def test():\n    import time\n    def inner():\n        return time.time_ns()", ([], ["test"])),
        ("import timeit\ndef helper():\n    timeit.timeit('1')", ([], ["helper"])),
        ("import time\n@pytest.mark.slow\ndef test():\n    time.time()", (["test"], [])),
        ("import time\n@pytest.mark.slow\nclass Test:\n    def test(self):\n        time.time()", (["test"], [])),
        ("import time\ndef test(report):\n    time.sleep(1)\n    assert report.time == 3", ([], [])),
    ],
)
def test_clocks_are_found(text, found):
    """The check finds clocks under any name, and nothing else."""
    assert timed(ast.parse(text)) == found
