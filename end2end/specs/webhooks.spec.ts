// Webhooks: an administrator makes an endpoint in the console, and the customer's own system is told what visitors do.

import type { Page } from "@playwright/test";
import { type Porchlight, TALK, test as base, expect, expectTold, heard, logOf } from "../fixtures";
import { agentOf, close } from "../support/agent";
import { expectAccessible, expectFits } from "../support/looks";
import { startPorchlight } from "../support/porchlight";
import { type Receiver, isSignedWith, startReceiver } from "../support/receiver";
import { makeSite } from "../support/site";

const OPENED = ["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked"];

const test = base.extend<{ receiver: Receiver }, { porchlight: Porchlight }>({
  // One that may send to this machine, and tries again soon.
  porchlight: [
    async ({}, use) => {
      const porchlight = await startPorchlight("--egress-allow", "127.0.0.1", "--webhook-retry-seconds", "1");
      await use(porchlight);
      await porchlight.stop();
    },
    { scope: "worker" },
  ],

  receiver: async ({}, use) => {
    const receiver = await startReceiver();
    await use(receiver);
    await receiver.stop();
  },
});

/** Makes an endpoint by the API, and gives where its page is. */
async function make(porchlight: Porchlight, site: string, name: string, url: string, more: object = {}): Promise<string> {
  const answer = await fetch(`${porchlight.origin}/api/v1/webhooks`, {
    method: "POST",
    headers: { authorization: `Bearer ${porchlight.key}` },
    body: JSON.stringify({ site, name, url, ...more }),
  });
  expect(answer.status).toBe(201);
  return `${porchlight.origin}/console/webhooks/${((await answer.json()) as { id: string }).id}`;
}

/** The rows of the attempts. */
const attempts = (page: Page) => page.locator(".attempts tbody tr");

/** Loads a page until it shows something: what is sent, is sent in its own time. */
const untilSeen = (page: Page, seen: () => Promise<void>): Promise<void> =>
  expect(async () => {
    // Not loaded again, since that would send again what a form has sent.
    await page.goto(page.url());
    await seen();
  }).toPass();

test("an endpoint from the console is told what visitors do, signed and in its order", async ({ page, browser, host, porchlight, widget, receiver }) => {
  test.slow();
  const site = await makeSite(porchlight, [TALK]);
  const boss = await agentOf(browser, porchlight, site.key, "Boss", {}, "administrator");
  const desk = boss.page;
  await desk.getByRole("link", { name: "Webhooks" }).click();
  const field = (name: string) => desk.locator(`form [name=${name}]`);
  await field("site").selectOption(site.key);
  await field("name").fill("Our CRM");
  // What this server may not send to.
  await field("url").fill("https://10.0.0.1/");
  await desk.getByRole("button", { name: "Make it" }).click();
  await expect(desk.getByRole("alert")).toContainText("egress_allow");
  await expect(field("url"), "what was typed stays").toHaveValue("https://10.0.0.1/");
  await expect(field("site")).toHaveValue(site.key);
  await field("url").fill(receiver.url);
  await desk.getByRole("button", { name: "Make it" }).click();
  await expect(desk.getByRole("heading", { name: "Our CRM" })).toBeVisible();

  await expect(desk.locator(".link-once")).toHaveCount(0);
  await desk.getByRole("button", { name: "Show the secret" }).click();
  const secret = await desk.locator(".link-once").innerText();
  expect(secret).toMatch(/^whsec_/);

  await desk.getByLabel("Type of event").selectOption("meeting.booked");
  await desk.getByRole("button", { name: "Send a test event" }).click();
  await expect(desk.getByRole("status")).toContainText("200, accepted");
  expect(receiver.received).toHaveLength(1);
  const [tried] = receiver.received;
  expect(tried.event).toMatchObject({ type: "meeting.booked", site: site.key, data: { test: true } });
  expect(isSignedWith(secret, tried)).toBe(true);
  expect(isSignedWith(secret, { ...tried, body: `${tried.body} ` }), "another body has another signature").toBe(false);
  await expect(desk.getByText("Nothing has been sent yet."), "a test is no attempt").toBeVisible();

  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  const log = await expectTold(page, porchlight, OPENED);
  const sent = () => receiver.received.slice(1);
  await expect.poll(() => sent().map(({ event }) => event), "as the log has them").toEqual(log);
  for (const request of sent()) {
    expect(isSignedWith(secret, request)).toBe(true);
    expect(request.headers).toMatchObject({ "webhook-id": request.event.id, "content-type": "application/json" });
    expect(Math.abs(Number(request.headers["webhook-timestamp"]) * 1000 - Date.now())).toBeLessThan(300_000);
  }
  await untilSeen(desk, async () => expect(attempts(desk)).toHaveCount(OPENED.length, { timeout: 1_000 }));
  await expect(attempts(desk).filter({ hasText: "200, accepted" })).toHaveCount(OPENED.length);
  await expect(attempts(desk).last()).toContainText("widget.loaded");
  await expect(attempts(desk).last()).toContainText(log[0].id);

  // Both secrets are good for a day.
  await desk.getByRole("button", { name: "Make a new secret" }).click();
  await desk.getByRole("button", { name: "Show the secret" }).click();
  const [second, first] = await desk.locator(".link-once").allInnerTexts();
  expect(first).toBe(secret);
  await desk.getByLabel("The id of one event").fill(log[2].id);
  await desk.getByRole("button", { name: "Send it" }).click();
  await expect(desk.getByRole("status")).toHaveText("Sent again: 1 event.");
  await expect.poll(() => sent().length).toBe(OPENED.length + 1);
  const again = receiver.received.at(-1)!;
  expect(again.event, "the same, under the same id").toEqual(log[2]);
  expect([first, second].map((secret) => isSignedWith(secret, again))).toEqual([true, true]);

  await desk.getByRole("link", { name: "Remove it…" }).click();
  await desk.getByRole("button", { name: "Remove it" }).click();
  await expect(desk.getByRole("status")).toHaveText("Removed.");
  await expect(desk.getByRole("main")).not.toContainText("Our CRM");
  // What the browser says of the refused address.
  expect(boss.errors.filter((error) => !/status of 400/.test(error))).toEqual([]);
  await close(boss);
});

test("what an endpoint does not take is seen in the console, and sent again until it does", async ({ page, browser, host, porchlight, widget, receiver }) => {
  test.slow();
  const site = await makeSite(porchlight, [TALK]);
  const boss = await agentOf(browser, porchlight, site.key, "Boss", {}, "administrator");
  const desk = boss.page;
  receiver.answer(503);
  const at = await make(porchlight, site.key, "Broken", receiver.url);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await expect(widget.launcher).toBeVisible();
  await expect.poll(() => heard(page).types()).toEqual(OPENED.slice(0, 3));
  const session = (await heard(page).events())[0].session;
  await desk.goto(at);
  await untilSeen(desk, async () => expect(attempts(desk).filter({ hasText: "503, failed" }).first()).toBeVisible({ timeout: 1_000 }));
  await expect(desk.locator("h2 .chip")).toHaveText("failing");
  await expect(desk.locator("dd.failed")).toContainText("expected a status of 2xx, got 503");
  await desk.getByRole("link", { name: "Failed", exact: true }).click();
  await expect(attempts(desk).first()).toContainText("got 503 Service Unavailable");

  // Switched off, nothing comes; switched on, it goes on where it was.
  await desk.getByRole("button", { name: "Switch off" }).click();
  await expect(desk.locator("h2 .chip")).toHaveText("switched off");
  await widget.open();
  await expect.poll(() => heard(page).types()).toEqual(OPENED);
  receiver.answer(204);
  await expect(desk.getByRole("radio", { name: /^From where it stopped/ })).toBeChecked();
  await desk.getByRole("button", { name: "Switch on" }).click();
  await expect(desk.locator("h2 .chip")).toHaveText(/^(on|failing)$/);
  const taken = () => receiver.received.filter(({ status }) => status === 204).map(({ event }) => event.id);
  const log = (await logOf(porchlight, session)).map(({ id }) => id);
  await expect.poll(() => [...new Set(taken())].sort()).toEqual([...log].sort());
  await untilSeen(desk, async () => expect(desk.locator("h2 .chip")).toHaveText("on", { timeout: 1_000 }));
  expect(boss.errors).toEqual([]);
  await close(boss);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe-core finds nothing in the pages of webhooks, ${colorScheme}, wide and narrow`, async ({ browser, porchlight, receiver }) => {
    test.setTimeout(240_000);
    const site = await makeSite(porchlight, [TALK]);
    const boss = await agentOf(browser, porchlight, site.key, "Boss", { colorScheme, reducedMotion: "reduce" }, "administrator");
    const { page } = boss;
    const long = `A-name-without-a-break-${"in-it-".repeat(12)}`;
    const address = `${receiver.url}/${"a-very-long-path-".repeat(20)}`;
    const at = await make(porchlight, site.key, long, address);
    const off = await make(porchlight, site.key, "Off", receiver.url, { adapter: { kind: "template", body: {}, headers: { "X-Key": "secret" } } });
    receiver.answer(500);
    const begun = await fetch(`${porchlight.origin}/widget/v1/start`, {
      method: "POST",
      body: JSON.stringify({ site: site.key, page: porchlight.demo, locale: "en-GB" }),
    });
    expect(begun.status).toBe(200);
    const look = async (address: string, state: string, act?: () => Promise<unknown>): Promise<void> => {
      for (const width of [1280, 375]) {
        await page.setViewportSize({ width, height: 800 });
        await page.goto(address);
        await act?.();
        await expectAccessible(page, `${state}, ${width} px`);
        await expectFits(page, `${state}, ${width} px`);
      }
    };
    const list = `${porchlight.origin}/console/webhooks`;
    await look(list, "the list");
    for (const form of ["A line of text", "Google Analytics 4", "JSON of your own"]) {
      await look(list, `the form: ${form}`, () => page.getByRole("radio", { name: new RegExp(`^${form}`) }).check());
    }
    await look(list, "the form, with a problem", async () => {
      await page.locator("form [name=name]").fill("Wrong");
      await page.locator("form [name=url]").fill("https://10.0.0.1/");
      await page.getByRole("button", { name: "Make it" }).click();
      await expect(page.getByRole("alert")).toContainText("egress_allow");
    });
    await page.goto(at);
    await untilSeen(page, async () => expect(attempts(page).first()).toBeVisible({ timeout: 1_000 }));
    await look(at, "one that fails, with its fields", async () => {
      await page.getByText("Change it").click();
      await expect(page.locator("form [name=url]")).toBeVisible();
    });
    await look(at, "with its secret", async () => {
      await page.getByRole("button", { name: "Show the secret" }).click();
      await expect(page.locator(".link-once")).toBeVisible();
    });
    await look(at, "with what came of a test", async () => {
      await page.getByRole("button", { name: "Send a test event" }).click();
      await expect(page.getByRole("status")).toContainText("500, failed");
    });
    await look(`${at}?outcome=failed`, "what failed");
    await look(`${at}/remove`, "the question");
    await look(off, "one that is switched off", async () => {
      const button = page.getByRole("button", { name: "Switch off" });
      if (await button.isVisible()) await button.click();
      await expect(page.getByRole("button", { name: "Switch on" })).toBeVisible();
    });
    await close(boss);
  });
}
