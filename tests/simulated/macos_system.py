"""macOS as pkcs12kit would see it: without the functions of Linux and /proc, and with names in any capital letters."""

from __future__ import annotations

import builtins
import errno
import io
import os

from tests.simulated.system import Seen, ignore_case, imported_by_us, replaced

# As typeshed has them (sys.platform == "linux").
_OS = """
O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_RSYNC O_TMPFILE POSIX_FADV_NORMAL P_PIDFD copy_file_range eventfd fdatasync
getrandom getresgid getresuid getxattr listxattr memfd_create pidfd_open pipe2 posix_fadvise posix_fallocate removexattr
sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity setresgid setresuid setxattr splice
"""
_SIGNAL = "SIGCLD SIGPOLL SIGPWR SIGRTMAX SIGRTMIN SIGSTKFLT sigtimedwait sigwaitinfo"
_SOCKET = "MSG_CONFIRM MSG_MORE SOCK_CLOEXEC SOCK_NONBLOCK SO_PEERCRED TCP_KEEPIDLE TCP_USER_TIMEOUT"
_LINUX = ("/proc", "/sys")
_FULL_SYNC = 51


def simulate() -> None:
    """Change what the package sees, in this process and those that it starts."""
    real = __import__("fcntl")

    def control(descriptor, command, *args):
        return os.fsync(descriptor) or 0 if command == _FULL_SYNC else real.fcntl(descriptor, command, *args)

    imported_by_us(
        [
            Seen("os", _OS.split()),
            Seen("sys", [], {"platform": "darwin"}),
            Seen("signal", _SIGNAL.split()),
            Seen("socket", _SOCKET.split()),
            Seen("select", ["epoll"]),
            Seen("fcntl", ["F_SETPIPE_SZ", "F_OFD_SETLK"], {"F_FULLFSYNC": _FULL_SYNC, "fcntl": control}),
        ],
        set(),
    )
    for module, name in ((os, "open"), (os, "stat"), (os, "lstat"), (os, "listdir"), (builtins, "open"), (io, "open")):
        _without_linux(module, name)
    ignore_case()


def _without_linux(module, name) -> None:
    """Let the folders of Linux be absent."""

    @replaced(module, name)
    def opened(real, path=".", *args, **kwargs):
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(_LINUX):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", os.fspath(path))
        return real(path, *args, **kwargs)
