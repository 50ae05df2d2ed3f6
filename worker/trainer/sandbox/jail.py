"""Builds the walls around a program and runs it. Started as a script, with nothing imported.

    python -I -S -B -c JAIL SETTINGS

JAIL is this text, SETTINGS is JSON. It inherits file descriptors: `source` (the program), `token`
(a secret that must be read only after the program's last statement), `verdict` (gets the secret, or
`!` and the name of what was raised) and `failure` (what kept the walls from being built).

The process that reads this sets up namespaces and limits, becomes another user where it can, and
starts a fresh interpreter on `HARNESS`. It stays to end whatever that leaves behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from typing import Any

HARNESS = """
import os, sys, types
source, token, verdict = map(int, sys.argv[1:4])
os.write(verdict, b"+")
with os.fdopen(source, "rb") as file:
    text = file.read().decode("utf-8", "surrogatepass")
del file, source
sys.argv[:] = ["program.py"]
# A module of another name: what stands under `if __name__ == "__main__"` is no part of an answer.
sys.modules["program"] = types.ModuleType("program")
try:
    exec(compile(text, "program.py", "exec"), sys.modules["program"].__dict__)
except BaseException as error:
    import traceback
    name = type(error).__name__
    try:
        traceback.print_exc(limit=-3)
    finally:
        try:
            sys.stdout.flush()
        finally:
            os.write(verdict, b"!" + name.encode()[:100])
            os._exit(1)
for stream in (sys.stdout, sys.stderr):
    try:
        stream.flush()
    except BaseException:
        pass
os.write(verdict, os.read(token, 64))
os._exit(0)
"""

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_REC, MS_PRIVATE = 1024, 2048, 4096, 16384, 1 << 18
MS_RELATIME, MNT_DETACH = 1 << 21, 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
FORBIDDEN = {
    "x86_64": (0xC000003E, 56, (101, 248, 250, 272, 308, 319), 29, 435),
    "aarch64": (0xC00000B7, 220, (117, 217, 219, 97, 268, 279), 194, 435),
}
"""Architecture, clone, (ptrace, add_key, keyctl, unshare, setns, memfd_create), shmget, clone3."""
DEVICES = ("null", "zero", "random", "urandom")

libc = ctypes.CDLL(None, use_errno=True)


def call(function: Any, *arguments: Any) -> None:
    """Call into the C library; raise what it says."""
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount something."""
    call(
        libc.mount,
        source.encode(),
        target.encode(),
        kind.encode(),
        ctypes.c_ulong(flags),
        options.encode(),
    )


def bind(source: str, root: str) -> None:
    """Show a file or folder of the host at the same place below `root`, read-only."""
    target = root + source
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "ab"):
            pass
    mount(source, target, "none", MS_BIND | MS_REC)
    # What the host's mount forbids must stay forbidden, or the kernel refuses.
    state = os.statvfs(target).f_flag
    kept = sum(
        flag
        for flag, there in (
            (MS_NOEXEC, os.ST_NOEXEC),
            (MS_NOATIME, os.ST_NOATIME),
            (MS_NODIRATIME, os.ST_NODIRATIME),
            (MS_RELATIME, os.ST_RELATIME),
        )
        if state & there
    )
    device = source.startswith("/dev/")
    flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | (0 if device else MS_NODEV) | kept
    mount("none", target, "none", flags)


def build_root(settings: dict[str, Any]) -> None:
    """A file system with nothing but Python, some devices and a folder to write into."""
    root = settings["root"]
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for path in settings["visible"]:
        if os.path.islink(path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            os.symlink(os.readlink(path), root + path)
        elif os.path.exists(path):
            bind(path, root)
    for path in settings["hidden"]:
        if os.path.isdir(root + path):
            mount("tmpfs", root + path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k")
    for name in DEVICES:
        bind(f"/dev/{name}", root)
    work = f"{root}/work"
    os.mkdir(work)
    options = f"size={settings['disk']},nr_inodes=4096,mode=777"
    mount("tmpfs", work, "tmpfs", MS_NOSUID | MS_NODEV, options)
    old = f"{root}/old"
    os.mkdir(old)
    call(libc.syscall, ctypes.c_long(PIVOT_ROOT[platform.machine()]), root.encode(), old.encode())
    os.chdir("/")
    call(libc.umount2, b"/old", MNT_DETACH)
    os.rmdir("/old")
    mount("none", "/", "none", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir("/work")


def enter_namespaces() -> None:
    """Leave the host's processes, network, mounts and names; become init's parent."""
    spaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    spaces |= CLONE_NEWCGROUP
    if os.geteuid() == 0:
        call(libc.unshare, spaces)
        return
    user, group = os.geteuid(), os.getegid()
    call(libc.unshare, spaces | CLONE_NEWUSER)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def drop_privileges(user: int | None) -> None:
    """Become another user where that is possible, without any capability, for good."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    call(libc.capset, ctypes.byref(header), ctypes.byref(nothing))
    call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    forbid()


def forbid() -> None:
    """Refuse what makes memory beside the address space, namespaces, keys, and tracing.

    A seccomp filter: EPERM for those calls, and ENOSYS for clone3, whose flags a filter cannot see.
    """
    known = FORBIDDEN.get(platform.machine())
    if known is None:
        return
    architecture, clone, calls, shmget, clone3 = known
    load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    refused, allowed = 0x00050000, 0x7FFF0000
    code = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, refused | 1)]
    code += [(load, 0, 0, 0)]
    if architecture == 0xC000003E:  # the x32 numbers of the same calls
        code += [(at_least, 0, 1, 0x40000000), (give, 0, 0, refused | 38)]
    for number in (*calls, shmget):
        code += [(equal, 0, 1, number), (give, 0, 0, refused | 1)]
    code += [(equal, 0, 1, clone3), (give, 0, 0, refused | 38)]
    code += [(equal, 0, 3, clone), (load, 0, 0, 16), (any_bit, 0, 1, CLONE_NEWUSER)]
    code += [(give, 0, 0, refused | 1), (give, 0, 0, allowed)]
    raw = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(raw))
    call(libc.prctl, PR_SET_SECCOMP, 2, program, 0, 0)


def limit(settings: dict[str, Any]) -> None:
    """What the kernel refuses beyond."""
    seconds = int(settings["seconds"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for what, wanted in (
        (resource.RLIMIT_AS, settings["memory"]),
        (resource.RLIMIT_FSIZE, settings["disk"]),
        (resource.RLIMIT_NOFILE, settings["open_files"]),
        (resource.RLIMIT_NPROC, settings["processes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(what, (most, most))


def become_program(settings: dict[str, Any]) -> None:
    """Replace this process with a fresh interpreter on the harness."""
    descriptors = [settings[name] for name in ("source", "token", "verdict")]
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)  # noqa: FBT003
    kept = {0, 1, 2, settings["failure"], *descriptors}
    os.set_inheritable(settings["failure"], False)  # noqa: FBT003
    for descriptor in range(3, 1024):
        if descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    python = settings["python"]
    command = [python, "-I", "-S", "-B", "-c", HARNESS, *map(str, descriptors)]
    environment = {"LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    os.execve(command[0], command, environment)  # noqa: S606 - the harness


def run(settings: dict[str, Any]) -> int:
    """Start the program as a child; returns how it ended, as `waitpid` says it."""
    child = os.fork()
    if child == 0:
        try:
            if settings["root"] is None:
                os.chdir(settings["folder"])
            os.setsid()
            limit(settings)
            drop_privileges(settings["user"])
            become_program(settings)
        except Exception as error:  # noqa: BLE001 - as above
            os.write(settings["failure"], f"{error}".encode()[:500])
        finally:
            os._exit(126)
    # Only the child may speak: what is closed here cannot be written by a stray descendant.
    for name in ("source", "token", "verdict"):
        os.close(settings[name])
    while True:
        found, status = os.wait()
        if found == child:
            return status


def children(of: int) -> Iterator[int]:
    """Processes below one, where this host shows them."""
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{int(name)}/stat") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            if parent == of:
                yield int(name)


def end_leftovers(user: int | None) -> None:
    """End what the program left running. Where it had a process namespace, nothing is left."""
    if not os.path.isdir("/proc/self"):
        return
    if user is not None and os.fork() == 0:
        try:
            os.setresuid(user, user, user)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    for _ in range(1000):
        found = list(children(os.getpid()))
        for process in found:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def main() -> int:
    """Build the walls, run, and exit as the program did."""
    settings = json.loads(sys.argv[1])
    if settings["root"] is None:
        call(libc.prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        call(libc.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)

        def stop(*_: Any) -> None:
            end_leftovers(settings["user"])
            os._exit(124)

        signal.signal(signal.SIGTERM, stop)
        # Should the caller die, what was started here must end too.
        call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        status = run(settings)
        end_leftovers(settings["user"])
        return leave(status)
    call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    enter_namespaces()
    init = os.fork()
    if init == 0:
        # Process 1: when it ends, the kernel ends all others in its namespace.
        try:
            call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            call(libc.prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)
            build_root(settings)
            os._exit(leave(run(settings)))
        except Exception as error:  # noqa: BLE001 - whatever it was, it must be told
            os.write(settings["failure"], str(error).encode()[:500])
            os._exit(125)
    return leave(os.waitpid(init, 0)[1])


def leave(status: int) -> int:
    """An exit code for how a child ended: 128 and the signal's number, as shells do."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    try:
        code = main()
    except Exception as error:  # noqa: BLE001 - as above
        os.write(json.loads(sys.argv[1])["failure"], str(error).encode()[:500])
        code = 125
    os._exit(code)
