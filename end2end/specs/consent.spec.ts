// Where consent is required, nothing at all happens before it is given; and what is taken back, or forgotten, is gone.

import type { BrowserContext, Page, Request } from "@playwright/test";
import { EMAIL, expect, expectTold, heard, logOf, type Porchlight, test } from "../fixtures";
import { type Authored, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const REQUIRED = { "data-consent": "required" };
const EVENTS = "**/widget/v1/events";
const START = "**/widget/v1/start";

const question = (id: string, text: string, labels: string[]) => ({ id, card: "question", text, choices: labels.map((label) => ({ label })) });

function talk(id: string, more: Record<string, unknown> = {}): Authored {
  const cards = [question("colour", `${id}: which colour?`, ["Red", "Blue"]), question("size", `${id}: which size?`, ["Small"]), { id: "end", card: "end" }];
  return { id, typingDelay: 0, cards, ...more };
}

const ORDER = talk("order", { type: "conversationFlow", ui: "inline" });
/** A page with all that the script would do something with. */
const BODY = `
  <main>
    <h1>Shop</h1>
    <div data-porchlight="order" style="max-width: 400px">As the page wrote it.</div>
    <button data-porchlight-start="call">Call</button>
  </main>`;

/** What a browser asks of Porchlight. */
function requestsOf(context: BrowserContext, { origin }: Porchlight): Request[] {
  const requests: Request[] = [];
  context.on("request", (request) => void (request.url().startsWith(origin) && requests.push(request)));
  return requests;
}

const pathsOf = (requests: Request[]): string[] => requests.map((request) => new URL(request.url()).pathname);

/** Writes down which of the browser's memories the page's scripts touch, and whether they speak to other tabs. */
async function watchMemories(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    if (window.top !== window) return;
    const touched: string[] = [];
    Object.assign(window, { touched });
    const watch = (owner: object, name: string): void => {
      const { get, ...rest } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
      Object.defineProperty(owner, name, {
        ...rest,
        get(this: unknown) {
          touched.push(name);
          return get?.call(this);
        },
      });
    };
    for (const name of ["localStorage", "sessionStorage", "indexedDB"]) watch(name in Window.prototype ? Window.prototype : window, name);
    watch(Document.prototype, "cookie");
    const Channel = window.BroadcastChannel;
    window.BroadcastChannel = class extends Channel {
      constructor(name: string) {
        super(name);
        touched.push("BroadcastChannel");
      }
    };
  });
  return () => page.evaluate(() => [...(window as unknown as { touched: string[] }).touched]);
}

/** All that is kept on the device under the page's origin. */
const keptBy = (page: Page): Promise<string[]> =>
  page.evaluate(async () => [
    ...Object.keys(localStorage),
    ...Object.keys(sessionStorage),
    ...(document.cookie ? [document.cookie] : []),
    ...(await indexedDB.databases()).map(({ name }) => String(name)),
    ...(await caches.keys()),
  ]);

/** Whether the script still waits for what makes it ready. */
const waits = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const { ready } = (window as unknown as { Porchlight: { ready: Promise<void> } }).Porchlight;
    return Promise.race([ready.then(() => false), new Promise<boolean>((resolve) => setTimeout(() => resolve(true)))]);
  });

test.describe("where consent is required", () => {
  test("nothing is asked, kept, drawn or said before it is given", async ({ page, context, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop", { poke: "May I help?" }), talk("call", { type: "conversationFlow", ui: "popup" }), ORDER]);
    const requests = requestsOf(context, porchlight);
    const touched = await watchMemories(page);
    await page.clock.install();
    await page.goto(host.page({ tag: { "data-site": site.key, ...REQUIRED }, body: BODY }));
    await expect.poll(() => page.evaluate("typeof Porchlight.open")).toBe("function");
    const before = await page.locator("html").evaluate((html) => html.outerHTML);

    await widget.call("open");
    await widget.call("show");
    await widget.call("setTheme", "dark");
    await widget.call("identify", { id: "4711", hash: "00" });
    await widget.call("setLocale", "fr");
    await widget.call("consent", false);
    await page.evaluate(() => history.pushState(null, "", "?next"));
    await page.getByRole("button", { name: "Call" }).click();
    await page.mouse.wheel(0, 500);
    // Whatever it might be waiting for.
    await page.clock.runFor(120_000);

    expect(pathsOf(requests)).toEqual(["/porchlight.js"]);
    expect(await touched()).toEqual([]);
    expect(await keptBy(page)).toEqual([]);
    expect(await context.cookies()).toEqual([]);
    expect(await page.locator("html").evaluate((html) => html.outerHTML)).toBe(before);
    expect(await page.locator("[data-porchlight]").evaluate((element) => element.shadowRoot)).toBeNull();
    expect(await heard(page).windowEvents()).toEqual([]);
    expect(await heard(page).types()).toEqual([]);
    expect(await waits(page)).toBe(true);
  });

  test("calls that were made before are done when it is given", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop"), ORDER]);
    const before = `window.Porchlight = window.Porchlight || []; Porchlight.push(["setLocale", "de"], ["open"]);`;
    await page.goto(host.page({ tag: { "data-site": site.key, ...REQUIRED }, body: BODY, before }));
    await expect.poll(() => page.evaluate("typeof Porchlight.open")).toBe("function");
    await widget.call("setTheme", "dark");
    const asked = page.waitForRequest(START);
    await widget.call("consent", true);
    expect((await asked).postDataJSON()).toMatchObject({ locale: "de", token: null });
    await expect(widget.choices).toHaveText(["Red", "Blue"]);
    await expect(widget.frame.locator("html")).toHaveAttribute("lang", "de");
    await expect(widget.frame.locator("html")).toHaveAttribute("data-theme", "dark");
    await expect(page.frameLocator("[data-porchlight] iframe").getByRole("button", { name: "Red" })).toBeVisible();
    expect((await heard(page).types())[0]).toBe("widget.loaded");
    expect(await heard(page).windowEvents()).toContain("ready");
    expect(await waits(page)).toBe(false);
  });

  test("it is asked for on each page anew, and the visitor is the same", async ({ page, context, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop")]);
    const requests = requestsOf(context, porchlight);
    await page.goto(host.page({ tag: { "data-site": site.key, ...REQUIRED } }));
    await expect.poll(() => page.evaluate("typeof Porchlight.open")).toBe("function");
    await widget.call("consent", true);
    await widget.open();
    const [{ visitor }] = await expectTold(page, porchlight, [...SHOWN, "widget.clicked"]);

    requests.length = 0;
    await page.reload();
    await expect.poll(() => page.evaluate("typeof Porchlight.open")).toBe("function");
    await expect(widget.host).toHaveCount(0);
    expect(pathsOf(requests)).toEqual(["/porchlight.js"]);
    await widget.call("consent", true);
    await expect(widget.choices).toHaveText(["Red", "Blue"]);
    expect((await heard(page).events())[0].visitor).toBe(visitor);
  });
});

for (const required of [true, false]) {
  test(`consent that is taken back removes and forgets all, ${required ? "where it is required" : "where it is not"}`, async ({ page, context, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop", { target: { notPages: ["/other*"] } }), talk("pop", { ui: "popup", target: { pages: ["/other*"] } }), ORDER]);
    const requests = requestsOf(context, porchlight);
    await page.goto(host.page({ tag: { "data-site": site.key, ...(required ? REQUIRED : {}) }, body: BODY }));
    await expect.poll(() => page.evaluate("typeof Porchlight.open")).toBe("function");
    if (required) await widget.call("consent", true);
    await widget.launcher.click();
    // The panel, and the conversation in the page.
    await widget.connected(2);
    await widget.choice("Red").click();
    await expect(widget.choices).toHaveText(["Small"]);
    const inline = page.frameLocator("[data-porchlight] iframe");
    await inline.getByRole("button", { name: "Red" }).click();
    await expect(inline.getByRole("button", { name: "Small" })).toBeVisible();
    const types = async (): Promise<string[]> => (await heard(page).types()).sort();
    await expect.poll(async () => (await types()).filter((type) => type === "conversation.engaged").length).toBe(2);
    const [{ visitor, session }] = await heard(page).events();
    expect(await keptBy(page)).not.toEqual([]);

    await widget.call("consent", false);
    await expect(widget.host).toHaveCount(0);
    await expect(page.getByText("As the page wrote it."), "the page’s own element is as it was").toBeVisible();
    await expect(page.locator("iframe")).toHaveCount(0);
    expect(await keptBy(page)).toEqual([]);
    const told = await types();
    requests.length = 0;
    await widget.call("open");
    await widget.call("setLocale", "fr");
    await page.evaluate(() => history.pushState(null, "", "/other"));
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
    await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
    expect(await waits(page)).toBe(true);
    expect(pathsOf(requests)).toEqual([]);
    expect(await keptBy(page)).toEqual([]);
    expect(await types()).toEqual(told);

    // Given again, it is somebody new who agrees; what was called meanwhile is done now.
    await widget.call("consent", true);
    await expect(widget.choices).toHaveText(["Red", "Blue"]);
    await expect(widget.frame.locator("html")).toHaveAttribute("lang", "fr");
    expect(pathsOf(requests)[0]).toBe("/widget/v1/start");
    const next = (await heard(page).events()).slice(told.length);
    expect(next[0].type).toBe("widget.loaded");
    for (const event of next) {
      expect(event.visitor).not.toBe(visitor);
      expect(event.session).not.toBe(session);
    }
  });
}

test.describe("reset", () => {
  /** What the new visitor's page sends must not tell who was there before. */
  async function expectNothingShared(requests: Request[], secrets: string[]): Promise<void> {
    const sent = requests.map((request) => `${request.url()} ${request.postData() ?? ""}`);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
  }

  const tokenOf = (page: Page, site: string): Promise<string> =>
    page.evaluate((site) => (JSON.parse(localStorage.getItem(`porchlight:${site}`) ?? "{}") as { token: string }).token, site);

  test("in mid-conversation gives a new visitor, who shares nothing with the one before", async ({ page, context, host, porchlight, widget }) => {
    const requests = requestsOf(context, porchlight);
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    await widget.giveEmail();
    const old = await expectTold(page, porchlight, [...SHOWN, "widget.clicked", "conversation.engaged", "input.email"]);
    const token = await tokenOf(page, "demo");
    const views = requests.map((request) => (request.postData() ?? "").match(/"view":"([^"]+)"/)?.[1]).filter((view) => view !== undefined);

    requests.length = 0;
    await widget.call("reset");
    await expect.poll(async () => (await heard(page).types()).slice(old.length)).toEqual(SHOWN);
    await expect(widget.panel).toBeHidden();
    await widget.launcher.click();
    await widget.connected(2);
    await expect(widget.visitor).toHaveCount(0);
    await widget.choose();
    await expect(widget.field).toHaveValue("");
    await expect.poll(async () => (await heard(page).types()).at(-1)).toBe("conversation.engaged");
    const events = (await heard(page).events()).slice(old.length);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(new Set(events.map(({ visitor }) => visitor)).size).toBe(1);
    expect(events[0].visitor).not.toBe(old[0].visitor);
    expect(await tokenOf(page, "demo")).not.toBe(token);
    await expectNothingShared(requests, [token, old[0].visitor, old[0].session, EMAIL, ...views]);
    expect((await logOf(porchlight, old[0].session)).map(({ id }) => id), "the old session has got nothing more").toEqual(old.map(({ id }) => id));
  });

  test("forgets what was put away, too", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("pop", { ui: "popup" })]);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await expect(widget.choices).toHaveText(["Red", "Blue"]);
    await widget.closeButton.click();
    const closed = [...SHOWN, "conversation.closed", "widget.hidden"];
    await expectTold(page, porchlight, closed);
    await widget.call("reset");
    await expect(widget.choices).toHaveText(["Red", "Blue"]);
    await expect.poll(() => heard(page).types()).toEqual([...closed, ...SHOWN]);
  });

  test("while a report is on its way tells its answer to nobody", async ({ page, host, porchlight, widget }) => {
    await page.goto(host.page());
    const old = await expectTold(page, porchlight, SHOWN);
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const reported = page.waitForRequest(EVENTS);
    await page.route(EVENTS, async (route) => {
      await held;
      await route.continue();
    });
    await widget.call("hide");
    await reported;
    await widget.call("reset");
    await expect.poll(async () => (await heard(page).types()).length).toBe(SHOWN.length + 1);
    release();
    await expect.poll(() => heard(page).types()).toEqual([...SHOWN, ...SHOWN]);
    const events = (await heard(page).events()).slice(SHOWN.length);
    expect(events.map(({ visitor }) => visitor)).not.toContain(old[0].visitor);
    expect(events).toEqual(await logOf(porchlight, events[0].session));
    await expect.poll(async () => (await logOf(porchlight, old[0].session)).map(({ type }) => type)).toEqual([...SHOWN, "widget.hidden"]);
  });

  test("drops what could not be delivered", async ({ page, context, host, porchlight, widget, quiet }) => {
    quiet.allow(/Failed to load resource: net::ERR_/);
    const requests = requestsOf(context, porchlight);
    await page.goto(host.page());
    const old = await expectTold(page, porchlight, SHOWN);
    await page.route(EVENTS, (route) => route.abort());
    await widget.call("hide");
    const types = [...SHOWN, "widget.hidden"];
    await expect.poll(() => heard(page).types()).toEqual(types);
    await page.unroute(EVENTS);

    requests.length = 0;
    await widget.call("reset");
    await expect.poll(() => heard(page).types()).toEqual([...types, ...SHOWN]);
    const events = (await heard(page).events()).slice(types.length);
    expect(events).toEqual(await logOf(porchlight, events[0].session));
    await expectNothingShared(requests, [old[0].visitor, old[0].session, "widget.hidden"]);
  });

  /** Waits for the conversation in the page to be shown to a visitor, and gives what the page has been told. */
  async function shownInline(page: Page, visitors: number): Promise<string[]> {
    await expect(page.frameLocator("[data-porchlight] iframe").getByRole("button", { name: "Red" })).toBeVisible();
    await expect.poll(async () => (await heard(page).types()).filter((type) => type === "conversation.triggered").length).toBe(visitors);
    return heard(page).types();
  }

  test("gives a conversation in the page to the new visitor", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [ORDER]);
    await page.goto(host.page({ tag: { "data-site": site.key }, body: BODY }));
    await shownInline(page, 1);
    const inline = page.frameLocator("[data-porchlight] iframe");
    await inline.getByRole("button", { name: "Red" }).click();
    await expect(inline.getByRole("button", { name: "Small" })).toBeVisible();
    await expect.poll(() => heard(page).types()).toEqual([...SHOWN, "conversation.engaged"]);
    await widget.call("reset");
    const types = await shownInline(page, 2);
    expect(types.slice(4)).toEqual(SHOWN);
    const events = (await heard(page).events()).slice(4);
    expect(events).toEqual(await logOf(porchlight, events[0].session));
  });
});
