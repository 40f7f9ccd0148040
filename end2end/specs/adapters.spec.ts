// A page's analytics are told the events, each in its own way, and no contact detail with them.

import type { Page } from "@playwright/test";
import { EMAIL, PHONE, PHONE_E164, expect, heard, test } from "../fixtures";
import { agentOf, canBeMet, close } from "../support/agent";
import { type Authored, everyDay, makeSite } from "../support/site";
import { Times, valuesOf } from "../support/times";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const ALL = { "data-layer": "", "data-analytics": "gtag, alloy matomo" };
const PART = "**/assets/analytics.*.js";

const talk = (...cards: Record<string, unknown>[]): Authored => ({
  id: "talk",
  name: "A first talk",
  typingDelay: 0,
  cards: [
    { id: "colour", card: "question", text: "Which colour?", choices: [{ label: "Red" }] },
    { id: "mail", card: "capture", field: "email", text: "Where may we write to you?" },
    { id: "call", card: "capture", field: "phone", text: "Where may we call you?" },
    ...cards,
    { id: "won", card: "goal", goal: "Has booked" },
    { id: "end", card: "end", text: "Thank you." },
  ],
});

interface Told {
  gtag: [command: string, name: string, parameters: Record<string, string>][];
  alloy: [command: string, options: { type: string; xdm: { _id: string; timestamp: string }; data: { porchlight: Record<string, string> } }][];
  matomo: string[][];
}

/** What stands on a page that has all of them: each writes down what it is told. */
const STUBS = `
  window.told = { gtag: [], alloy: [], matomo: [] };
  window.gtag = (...all) => void told.gtag.push(all);
  window.alloy = (...all) => (told.alloy.push(all), Promise.resolve({}));
  window._paq = { push: (command) => void told.matomo.push(command) };`;

const toldOn = (page: Page): Promise<Told> => page.evaluate(() => (window as unknown as { told: Told }).told);

interface LayerEntry {
  event: string;
  porchlight: { id: string; data: Record<string, unknown> };
}

const layerOf = (page: Page): Promise<LayerEntry[]> => page.evaluate(() => [...((window as unknown as { dataLayer?: LayerEntry[] }).dataLayer ?? [])]);

const eventsIn = async (page: Page): Promise<string[]> => (await layerOf(page)).map(({ event }) => event);

test("a whole conversation is told in four ways, and none of them holds a contact detail", async ({ page, browser, host, porchlight, widget }) => {
  test.slow();
  const site = await makeSite(porchlight, [], { contact_details_in_browser: true });
  const ada = await agentOf(browser, porchlight, site.key, "Ada", { timezoneId: "Europe/Berlin" });
  await canBeMet(ada, porchlight, "Europe/Berlin", everyDay("09:00-17:00"));
  const meeting = { id: "when", card: "meeting", text: "When suits you?", title: "A test ride", location: "4 Weir Lane", notice: 0, horizon: 90, routing: { agent: ada.email } };
  await site.publish(talk(meeting));

  await page.goto(host.page({ tag: { "data-site": site.key, ...ALL }, before: STUBS }));
  await widget.open();
  await widget.choice("Red").click();
  await expect(widget.field).toHaveAttribute("type", "email");
  await widget.giveEmail();
  await widget.country.selectOption("DE");
  await widget.field.fill(PHONE);
  await widget.send.click();
  const times = new Times(widget.card);
  await expect(times.grid).toBeVisible();
  await times.turn();
  await times.chooseLastDay();
  await times.hold((await valuesOf(times.times))[0]);
  const guest = `grace-${site.key}@example.com`;
  await times.fillIn("Grace Hopper", guest);
  await expect(widget.ended).toBeVisible();

  const types = [
    ...[...SHOWN, "widget.clicked", "conversation.engaged", "input.email", "input.phone", "input.email", "meeting.booked", "goal.reached"],
    "conversation.completed",
  ];
  await expect.poll(() => heard(page).types()).toEqual(types);
  const events = await heard(page).events();
  const booked = events.find(({ type }) => type === "meeting.booked")?.data.meetingInfo as { id: string; start: string; icsUrl: string };
  const secrets = [EMAIL, PHONE_E164, guest, booked.icsUrl];
  for (const secret of secrets) expect(JSON.stringify(events), "the site shows contact details to its pages").toContain(secret);

  await expect.poll(() => eventsIn(page)).toEqual(types);
  const [layer, told] = [await layerOf(page), await toldOn(page)];
  for (const secret of [...secrets, PHONE_E164.slice(1), "Grace", "meeting.ics"]) expect(JSON.stringify([layer, told])).not.toContain(secret);

  const { value: _, ...rest } = events[5].data;
  expect(layer[5].porchlight).toEqual({ ...events[5], data: rest });
  const { icsUrl: __, ...info } = booked;
  expect(layer[8].porchlight.data.meetingInfo).toEqual(info);

  const ofGoogle = told.gtag.filter(([, name]) => name !== "generate_lead");
  expect(ofGoogle.map(([command, name]) => [command, name])).toEqual(types.map((type) => ["event", `porchlight_${type.replace(".", "_")}`]));
  for (const [, name] of ofGoogle) expect(name).toMatch(/^[a-z][a-z0-9_]{0,39}$/);
  const usual = { conversation: "talk", conversation_name: "A first talk", ui_type: "chatbot" };
  expect(ofGoogle[0][2]).toEqual({ event_id: events[0].id, widget: "launcher" });
  expect(ofGoogle[3][2]).toEqual({ event_id: events[3].id, widget: "launcher", kind: "Chat" });
  expect(ofGoogle[5][2]).toEqual({ event_id: events[5].id, ...usual, card: "mail" });
  expect(ofGoogle[9][2]).toEqual({ event_id: events[9].id, ...usual, card: "won", goal: "Has booked" });
  const leads = told.gtag.filter(([, name]) => name === "generate_lead");
  expect(leads, "one lead, whatever else the visitor gives").toEqual([["event", "generate_lead", { event_id: events[5].id, ...usual, card: "mail" }]]);

  expect(told.alloy.map(([command, { type }]) => [command, type])).toEqual(types.map((type) => ["sendEvent", `porchlight.${type}`]));
  const { id, type, time, session } = events[9];
  expect(told.alloy[9][1]).toEqual({
    type: "porchlight.goal.reached",
    xdm: { _id: id, timestamp: time },
    data: { porchlight: { id, type, session, conversation: "talk", name: "A first talk", uiType: "chatbot", card: "won", goal: "Has booked" } },
  });

  expect(told.matomo.slice(0, 4)).toEqual([
    ["trackEvent", "Porchlight", "widget.loaded", "launcher"],
    ["trackEvent", "Porchlight", "widget.shown", "launcher"],
    ["trackEvent", "Porchlight", "conversation.triggered", "A first talk"],
    ["trackEvent", "Porchlight", "widget.clicked", "launcher"],
  ]);
  expect(told.matomo.map(([, , action]) => action)).toEqual(types);
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test.describe("a page’s analytics that come later", () => {
  test("find what Google’s tag and Matomo’s take from their queues", async ({ page, host }) => {
    await page.goto(host.page({ tag: { "data-analytics": "gtag,matomo" }, before: `window.dataLayer = [{ event: "gtm.js" }];` }));
    const commands = (): Promise<unknown[][]> =>
      page.evaluate(() => {
        const { dataLayer } = window as unknown as { dataLayer: ArrayLike<unknown>[] };
        // Google's tag takes the object of a function's arguments for a command, and no array.
        return dataLayer.filter((entry) => Object.prototype.toString.call(entry) === "[object Arguments]").map((entry) => Array.from(entry));
      });
    const names = SHOWN.map((type) => `porchlight_${type.replace(".", "_")}`);
    await expect.poll(async () => (await commands()).map(([, name]) => name)).toEqual(names);
    expect((await commands()).map(([command]) => command)).toEqual(["event", "event", "event"]);
    const ofMatomo = await page.evaluate(() => (window as unknown as { _paq: string[][] })._paq);
    expect(ofMatomo.map(([, , action]) => action)).toEqual(SHOWN);
    await page.evaluate(() => Object.assign(window, { told: [], gtag: (...all: unknown[]) => (window as unknown as { told: unknown[] }).told.push(all) }));
    await page.evaluate(() => (window as unknown as { Porchlight: { hide(): void } }).Porchlight.hide());
    await expect.poll(() => page.evaluate(() => (window as unknown as { told: string[][] }).told.map(([, name]) => name))).toEqual(["porchlight_widget_hidden"]);
  });

  test("are waited for where they have no queue, until they are configured", async ({ page, host }) => {
    await page.goto(host.page({ tag: { "data-analytics": "alloy", "data-alloy": "adobe" } }));
    await expect.poll(() => heard(page).types()).toEqual(SHOWN);
    await page.evaluate(() => {
      const all = Object.assign(window as unknown as Record<string, unknown>, { refused: 0, told: [] as string[], configured: false }) as unknown as {
        [name: string]: unknown;
        refused: number;
        told: string[];
        configured: boolean;
      };
      all.adobe = (_: string, { type }: { type: string }) => {
        if (all.configured) return Promise.resolve(all.told.push(type));
        all.refused += 1;
        return Promise.reject(new Error("[adobe] The library must be configured first. Please do so by executing the configure command."));
      };
    });
    await expect.poll(() => page.evaluate("refused")).toBeGreaterThan(0);
    expect(await page.evaluate("told")).toEqual([]);
    await page.evaluate("configured = true");
    await expect.poll(async () => ((await page.evaluate("told")) as string[]).sort()).toEqual(SHOWN.map((type) => `porchlight.${type}`).sort());
  });

  test("are told what happened before the part for them had come, in its order", async ({ page, host, widget }) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route(PART, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(host.page({ tag: ALL, before: STUBS }));
    await widget.call("hide");
    const types = [...SHOWN, "widget.hidden"];
    await expect.poll(() => heard(page).types()).toEqual(types);
    expect(await eventsIn(page)).toEqual([]);
    release();
    await expect.poll(() => eventsIn(page)).toEqual(types);
    await widget.call("show");
    await expect.poll(() => eventsIn(page)).toEqual([...types, "widget.shown"]);
    expect((await toldOn(page)).matomo.map(([, , action]) => action)).toEqual([...types, "widget.shown"]);
  });
});

test.describe("analytics that are broken", () => {
  test("break neither the widget nor the others, and the page’s error handler hears of it", async ({ page, host, widget, quiet }) => {
    quiet.allow(/the tag is broken/);
    const before = `${STUBS}
      window.errors = [];
      window.addEventListener("error", ({ message }) => errors.push(message));
      window.gtag = () => { throw new Error("the tag is broken"); };
      window.alloy = () => Promise.reject(new Error("the event was not sent"));`;
    await page.goto(host.page({ tag: ALL, before }));
    await widget.open();
    await widget.choose();
    const types = [...SHOWN, "widget.clicked", "conversation.engaged"];
    await expect.poll(() => heard(page).types()).toEqual(types);
    await expect.poll(() => eventsIn(page)).toEqual(types);
    expect((await toldOn(page)).matomo.map(([, , action]) => action)).toEqual(types);
    expect(await page.evaluate("errors")).toEqual(types.map(() => expect.stringContaining("the tag is broken")));
  });

  test("or whose part cannot be loaded leave the widget alone", async ({ page, host, widget, quiet }) => {
    quiet.allow(/Failed to load resource: net::ERR_/);
    await page.route(PART, (route) => route.abort());
    const failed = page.waitForEvent("requestfailed");
    await page.goto(host.page({ tag: ALL, before: STUBS }));
    await failed;
    await widget.open();
    await widget.choose();
    expect(await eventsIn(page)).toEqual([]);
  });

  test("or not known are told to the page’s developer", async ({ page, host }) => {
    const warned = page.waitForEvent("console", (message) => message.type() === "warning" && message.text().includes("no analytics toString"));
    await page.goto(host.page({ tag: { "data-analytics": "toString matomo" } }));
    await warned;
    await expect.poll(() => page.evaluate(() => (window as unknown as { _paq?: unknown[] })._paq?.length)).toBe(3);
  });
});

test("without an attribute that names analytics the part for them is not loaded", async ({ page, host, widget }) => {
  const asked: string[] = [];
  page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
  await page.goto(host.page({ before: STUBS }));
  await widget.open();
  await widget.choose();
  expect(asked.filter((path) => path.startsWith("/assets/analytics."))).toEqual([]);
  expect(await toldOn(page)).toEqual({ gtag: [], alloy: [], matomo: [] });
});

test("nothing is told before consent, and nothing that still waits once it is taken back", async ({ page, host, widget }) => {
  const asked: string[] = [];
  page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
  await page.clock.install();
  await page.goto(host.page({ tag: { "data-consent": "required", "data-analytics": "alloy matomo" } }));
  await expect.poll(() => page.evaluate("typeof Porchlight.open")).toBe("function");
  expect(asked.filter((path) => path.startsWith("/assets/"))).toEqual([]);
  await widget.call("consent", true);
  const told = (): Promise<number | undefined> => page.evaluate(() => (window as unknown as { _paq?: unknown[] })._paq?.length);
  await expect.poll(told).toBe(3);
  await widget.call("consent", false);
  await expect(widget.host).toHaveCount(0);
  await page.evaluate(() => Object.assign(window, { calls: 0, alloy: () => Promise.resolve((window as unknown as { calls: number }).calls++) }));
  await page.clock.runFor(120_000);
  expect(await page.evaluate("calls")).toBe(0);
  expect(await told()).toBe(3);
});
