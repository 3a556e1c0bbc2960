"""The harness that runs the pages sees what is wrong with one, and says where."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def run(run_page, tmp_path):
    """Run a page that is given as text."""

    def run_text(text: str) -> None:
        page = tmp_path / "made-up.md"
        page.write_text(text, "utf-8")
        run_page(page)

    return run_text


GOOD = r"""
% run: echo before >made && mkdir sub
# A page

Text, with `code`.

```shell
grep -q before made
! grep -q after made
export SAID="by the block above"
cd sub
sleep 60 &
```

```console
$ echo "$SAID" \
>     and more; pwd; echo on error >&2
by the block above and more
.../sub
on error
$ printf 'client     verdict  \n  openssl  accepted   \n  a/b/c    not tried  \n'
client verdict
  openssl   accepted
  a/b/c  not   tried
$ pkcs12kit lab --help | head -n 1
Usage: pkcs12kit lab [OPTIONS] FOLDER
$ pkcs12kit nothing; printf 'a line  \n\nand another'
...nothing...
a line

and another
$ true
```

1. A list:

   ```{note}
   :class: dropdown
   with a block in it
   ~~~python
   import os
   said = os.environ["SAID"]
   ~~~
   ```

```pycon
>>> said.split()[0], sorted(os.listdir(".."))
('by', [...'made'...])
>>> 1 / 0
Traceback (most recent call last):
ZeroDivisionError: ...
```

```sh
sudo pkcs12kit probe mdm.example.mil:443 --anchor fcpca.pem --timeout 5 2>/dev/null | head  # look at it
if VARIABLE=1 .venv/bin/pkcs12kit gather "$CERT" --into x; then pkcs12kit --help; fi
```

```text
anything
```
"""


def test_a_sound_page_passes(run):
    """Blocks share folder, environment and namespace; what is meant to differ may."""
    run(GOOD)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```shell\ntrue\nfalse\ntrue\n```", "exit status 1"),
        ("```shell\nfalse | true\n```", "exit status 1"),
        ("```shell\necho $NEVER_SET\n```", "unbound variable"),
        ("% run: exit 3", "exit status 3"),
        ("> ```console\n> $ echo one\n> two\n> ```", "one"),
        ("```console\n$ echo one\n```", "one"),
        ("```console\n$ true\nsomething\n```", "something"),
        ("```console\n$ echo 'openssl  refused'\nopenssl  accepted\n```", "refused"),
        ("```console\n$ echo one two\nonetwo\n```", "one two"),
        ("```console\necho one\n```", "begins with"),
        ("- ```python\n  1 / 0\n  ```", "ZeroDivisionError"),
        ("```python\nx = (\n```", "SyntaxError"),
        ("```pycon\n>>> 1 + 1\n3\n```", "Expected:\n    3\nGot:\n    2"),
        ("```pycon\n1 + 1\n```", "a line with >>>"),
        ("```sh\nif true\n```", "syntax error"),
        ("```sh\ntrue && pkcs12kit gather --nonsense x | cat\n```", "No such option"),
        ("```sh\npkcs12kit verify \\\n    server.p12\n```", "Missing option"),
        ("```sh\nx=$(pkcs12kit verily x)\n```", "No such command 'verily'"),
        ("```json\n{,}\n```", "Expecting"),
        ("```toml\n[x\n```", "Expected"),
        ("```bash\ntrue\n```", "no language 'bash'"),
        ("```\ntrue\n```", "no language ''"),
        ("    indented", "no language ''"),
        ("```{code-block} python\n1 / 0\n```", "no language '{code-block}'"),
        ("```{warning}\n~~~shell\nfalse\n~~~\n```", "exit status 1"),
    ],
)
def test_a_wrong_block_fails(run, block, said):
    """What a block says and does not do fails the page, and the line is told."""
    with pytest.raises(pytest.fail.Exception, match=re.escape(said)) as caught:
        run(f"# A page\n\n{block}\n")
    line = 3 if block.startswith(("%", "    ")) else 5 if "{warning}" in block else 4
    assert f"made-up.md:{line}:" in str(caught.value).partition("\n")[0]


def test_a_page_that_lacks_a_program_is_not_run(run, monkeypatch):
    """It is skipped where people work, and fails in CI."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no-such-program"):
        run("% needs: bash no-such-program\n\n```shell\nfalse\n```\n")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs no-such-program"):
        run("% needs: bash no-such-program\n")
