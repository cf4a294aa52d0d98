"""Tells Windlass what a playbook run does: one JSON object a line, in a file of the run's own.

In: what Ansible calls us with; where to write, from the environment.
Out: events; after the last of them, an empty file that says the report is complete.
Never: a result's body, beyond a failure's message and a few facts; anything hidden by `no_log`.

Before the first play it waits for the supervisor's word that the hosts greet over SSH, so
that Ansible's own start and the hosts' boot happen at the same time.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: windlass_events
type: stdout
short_description: Windlass reads a run from this
description: One JSON object a line, in the file that C(WINDLASS_EVENTS) names.
"""

# What identifies a machine and its system; no addresses, no environment.
FACTS = (
    "ansible_architecture",
    "ansible_distribution",
    "ansible_distribution_version",
    "ansible_hostname",
    "ansible_kernel",
    "ansible_machine_id",
    "ansible_python_version",
)
# Our own last play: whoever gets there got through the operator's.
FINISH_PLAY = "windlass_finish"
FACT_ACTIONS = {"setup", "gather_facts"}
# A message is for a person's screen; a module's whole output is not.
MESSAGE_CHARACTERS = 1500
DETAIL_CHARACTERS = 500


def shorten(value, limit):
    """The text's beginning, with line ends and tabs as its only control characters."""
    text = "".join(c for c in str(value) if c.isprintable() or c in "\n\t").strip()
    return text if len(text) <= limit else text[:limit] + "…"


def is_hidden(result):
    return bool(result.get("_ansible_no_log")) or "censored" in result


def task_name(task):
    """A hidden task's name may have been made from what it hides."""
    return str(task.action) if getattr(task, "no_log", False) else task.get_name()


def message(result):
    """What went wrong, from a failed result: for a loop, in its first failed round."""
    for item in result.get("results") or []:
        if isinstance(item, dict) and (item.get("failed") or item.get("unreachable")):
            result = item
            break
    if is_hidden(result):
        return "hidden by no_log"
    text = shorten(result.get("msg") or "no message", MESSAGE_CHARACTERS)
    if "rc" in result:
        text += " (exit code %s)" % result["rc"]
    return text + detail(result)


def ssh_complaint(host):
    """What SSH says of a host. Asked when Ansible can't tell: if SSH ends before Ansible has
    written the module to it, only a broken pipe is reported, and not why.
    """
    told = host.vars
    command = ["ssh", "-o", "ControlMaster=no", "-o", "ControlPath=none"]
    command += shlex.split(os.environ["ANSIBLE_SSH_ARGS"])
    command += shlex.split(told["ansible_ssh_common_args"])
    command += ["-i", told["ansible_ssh_private_key_file"], "-p", str(told["ansible_port"])]
    command += ["-l", told["ansible_user"], told["ansible_host"], "true"]
    try:
        asked = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stderr.strip()[-DETAIL_CHARACTERS:] if asked.returncode == 255 else ""


def detail(result):
    """The end of what the command said: to its error output, otherwise to its output."""
    for key in ("stderr", "module_stderr", "stdout", "module_stdout"):
        said = str(result.get(key) or "").strip()
        # SSH's own farewell, where a command ran on a terminal and said all else to that.
        if said and not said.startswith("Shared connection to "):
            return ": " + shorten(said[-DETAIL_CHARACTERS:], DETAIL_CHARACTERS)
    return ""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "windlass_events"

    def __init__(self):
        super().__init__()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(os.environ["WINDLASS_EVENTS"], flags, 0o600)
        self._is_finishing = False

    def _event(self, event, **fields):
        line = json.dumps({"event": event, "at": round(time.time(), 3), **fields}, default=str)
        os.write(self._file, line.encode() + b"\n")

    def _result(self, event, result, **fields):
        host, task, body = result._host, result._task, result._result
        if event in ("failed", "unreachable"):
            text = message(body)
            if "Data could not be sent to remote host" in text:
                text = ssh_complaint(host) or text
            address = host.vars.get("ansible_host")
            # Reasons are stored and shown; there a node goes by its label.
            fields["message"] = text.replace(str(address), host.get_name()) if address else text
        self._event(event, host=host.get_name(), task=task_name(task), **fields)

    def v2_playbook_on_start(self, playbook):
        self._event("playbook_start")
        # One byte, or the end of the pipe when nobody is there to write it.
        os.read(int(os.environ["WINDLASS_GATE"]), 1)

    def v2_playbook_on_play_start(self, play):
        self._is_finishing = play.get_name() == FINISH_PLAY
        if not self._is_finishing:
            self._event("play_start", play=play.get_name())

    def v2_playbook_on_task_start(self, task, is_conditional):
        if not self._is_finishing:
            self._event("task_start", task=task_name(task))

    def v2_playbook_on_handler_task_start(self, task):
        self._event("task_start", task=task_name(task))

    def v2_runner_on_ok(self, result):
        body, host = result._result, result._host.get_name()
        if self._is_finishing:
            self._event("finished", host=host)
            return
        self._result("ok", result, changed=bool(body.get("changed")))
        if str(result._task.action).rpartition(".")[2] in FACT_ACTIONS and not is_hidden(body):
            told = body.get("ansible_facts") or {}
            facts = {k[len("ansible_"):]: shorten(told[k], 200) for k in FACTS if k in told}
            self._event("facts", host=host, facts=facts)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("failed", result, ignored=bool(ignore_errors))

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_playbook_on_no_hosts_matched(self):
        self._event("no_hosts_matched")

    def v2_playbook_on_stats(self, stats):
        self._event("stats", hosts={host: stats.summarize(host) for host in stats.processed})
        os.close(os.open(os.environ["WINDLASS_REPORTED"], os.O_WRONLY | os.O_CREAT, 0o600))
