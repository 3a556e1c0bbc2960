"""Windows as pkcs12kit would see it: what Python lacks there, and what its file system refuses.

Paths keep their slashes, and links, sockets and programs are those of this system.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import types
from contextlib import suppress
from pathlib import Path

from tests.simulated.system import Seen, called_by_us, called_through, ignore_case, imported_by_us, replaced

# As typeshed has them (sys.platform != "win32").
_OS = """
O_ACCMODE O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_FSYNC O_LARGEFILE O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW
O_NONBLOCK O_PATH O_RSYNC O_SYNC O_TMPFILE WCOREDUMP WEXITSTATUS WIFEXITED WIFSIGNALED WNOHANG WTERMSIG chown chroot
confstr copy_file_range ctermid environb eventfd fchdir fchmod fchown fdatasync fork forkpty fpathconf fstatvfs fwalk
getegid getenvb geteuid getgid getgrouplist getgroups getloadavg getpgid getpgrp getpriority getrandom getresgid
getresuid getsid getuid getxattr initgroups killpg lchmod lchown listxattr lockf login_tty major makedev memfd_create
minor mkfifo mknod nice openpty pathconf pidfd_open pipe2 posix_fadvise posix_fallocate posix_spawn posix_spawnp pread
preadv pwrite pwritev readv register_at_fork removexattr sched_getaffinity sched_setaffinity sched_yield sendfile
setegid seteuid setgid setgroups setpgid setpgrp setpriority setresgid setresuid setsid setuid setxattr splice statvfs
sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait wait3 wait4 waitid writev
"""
_SIGNAL = """
ITIMER_REAL ItimerError SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGHUP SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR
SIGQUIT SIGRTMAX SIGRTMIN SIGSTKFLT SIGSTOP SIGSYS SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM
SIGWINCH SIGXCPU SIGXFSZ SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm getitimer pause pthread_kill pthread_sigmask setitimer
siginterrupt sigpending sigtimedwait sigwait sigwaitinfo
"""
_SOCKET = "AF_UNIX MSG_DONTWAIT MSG_NOSIGNAL SOCK_CLOEXEC SOCK_NONBLOCK SO_REUSEPORT recv_fds send_fds sethostname"
_MISSING = "crypt curses fcntl grp nis posix pty pwd readline resource syslog termios tty"

_O_BINARY, _O_NOINHERIT = 1 << 29, 1 << 28
_WOULD_BLOCK = 10035


def simulate() -> None:
    """Change what the package sees, in this process and those that it starts."""
    none = frozenset()
    seen = [
        Seen(
            "os",
            _OS.split(),
            {
                "name": "nt",
                "O_BINARY": _O_BINARY,
                "O_NOINHERIT": _O_NOINHERIT,
                "supports_dir_fd": none,
                "supports_fd": none,
                "supports_follow_symlinks": none,
            },
        ),
        Seen("sys", ["getdlopenflags", "abiflags"], {"platform": "win32"}),
        Seen("signal", _SIGNAL.split(), {"SIGBREAK": stat.S_IXOTH}),
        Seen("socket", _SOCKET.split(), {"errorTab": {errno.ECONNREFUSED: "Connection refused"}}),
        Seen("select", ["poll", "epoll", "PIPE_BUF"]),
        Seen("time", ["tzset", "clock_gettime", "pthread_getcpuclockid"]),
        Seen("errno", [], {"WSAEWOULDBLOCK": _WOULD_BLOCK}),
        _msvcrt(),
    ]
    del seen[2].__dict__["SIGBREAK"]  # nothing here sends it
    imported_by_us(seen, _MISSING.split())
    _refuse_open_files()
    _change_opening()
    _change_modes()
    _change_sockets()
    _change_programs()
    ignore_case()


def _msvcrt():
    """Return the module with the locks: of bytes from the position on, and of an open file, as those of Windows."""
    import fcntl

    def locking(descriptor, mode, count):
        kind = fcntl.F_UNLCK if mode == 0 else fcntl.F_WRLCK
        asked = struct.pack("hhqqi4x", kind, os.SEEK_CUR, 0, count, 0)  # struct flock of fcntl(2)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, asked)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, "Permission denied") from None

    module = types.ModuleType("msvcrt")
    module.__dict__.update(locking=locking, LK_UNLCK=0, LK_NBLCK=2)
    sys.modules["msvcrt_simulated"] = module
    return module


def _require_closed(*paths) -> None:
    """Raise as Windows does for a file that this process has open."""
    opened = set()
    for one in os.listdir("/proc/self/fd"):  # noqa: PTH208  # as the package sees it not
        try:
            status = os.fstat(int(one))
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            opened.add((status.st_dev, status.st_ino))
    for path in paths:
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in opened:
            raise PermissionError(errno.EACCES, "the file is in use by a process", os.fspath(path))
        if stat.S_ISREG(status.st_mode) and not status.st_mode & 0o222:
            raise PermissionError(errno.EACCES, "Access is denied", os.fspath(path))


def _refuse_open_files() -> None:
    @replaced(os, "replace")
    def replace(real, old, new):
        _require_closed(old, new)
        real(old, new)

    @replaced(os, "rename")
    def rename(real, old, new):
        _require_closed(old)
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, "Cannot create a file when that file already exists", os.fspath(new))
        real(old, new)

    for name in ("unlink", "remove"):

        @replaced(os, name)
        def unlink(real, path, **named):
            if not called_through("tempfile"):  # which asks Windows to remove its files when they are closed
                _require_closed(path)
            real(path, **named)


def _change_opening() -> None:
    change_mode = os.fchmod

    @replaced(os, "open")
    def opened(real, path, flags, mode=0o777, *, dir_fd=None):  # noqa: ARG001  # Windows keeps the read-only bit
        if dir_fd is not None:
            raise NotImplementedError("dir_fd unavailable on this platform")
        if os.path.isdir(path):  # noqa: PTH112  # which sees this system
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        if not flags & _O_BINARY and os.fspath(path) != os.devnull and not called_through("tempfile"):
            raise AssertionError("this file would be opened as text")
        is_new = flags & os.O_CREAT and not os.path.lexists(path)
        descriptor = real(path, flags & ~(_O_BINARY | _O_NOINHERIT), 0o666)
        if is_new:  # whatever the umask
            change_mode(descriptor, 0o666)
        return descriptor

    @replaced(os, "scandir")
    def scan(real, path="."):
        if isinstance(path, int):
            raise TypeError("scandir: path should be string, bytes, os.PathLike or None, not int")
        return real(path)

    @replaced(os, "fsync")
    def sync(real, descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(descriptor)


def _change_modes() -> None:
    def shown(status):
        kind = stat.S_IFMT(status.st_mode)
        bits = 0o777 if stat.S_ISDIR(kind) else 0o666 if status.st_mode & 0o222 else 0o444
        values = list(status)
        values[0], values[4], values[5] = kind | bits, 0, 0
        times = {name: getattr(status, name) for name in ("st_atime", "st_mtime", "st_ctime")}
        times |= {f"{name}_ns": getattr(status, f"{name}_ns") for name in times}
        return os.stat_result(values, times)

    for name in ("stat", "lstat", "fstat"):

        @replaced(os, name)
        def status(real, *args, **kwargs):
            if kwargs.get("dir_fd") is not None:
                raise NotImplementedError("dir_fd unavailable on this platform")
            return shown(real(*args, **kwargs))

    @replaced(os, "chmod")
    def chmod(real, path, mode, **kwargs):
        real(path, 0o666 if mode & 0o200 else 0o444, **kwargs)

    @replaced(os, "access")
    def access(real, path, mode, **kwargs):  # the read-only bit alone
        return real(path, mode & ~os.X_OK, **kwargs)


def _change_sockets() -> None:
    class Socket(socket.socket):
        """A socket that answers with the numbers of Windows."""

        def connect_ex(self, address):
            number = super().connect_ex(address)
            return _WOULD_BLOCK if number == errno.EINPROGRESS and called_by_us() else number

    socket.socket = Socket


def _change_programs() -> None:
    real = subprocess.Popen.__init__

    def starting(self, args, *more, **named):
        if called_by_us():
            assert not named.get("pass_fds"), "pass_fds not supported on Windows."
        if not isinstance(args, str) and os.fspath(args[0]).endswith("taskkill.exe"):
            _end_tree(int(args[-1]))
            args = ["true"]
        return real(self, args, *more, **named)

    subprocess.Popen.__init__ = starting


def _end_tree(root) -> None:
    """End a process and those that it has started, as taskkill does."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    ended = {root}
    while more := {one for one, parent in parents.items() if parent in ended} - ended:
        ended |= more
    for one in ended:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
