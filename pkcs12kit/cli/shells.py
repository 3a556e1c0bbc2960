"""Completion in bash, zsh and fish over click's protocol: the script for each shell, and the answers to it.

Click's own scripts are not used: they offer nothing after ``--option=``, cut descriptions at commas in fish, and fail
at the second call where zsh loads them from $fpath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete, add_completion_class

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

# For ``file`` and ``dir`` readline completes, and escapes spaces and quotes as it does for any command.
_BASH: Final = """\
%(complete_func)s() {
    local IFS=$'\\n' line
    COMPREPLY=()
    while read -r line; do
        case $line in
            file,*) compopt -o default ;;
            dir,*) compopt -o dirnames ;;
            plain,*) COMPREPLY+=("${line#plain,}") ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete \\
        "${1/#\\~/$HOME}" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

# compset hides the text before the value, so that the rest of the word is completed like a separate word.
_ZSH: Final = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local kind value description
    local -a plain described
    for kind value description in "${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \\
        %(complete_var)s=zsh_complete ${~words[1]} 2>/dev/null)}"; do
        case $kind in
            file) compset -P '--[^=]##='; _files ;;
            dir) compset -P '--[^=]##='; _files -/ ;;
            plain)
                if [[ $description == _ ]]; then plain+=("$value"); else described+=("$value:$description"); fi ;;
        esac
    done
    if (( $#plain )); then compset -P '--[^=]##='; compadd -V values -a plain; fi
    if (( $#described )); then _describe -V '%(prog_name)s' described; fi
}
if [[ $funcstack[1] == %(complete_func)s ]]; then %(complete_func)s "$@"
else compdef %(complete_func)s %(prog_name)s; fi
"""

_FISH: Final = """\
function %(complete_func)s
    set -l program (commandline -opc)[1]
    command -q $program; or set program %(prog_name)s
    set -l option (string match -r -- '^--[^=]+=' (commandline -ct); or echo '')
    for line in (env COMP_WORDS=(commandline -cp | string collect) COMP_CWORD=(commandline -ct) \\
            %(complete_var)s=fish_complete $program 2>/dev/null)
        set -l kind (string split --max 1 , -- $line)
        switch $kind[1]
            case file
                printf '%%s\\n' $option(__fish_complete_path $kind[2])
            case dir
                printf '%%s\\n' $option(__fish_complete_directories $kind[2] '')
            case plain
                printf '%%s\\n' $option$kind[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""


class _Bash(BashComplete):
    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words; ``--option=value``, which bash splits at ``=`` (COMP_WORDBREAKS), as ``--option value``."""
        args, incomplete = super().get_completion_args()
        joined = [word for number, word in enumerate(args) if word != "=" or not args[number - 1].startswith("--")]
        return joined, "" if incomplete == "=" else incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return the line for the script above; the line of click itself differs between its versions."""
        return f"{item.type},{item.value}"

    @staticmethod
    def _check_version() -> None:
        """Accept every version of bash: the script may be for another computer."""


class _Zsh(ZshComplete):
    source_template = _ZSH

    @property
    def func_name(self) -> str:
        """The name of the file that zsh loads the function from, so that later calls reach the function itself."""
        return f"_{self.prog_name}"

    def format_completion(self, item: CompletionItem) -> str:
        """Return the lines for the script above, in which ``_describe`` ends the value at its first bare colon."""
        value = str(item.value).replace(":", r"\:") if item.help else item.value
        return f"{item.type}\n{value}\n{_in_a_line(item.help) or '_'}"


class _Fish(FishComplete):
    source_template = _FISH

    def format_completion(self, item: CompletionItem) -> str:
        """Return the line for the script above."""
        return f"{item.type},{item.value}" + (f"\t{_in_a_line(item.help)}" if item.help else "")


def _in_a_line(text: str | None) -> str:
    return " ".join((text or "").split())


SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def script(shell: str, command: click.Command, *, program: str, variable: str) -> str:
    """Return the script for a shell, a name of :data:`SHELLS`; it asks the program through the variable."""
    return SHELLS[shell](command, {}, program, variable).source()


def register() -> None:
    """Make click answer the questions of these scripts."""
    for shell in SHELLS.values():
        add_completion_class(shell)
