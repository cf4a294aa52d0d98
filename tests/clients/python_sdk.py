"""The Python SDK (linode-api4) against a sandbox.

In: SANDBOX (host:port) and TOKEN in the environment; 120 Linodes tagged `bulk` already there.
Out: exit code 0, or a traceback that says which step went wrong.
Never: the real API: the base URL is the sandbox's.
"""

import os
import time

from linode_api4 import ApiError, Event, Instance, LinodeClient

BASE = f"http://{os.environ['SANDBOX']}/v4"


def client(token):
    # No retries: a refusal must be seen, not waited away.
    return LinodeClient(token, base_url=BASE, retry=False)


def until(linode, status):
    deadline = time.monotonic() + 30
    while True:
        linode.invalidate()
        if linode.status == status:
            return
        assert time.monotonic() < deadline, f"{linode.label} is {linode.status}, not {status}"
        time.sleep(0.05)


def refused(status, call):
    try:
        call()
    except ApiError as error:
        assert error.status == status, (error.status, error.json)
        return error.json["errors"]
    raise AssertionError(f"no refusal with {status}")


api = client(os.environ["TOKEN"])

types = {one.id: one for one in api.linode.types()}
assert types["g6-standard-1"].price.hourly == 0.018, types["g6-standard-1"].price
regions = {one.id: one for one in api.regions()}
assert "Vlans" in regions["eu-central"].capabilities
images = {one.id for one in api.images()}
assert {"linode/debian12", "linode/ubuntu24.04"} <= images
assert api.profile().username == "sandbox"
assert api.account.settings().network_helper is True

key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample test"
linode = api.linode.instance_create(
    "g6-nanode-1",
    "eu-central",
    image="linode/debian12",
    label="python-1",
    tags=["client:python", "second"],
    authorized_keys=key,
    interfaces=[
        {"purpose": "public"},
        {"purpose": "vlan", "label": "app", "ipam_address": "10.10.0.5/24"},
    ],
    metadata=api.linode.build_instance_metadata(user_data="#cloud-config\n"),
)
assert linode.status == "provisioning", linode.status
until(linode, "running")
assert linode.has_user_data is True
vlan = linode.configs[0].interfaces[1]
assert (vlan.label, vlan.ipam_address) == ("app", "10.10.0.5/24"), vlan
assert [(one.label, one.linodes) for one in api.networking.vlans()] == [("app", [linode.id])]
assert linode.ips.ipv4.public[0].address == linode.ipv4[0]

assert [one.id for one in api.linode.instances(Instance.label == "python-1")] == [linode.id]
assert [one.id for one in api.linode.instances(Instance.tags == "client:python")] == [linode.id]
both = (Instance.tags == "client:python") & (Instance.label.contains("python"))
assert [one.id for one in api.linode.instances(both)] == [linode.id]
assert len(api.linode.instances(Instance.tags == "nobody-has-this")) == 0

api.page_size = 25
bulk = api.linode.instances(Instance.tags == "bulk")
assert len({one.id for one in bulk}) == 120, len(bulk)
api.page_size = None

errors = refused(
    400,
    lambda: api.linode.instance_create(
        "g6-nanode-1", "eu-central", image="linode/debian12", label="python-1", authorized_keys=key
    ),
)
assert errors == [{"reason": "Label must be unique among your linodes", "field": "label"}], errors
errors = refused(401, lambda: client("wrong").profile())
assert errors == [{"reason": "Invalid Token"}], errors
errors = refused(404, lambda: api.load(Instance, 1))
assert errors == [{"reason": "Not found"}], errors

events = [one for one in api.account.events() if one.entity and one.entity.id == linode.id]
done = {one.action: one.status for one in events}
assert done["linode_create"] == done["linode_boot"] == "finished", done
newest = api.account.events(Event.action == "linode_boot")[0]
assert newest.percent_complete == 100

assert linode.shutdown()
until(linode, "offline")
assert linode.boot()
until(linode, "running")
linode.label = "python-renamed"
linode.tags = ["client:python"]
assert linode.save()
assert api.load(Instance, linode.id).label == "python-renamed"

assert linode.delete()
deadline = time.monotonic() + 30
while len(api.linode.instances(Instance.label == "python-renamed")):
    assert time.monotonic() < deadline, "the Linode is still there"
    time.sleep(0.05)
refused(404, lambda: api.load(Instance, linode.id))
print("linode-api4: all steps done")
