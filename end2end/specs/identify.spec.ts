// The customer's site says who the visitor is, and proves it: they are the same in every browser, and nobody can claim to be them.

import { createHmac } from "node:crypto";
import type { Browser, Page } from "@playwright/test";
import { EMAIL, expect, expectTold, heard, logOf, type Porchlight, test, Widget } from "../fixtures";
import { recordIn } from "../support/recorder";
import { type Authored, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const START = "**/widget/v1/start";

const question = (id: string, text: string, labels: string[]) => ({ id, card: "question", text, choices: labels.map((label) => ({ label })) });

function talk(id: string, more: Record<string, unknown> = {}): Authored {
  const cards = [question("colour", `${id}: which colour?`, ["Red", "Blue"]), question("size", `${id}: which size?`, ["Small"]), { id: "end", card: "end" }];
  return { id, typingDelay: 0, cards, ...more };
}

/** What the customer's server adds: the proof, made with the site's secret. */
function proofBy(porchlight: Porchlight, site: string): (told: string) => string {
  const secret = porchlight.command("secret", "--site", site);
  return (told) => createHmac("sha256", secret).update(told).digest("hex");
}

/** The page of a visitor in another browser. */
async function elsewhere(browser: Browser): Promise<Widget> {
  const context = await browser.newContext();
  await recordIn(context, true);
  return new Widget(await context.newPage());
}

/** Says who the visitor is, and waits until the server has been told. */
async function identify(widget: Widget, who: Record<string, unknown>): Promise<void> {
  const answered = widget.page.waitForResponse(START);
  await widget.call("identify", who);
  expect((await answered).status()).toBe(200);
  // The answer has come; what it brings is told when the page has read it.
  await expect.poll(async () => (await heard(widget.page).events()).length).toBeGreaterThan(0);
}

const errorOn = (page: Page, text: string) => page.waitForEvent("console", (message) => message.type() === "error" && message.text().includes(text));

for (const [by, told] of [["id", { id: "4711" }], ["e-mail address", { email: EMAIL }]] as const) {
  test(`a visitor who is known by their ${by} goes on in another browser`, async ({ page, browser, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop")]);
    const who = { ...told, hash: proofBy(porchlight, site.key)(Object.values(told)[0]) };
    const address = host.page({ tag: { "data-site": site.key } });
    await page.goto(address);
    await widget.open();
    await widget.choice("Red").click();
    await expect(widget.choices).toHaveText(["Small"]);
    await identify(widget, who);
    const [{ visitor }] = await heard(page).events();

    const other = await elsewhere(browser);
    await other.page.goto(address);
    await expect.poll(() => heard(other.page).types()).toEqual(SHOWN);
    await identify(other, who);
    await other.open();
    await expect(other.choices).toHaveText(["Small"]);
    expect(await other.transcript()).toEqual(await widget.transcript());
    await other.choice("Small").click();
    await expect(other.ended).toBeVisible();
    await expect.poll(async () => (await heard(other.page).types()).at(-1)).toBe("conversation.completed");
    const events = await heard(other.page).events();
    expect(events.at(-1)?.visitor).toBe(visitor);
    expect(events[0].visitor, "who they were before they said so").not.toBe(visitor);
    await logOf(porchlight, String(events.at(-1)?.session));
    await other.page.context().close();

    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await expect(widget.launcher, "it was completed in the other").toBeHidden();
  });
}

test("what the visitor did before they said who they are is theirs", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [talk("shop")]);
  const who = { id: "4711", hash: proofBy(porchlight, site.key)("4711") };
  const address = host.page({ tag: { "data-site": site.key } });
  await page.goto(address);
  await identify(widget, who);
  const [{ visitor }] = await heard(page).events();
  const other = await elsewhere(browser);
  await other.page.goto(address);
  await other.open();
  await other.choice("Blue").click();
  await expect(other.choices).toHaveText(["Small"]);
  await identify(other, who);
  await other.page.reload();
  await expect(other.choices).toHaveText(["Small"]);
  expect((await heard(other.page).events())[0].visitor).toBe(visitor);
  await other.page.context().close();
  await page.reload();
  await widget.open();
  await expect(widget.visitor).toContainText(["Blue"]);
  await expect(widget.choices).toHaveText(["Small"]);
});

test("who they are decides what is offered, without a reload", async ({ page, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [
    talk("stranger", { target: { known: false } }),
    talk("known", { target: { known: true }, priority: 1 }),
    talk("ada", { target: { if: { all: [{ attribute: "name", startsWith: "ada" }, { attribute: "email", contains: "@example." }] } }, priority: 2 }),
  ]);
  const hash = proofBy(porchlight, site.key)("4711");
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  const next = ["widget.hidden", "widget.shown", "conversation.triggered"];
  await expectTold(page, porchlight, SHOWN);
  await identify(widget, { id: "4711", hash });
  await expectTold(page, porchlight, [...SHOWN, ...next]);
  await identify(widget, { id: "4711", email: EMAIL, name: "Ada Lovelace", hash });
  const log = await expectTold(page, porchlight, [...SHOWN, ...next, ...next]);
  expect(log.filter(({ type }) => type === "conversation.triggered").map(({ conversation }) => conversation)).toEqual(["stranger", "known", "ada"]);
  expect(new Set(log.map(({ visitor }) => visitor)).size).toBe(1);
  await widget.open();
  await expect(widget.bot).toContainText(["ada: which colour?"]);
});

test("told in the queue it is known from the first request on, and what is known is not asked for", async ({ page, host, porchlight, widget }) => {
  const cards = [
    { id: "hello", card: "message", text: "Hello {{visitor.firstName|stranger}}!" },
    { id: "email", card: "capture", field: "email", ifKnown: "skip", text: "Where may we write to you?" },
    question("ok", "Is {{visitor.email|}} right?", ["Yes"]),
    { id: "end", card: "end" },
  ];
  const site = await makeSite(porchlight, [{ id: "shop", typingDelay: 0, cards, target: { known: true } }]);
  const who = { id: "4711", email: EMAIL, name: "Ada Lovelace", hash: proofBy(porchlight, site.key)("4711") };
  const before = `window.Porchlight = window.Porchlight || []; Porchlight.push(["identify", ${JSON.stringify(who)}]);`;
  let starts = 0;
  page.on("request", (request) => void (request.url().endsWith("/start") && (starts += 1)));
  await page.goto(host.page({ tag: { "data-site": site.key }, before }));
  await widget.open();
  await expect(widget.bot).toContainText(["Hello Ada!", `Is ${EMAIL} right?`]);
  await expectTold(page, porchlight, [...SHOWN, "widget.clicked"]);
  expect(starts).toBe(1);
  const told = JSON.stringify([await heard(page).events(), await heard(page).ctlive()]);
  expect(told).not.toContain(EMAIL);
  expect(told).not.toContain("4711");
});

test.describe("a proof that does not fit", () => {
  const bad = {
    "is none": () => "00",
    "is of somebody else": (proof: (told: string) => string) => proof("4712"),
    "is by another site’s secret": (_: unknown, other: (told: string) => string) => other("4711"),
  };
  for (const [what, hash] of Object.entries(bad)) {
    test(`because it ${what} is told in the console, and the widget goes on`, async ({ page, host, porchlight, widget, quiet }) => {
      quiet.allow(/status of 4\d\d.*\/start\)/, /Porchlight: expected the hex of HMAC-SHA256/);
      const site = await makeSite(porchlight, [talk("stranger", { target: { known: false } }), talk("known", { target: { known: true }, priority: 1 })]);
      const other = await makeSite(porchlight, []);
      await page.goto(host.page({ tag: { "data-site": site.key } }));
      await expectTold(page, porchlight, SHOWN);
      let starts = 0;
      page.on("request", (request) => void (request.url().endsWith("/start") && (starts += 1)));
      const error = errorOn(page, "HMAC-SHA256");
      const wrong = hash(proofBy(porchlight, site.key), proofBy(porchlight, other.key));
      await widget.call("identify", { id: "4711", email: EMAIL, hash: wrong });
      await error;
      await widget.open();
      await expect(widget.bot).toContainText(["stranger: which colour?"]);
      await widget.choice("Red").click();
      await expect(widget.choices).toHaveText(["Small"]);
      await expectTold(page, porchlight, [...SHOWN, "widget.clicked", "conversation.engaged"]);
      expect(starts, "once with it, once without").toBe(2);
    });
  }

  test("in the queue does not keep the widget away", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 4\d\d.*\/start\)/, /Porchlight: expected the hex of HMAC-SHA256/);
    const site = await makeSite(porchlight, [talk("shop")]);
    const before = `window.Porchlight = window.Porchlight || []; Porchlight.push(["identify", { id: "4711", hash: "00" }], ["open"]);`;
    const error = errorOn(page, "HMAC-SHA256");
    await page.goto(host.page({ tag: { "data-site": site.key }, before }));
    await error;
    await expect(widget.choices).toHaveText(["Red", "Blue"]);
    await expectTold(page, porchlight, SHOWN);
  });

  test("because the secret was changed does not fit any more", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 4\d\d.*\/start\)/, /Porchlight: expected the hex of HMAC-SHA256/);
    const site = await makeSite(porchlight, [talk("shop")]);
    const old = proofBy(porchlight, site.key);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await identify(widget, { id: "4711", hash: old("4711") });
    porchlight.command("secret", "--site", site.key, "--rotate");
    const error = errorOn(page, "HMAC-SHA256");
    await widget.call("identify", { id: "4711", name: "Ada", hash: old("4711") });
    await error;
    await identify(widget, { id: "4711", name: "Ada", hash: proofBy(porchlight, site.key)("4711") });
  });
});

test.describe("somebody else on the same browser", () => {
  test("after reset is somebody else, and the first comes back to what is theirs", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop")]);
    const proof = proofBy(porchlight, site.key);
    const [ada, bob] = ["ada", "bob"].map((id) => ({ id, name: id, hash: proof(id) }));
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await identify(widget, ada);
    await widget.open();
    await widget.choice("Red").click();
    await expect(widget.choices).toHaveText(["Small"]);
    const last = async () => (await heard(page).events()).at(-1);
    await expect.poll(async () => (await last())?.type).toBe("conversation.engaged");
    const adas = (await last())?.visitor;

    await page.evaluate((bob) => {
      const { Porchlight } = window as unknown as { Porchlight: { push(...commands: unknown[][]): void } };
      Porchlight.push(["reset"], ["identify", bob]);
    }, bob);
    await expect.poll(async () => (await last())?.type).toBe("conversation.triggered");
    await expect(widget.panel).toBeHidden();
    await widget.launcher.click();
    await expect(widget.choices).toHaveText(["Red", "Blue"]);
    await expect(widget.visitor).toHaveCount(0);
    expect((await last())?.visitor).not.toBe(adas);

    await widget.call("reset");
    await expect(widget.panel).toBeHidden();
    await expect(widget.launcher).toBeVisible();
    await identify(widget, ada);
    await widget.launcher.click();
    await expect(widget.visitor).toContainText(["Red"]);
    await expect(widget.choices).toHaveText(["Small"]);
    // She is in another session by now: there it counts anew.
    await expect.poll(async () => (await heard(page).types()).slice(-2)).toEqual(["widget.clicked", "conversation.triggered"]);
    const events = (await heard(page).events()).slice(-2);
    expect(events.map(({ visitor }) => visitor)).toEqual([adas, adas]);
    await logOf(porchlight, events[0].session);
  });

  test("without reset is not taken for them", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 409.*\/start\)/, /Porchlight: this browser/);
    const site = await makeSite(porchlight, [talk("shop")]);
    const proof = proofBy(porchlight, site.key);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await identify(widget, { id: "ada", hash: proof("ada") });
    const [{ visitor }] = await heard(page).events();
    const error = errorOn(page, "call reset()");
    await widget.call("identify", { id: "bob", hash: proof("bob") });
    await error;
    await widget.open();
    await expect.poll(async () => (await heard(page).types()).at(-1)).toBe("widget.clicked");
    expect((await heard(page).events()).at(-1)?.visitor).toBe(visitor);
  });
});
