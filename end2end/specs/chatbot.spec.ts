// A visitor of the demo customer's page meets the chatbot, answers, and reaches the end; page and server tell the same.

import type { Page } from "@playwright/test";
import { EMAIL, PHONE, PHONE_E164, TOPICS, expect, expectTold, heard, logOf, test, type Porchlight } from "../fixtures";
import type { Host } from "../support/host";
import { type Authored, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const OPENED = [...SHOWN, "widget.clicked"];
const ENGAGED = [...OPENED, "conversation.engaged"];
const EMAILED = [...ENGAGED, "input.email"];
const COMPLETED = [...EMAILED, "input.phone", "conversation.completed"];

test.beforeEach(async ({ page, porchlight }) => {
  await page.goto(porchlight.demo);
});

test("the demo page asks for nothing that is not there", async ({ page, porchlight, widget }) => {
  const missing: string[] = [];
  page.on("response", (response) => void (response.status() >= 400 && missing.push(`${response.status()} ${response.url()}`)));
  await page.reload();
  await widget.open();
  const icon = await page.evaluate(() => document.querySelector<HTMLLinkElement>("link[rel~=icon]")?.href ?? new URL("/favicon.ico", location.href).href);
  expect((await page.request.get(icon)).status(), `${icon.replace(porchlight.demo, "/")} is there`).toBe(200);
  expect(missing).toEqual([]);
});

test("the launcher appears, and says so before any click", async ({ page, porchlight, widget }) => {
  await expect(page.getByRole("button", { name: "Open chat", exact: true })).toBeVisible();
  await expect(widget.launcher).toHaveAttribute("aria-expanded", "false");
  await expect(widget.panel).toBeHidden();
  await expectTold(page, porchlight, SHOWN);
});

test("opening is a click and no engagement", async ({ page, porchlight, widget }) => {
  const synced = page.waitForResponse((response) => response.url().endsWith("/widget/v1/events") && response.request().postDataJSON().reports.length === 0);
  await widget.open();
  await expect(widget.panel).toBeVisible();
  await expect(widget.panel).toHaveAccessibleName("Marlow Bikes");
  await expect(widget.bot).toHaveCount(2);
  await expect(widget.visitor).toHaveCount(0);
  await expect(widget.choices).toHaveText([...TOPICS]);
  await synced;
  const log = await expectTold(page, porchlight, OPENED);

  const clicked = log[3];
  expect(clicked.data).toEqual({ element: "porchlight", widget: "launcher", kind: "Chat" });
  const told = (await heard(page).ctlive()).at(-1);
  expect(told).toEqual({ type: "WidgetClicked", object: { elementID: "porchlight", widgetID: "launcher", userID: clicked.visitor, type: "Chat" } });
});

test("the first answer engages, once", async ({ page, porchlight, widget }) => {
  await widget.open();
  await widget.choose(TOPICS[1]);
  await expect(widget.visitor).toHaveCount(1);
  await expect(widget.visitor.last()).toContainText(TOPICS[1]);
  await expect(widget.bot.last()).toContainText("Where may we write to you?");
  await expectTold(page, porchlight, ENGAGED);
  await widget.giveEmail();
  await expectTold(page, porchlight, EMAILED);
});

test("each choice leads to its own answer", async ({ widget }) => {
  await widget.open();
  await widget.choose(TOPICS[2]);
  await expect(widget.bot.nth(2)).toContainText("From three bikes on");
  await expect(widget.bot).toHaveCount(4);
});

test("a bad e-mail address is told beside the field, and nothing else happens", async ({ page, porchlight, widget, quiet }) => {
  quiet.allow(/status of 422/);
  await widget.open();
  await widget.choose();
  await expect(widget.field).toHaveAccessibleName("E-mail address");
  await expect(widget.field).toHaveAttribute("aria-invalid", "false");
  await expect(widget.problem).toBeEmpty();
  const before = await widget.transcript();

  for (const wrong of ["ada@", "ada lovelace@example.com", ""]) {
    await widget.field.fill(wrong);
    await widget.send.click();
    await expect(widget.problem).toHaveText("Please enter an e-mail address such as ada@example.com.");
    await expect(widget.problem).toHaveRole("alert");
    await expect(widget.field).toHaveAttribute("aria-invalid", "true");
    await expect(widget.field).toHaveAccessibleDescription("Please enter an e-mail address such as ada@example.com.");
    await expect(widget.field).toHaveValue(wrong);
    await expect(widget.field).toBeFocused();
    expect(await widget.transcript()).toEqual(before);
  }
  await expectTold(page, porchlight, ENGAGED);

  await widget.giveEmail();
  await expect(widget.problem).toBeEmpty();
  await expectTold(page, porchlight, EMAILED);
});

test("an e-mail address is in the server's log, and not on the page", async ({ page, porchlight, widget }) => {
  await widget.open();
  await widget.choose();
  await widget.giveEmail("  Ada.Lovelace@Example.COM ");
  await expect(widget.visitor.last()).toContainText(/ada\.lovelace@example\.com/i);
  const log = await expectTold(page, porchlight, EMAILED);

  const told = (await heard(page).events()).at(-1);
  expect(told?.data).toEqual({ name: "Welcome", type: "dialogue", uiType: "chatbot", card: "email" });
  expect(log.at(-1)?.id).toBe(told?.id);
  expect(String(log.at(-1)?.data.value).toLowerCase()).toBe("ada.lovelace@example.com");
  const all = JSON.stringify([await heard(page).events(), await heard(page).adobe(), await heard(page).ctlive()]);
  expect(all.toLowerCase()).not.toContain("lovelace");
});

test("a phone number is dialled in the country that was picked", async ({ page, porchlight, widget, quiet }) => {
  quiet.allow(/status of 422/);
  await widget.open();
  await widget.choose();
  await widget.giveEmail();
  await expect(widget.country).toHaveAccessibleName("Country");
  await expect(widget.country).toHaveValue("GB");
  await widget.country.selectOption({ label: "Germany (\u2066+49\u2069)" });
  await widget.field.fill("Berlin");
  await widget.send.click();
  await expect(widget.problem).toHaveText("Please enter a phone number, with its country.");
  await expect(widget.field).toHaveAttribute("aria-invalid", "true");
  await expect(widget.field).toHaveValue("Berlin");
  await expect(widget.country).toHaveValue("DE");

  await widget.field.fill(PHONE);
  await widget.send.click();
  await expect(widget.visitor.last()).toContainText(PHONE_E164);
  const log = await expectTold(page, porchlight, COMPLETED);
  expect(log.find(({ type }) => type === "input.phone")?.data.value).toBe(PHONE_E164);
  expect(JSON.stringify(await heard(page).events())).not.toContain(PHONE_E164);
});

test("a phone number that is too short or too long is told so", async ({ page, porchlight, widget, quiet }) => {
  quiet.allow(/status of 422/);
  await widget.open();
  await widget.choose();
  await widget.giveEmail();
  await widget.country.selectOption("US");
  for (const [number, problem] of [["212 55", "This phone number is too short."], ["212 555 2368 99", "This phone number is too long."]]) {
    await widget.field.fill(number);
    await widget.send.click();
    await expect.soft(widget.problem).toHaveText(problem, { timeout: 2000 });
    await expect(widget.field).toHaveValue(number);
  }
  await expectTold(page, porchlight, EMAILED);
});

test("a phone number may be skipped", async ({ page, porchlight, widget }) => {
  await widget.open();
  await widget.choose();
  await widget.giveEmail();
  await widget.skip.click();
  await expect(widget.ended).toBeVisible();
  await expect(widget.visitor.last()).toContainText("Skipped");
  await expectTold(page, porchlight, [...EMAILED, "conversation.completed"]);
});

test("the end completes, and closing after it is no closing", async ({ page, porchlight, widget }) => {
  await widget.open();
  await widget.complete();
  await expect(widget.ended).toHaveText("This conversation has ended.");
  await expect(widget.bot.last()).toContainText("Ride gently");
  await expectTold(page, porchlight, COMPLETED);

  await widget.closeButton.click();
  await expect(widget.panel).toBeHidden();
  // Reports are told in order: once the hiding is there, a closing before it would be, too.
  await widget.call("hide");
  await expectTold(page, porchlight, [...COMPLETED, "widget.hidden"]);
});

test("every interface tells each event once, with its payload", async ({ page, porchlight, widget }) => {
  await widget.open();
  await widget.complete();
  const log = await expectTold(page, porchlight, COMPLETED);
  const [{ visitor, session }] = log;

  const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  for (const event of log) {
    expect(event).toMatchObject({ site: "demo", visitor, session, page: porchlight.demo });
    for (const id of [event.id, event.visitor, event.session]) expect(id).toMatch(uuid7);
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(event.conversation).toBe(event.type.startsWith("widget.") ? null : "welcome");
  }

  const payload = { name: "Welcome", id: "welcome", type: "dialogue", uiType: "chatbot", sid: session };
  const names = ["TRIGGERED", "ENGAGED", "INPUT_EMAIL", "INPUT_PHONE", "COMPLETED"].map((name) => `CONVERSATION_${name}`);
  expect(await heard(page).adobe()).toEqual(names.map((name) => ({ name, payload })));

  const object = { elementID: "porchlight", widgetID: "launcher", userID: visitor };
  expect(await heard(page).ctlive()).toEqual([
    { type: "Loaded", object },
    { type: "WidgetShown", object },
    { type: "WidgetClicked", object: { ...object, type: "Chat" } },
  ]);
  expect(await heard(page).windowEvents()).toEqual(["ready", "triggered"]);
});

test("the page's live list ticks every event on the page and on the server", async ({ page, porchlight, widget }) => {
  await expect.poll(() => heard(page).types()).toEqual(SHOWN);
  await page.getByRole("region", { name: "What the page and the server see" }).getByRole("button", { name: "Open the chat" }).click();
  await widget.connected();
  await widget.complete();
  // Opened by the page's own button: nobody has clicked the launcher.
  const log = await expectTold(page, porchlight, COMPLETED.filter((type) => type !== "widget.clicked"));

  const rows = page.locator("#event-rows tr.event");
  await expect(rows).toHaveCount(log.length);
  for (const [index, { id, type }] of log.entries()) {
    const row = rows.nth(index);
    await expect(row).toHaveAttribute("data-id", id);
    await expect(row.getByRole("rowheader")).toContainText(type);
    await expect(row.getByRole("cell").nth(0)).toHaveText(String(index + 1));
    await expect(row.getByRole("cell").nth(1)).toHaveText("heard");
    await expect(row.getByRole("cell").nth(2)).toHaveText("logged");
  }
  await expect(page.locator("#event-summary")).toHaveText(
    `In this session the page has heard ${log.length} events; the server’s log has ${log.length}. It is numbered 1 to ${log.length} without a gap.`,
  );
  await expect(rows.filter({ hasText: "conversation.engaged" })).toHaveAttribute("data-adobe", "CONVERSATION_ENGAGED");
  await expect(rows.filter({ hasText: "widget.shown" })).toHaveAttribute("data-ctlive", "WidgetShown");
});

test("the page may start over as a new visitor", async ({ page, porchlight, widget }) => {
  await widget.open();
  await widget.choose();
  const [first] = await expectTold(page, porchlight, ENGAGED);
  await page.getByRole("button", { name: "Start over as a new visitor" }).click();
  await expect.poll(() => heard(page).types()).toEqual([...ENGAGED, ...SHOWN]);
  const last = (await heard(page).events()).at(-1);
  expect(last?.visitor).not.toBe(first.visitor);
  expect(last?.session).not.toBe(first.session);
  await expect(page.locator("#event-rows tr.event[data-page=true][data-server=true]")).toHaveCount(SHOWN.length);
  expect((await logOf(porchlight, first.session)).map(({ type }) => type)).toEqual(ENGAGED);
  await widget.launcher.click();
  await expect(widget.choices).toHaveCount(TOPICS.length);
  await expect(widget.visitor).toHaveCount(0);
});

test("markup in an answer stays text", async ({ page, porchlight, widget }) => {
  await widget.open();
  await widget.choose();
  // Valid by the letter of RFC 5321, and markup if anyone forgot to escape it.
  await widget.giveEmail(EMAIL.replace("ada", "a'&b"));
  await expect(widget.visitor.last()).toContainText("a'&b@example.com");
  await expectTold(page, porchlight, EMAILED);
});

/** A conversation of a site of its own. */
const chat: Authored = {
  id: "chat",
  name: "Chat",
  typingDelay: 0,
  poke: "Need a hand with **sizes**?",
  cards: [
    { id: "ask", card: "question", text: "What kind?", choices: [{ label: "City" }, { label: "Cargo" }] },
    { id: "mail", card: "capture", field: "email", text: "Where to?" },
    { id: "end", card: "end" },
  ],
};

/** Makes a site with settings, and goes to a page of it. */
async function visit(page: Page, porchlight: Porchlight, host: Host, conversation: Authored, settings = {}): Promise<void> {
  const site = await makeSite(porchlight, [conversation], settings);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
}

test.describe("minimised", () => {
  test("it is out of the way, not closed, and comes back as it was", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, { ...chat, poke: undefined });
    await widget.open();
    await widget.choice("City").click();
    await widget.field.fill("ada@exam");
    await page.getByRole("button", { name: "Minimise chat", exact: true }).click();
    await expect(widget.panel).toBeHidden();
    await expect(widget.launcher).toBeFocused();
    await expect(widget.launcher).toHaveAttribute("aria-expanded", "false");
    await expect(widget.launcher).toHaveAccessibleName("Open chat");

    await widget.launcher.click();
    await expect(widget.panel).toBeVisible();
    await expect(widget.field).toHaveValue("ada@exam");
    await expect(widget.visitor).toHaveCount(1);
    expect(await heard(page).hellos(), "nothing was loaded again").toBe(1);
    await expectTold(page, porchlight, [...ENGAGED, "widget.clicked"]);
    await widget.closeButton.click();
    await expectTold(page, porchlight, [...ENGAGED, "widget.clicked", "conversation.closed"]);
  });

  test("it is so after a reload", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, { ...chat, poke: undefined });
    await widget.open();
    await widget.choice("City").click();
    await expect(widget.field).toBeVisible();
    await page.getByRole("button", { name: "Minimise chat", exact: true }).click();
    await page.reload();
    await expect(widget.launcher).toBeVisible();
    await expect(widget.panel).toBeHidden();
    await widget.open();
    await expect(widget.field).toBeVisible();
  });
});

test.describe("a line beside the launcher", () => {
  const say = (page: Page) => page.locator("#porchlight .say");
  const UNREAD = "Open chat, 1 new message";

  /** Meets the launcher with the line's time standing still; the line itself is due after two seconds. */
  async function wait(page: Page): Promise<void> {
    await expect(page.locator("#porchlight .poke")).toBeAttached();
  }

  test.beforeEach(async ({ page }) => {
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 1000);
  });

  test("comes after its time, as text, and is unread on the launcher", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, chat);
    await wait(page);
    await page.clock.runFor(1900);
    await expect(say(page)).toHaveCount(0);
    await expect(widget.launcher).toHaveAccessibleName("Open chat");
    await page.clock.runFor(200);
    await expect(say(page)).toHaveText("Need a hand with sizes?");
    await expect(page.getByRole("status").locator(".say"), "it is read out").toHaveCount(1);
    await expect(widget.launcher).toHaveAccessibleName(UNREAD);
    await expect(widget.launcher.locator(".badge")).toHaveText("1");
    await expectTold(page, porchlight, SHOWN);
  });

  test("opens the chat when it is clicked, which is a click on the launcher", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, chat);
    await wait(page);
    await page.clock.runFor(2000);
    await say(page).click();
    await expect(widget.choices).toHaveText(["City", "Cargo"]);
    await expect(say(page)).toHaveCount(0);
    await expectTold(page, porchlight, OPENED);
    await page.clock.resume();
    await widget.closeButton.click();
    await expect(widget.panel).toBeHidden();
    await expect(widget.launcher, "it was read").toHaveAccessibleName("Open chat");
    await expect(page.locator("#porchlight .poke")).toHaveCount(0);
  });

  test("goes when it is dismissed, and does not come again in this tab", async ({ page, context, porchlight, host, widget }) => {
    await visit(page, porchlight, host, chat);
    await wait(page);
    await page.clock.runFor(2000);
    await page.getByRole("button", { name: "Dismiss message", exact: true }).click();
    await expect(say(page)).toHaveCount(0);
    await expect(widget.launcher).toHaveAccessibleName("Open chat");
    await expect(widget.launcher).toBeFocused();
    await expect(widget.panel).toBeHidden();

    await page.reload();
    await expect(widget.launcher).toBeVisible();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", "widget.shown"]);
    await page.clock.runFor(5000);
    await expect(page.locator("#porchlight .poke")).toHaveCount(0);
    await expect(widget.launcher).toHaveAccessibleName("Open chat");

    const other = await context.newPage();
    await other.goto(page.url());
    await wait(other);
    await other.clock.runFor(2000);
    await expect(say(other)).toBeVisible();
  });

  test("that nobody has seen to is unread still on the next page", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, chat);
    await wait(page);
    await page.clock.runFor(2000);
    await expect(say(page)).toBeVisible();
    await page.reload();
    await expect(widget.launcher).toHaveAccessibleName(UNREAD);
    await page.clock.runFor(2000);
    await expect(say(page)).toBeVisible();
    await widget.call("hide");
    await expect(say(page)).toHaveCount(0);
    await widget.call("open");
    await expect(widget.choices).toHaveText(["City", "Cargo"]);
    await widget.call("close");
    await expect(widget.launcher).toHaveAccessibleName("Open chat");
  });

  test("does not speak to who is answering already", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, chat);
    await wait(page);
    await page.clock.resume();
    await widget.open();
    await widget.choice("City").click();
    await expect(widget.field).toBeVisible();
    await widget.closeButton.click();
    await page.reload();
    await expect(widget.launcher).toBeVisible();
    await page.clock.fastForward(5000);
    await expect(page.locator("#porchlight .poke")).toHaveCount(0);
  });
});

test.describe("the launcher of a site", () => {
  const launcher = { corner: "start", x: 40, y: 60, icon: "question", label: { en: "Need <b>help</b>?", de: "Hilfe?" } };
  const settings = { accent: "#ffd400", theme: { mode: "dark", font: "serif", radius: 4 }, launcher };

  test("has its label, icon, corner, offsets, colour and letters", async ({ page, porchlight, host, widget }) => {
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await visit(page, porchlight, host, chat, settings);
    await expect(page.getByRole("button", { name: "Need <b>help</b>?", exact: true })).toBeVisible();
    await expect(widget.launcher).toHaveText("Need <b>help</b>?");
    const box = (await widget.launcher.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    expect([box.x, 800 - box.y - box.height]).toEqual([40, 60]);
    expect(box.width).toBeGreaterThan(box.height);
    await expect(widget.launcher).toHaveCSS("background-color", "rgb(255, 212, 0)");
    await expect(widget.launcher, "black is read better on it").toHaveCSS("color", "rgb(0, 0, 0)");
    await expect(widget.launcher).toHaveCSS("font-family", /Charter/);
    const shape = await widget.launcher.evaluate((button) => getComputedStyle(button, "::before").clipPath);
    expect(shape).toMatch(/^path\(evenodd/);

    await widget.open();
    await expect(widget.launcher).toHaveAccessibleName("Close chat");
    await expect(widget.launcher, "open, it is a cross without words").toHaveText("");
    const panel = (await widget.panel.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    expect(panel.x).toBe(40);
    expect(panel.y).toBeGreaterThanOrEqual(0);
    expect(panel.y + panel.height, "above the launcher").toBeLessThanOrEqual(800 - 60 - 56);
    await expect(widget.panel).toHaveCSS("border-radius", "4px");
    const root = widget.frame.locator("html");
    await expect(root).toHaveAttribute("data-theme", "dark");
    await expect(root).toHaveCSS("color-scheme", "dark");
    await expect(widget.frame.locator("body")).toHaveCSS("font-family", /Charter/);
    await expect(widget.frame.locator(".head")).toHaveCSS("background-color", "rgb(255, 212, 0)");
  });

  test("stands on the other side from right to left, and speaks the visitor’s language", async ({ page, porchlight, host, widget }) => {
    const site = await makeSite(porchlight, [chat], settings);
    await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": "de" } }));
    await expect(widget.launcher).toHaveAccessibleName("Hilfe?");
    await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": "ar" } }));
    await expect(widget.launcher).toBeVisible();
    const box = (await widget.launcher.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    expect(1280 - box.x - box.width, "where a line begins").toBe(40);
  });

  test("the page’s theme comes before the site’s", async ({ page, porchlight, host, widget }) => {
    const site = await makeSite(porchlight, [chat], settings);
    await page.goto(host.page({ tag: { "data-site": site.key, "data-theme": "light" } }));
    await widget.open();
    await expect(widget.frame.locator("html")).toHaveCSS("color-scheme", "light");
  });

  test("is a circle without a label, and may have other pictures", async ({ page, porchlight, host, widget }) => {
    const shapes = new Set<string>();
    for (const icon of ["chat", "phone", "wave"]) {
      const site = await makeSite(porchlight, [{ ...chat, poke: undefined }], { launcher: { icon } });
      await page.goto(host.page({ tag: { "data-site": site.key } }));
      const box = await widget.launcher.boundingBox();
      expect([box?.width, box?.height]).toEqual([56, 56]);
      shapes.add(await widget.launcher.evaluate((button) => getComputedStyle(button, "::before").clipPath));
    }
    expect(shapes.size).toBe(3);
    expect([...shapes].every((shape) => shape.startsWith("path("))).toBe(true);
  });
});
