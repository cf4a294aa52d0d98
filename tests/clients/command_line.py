"""The command-line client (linode-cli) against a sandbox.

In: SANDBOX (host:port), TOKEN and HOME (an empty folder) in the environment; linode-cli in the
    Python that runs this; 120 Linodes tagged `bulk` already there.
Out: exit code 0, or a traceback that says which step went wrong.
Never: the real API: host and scheme are overridden.
"""

import base64
import json
import os
import subprocess
import sys
import time

# What linode-cli exits with when the API refused.
REQUEST_FAILED = 2


def start(*arguments, token=os.environ["TOKEN"]):
    environment = os.environ | {
        "LINODE_CLI_API_HOST": os.environ["SANDBOX"],
        "LINODE_CLI_API_SCHEME": "http",
        "LINODE_CLI_API_VERSION": "v4",
        "LINODE_CLI_TOKEN": token,
        "LINODE_CLI_SUPPRESS_VERSION_WARNING": "1",
    }
    # As a module: the program that pip made holds the path of the folder that it was made in.
    command = [sys.executable, "-m", "linodecli", *arguments, "--json", "--suppress-warnings", "--no-defaults"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def cli(*arguments):
    ended = start(*arguments)
    assert ended.returncode == 0, (arguments, ended.returncode, ended.stdout, ended.stderr)
    return json.loads(ended.stdout or "[]")


def refused(*texts, arguments, token=os.environ["TOKEN"]):
    ended = start(*arguments, token=token)
    said = ended.stdout + ended.stderr
    assert ended.returncode == REQUEST_FAILED, (arguments, ended.returncode, said)
    for text in texts:
        assert text in said, (text, said)


def until(linode, status):
    deadline = time.monotonic() + 60
    while (now := cli("linodes", "view", linode)[0]["status"]) != status:
        assert time.monotonic() < deadline, f"{linode} is {now}, not {status}"


assert "g6-nanode-1" in [one["id"] for one in cli("linodes", "types")]
assert "eu-central" in [one["id"] for one in cli("regions", "list")]
assert "linode/debian12" in [one["id"] for one in cli("images", "list")]
assert cli("profile", "view")[0]["username"] == "sandbox"

create = [
    "linodes", "create", "--type", "g6-nanode-1", "--region", "eu-central",
    "--image", "linode/debian12", "--label", "cli-1",
    "--authorized_keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample test",
]
interfaces = [
    {"purpose": "public"},
    {"purpose": "vlan", "label": "app", "ipam_address": "10.10.0.6/24"},
]
[made] = cli(
    *create, "--tags", "client:cli", "--tags", "second",
    "--interface_generation", "legacy_config", "--interfaces", json.dumps(interfaces),
    "--metadata.user_data", base64.b64encode(b"#cloud-config\n").decode(),
)
assert made["status"] == "provisioning", made
linode = str(made["id"])
until(linode, "running")
[vlan] = cli("vlans", "list")
assert (vlan["label"], vlan["linodes"]) == ("app", [made["id"]]), vlan
[config] = cli("linodes", "configs-list", linode)
assert config["interfaces"][1]["ipam_address"] == "10.10.0.6/24", config

for arguments in (["--tags", "client:cli"], ["--label", "cli-1", "--tags", "second"]):
    found = cli("linodes", "list", *arguments)
    assert [one["id"] for one in found] == [made["id"]], (arguments, found)
assert cli("linodes", "list", "--tags", "nobody-has-this") == []

paged = ["linodes", "list", "--tags", "bulk", "--page-size", "25"]
first, last = cli(*paged, "--page", "1"), cli(*paged, "--page", "5")
assert (len(first), len(last)) == (25, 20), (len(first), len(last))
assert not {one["id"] for one in first} & {one["id"] for one in last}
everything = cli("linodes", "list", "--tags", "bulk", "--all-rows")
assert len({one["id"] for one in everything}) == 120, len(everything)

refused("400", "label", "Label must be unique among your linodes", arguments=create)
refused("401", "Invalid Token", arguments=["profile", "view"], token="wrong")
refused("404", "Not found", arguments=["linodes", "view", "1"])

events = [one for one in cli("events", "list") if (one["entity"] or {}).get("id") == made["id"]]
done = {one["action"]: one["status"] for one in events}
assert done["linode_create"] == done["linode_boot"] == "finished", done

cli("linodes", "shutdown", linode)
until(linode, "offline")
cli("linodes", "boot", linode)
until(linode, "running")
cli("linodes", "delete", linode)
deadline = time.monotonic() + 60
while cli("linodes", "list", "--label", "cli-1"):
    assert time.monotonic() < deadline, "the Linode is still there"
refused("404", arguments=["linodes", "view", linode])
print("linode-cli: all steps done")
