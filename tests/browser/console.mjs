// A walk through every screen of the console in headless Chromium, as an operator would.
//
// In: CONSOLE (its address), INSTALLED (tests/browser/install's folder), PICTURES (where to).
// Out: exit code 0 and "all steps done", or what was not as it should be.
// Never: waits for a time; each wait is for something to be seen.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

const { CONSOLE, INSTALLED, PICTURES, KEPT_PICTURES, WINDLASS_KEEP_PICTURES, PATIENCE = "60000" } = process.env;
const require = createRequire(join(INSTALLED, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };
const MARKUP = "<img src=x onerror=\"document.title='broken in'\"> & <b>bold</b>";

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) await walk(size, viewport, colorScheme);
  }
  console.log("all steps done");
} finally {
  await browser.close();
}

async function walk(size, viewport, colorScheme) {
  const context = await browser.newContext({
    viewport, colorScheme, reducedMotion: "reduce", deviceScaleFactor: 1, hasTouch: size === "phone",
  });
  context.setDefaultTimeout(Number(PATIENCE));
  const page = await context.newPage();
  const faults = [];
  let mayFail = false;
  page.on("console", (message) => {
    if (message.type() === "error" && !mayFail) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(CONSOLE) && !url.startsWith("data:")) faults.push(`asked somebody else: ${url}`);
  });
  const step = async (name, act) => {
    try {
      await act();
    } catch (error) {
      await page.screenshot({ path: join(PICTURES, `failed-${size}-${colorScheme}.png`) }).catch(() => {});
      throw new Error(`${size}, ${colorScheme}: ${name}: ${error.message}`, { cause: error });
    }
    assert.deepEqual(faults, [], `${size}, ${colorScheme}: ${name}`);
  };
  const look = async (name, { whole = false } = {}) => {
    const across = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
    assert.ok(across <= 0, `${name} is ${across} px too wide`);
    await page.screenshot({ path: join(PICTURES, `${name}-${size}-${colorScheme}.png`), fullPage: whole });
    const kept = size === "phone" ? ["pool"] : ["overview", "pool", "why-then", "nodes-500", "effect", "stale"];
    const light = size === "phone" ? "dark" : "light";
    if (WINDLASS_KEEP_PICTURES && colorScheme === light && kept.includes(name)) {
      await page.screenshot({ path: join(KEPT_PICTURES, `${name}-${size}.jpg`), type: "jpeg", quality: 72 });
    }
    await accessible(page, name);
  };
  const count = (selector) => page.locator(selector).count();
  const sees = (selector, text) => page.locator(selector).filter({ hasText: text }).first().waitFor();
  const until = (question, argument) => page.waitForFunction(question, argument);
  const main = { page, size, step, look, count, sees, until, allow: (may) => { mayFail = may; } };

  await overviewOf(main);
  await poolOf(main);
  await momentOf(main);
  await linkOf(main);
  await ordersOf(main);
  await campaignOf(main);
  await eventsOf(main);
  await nodesOf(main);
  await journalOf(main);
  await keyboardOf(main);
  await troubleOf(main);
  await context.close();
}

async function overviewOf({ page, step, look, count, sees, until }) {
  await step("the front door leads to 51 pools, those first that want somebody", async () => {
    await page.goto(`${CONSOLE}/`);
    await sees("#summary", "51 pools");
    assert.equal(await count(".pools tbody tr"), 51);
    assert.match(await page.locator(".pools tbody tr").first().textContent(), /fleet-500.*Act/s);
    await look("overview");
  });
  await step("text in a note stays text", async () => {
    await sees(".pools td", MARKUP);
    assert.equal(await count("main img, main b"), 0);
    assert.equal(await page.title(), "Pools · Windlass");
  });
  await step("pools are found, filtered and sorted", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("creating rests");
    await until(() => document.querySelectorAll(".pools tbody tr").length === 1);
    await sees(".pools tbody tr", "pool-03");
    await page.locator("#filter").fill("");
    await page.locator("#show").selectOption("dry_run");
    await until(() => document.querySelectorAll(".pools tbody tr").length === 2);
    await page.locator("#show").selectOption("held");
    await sees(".pools tbody tr", "pool-09");
    await page.locator("#filter").fill("nothing is called so");
    await sees(".note", "No pool is like that");
    await look("overview-empty");
    await page.locator("#filter").fill("");
    await page.locator("#show").selectOption("all");
    await page.locator("#sort").selectOption("name");
    await until(() => document.querySelector(".pools tbody th").textContent === "fleet-500");
    await page.locator("#sort").selectOption("attention");
  });
}

async function poolOf({ page, step, look, sees, until }) {
  await step("a pool shows its load, its nodes and why", async () => {
    await page.locator(".pools a", { hasText: "notifications" }).click();
    await page.locator(".canvas canvas").nth(1).waitFor();
    await sees(".readout", "serving");
    await sees("#why-title", /Why it (stays|goes)/);
    await sees("#why .answer", "What would");
    await sees("#journal tbody tr", "decided");
    await until(() => [...document.querySelectorAll(".parts a")].every((link) => !link.hidden));
    await look("pool");
    await look("pool-whole", { whole: true });
  });
  await step("the chart goes from an hour to 30 days and says what it shows", async () => {
    for (const [label, seconds] of [["6 h", 6 * 3600], ["30 d", 30 * 86400], ["1 h", 3600], ["6 h", 6 * 3600]]) {
      // An answer to an earlier question may still be on its way.
      const answer = page.waitForResponse(async (one) => {
        if (!one.url().includes("/history?") || !one.ok()) return false;
        const told = await one.json();
        const length = (Date.parse(told.until) - Date.parse(told.from)) / 1000;
        return Math.abs(length - seconds) <= 2 * told.bucket_seconds;
      });
      await page.getByRole("button", { name: label, exact: true }).click();
      await answer;
      await until((wanted) => document.querySelector(`[data-seconds="${wanted}"]`).getAttribute("aria-pressed") === "true", seconds);
    }
    await sees(".changes summary", "changed the count");
    await sees(".legend", "campaign");
    await page.locator("#chart").scrollIntoViewIfNeeded();
    await look("chart-6h");
  });
}

async function momentOf({ page, size, step, look, sees, until }) {
  await step("a click on the chart explains that moment", async () => {
    await page.locator(".u-over").last().scrollIntoViewIfNeeded();
    const box = await page.locator(".u-over").last().boundingBox();
    await page.mouse.click(box.x + box.width * 0.78, box.y + box.height * 0.5);
    await sees("#why .by", "the last one up to the chosen moment");
    await sees("#why-title", /Why it (stayed|went)/);
    await look("why-then");
    await page.getByRole("button", { name: "Back to now" }).click();
    await sees("#why-title", /Why it (stays|goes)/);
  });
  await step("a decision in the list explains itself", async () => {
    await page.locator(".changes summary").click();
    const row = page.locator(".changes tbody tr").first();
    const [from, to] = (await row.locator("td").nth(1).textContent()).match(/\d+/g);
    await row.getByRole("button").click();
    await sees("#why-title", `Why it went from ${from} to ${to}`);
    for (const title of ["What it saw", "What each guard did", "The whole"]) {
      await page.locator("#why summary", { hasText: title }).click();
    }
    await sees("#why pre", "notifications at ");
    await look("why-decision", { whole: true });
    await page.keyboard.press("n");
    await sees("#why-title", /Why it (stays|goes)/);
  });
  if (size === "desktop") {
    await step("dragging over the chart zooms into it, and Now leads back", async () => {
      await page.keyboard.press("1");
      await until(() => document.activeElement.classList.contains("canvas"));
      const box = await page.locator(".u-over").first().boundingBox();
      const answer = page.waitForResponse((one) => one.url().includes("/history?") && one.ok());
      await page.mouse.move(box.x + box.width * 0.5, box.y + 30);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 40, { steps: 4 });
      await page.mouse.up();
      const told = await (await answer).json();
      const length = Date.parse(told.until) - Date.parse(told.from);
      assert.ok(length < 3600_000, `${length} ms of six hours`);
      await page.getByRole("button", { name: "Now", exact: true }).click();
      await until(() => [...document.querySelectorAll("#chart button")].find((one) => one.textContent === "Now").getAttribute("aria-pressed") === "true");
    });
  }
}

async function linkOf({ page, step, sees, until }) {
  await step("the link of a notice leads to the pool at that moment", async () => {
    const at = new Date(Date.now() - 90 * 60_000).toISOString();
    await page.goto(`${CONSOLE}/#pool=notifications&at=${at}`);
    await sees("#why .by", "the last one up to the chosen moment");
    await sees(".headed h1", "notifications");
    await sees("#why-title", /Why it (stayed|went)/);
    await until((moment) => location.hash === `#/pools/notifications?at=${moment}`, at);
    await page.getByRole("button", { name: "Back to now" }).click();
    await sees("#why-title", /Why it (stays|goes)/);
    await until(() => location.hash === "#/pools/notifications");
    await page.getByRole("button", { name: "Now", exact: true }).click();
  });
}

async function ordersOf({ page, size, step, look, count, sees, until, allow }) {
  const order = page.locator("dialog");
  const given = (method, path) => page.waitForResponse((one) => one.request().method() === method && one.url().includes(path));
  const why = `more for the match, ${size}`;
  await step("an order shows its effect first, is given, seen in the reasons, and ended", async () => {
    const desired = Number(await page.locator(".tiles div", { hasText: "desired" }).locator("dd").textContent());
    await page.keyboard.press("o");
    await order.locator("#order-kind").selectOption("floor");
    await order.locator("#order-count").fill("41");
    await order.locator("#order-reason").fill(why);
    allow(true);
    await order.getByRole("button", { name: "Show what it would do" }).click();
    await sees("dialog .problem", "above the policy's `bounds.max`, which is 40");
    allow(false);
    await order.locator("#order-count").fill(String(desired + 2));
    await order.getByRole("button", { name: "Show what it would do" }).click();
    await sees("dialog .effect", `The count goes from ${desired} to ${desired + 2}.`);
    await look("effect");
    const answer = given("POST", "/commands");
    await order.getByRole("button", { name: "Do it" }).click();
    assert.equal((await answer).status(), 201);
    await until(() => !document.querySelector("dialog"));
    await sees(".orders tbody tr", why);
    await sees("#why .in-force", why);
    await sees("#journal tbody tr", why);
    await page.locator("#orders").scrollIntoViewIfNeeded();
    await look("orders");
    await page.locator(".orders tbody tr", { hasText: why }).getByRole("button", { name: "End" }).click();
    const ended = given("DELETE", "/commands/");
    await order.getByRole("button", { name: "End this order" }).click();
    assert.equal((await ended).status(), 200);
    await until((text) => ![...document.querySelectorAll(".orders tbody tr")].some((row) => row.textContent.includes(text)), why);
  });
  await step("a node is protected and let go from its own row", async () => {
    await page.locator(".life.in_service").click();
    const label = await page.locator("#nodes tbody th").last().textContent();
    const row = page.locator("#nodes tbody tr", { hasText: label });
    const act = async (name, reason) => {
      await row.getByRole("button", { name }).click();
      assert.equal(await order.locator("#order-node").inputValue(), label);
      await order.locator("#order-reason").fill(reason);
      await order.getByRole("button", { name: "Show what it would do" }).click();
      await order.locator(".effect .headline").waitFor();
      await order.getByRole("button", { name: "Do it" }).click();
      await until(() => !document.querySelector("dialog"));
    };
    await act("Protect", "a debugger is on it");
    await row.locator("[data-part=ordered]", { hasText: "a debugger is on it" }).waitFor();
    await sees(".orders tbody tr", label);
    await page.locator("#nodes").scrollIntoViewIfNeeded();
    await look("protected");
    await act("Release", "the debugger is gone");
    await until(() => [...document.querySelectorAll("#nodes [data-part=ordered]")].every((cell) => cell.textContent === ""));
    if (size === "desktop") {
      await act("Drain", "its disk sounds odd");
      await page.locator(".life.in_service").click();
      await until((name) => {
        const line = [...document.querySelectorAll("#nodes tbody tr")].find((one) => one.textContent.includes(name));
        return !line || /draining|deleting/.test(line.textContent);
      }, label);
    } else await page.locator(".life.in_service").click();
  });
  await step("the costs say what an hour and the month come to", async () => {
    await sees("#costs dd", /^\$\d/);
    await sees("#costs .by", "paid for at");
    assert.equal(await count("#costs .tiles div"), 4);
    await page.locator("#costs").scrollIntoViewIfNeeded();
    await look("costs");
  });
}

async function campaignOf({ page, size, step, look, sees, until }) {
  await step("a campaign is announced after a look at what it asks for, and taken back", async () => {
    const why = `offers at noon, ${size}`;
    await page.getByRole("button", { name: "Announce a campaign" }).click();
    await page.locator("#hint-size").fill("250000");
    await page.locator("#hint-reason").fill(why);
    await page.getByRole("button", { name: "Show what it would do" }).click();
    await sees("dialog .effect", "campaign: 250,000 devices");
    await sees("dialog .effect", "before the first message");
    await look("campaign");
    await page.getByRole("button", { name: "Do it" }).click();
    await sees(".hints tbody tr", why);
    await page.locator(".hints tbody tr", { hasText: why }).getByRole("button", { name: "Take back" }).click();
    await page.getByRole("button", { name: "Take this campaign back" }).click();
    await until((text) => ![...document.querySelectorAll(".hints tbody tr")].some((row) => row.textContent.includes(text)), why);
  });
}

async function eventsOf({ page, step, until }) {
  await step("what happens is seen at once, without asking", async () => {
    const heard = page.waitForResponse((one) => one.url().endsWith("/api/v1/events") && one.ok());
    await page.reload();
    assert.match(await (await heard).headerValue("content-type"), /^text\/event-stream/);
    await page.locator("#journal tbody tr").first().waitFor();
    // From here on the page no longer asks by itself.
    await page.evaluate(() => {
      const plain = setTimeout;
      globalThis.setTimeout = (act, rest, ...more) => plain(act, rest >= 1000 ? 2 ** 30 : rest, ...more);
    });
    const why = `heard at ${Date.now()}`;
    const command = { kind: "hold", change: "delete", for: "1m", reason: why };
    const answer = await page.request.post(`${CONSOLE}/api/v1/pools/notifications/commands`, { data: command });
    assert.equal(answer.status(), 201);
    await until((text) => [...document.querySelectorAll("#journal tbody tr")].some((row) => row.textContent.includes(text)), why);
    const { id } = await answer.json();
    const ended = await page.request.delete(`${CONSOLE}/api/v1/pools/notifications/commands/${id}`);
    assert.equal(ended.status(), 200);
  });
}

async function nodesOf({ page, step, look, count, sees, until }) {
  await step("500 nodes are shown, those first that move or ail, and found", async () => {
    await page.goto(`${CONSOLE}/console/#/pools/fleet-500`);
    await until(() => document.querySelectorAll("#nodes tbody tr").length === 500);
    assert.match(await page.locator("#nodes tbody tr").first().textContent(), /unhealthy/);
    await sees("#nodes td", "41 sessions on lb1 to end");
    await page.keyboard.press("3");
    await look("nodes-500");
    await page.locator(".life.joining").click();
    await until(() => [...document.querySelectorAll("#nodes [data-part=state]")].every((cell) => cell.textContent === "joining"));
    assert.ok((await count("#nodes tbody tr")) > 1);
    await page.locator(".life.joining").click();
    await page.locator("#node-filter").fill("10.9.0.33");
    await until(() => document.querySelectorAll("#nodes tbody tr").length === 1);
    await page.locator("#node-filter").fill("nothing is called so");
    await sees("#nodes .note", "No node is like that");
  });
}

async function journalOf({ page, step, look, sees, until }) {
  await step("the journal is filtered and read back", async () => {
    await page.goto(`${CONSOLE}/console/#/pools/notifications`);
    await sees("#journal tbody tr", /./);
    await page.locator("#journal-kind").selectOption("nodes");
    await until(() => [...document.querySelectorAll("#journal tbody tr td:nth-child(2)")].every((cell) => cell.textContent !== "decided"));
    const before = await page.locator("#journal tbody tr").count();
    await page.getByRole("button", { name: "Older rows" }).click();
    await until((many) => document.querySelectorAll("#journal tbody tr").length > many, before);
    await page.locator("#journal-filter").fill("joining");
    await until(() => [...document.querySelectorAll("#journal tbody tr")].every((row) => row.textContent.includes("joining")));
    await page.locator("#journal").scrollIntoViewIfNeeded();
    await look("journal");
  });
}

async function keyboardOf({ page, step, look, sees, until }) {
  await step("everything is reached by keyboard, and the focus is seen", async () => {
    await page.locator("#main").focus();
    await page.keyboard.press("?");
    await sees("dialog", "go to all pools");
    await look("keys");
    await page.keyboard.press("Escape");
    await until(() => !document.querySelector("dialog"));
    await page.keyboard.press("1");
    await until(() => document.activeElement.classList.contains("canvas"));
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await sees("#why .by", "the last one up to the chosen moment");
    await page.keyboard.press("Escape");
    await sees("#why-title", /Why it (stays|goes)/);
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", "the focus is seen");
    await page.keyboard.press("h");
    await sees("#summary", "51 pools");
  });
}

async function troubleOf({ page, step, look, sees, until, allow }) {
  await step("a pool that is not there is told, with those that are", async () => {
    allow(true);
    await page.goto(`${CONSOLE}/console/#/pools/nothing`);
    await sees("#page-problem", "there are: fleet-500");
    await look("no-such-pool");
  });
  await step("held, dry and unseen pools say so plainly", async () => {
    for (const [pool, says] of [["pool-09", "Held: the count stays"], ["pool-11", "Dry run: decisions are made"]]) {
      await page.goto(`${CONSOLE}/console/#/pools/${pool}`);
      await sees(".banner", says);
      await sees("#why-title", /Why it/);
      await look(says.startsWith("Dry") ? "dry-run" : "held");
    }
    await page.goto(`${CONSOLE}/console/#/pools/pool-07`);
    await sees(".notes", "not looked at yet since the daemon started");
  });
  await step("a daemon that asks for a token gets one, and it stays in this tab", async () => {
    let carried = null;
    await page.route("**/api/v1/**", async (route) => {
      const { authorization, ...headers } = await route.request().allHeaders();
      carried = authorization ?? null;
      // The API behind knows no tokens at all, and would refuse one that is shown.
      if (carried === "Bearer wl_good") return route.continue({ headers });
      const body = JSON.stringify({ status: 401, title: "unauthorized", detail: "no token" });
      return route.fulfill({ status: 401, contentType: "application/problem+json", body });
    });
    await page.goto(`${CONSOLE}/console/#/`);
    await sees("dialog", "Who are you?");
    await look("token");
    await page.locator("#token").fill("wl_bad");
    await page.getByRole("button", { name: "Use it" }).click();
    await sees("#token-problem", "doesn't know this token");
    await page.locator("#token").fill("wl_good");
    await page.getByRole("button", { name: "Use it" }).click();
    await sees("#summary", "51 pools");
    assert.equal(carried, "Bearer wl_good");
    assert.deepEqual(await page.evaluate(() => [localStorage.length, document.cookie, sessionStorage.length]), [0, "", 1]);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    // Back to whoever needs no token.
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    await sees("#summary", "51 pools");
  });
  await step("a daemon that stops answering is told in red with the age of what is shown", async () => {
    await page.goto(`${CONSOLE}/console/#/pools/notifications`);
    await sees("#why-title", /Why it/);
    assert.equal(await page.locator("#stale").isVisible(), false);
    await page.route("**/api/v1/**", (route) => route.abort());
    await sees("#stale", /The daemon doesn't answer: everything below is \d+ s old/);
    await sees("#live", "stale");
    await page.evaluate(() => scrollTo(0, 0));
    await look("stale");
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await until(() => document.getElementById("stale").hidden);
    await sees("#live", "live");
    allow(false);
  });
}

/// No violation that axe counts as serious or worse.
async function accessible(page, name) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter((one) => ["serious", "critical"].includes(one.impact));
  const told = grave.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
  assert.deepEqual(told, [], name);
}
