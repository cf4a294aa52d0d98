// What a pool's status comes to for who has a second: how bad, and why.

/// Whole states of a node, in the order of its life.
export const LIFE = [
  "planned", "provisioning", "configuring", "joining", "in_service", "unhealthy", "standby",
  "draining", "deleting",
];

/// Levels, worst first.
export const LEVELS = ["bad", "watch", "moving", "calm"];

/// A loop that looked longer ago is stuck: it looks at least every few seconds.
const STUCK_AFTER = 60000;

/// How a pool is: `{ level, why }`, where `why` lists what an operator should know, worst first.
export function health(pool, now) {
  const told = [];
  const say = (level, text) => told.push({ level, text });
  const age = now - Date.parse(pool.at);
  if (!pool.is_loaded) say("watch", "not looked at yet since the daemon started");
  else if (age > STUCK_AFTER) say("bad", "its loop has stopped looking");
  if (pool.store_failure) say("bad", `nothing is done until its record can be written again: ${pool.store_failure}`);
  if (pool.is_loaded && pool.serving < pool.min) {
    say("bad", `${pool.serving} serving, below its minimum of ${pool.min}`);
  }
  const sick = pool.nodes.filter((node) => node.state === "unhealthy").length;
  if (sick) say("bad", `${sick} unhealthy`);
  const troubled = pool.nodes.filter((node) => node.error || node.failure).length;
  if (troubled) say("watch", `${troubled} in trouble`);
  for (const note of pool.notes) say("watch", note);
  if (pool.control === "hold") say("watch", "held");
  if (pool.desired !== null && pool.desired >= pool.max) say("watch", `at its maximum of ${pool.max}`);
  if (pool.on_the_way) say("moving", `${pool.on_the_way} on the way`);
  if (pool.leaving) say("moving", `${pool.leaving} leaving`);
  told.sort((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
  return { level: told[0]?.level ?? "calm", why: told.map((one) => one.text) };
}

/// The word for a level, for who can't tell colours apart.
export const LEVEL_WORDS = { bad: "Act", watch: "Look", moving: "Moving", calm: "Calm" };
