"""Programs that this process has started, ended with every process that they started themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final

_GRACE: Final = 1.0  # seconds between asking a program to end and ending it
_SETTLING: Final = 0.25  # seconds for ended processes to disappear; without a process that reaps orphans, some never do
_MOMENT: Final = 0.002  # seconds between checks whether they have ended
_KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
_TASKKILL: Final = rf"{os.environ.get('SYSTEMROOT', '')}\System32\taskkill.exe"
_TASKKILL_SECONDS: Final = 10.0  # seconds for Windows to end the children of a program


def end_process_group(process: subprocess.Popen[bytes]) -> bool:
    """End a program with its process group, which has the program's number, and return True once it has ended.

    Return False if it cannot be ended: it runs as another user, such as sudo, or waits for a device.

    The program must have been started with ``start_new_session=True``. It is asked to end, and ended after a second.
    Of a program that has ended by itself, the processes are ended that it left in its group. On Windows, which has no
    process groups, its children are ended with it, as long as the program itself runs.
    """
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    is_left = _signal(process, _KILL)  # the program itself, or what outlived it
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        return False
    patience = time.monotonic() + _SETTLING
    while is_left and time.monotonic() < patience:  # a signal takes a moment, and no process may write afterwards
        time.sleep(_MOMENT)
        is_left = _signal(process, _KILL)
    return True


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Send a signal to the group; return False where it has no process any more."""
    if sys.platform != "win32" and hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS raises the latter for processes that have ended
            return False
        return True
    return _end_tree(process)


def _end_tree(process: subprocess.Popen[bytes]) -> bool:
    """End the program with its children where there are no process groups; return False: none is left to wait for."""
    if process.poll() is None:
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - Windows' own program, no shell
                (_TASKKILL, "/T", "/F", "/PID", str(process.pid)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TASKKILL_SECONDS,
                check=False,
            )
        process.kill()
    return False
