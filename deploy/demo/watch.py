"""watch.py RESULTS DAEMON-PID LOAD-COMMAND…: the demo's eyes: starts the load, shows what happens, and sums it up.

In: the daemon's API, the balancers' runtime API, the cloud's API, the load generator's lines.
Out: a line every few seconds, each decision with its reasons, a summary; exit code 1 when a request failed, or when the
pool did not both grow and shrink.
Never: decides or changes anything.
"""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import summary

DAEMON = "http://10.77.0.2:8377"
API = f"{DAEMON}/api/v1/pools"
CLOUD = "http://203.0.113.1:8080/v4"
BALANCERS = {"lb1": "10.77.0.3", "lb2": "10.77.0.4"}
TOKEN = pathlib.Path("/run/lab/eyes.token")
LINE_EVERY = 5
# The campaign begins at this second of the load, reaches its peak at once, holds it, and decays.
CAMPAIGN = {"at": 20, "peak": 160, "hold": 45, "decay": 15}
BASE = 40  # requests a second before and after: two nodes' worth
# The load ends as soon as the quiet has had its effect, and at the latest at this second.
LONGEST = 240


def get(url, token=None):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=3) as answer:
        return json.load(answer)


def pool():
    return next((pool for pool in get(API) if pool["pool"] == "notifications"), None)


def servers_up(address):
    """How many servers of a balancer take requests: told to, and up."""
    with socket.create_connection((address, 9999), timeout=2) as connection:
        connection.sendall(b"show servers state notifications\n")
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    rows = [line.split(" ") for line in text.splitlines()[2:] if line]
    return sum(row[4] != "127.0.0.1" and row[5] == "2" and int(row[6]) & 0x3B == 0 for row in rows)


class Demo:
    """What was seen so far."""

    def __init__(self, results):
        self.results = results
        self.began = time.time()
        self.samples = []  # one a second
        self.decisions = {}  # by id: those that changed the count
        self.nodes = {}  # by label: when it was seen first and last, and its states
        self.living = set()
        self.least = None  # nodes, as the policy says

    def clock(self, at=None):
        seconds = max(0, int((at or time.time()) - self.began))
        return f"{seconds // 60}:{seconds % 60:02}"

    def look(self, load):
        """One look at everything; says what has changed since the last one."""
        now, seen = time.time(), pool()
        self.least = seen["min"]
        sample = {"at": now, "load": load, "desired": seen["desired"], "nodes": seen["nodes"]}
        sample |= {count: seen[count] for count in ("serving", "on_the_way", "leaving")}
        sample |= {name: servers_up(address) for name, address in BALANCERS.items()}
        self.samples.append(sample)
        for node in seen["nodes"]:
            self.notice(node, now)
        for label in self.living - {node["label"] for node in seen["nodes"]}:
            self.say(f"      {label} is gone")
        self.living = {node["label"] for node in seen["nodes"]}
        self.tell_decisions()
        return sample

    def notice(self, node, now):
        known = self.nodes.setdefault(node["label"], {"id": node["id"], "first": now, "states": {}})
        known["last"] = now
        known["created"] = node["instance_created_at"] or known.get("created")
        if node["state"] not in known["states"]:
            known["states"][node["state"]] = now
            if node["state"] == "in_service":
                self.say(f"      {node['label']} serves")

    def tell_decisions(self):
        for record in reversed(get(f"{API}/notifications/decisions?changes=true&limit=50")["decisions"]):
            decision = record["decision"]
            if record["id"] in self.decisions:
                continue
            self.decisions[record["id"]] = record
            self.say(f"  {decision['from']} -> {decision['to']} nodes: {record['sentences'][0]}")

    def say(self, text):
        print(f"{self.clock():>5} {text}", flush=True)

    def line(self, sample):
        load = sample["load"]
        rate, p95 = load.get("rate"), load.get("p95_seconds")
        sent = f"{rate:4.0f} req/s, p95 {p95:5.2f} s" if rate is not None and p95 else "no load yet         "
        self.say(
            f"{sent}, {load.get('waiting', 0):4} wait, {load.get('failed', 0)} failed | wanted {sample['desired']}"
            f", serving {sample['serving']}, coming {sample['on_the_way']}, leaving {sample['leaving']}"
            f" | up: lb1 {sample['lb1']}, lb2 {sample['lb2']}"
        )


def wait_until_ready(demo, limit=60):
    """The daemon answers, and the pool's smallest count serves on both balancers."""
    deadline = time.time() + limit
    last = None
    while time.time() < deadline:
        try:
            sample = demo.look({})
        except OSError as problem:
            last = problem
        else:
            last = f"{sample['serving']} serving"
            if demo.least == sample["serving"] == sample["lb1"] == sample["lb2"]:
                return
        time.sleep(0.5)
    sys.exit(f"the pool was not ready within {limit} s ({last}); see windlass.log in target/demo")


def follow(demo, load_command, load_lines):
    """Runs the load and looks every second, until the pool has grown and is down to its least again."""
    campaign = ",".join(str(number) for number in CAMPAIGN.values())
    flags = ["--base", str(BASE), "--campaign", campaign, "--for", str(LONGEST)]
    with open(load_lines, "w") as lines:
        load = subprocess.Popen([*load_command, *flags], stdout=lines)
    quiet = CAMPAIGN["at"] + CAMPAIGN["hold"] + CAMPAIGN["decay"]
    tick, told, resting = 0, None, 0
    while load.poll() is None:
        sample = demo.look(last_line(load_lines))
        counts = [sample[count] for count in ("desired", "serving", "on_the_way", "leaving", "lb1", "lb2")]
        if tick % LINE_EVERY == 0 or counts != told:
            demo.line(sample)
        tick, told = tick + 1, counts
        least = demo.least
        resting = resting + 1 if counts == [least, least, 0, 0, least, least] else 0
        # A few seconds more, so that the picture shows the rest, too.
        if quiet < sample["load"].get("seconds", 0) and resting == 5:
            load.send_signal(signal.SIGTERM)
            load.wait()
        time.sleep(1 - time.time() % 1)


def last_line(path):
    lines = path.read_text().splitlines()
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        return {}


def daemon_itself(pid):
    """What Windlass takes of this machine: resident memory in MB, and the mean length of a look in seconds."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    with urllib.request.urlopen(f"{DAEMON}/metrics", timeout=3) as answer:
        lines = answer.read().decode().splitlines()
    total, count = (
        sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"windlass_look_duration_seconds_{end}"))
        for end in ("sum", "count")
    )
    return int(resident) / 1024, total / count


def main(results, pid, load_command):
    results = pathlib.Path(results)
    demo = Demo(results)
    demo.say("HAProxy, Prometheus and Windlass start; the pool is empty, and two nodes are its least")
    wait_until_ready(demo)
    demo.say("ready: the phones begin")
    report = results / "load.json"
    follow(demo, [*load_command, "--summary", str(report)], results / "load.log")
    token = TOKEN.read_text().strip()
    plans = {plan["id"]: plan["price"]["hourly"] for plan in get(f"{CLOUD}/linode/types?page_size=100", token)["data"]}
    learned = get(f"{API}/notifications/learned")
    return summary.show(demo, json.loads(report.read_text()), plans["g6-nanode-1"], learned, daemon_itself(pid))


sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
