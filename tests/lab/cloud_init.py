"""cloud_init.py USER-DATA-FILE ROOT: apply cloud-init user data to a VM's disk before it boots.

Understood, because it is what Windlass sends: `ssh_keys` with an ed25519 pair, and `hostname`. Anything else is refused,
so that the lab can't pass with a key that real cloud-init would have acted on.
"""

import os
import pathlib
import sys

import yaml

HEADER = "#cloud-config"
# What real cloud-init may be told besides, and what makes no difference here.
HARMLESS = {"preserve_hostname", "ssh_deletekeys", "ssh_genkeytypes", "disable_root", "ssh_pwauth", "manage_etc_hosts"}


def write(path, text, mode):
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text if text.endswith("\n") else text + "\n")


def main(user_data_file, root):
    text = pathlib.Path(user_data_file).read_text()
    if not text.strip():
        return
    if not text.startswith(HEADER):
        sys.exit(f"the user data doesn't begin with {HEADER}")
    wanted = yaml.safe_load(text) or {}
    for name, value in wanted.items():
        if name == "hostname":
            write(root / "etc/hostname", value, 0o644)
        elif name == "ssh_keys":
            write(root / "etc/ssh/ssh_host_ed25519_key", value["ed25519_private"], 0o600)
            write(root / "etc/ssh/ssh_host_ed25519_key.pub", value["ed25519_public"], 0o644)
        elif name not in HARMLESS:
            sys.exit(f"the lab's VMs don't understand `{name}` in user data")


main(sys.argv[1], pathlib.Path(sys.argv[2]))
