"""Runs one playbook to its end, whatever becomes of the daemon.

In: the run's folder, with `run.json` in it.
Out: `process` (begun, at most once), `events` (the hosts greet), `cut` (why we ended it early),
`end` (how it ended). The lock on `lock` is held exactly as long as this process lives.
Never: reports the hosts' results (Ansible does, into `events`); leaves a process behind.
"""

import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import sys
import time

OURS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None)


def write(name, record):
    """Writes a file that is there in full or not at all."""
    with open(name + ".new", "w") as file:
        json.dump(record, file)
    os.rename(name + ".new", name)


def claim():
    """Whether this process, and no other ever, is the one that runs this run."""
    lock = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = os.open("process", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return False
    os.write(process, json.dumps({"pid": os.getpid(), "began_at": time.time()}).encode())
    os.close(process)
    return True


class Gate:
    """Waits until every host greets over SSH, so that none counts as unreachable for booting.

    An open port is not enough: a frozen machine's kernel still accepts connections.
    """

    # A try at an address nobody answers for would block for minutes; a refusal comes at once.
    TRY_SECONDS, PAUSE_SECONDS = 2.0, 0.1

    def __init__(self, hosts, patience):
        self.began = time.monotonic()
        self.until = self.began + patience
        self.poll = select.poll()
        self.waiting = {host["label"]: host for host in hosts}
        self.due = {host["label"]: self.began for host in hosts}
        self.tries = {}
        self.reader, self.writer = os.pipe()

    def is_open(self):
        return self.writer is None

    def watch(self, seconds):
        """Looks for greetings for at most `seconds`, and opens when it has them all."""
        now = time.monotonic()
        for label in [label for label in self.waiting if self.due[label] <= now]:
            self.drop(label)
            self.begin(label, now)
        for descriptor, _ in self.poll.poll(seconds * 1000):
            self.look(descriptor)
        if not self.waiting or self.until <= time.monotonic():
            self.open()

    def begin(self, label, now):
        host = self.waiting[label]
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.due[label] = now + self.TRY_SECONDS
        connection.connect_ex((host["address"], host["port"]))
        self.tries[connection.fileno()] = (label, connection)
        self.poll.register(connection, select.POLLIN)

    def look(self, descriptor):
        label, connection = self.tries[descriptor]
        try:
            greets = connection.recv(4) == b"SSH-"
        except OSError:
            greets = False
        self.drop(label)
        if greets:
            del self.waiting[label]
            event("ssh_ready", host=label, seconds=round(time.monotonic() - self.began, 3))
        else:
            self.due[label] = time.monotonic() + self.PAUSE_SECONDS

    def drop(self, label):
        for descriptor, (name, connection) in list(self.tries.items()):
            if name == label:
                self.poll.unregister(descriptor)
                connection.close()
                del self.tries[descriptor]

    def open(self):
        for label in list(self.waiting):
            self.drop(label)
        os.close(self.writer)
        self.writer = None


def event(name, **fields):
    line = json.dumps({"event": name, "at": round(time.time(), 3), **fields}).encode()
    with open("events", "ab", buffering=0) as file:
        file.write(line + b"\n")


def spawn(run, gate, umask):
    """Starts the playbook; should we be killed, the kernel kills it, too."""
    child = os.fork()
    if child:
        os.close(gate.reader)
        return child
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # Started in a shell's background we would have inherited an ignored SIGINT.
        for number in OURS | {signal.SIGPIPE}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.set_inheritable(gate.reader, True)
        environment = dict(run["environment"], WINDLASS_GATE=str(gate.reader))
        os.umask(umask)
        os.chdir(run["directory"])
        os.execve(run["command"][0], run["command"], environment)
    except OSError as problem:
        os.write(2, ("could not start the playbook: %s\n" % problem).encode())
    finally:
        os._exit(127)


def descendants():
    """Everything that we started, directly or not: orphans come back to us (subreaper)."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, "rb") as file:
                parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
    found, level = set(), {os.getpid()}
    while level:
        level = {child for child, parent in parents.items() if parent in level} - found
        found |= level
    return found


def signal_all(number):
    for process in descendants():
        try:
            os.kill(process, number)
        except ProcessLookupError:
            pass


def reap():
    """Collects who has ended: wait status by process."""
    ended = {}
    try:
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return ended
            ended[process] = status
    except ChildProcessError:
        return ended


class Cut:
    """Ends a run early: interrupts, then terminates, then kills everything we started."""

    def __init__(self, grace):
        self.grace = grace
        self.stages = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
        self.next_at = None

    def begin(self, cause):
        # A report that is complete stands: then only stragglers are ended.
        if self.next_at is None:
            if not os.path.exists("reported"):
                write("cut", {"cause": cause})
            self.next_at = time.monotonic()

    def escalate(self):
        if self.next_at is not None and self.next_at <= time.monotonic():
            signal_all(self.stages[0])
            self.stages = self.stages[1:] or self.stages
            self.next_at = time.monotonic() + self.grace


def attend(run, seconds_left, umask):
    """Runs the playbook; returns its exit code, negative for a signal's number."""
    deadline = time.monotonic() + seconds_left
    gate = Gate(run["hosts"], min(run["ssh_wait_seconds"], seconds_left / 2))
    child = spawn(run, gate, umask)
    cut = Cut(run["grace_seconds"])
    while True:
        ended = reap()
        if child in ended:
            return os.waitstatus_to_exitcode(ended[child])
        if deadline <= time.monotonic():
            cut.begin("deadline")
        cut.escalate()
        next_at = deadline if cut.next_at is None else cut.next_at
        patience = max(0.0, min(next_at - time.monotonic(), 60.0))
        if not gate.is_open():
            gate.watch(min(patience, 0.05))
            patience = 0.0
        woken_by = signal.sigtimedwait(OURS, patience)
        if woken_by and woken_by.si_signo in (signal.SIGTERM, signal.SIGINT):
            cut.begin("cancelled")


def sweep():
    """Ends what the playbook left running, shared SSH connections above all."""
    signal_all(signal.SIGTERM)
    kill_at = time.monotonic() + 0.5
    # A process that hangs inside the kernel survives even SIGKILL: we don't wait for it for ever.
    while (reap() or descendants()) and time.monotonic() < kill_at + 10:
        if kill_at <= time.monotonic():
            signal_all(signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, 0.02)


def main(folder):
    os.chdir(folder)
    umask = os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_BLOCK, OURS)
    try:
        os.setsid()
    except PermissionError:
        pass  # We lead a session already.
    if not claim():
        return
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    with open("run.json") as file:
        run = json.load(file)
    # The clock is asked once: should it jump later, the run keeps its length.
    seconds_left = min(run["deadline"] - time.time(), run["timeout_seconds"])
    code = None
    if os.path.exists("cancelled"):
        write("cut", {"cause": "cancelled"})
    elif seconds_left <= 0:
        write("cut", {"cause": "deadline"})
    else:
        code = attend(run, seconds_left, umask)
    sweep()
    # What may hold secrets doesn't outlive the run.
    if os.path.exists("variables.json"):
        os.unlink("variables.json")
    for leftover in run["scratch"]:
        shutil.rmtree(leftover, ignore_errors=True)
    write("end", {"code": code, "ended_at": time.time()})


main(sys.argv[1])
