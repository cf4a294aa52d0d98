// The JavaScript SDK (@linode/api-v4) against a sandbox.
//
// In: SANDBOX (host:port) and TOKEN in the environment, the folder with node_modules as argument;
//     120 Linodes tagged `bulk` already there.
// Out: exit code 0, or an error that says which step went wrong.
// Never: the real API: every request's address is rewritten to the sandbox's.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/package.json`);
const api = require("@linode/api-v4");

// The SDK has no setting for the address, but it exports the axios instance that it sends with.
api.baseRequest.interceptors.request.use((config) => {
  const url = config.url.replace("https://api.linode.com", `http://${process.env.SANDBOX}`);
  return { ...config, url, proxy: false };
});
let interceptor = api.setToken(process.env.TOKEN);

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

async function until(id, status) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const linode = await api.getLinode(id);
    if (linode.status === status) return linode;
    assert.ok(Date.now() < deadline, `${linode.label} is ${linode.status}, not ${status}`);
    await pause();
  }
}

async function refused(status, call) {
  try {
    await call();
  } catch (error) {
    assert.equal(error.response?.status, status, error);
    return error.response.data.errors;
  }
  assert.fail(`no refusal with ${status}`);
}

const types = await api.getLinodeTypes();
assert.ok(types.data.some((one) => one.id === "g6-nanode-1" && one.price.hourly === 0.0075));
const regions = await api.getRegions();
assert.ok(regions.data.some((one) => one.id === "eu-central"));
const images = await api.getImages();
assert.ok(images.data.some((one) => one.id === "linode/debian12"));

const order = {
  type: "g6-nanode-1",
  region: "eu-central",
  image: "linode/debian12",
  label: "javascript-1",
  root_pass: "correct-Horse-battery-9",
  tags: ["client:javascript", "second"],
  interfaces: [
    { purpose: "public", label: "", ipam_address: "" },
    { purpose: "vlan", label: "app", ipam_address: "10.10.0.7/24" },
  ],
  metadata: { user_data: Buffer.from("#cloud-config\n").toString("base64") },
};
const made = await api.createLinode(order);
assert.equal(made.status, "provisioning");
const running = await until(made.id, "running");
assert.equal(running.has_user_data, true);
const configs = await api.getLinodeConfigs(made.id);
assert.equal(configs.data[0].interfaces[1].ipam_address, "10.10.0.7/24");
const vlans = await api.getVlans();
assert.deepEqual(vlans.data.map((one) => [one.label, one.linodes]), [["app", [made.id]]]);

const ids = async (filter) => (await api.getLinodes({}, filter)).data.map((one) => one.id);
assert.deepEqual(await ids({ label: "javascript-1" }), [made.id]);
assert.deepEqual(await ids({ tags: "client:javascript" }), [made.id]);
assert.deepEqual(await ids({ "+and": [{ tags: "client:javascript" }, { tags: "second" }] }), [made.id]);
assert.deepEqual(await ids({ tags: "nobody-has-this" }), []);

const seen = new Set();
for (let page = 1, pages = 1; page <= pages; page += 1) {
  const answer = await api.getLinodes({ page, page_size: 25 }, { tags: "bulk" });
  ({ pages } = answer);
  answer.data.forEach((one) => seen.add(one.id));
  assert.equal(pages, 5);
}
assert.equal(seen.size, 120);

assert.deepEqual(await refused(400, () => api.createLinode(order)), [
  { reason: "Label must be unique among your linodes", field: "label" },
]);
assert.deepEqual(await refused(404, () => api.getLinode(1)), [{ reason: "Not found" }]);
api.baseRequest.interceptors.request.eject(interceptor);
interceptor = api.setToken("wrong");
assert.deepEqual(await refused(401, () => api.getLinodes()), [{ reason: "Invalid Token" }]);
api.baseRequest.interceptors.request.eject(interceptor);
api.setToken(process.env.TOKEN);

const events = await api.getEvents({}, { "entity.id": made.id, "entity.type": "linode" });
const done = Object.fromEntries(events.data.map((one) => [one.action, one.status]));
assert.equal(done.linode_create, "finished");
assert.equal(done.linode_boot, "finished");

await api.linodeShutdown(made.id);
await until(made.id, "offline");
await api.linodeBoot(made.id);
await until(made.id, "running");
await api.deleteLinode(made.id);
const deadline = Date.now() + 30_000;
while ((await ids({ label: "javascript-1" })).length) {
  assert.ok(Date.now() < deadline, "the Linode is still there");
  await pause();
}
await refused(404, () => api.getLinode(made.id));
console.log("@linode/api-v4: all steps done");
