"""The language of docstrings, messages and help: plain words, and docstrings that begin with what they name or do."""

import ast
import re
from pathlib import Path

import click
import pytest

import pkcs12kit
from pkcs12kit.cli import cli

PACKAGE = Path(pkcs12kit.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
OPENINGS = frozenset({"Say", "Give", "Take", "Tell", "What", "Who", "Whoever", "Whether", "Whence"})
HABITS = re.compile(r"\b(?:anew|whence|whoever|whatsoever|nobody|that which)\b|, too\b", re.IGNORECASE)
# "X is no Y" for "X is not a Y"; "there is no Y" is plain.
FOLDED = re.compile(r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b)\w", re.IGNORECASE)


def docstrings(source: str):
    """Yield the line and the text of each docstring, those under assignments included."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for statement in body:
                match statement:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        yield statement.lineno, text


def habits(source: str) -> list[str]:
    """List the docstrings that begin with a word for printing or asking, or hold an old-fashioned word."""
    found = []
    for line, text in docstrings(source):
        opening = re.match(r"\W*(\w+)", text)
        if (opening and opening[1] in OPENINGS) or HABITS.search(text):
            found.append(f"{line}: {text.strip().splitlines()[0]}")
    return found


@pytest.mark.parametrize("module", [pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in MODULES])
def test_docstrings_begin_plainly(module):
    """A docstring begins with an imperative or a noun phrase, and none holds a word that has to be looked up."""
    assert habits(module.read_text("utf-8")) == []


def old_words(source: str) -> list[str]:
    """List the texts of a module, messages among them, that hold an old-fashioned word or a folded denial."""
    texts = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return [
        f"{node.lineno}: {node.value.strip()}"
        for node in texts
        if isinstance(node.value, str) and (HABITS.search(node.value) or FOLDED.search(node.value))
    ]


@pytest.mark.parametrize("module", [pytest.param(path, id=str(path.relative_to(PACKAGE))) for path in MODULES])
def test_texts_are_in_plain_words(module):
    """Messages, help and docstrings are read by people in a hurry, many of them not native speakers."""
    assert old_words(module.read_text("utf-8")) == []


@pytest.mark.parametrize("text", ["{} is no file", "Nobody can.", "It is trusted, too", "type it anew"])
def test_an_old_word_is_found(text):
    """The rule above fails where a message has the habit, also in a text with values in it."""
    assert old_words(f"print(f{text.replace('{}', '{x}')!r})\n")
    assert not old_words("print('there is no file; it is no longer there')\n")


@pytest.mark.parametrize(
    "text", ["Say yes.", "Whether it is.", "What it is.", "`Give` it.", "Return it anew.", "Return it to whoever asks."]
)
def test_a_habit_is_found(text):
    """The rule above fails where a docstring has the habit, in a module, a class, a function and an attribute."""
    assert habits(f'"""{text}"""\n')
    assert habits(f'class A:\n    """{text}"""\n')
    assert habits(f'def a():\n    """{text}"""\n')
    assert habits(f'A = 1\n"""{text}"""\n')


COMMANDS = {"": cli} | {
    name: cli.get_command(click.Context(cli), name) for name in cli.list_commands(click.Context(cli))
}


def help_texts(command):
    """Yield what a command shows of itself: its description, its examples, and the text of each option."""
    yield command.help or ""
    yield command.epilog or ""
    for parameter in command.params:
        yield getattr(parameter, "help", None) or ""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_plain(name):
    """Each text of ``--help`` keeps the rules for docstrings, and denies with "not": "X is no Y" is read twice."""
    texts = [*help_texts(COMMANDS[name]), *([] if name else dict(cli.summaries()).values())]
    for text in texts:
        assert habits(f"{text!r}\n") == []
        assert FOLDED.search(text) is None, text
