"""One writer per store: a file that the kernel locks for as long as its process lives.

Beside it stand host, process, boot and start time, and the file's time is renewed while the run goes on (a heartbeat).
A lock is stale when its process is gone, and so is one of another machine, or where the kernel locks nothing, whose
heart has not beaten for some minutes."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError

lock_file: Callable[[int], None] | None = None  # what the system has for it
try:
    import fcntl

    def _flock(handle: int) -> None:
        """Lock an open file. Raises BlockingIOError where another one has it locked."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    lock_file = _flock
except ImportError:
    try:
        import msvcrt  # Windows

        def _locking(handle: int) -> None:
            """Lock an open file, by a byte beyond its content. Raises PermissionError where another one has it
            locked."""
            os.lseek(handle, 1 << 30, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

        lock_file = _locking
    except ImportError:
        pass

POSIX = os.name == "posix"
BEAT = 20.0  # s between heartbeats
STALE = 600.0  # s without one
FILLING = 5.0  # s that a writer may take to say who it is


def lock_of(path: Path) -> Path:
    """The lock beside a store."""
    return path.with_suffix(".lock")


def boot() -> str:
    """Which start of this machine it is; "" where nobody knows."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def started(pid: int) -> str:
    """When a process was started, so that another one with its number is not taken for it; "" where there is none, or
    nobody knows."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def alive(holder: Mapping[str, Any]) -> bool | None:
    """Does a process of this machine live? None where nobody knows."""
    pid = holder.get("pid")
    if not isinstance(pid, int) or pid <= 0 or holder.get("boot") != boot():
        return False
    if not POSIX:  # there, os.kill ends a process instead of asking for it
        return None
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # another user's
    return not holder.get("started") or holder["started"] == started(pid)


class Lock:
    """Held from the moment it is made. Raises DataError where another run is writing here, OSError where no file can be
    written.

    take_over   take it, whoever holds it
    """

    def __init__(self, path: Path, take_over: bool = False):
        self.store, self.path = path, lock_of(path)
        self.beaten = time.monotonic()
        self.handle = -1
        for _ in range(100):
            fresh = self._open()
            if self.handle < 0:
                continue
            try:
                kernel = self._kernel()
                if self._is_there():
                    if fresh or take_over or self._may_take(kernel):
                        if kernel != "held":
                            self._say()
                            return
                        self.path.unlink(
                            missing_ok=True
                        )  # its holder keeps a file that nobody looks at, and notices at its next beat
                    else:
                        time.sleep(0.1)
            except BaseException:
                self._close()
                raise
            self._close()
        raise self._held({})

    def _open(self) -> bool:
        """Open the file; whether it was made by that."""
        try:
            self.handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            return True
        except FileExistsError:
            pass
        try:
            self.handle = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:  # given back meanwhile
            pass
        return False

    def _close(self) -> None:
        os.close(self.handle)
        self.handle = -1

    def _is_there(self) -> bool:
        """Whether the open file still is the one in the folder, not one that its holder has just removed."""
        try:
            return os.path.samestat(os.fstat(self.handle), self.path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _kernel(self) -> str:
        """What the kernel says: "mine" from now on, "held" by another process, or "silent" where it locks nothing."""
        if lock_file is None:
            return "silent"
        try:
            lock_file(self.handle)
        except (BlockingIOError, PermissionError):
            return "held"
        except OSError:  # a file system without locks
            return "silent"
        other = os.open(self.path, os.O_RDWR)
        try:
            lock_file(other)
        except (BlockingIOError, PermissionError):
            return "mine"
        except OSError:
            return "silent"
        finally:
            os.close(other)
        return "silent"  # it grants everything

    def _may_take(self, kernel: str) -> bool:
        """May a lock that was there be taken? False: not yet known. Raises DataError where it is held."""
        text, age = self.path.read_bytes()[:4096], time.time() - self.path.stat().st_mtime
        try:
            holder = json.loads(text)
        except ValueError:
            holder = None
        sound = isinstance(holder, dict) and {"host", "pid", "boot"} <= set(holder)
        if kernel == "held" and (sound or age > FILLING):
            raise self._held(holder if sound else {})
        if not sound:  # damaged, or just being filled in
            return kernel == "mine" or age > FILLING
        if holder["host"] != socket.gethostname():
            lives: bool | None = None  # of another machine nobody knows but by its heart
        else:
            lives = False if kernel == "mine" else alive(holder)
        if lives or (lives is None and age < STALE):
            raise self._held(holder)
        return True

    def _held(self, holder: Mapping[str, Any]) -> DataError:
        who = f"process {holder.get('pid')} on {holder.get('host')}" if holder else "a process that has not said which"
        return DataError(
            str(self.store), f"another run is writing here: {who}.", f"Its lock is {self.path}.",
            "Choose another folder, or wait for it; if it is gone, take its lock over: --take-over (take_over=True).",
        )  # fmt: skip

    def _say(self) -> None:
        pid = os.getpid()
        mine = json.dumps({"host": socket.gethostname(), "pid": pid, "boot": boot(), "started": started(pid)}).encode()
        os.ftruncate(self.handle, 0)
        os.lseek(self.handle, 0, os.SEEK_SET)
        os.write(self.handle, mine)

    def beat(self, now: bool = False) -> None:
        """Say that this run is alive, from time to time. Raises DataError where the folder is gone, or the lock was
        taken over."""
        if not now and time.monotonic() - self.beaten < BEAT:
            return
        self.beaten = time.monotonic()
        if self._is_there():
            os.utime(self.path)
        elif self.path.exists():
            raise DataError(
                str(self.store),
                "another run has taken this folder over.",
                remedy="One of the two must write elsewhere.",
            )
        else:
            raise DataError(
                str(self.store),
                "its folder, or the lock in it, was deleted while the run was writing.",
                remedy="Run the model again.",
            )

    def release(self) -> None:
        """Give the lock back; nothing happens if it is gone already, or another run's."""
        if self.handle < 0:
            return
        mine = self._is_there()
        if not POSIX:  # an open file cannot be removed there
            self._close()
        if mine:
            self.path.unlink(missing_ok=True)
        if self.handle >= 0:
            self._close()
