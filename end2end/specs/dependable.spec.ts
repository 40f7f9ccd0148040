// What a page reports is in the log after the next visit, once, whatever became of the page: it was closed, left, crashed, or without a
// network. PORCHLIGHT_TORTURE=1 makes many more runs of each; PORCHLIGHT_SEED repeats those of a seed.

import type { Browser, BrowserContext, Page, Route } from "@playwright/test";
import { expect, heard, logOf, type Porchlight, test } from "../fixtures";
import type { Host } from "../support/host";
import { type Authored, type Site, makeSite } from "../support/site";

const RUNS = process.env.PORCHLIGHT_TORTURE ? 200 : 8;
const SEED = Number(process.env.PORCHLIGHT_SEED ?? Date.now());

const EVENTS = "**/widget/v1/events";
const FAILED = /Failed to load resource: net::ERR_/;
/** What a page makes; the rest the server makes. */
const REPORTED = ["widget.shown", "widget.hidden", "widget.clicked", "conversation.closed"];

const TALK: Authored = {
  id: "talk",
  typingDelay: 0,
  cards: [
    { id: "colour", card: "question", text: "Which colour?", choices: [{ label: "Red" }] },
    { id: "end", card: "end" },
  ],
};

const abort = (route: Route): Promise<void> => route.abort();

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Act = "hide" | "show" | "click" | "close";

/** One to six acts, each of which makes the page report one event. That a conversation was closed counts once. */
function choose(random: () => number, isOpen: boolean): Act[] {
  const chosen: Act[] = [];
  let [shown, open] = [true, isOpen];
  for (let left = 1 + Math.floor(random() * 6); left > 0; left -= 1) {
    const possible: Act[] = shown ? ["hide"] : ["show"];
    if (shown && !open) possible.push("click");
    if (open && !chosen.includes("close")) possible.push("close");
    const act = possible[Math.floor(random() * possible.length)];
    chosen.push(act);
    if (act === "hide" || act === "close") open = false;
    // What opens is loaded once the panel has been open; else it comes too late.
    if (act === "click") open = isOpen;
    if (act === "hide" || act === "show") shown = act === "show";
  }
  return chosen;
}

/** What is done on the page, in one go: no answer of the server can come between. */
interface Doing {
  acts: Act[];
  /** How the names of what the device keeps begin. */
  queue: string;
  reported: string[];
  /** Where the page goes then. */
  leave?: string;
}

/** Runs on the page, whose listener has written down in `told` what it was told. Gives the ids of all it has reported since it was loaded. */
async function act({ acts, queue, reported, leave }: Doing): Promise<string[]> {
  const { Porchlight, told } = window as unknown as { Porchlight: Record<string, () => void>; told: { id: string; type: string }[] };
  const root = document.getElementById("porchlight")?.shadowRoot;
  for (const act of acts) {
    if (act === "click") root?.querySelector<HTMLElement>(".launcher")?.click();
    else if (act === "close") root?.querySelector<HTMLElement>("dialog .close")?.click();
    else Porchlight[act]();
    // What is ready is done as soon as the script that asked for it has ended, and before anything else.
    for (let turn = 0; turn < 50; turn += 1) await null;
  }
  const waiting = Object.keys(localStorage)
    .filter((name) => name.startsWith(queue))
    .map((name) => name.slice(queue.length));
  const delivered = told.filter(({ type }) => reported.includes(type)).map(({ id }) => id);
  if (leave) location.href = leave;
  return [...new Set([...delivered, ...waiting])].sort();
}

/** What the device still keeps for the server. */
const kept = (page: Page, { key }: Site): Promise<string[]> =>
  page.evaluate((queue) => Object.keys(localStorage).filter((name) => name.startsWith(queue)).sort(), `porchlight:${key}:q:`);

const PAGE = { before: `window.told = []; window.Porchlight = window.Porchlight || []; Porchlight.push(["on", "*", (event) => told.push(event)]);` };

interface Ending {
  name: string;
  /** Whether there is no network when it all happens. */
  offline?: boolean;
  /** Whether the page goes elsewhere by itself. */
  leaves?: boolean;
  /** Prepares the end of a page before its last acts; what it gives ends it after them. */
  prepare?(page: Page, context: BrowserContext): Promise<() => Promise<void>>;
}

const ENDINGS: Ending[] = [
  { name: "is closed" },
  { name: "is left for another", leaves: true },
  {
    name: "crashes",
    prepare: async (page, context) => {
      const session = await context.newCDPSession(page);
      return async () => {
        const crashed = page.waitForEvent("crash");
        // It is never answered.
        session.send("Page.crash").catch(() => {});
        await crashed;
      };
    },
  },
  { name: "is closed without a network", offline: true },
];

interface Where {
  browser: Browser;
  host: Host;
  porchlight: Porchlight;
  site: Site;
}

/** One visit that ends badly, and the next one. */
async function run(ending: Ending, random: () => number, { browser, host, porchlight, site }: Where, what: string): Promise<void> {
  const [address, elsewhere] = [host.page({ ...PAGE, tag: { "data-site": site.key } }), host.page({ tag: false })];
  const context = await browser.newContext();
  const page = await context.newPage();
  // In half of the runs the network takes what is sent, and nothing ever comes of it.
  if (random() < 0.5) await page.route(EVENTS, () => {});
  await page.goto(address);
  const launcher = page.locator("#porchlight .launcher");
  await expect(launcher).toBeVisible();
  const isOpen = random() < 0.5;
  if (isOpen) {
    await launcher.click();
    await expect(page.locator("#porchlight dialog")).toBeVisible();
  }
  const session = await page.evaluate(() => (window as unknown as { told: { session: string }[] }).told[0].session);
  const end = await ending.prepare?.(page, context);
  if (ending.offline) await context.setOffline(true);

  const doing: Doing = { acts: choose(random, isOpen), queue: `porchlight:${site.key}:q:`, reported: REPORTED };
  const made = await page.evaluate(act, { ...doing, leave: ending.leaves ? elsewhere : undefined });
  await end?.();
  if (ending.leaves) await page.waitForURL(elsewhere);
  await page.close();
  if (ending.offline) await context.setOffline(false);
  expect(made.length, `${what}: ${doing.acts.join(", ")} and what was before`).toBe(doing.acts.length + (isOpen ? 2 : 1));

  const next = await context.newPage();
  await next.goto(address);
  await expect.poll(() => kept(next, site), `${what}: what waits is delivered`).toEqual([]);
  const log = await logOf(porchlight, session);
  expect(log.map(({ id }) => id).filter((id) => made.includes(id)), `${what}: each is there once, in its order`).toEqual(made);
  await context.close();
}

for (const ending of ENDINGS) {
  test(`nothing is lost or doubled when the page ${ending.name}`, async ({ browser, host, porchlight }) => {
    test.setTimeout(60_000 + RUNS * 5_000);
    const site = await makeSite(porchlight, [TALK]);
    for (let number = 0; number < RUNS; number += 1) {
      const seed = SEED + number;
      await run(ending, randomFrom(seed), { browser, host, porchlight, site }, `run ${number}, PORCHLIGHT_SEED=${seed}`);
    }
  });
}

test("what waits behind a report that is under way goes with the page, in one request", async ({ page, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  await page.route(EVENTS, async (route) => {
    // The first is under way for ever. What goes with the page goes.
    if (route.request().postDataJSON().reports.length > 1) await route.continue();
  });
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await expect(widget.launcher).toBeVisible();
  await widget.call("hide");
  await widget.call("show");
  await expect.poll(() => kept(page, site)).toHaveLength(3);
  const sent = page.waitForRequest((request) => request.url().endsWith("/widget/v1/events") && request.postDataJSON().reports.length === 3);
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
  expect((await sent).postDataJSON()).toMatchObject({ after: null });
  const [{ session }] = await heard(page).events();
  const types = async (): Promise<string[]> => (await logOf(porchlight, session)).map(({ type }) => type);
  await expect.poll(types).toEqual(["widget.loaded", "widget.shown", "widget.hidden", "widget.shown"]);
});

test("two tabs keep what they could not deliver side by side", async ({ page, context, host, porchlight, quiet }) => {
  quiet.allow(FAILED);
  const site = await makeSite(porchlight, [TALK]);
  await context.route(EVENTS, abort);
  const address = host.page({ tag: { "data-site": site.key } });
  const pages = [page, await context.newPage()];
  for (const tab of pages) {
    await tab.goto(address);
    await expect(tab.locator("#porchlight .launcher")).toBeVisible();
  }
  const [{ session }] = await heard(page).events();
  const call = (tab: Page, name: string): Promise<void> => tab.evaluate((name) => (window as unknown as { Porchlight: Record<string, () => void> }).Porchlight[name](), name);
  await Promise.all(pages.map((tab) => call(tab, "hide")));
  await Promise.all(pages.map((tab) => call(tab, "show")));
  await expect.poll(() => kept(page, site)).toHaveLength(6);
  const names = await kept(page, site);
  for (const tab of pages) await tab.close();
  await context.unroute(EVENTS, abort);

  const next = await context.newPage();
  await next.goto(address);
  await expect.poll(() => kept(next, site)).toEqual([]);
  const log = await logOf(porchlight, session);
  const ids = names.map((name) => name.split(":").at(-1) ?? "");
  // Each once; which tab is first is nobody's promise.
  expect(log.map(({ id }) => id).filter((id) => ids.includes(id)).sort()).toEqual(ids.sort());
});

test("the newest hundred are kept, and the page goes on", async ({ page, context, host, porchlight, widget, quiet }) => {
  quiet.allow(FAILED);
  const site = await makeSite(porchlight, [TALK]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await expect.poll(() => heard(page).types()).toHaveLength(3);
  await context.setOffline(true);
  for (let turn = 1; turn <= 55; turn += 1) {
    await widget.call("hide");
    await widget.call("show");
    await expect.poll(() => heard(page).types()).toHaveLength(3 + 2 * turn);
  }
  const told = (await heard(page).events()).slice(3).map(({ id }) => id);
  expect(told, "what is not kept was told to the page").toHaveLength(110);
  expect(await kept(page, site)).toEqual(told.slice(-100).map((id) => `porchlight:${site.key}:q:${id}`));
  await context.setOffline(false);
  await expect.poll(() => kept(page, site)).toEqual([]);
  const [{ session }] = await heard(page).events();
  const log = (await logOf(porchlight, session)).map(({ id }) => id);
  expect(log.slice(3)).toEqual(told.slice(-100));
});

test("what is kept goes with the visitor, and nobody else’s", async ({ page, host, porchlight, widget, quiet }) => {
  quiet.allow(FAILED);
  const site = await makeSite(porchlight, [TALK]);
  await page.route(EVENTS, abort);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await expect(widget.launcher).toBeVisible();
  await expect.poll(() => kept(page, site)).toHaveLength(1);
  const others = [`porchlight:${site.key}0`, `porchlight:${site.key}0:q:1`, "porchlight", "another"];
  await page.evaluate((names) => names.forEach((name) => localStorage.setItem(name, "{}")), others);
  await widget.call("consent", false);
  await expect(widget.host).toHaveCount(0);
  expect((await page.evaluate(() => Object.keys(localStorage))).sort()).toEqual([...others].sort());
});
