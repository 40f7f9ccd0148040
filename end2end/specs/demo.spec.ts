// The demo customer's six pages, as the README's first command shows them.

import type { FrameLocator, Page } from "@playwright/test";
import { TOPICS, expect, heard, logOf, test } from "../fixtures";
import { Times, valuesOf } from "../support/times";

const PAGES = ["index.html", "offers.html", "quote.html", "workshop.html", "contact.html", "analytics.html"];

const popupOf = (page: Page): FrameLocator => page.frameLocator("#porchlight dialog.popup iframe");

/** Puts a popup away. */
async function shut(page: Page): Promise<void> {
  await page.keyboard.press("Escape");
  await expect(page.locator("#porchlight dialog.popup")).toHaveCount(0);
}

test("every page leads to every other, and says which it is", async ({ page, porchlight }) => {
  await page.goto(porchlight.demo);
  const links = page.getByRole("navigation", { name: "Main" }).getByRole("link");
  for (const [index, name] of PAGES.entries()) {
    await links.nth(index).click();
    await expect(page).toHaveURL(new RegExp(`/${name}$`));
    await expect(links.nth(index)).toHaveAttribute("aria-current", "page");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    // Neither the page nor what comes onto it is wider than a small phone.
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBe(320);
    await page.setViewportSize({ width: 1280, height: 800 });
  }
});

test("the weekends’ popup opens when the page was scrolled, and speaks the visitor’s language", async ({ page, porchlight, browser }) => {
  await page.goto(new URL("offers.html", porchlight.demo).href);
  await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
  await page.mouse.wheel(0, 2000);
  const popup = page.locator("#porchlight dialog.popup");
  await expect(popup).toBeVisible();
  await expect(popup.frameLocator("iframe").getByRole("log")).toContainText("A weekend on a Marlow");
  await page.keyboard.press("Escape");
  await expect(popup).toHaveCount(0);
  const types = ["widget.loaded", "widget.shown", "conversation.triggered", "conversation.closed", "widget.hidden"];
  await expect.poll(() => heard(page).types()).toEqual(types);

  const german = await browser.newContext({ locale: "de-DE" });
  const other = await german.newPage();
  await other.goto(new URL("offers.html", porchlight.demo).href);
  await other.locator("#porchlight").waitFor({ state: "attached" });
  await other.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect(other.frameLocator("#porchlight dialog.popup iframe").getByRole("log")).toContainText("Ein Wochenende auf einem Marlow");
  await german.close();
});

test("the quote stands in the page, beside the launcher", async ({ page, porchlight }) => {
  await page.goto(new URL("quote.html", porchlight.demo).href);
  const quote = page.locator("[data-porchlight=quote]");
  await quote.scrollIntoViewIfNeeded();
  await quote.frameLocator("iframe").getByRole("button", { name: "Guests borrow them" }).click();
  await expect(quote.frameLocator("iframe").getByRole("checkbox")).toHaveCount(3);
  await expect.poll(() => heard(page).types()).toContain("conversation.engaged");
  const [{ session }] = await heard(page).events();
  const log = await logOf(porchlight, session);
  const engaged = log.find(({ type }) => type === "conversation.engaged");
  expect(engaged).toMatchObject({ conversation: "quote", data: { type: "conversationFlow", uiType: "inline" } });
});

test("the workshop has two widgets, and a third as often as one likes", async ({ page, porchlight, widget }) => {
  await page.goto(new URL("workshop.html", porchlight.demo).href);
  await expect(widget.launcher).toBeVisible();
  const feedback = page.locator("#feedback");
  await feedback.scrollIntoViewIfNeeded();
  await expect(feedback.frameLocator("iframe").getByRole("button", { name: "Good", exact: true })).toBeVisible();
  await expect.poll(async () => (await heard(page).ctlive()).filter(({ type }) => type === "WidgetShown").map(({ object }) => object.elementID)).toEqual([
    "porchlight",
    "feedback",
  ]);
  for (let round = 0; round < 2; round += 1) {
    await page.getByRole("button", { name: "Have us call you back" }).click();
    const popup = popupOf(page);
    await popup.locator("#country").selectOption("DE");
    await popup.locator("#value").fill("030 901820");
    await popup.locator(".send").click();
    // While the shop is closed, a time is chosen in the place of the call at once.
    await expect(popup.locator(".ended, .time").first()).toBeVisible();
    if (await popup.locator(".time").count()) await popup.locator(".time").first().click();
    await expect(popup.locator(".ended")).toBeVisible();
    await shut(page);
  }
  const [{ session }] = await heard(page).events();
  const log = await logOf(porchlight, session);
  const told = log.filter(({ conversation, type }) => conversation === "callback" && type !== "fallback.shown").map(({ type }) => type);
  const asked = ["input.phone", "datacollection.submitted", "callback.requested", "goal.reached"];
  expect(told).toEqual([
    ...["conversation.triggered", "datacollection.started", "conversation.engaged", ...asked, "conversation.completed"],
    ...["datacollection.started", ...asked],
  ]);
});

test("each way to reach the shop leads on, at any hour", async ({ page, porchlight, widget }) => {
  await page.goto(new URL("contact.html", porchlight.demo).href);
  const popup = popupOf(page);
  let started = 0;
  const start = async (name: string, says: string): Promise<void> => {
    await page.getByRole("button", { name }).click();
    await expect(popup.getByRole("log")).toContainText(says);
    started += 1;
    await widget.connected(started);
  };
  await start("Talk to a person", "A person comes next.");
  await expect(popup.locator("#card").getByRole("textbox")).toHaveCount(3);
  await shut(page);

  await start("Have us call you back", "Monday to Saturday");
  await expect(popup.locator("#value")).toHaveAttribute("type", "tel");
  await shut(page);

  await start("Choose a time", "We call when it suits you.");
  await popup.getByLabel("What may we call you?").fill("Grace");
  await popup.getByLabel("What is it about?").selectOption("workshop");
  await popup.getByRole("button", { name: "On to the number" }).click();
  await popup.locator("#country").selectOption("DE");
  await popup.locator("#value").fill("030 901821");
  await popup.locator(".send").click();
  await popup.locator(".time").last().click();
  await expect(popup.getByRole("log")).toContainText("We will call you");
  await shut(page);

  await start("Show the number", "Tell us your name");
  await popup.getByRole("button", { name: "Skip" }).click();
  // Beside the telephone is somebody only while the shop is open.
  await expect(popup.locator("a[href='tel:+441632960123'], #value[type=tel]").first()).toBeVisible();
  await shut(page);
  expect((await heard(page).ctlive()).filter(({ type }) => type === "DatacollectionStarted").map(({ object }) => object.widgetID)).toEqual(
    expect.arrayContaining(["talk", "callback", "callback-later", "call-us"]),
  );
});

test("a test ride is booked, and is in the calendar of whoever rides along", async ({ page, browser, porchlight }) => {
  const guest = `grace-${process.pid}@example.com`;
  await page.goto(new URL("contact.html", porchlight.demo).href);
  await page.getByRole("button", { name: "Book a test ride" }).click();
  const popup = popupOf(page);
  await popup.getByRole("button", { name: "Heron, for loads" }).click();
  const times = new Times(popup.locator("#card"));
  await expect(times.grid).toBeVisible();
  const day = await times.chooseLastDay();
  expect(new Date(`${day}T12:00:00Z`).getUTCDay(), "not on a Sunday").not.toBe(0);
  await times.hold((await valuesOf(times.times))[0]);
  await times.fillIn("Grace Hopper", guest);
  await expect(popup.locator(".meeting")).toContainText("4 Weir Lane");
  await expect(popup.locator(".ended")).toBeVisible();
  await shut(page);
  // The page lists what it heard, and what the server has of it.
  const row = page.locator("#event-rows [data-type='meeting.booked']");
  for (const [side, says] of [["page", "true"], ["server", "true"], ["adobe", "CONVERSATION_MEETING_BOOKED"]]) await expect(row).toHaveAttribute(`data-${side}`, says);
  const booked = (await heard(page).events()).find(({ type }) => type === "meeting.booked");
  const agent = String(booked?.data.agentName);
  expect(["Ada", "Grace"]).toContain(agent);

  // Signed in without the desk: whoever is at it would be asked to chat by the visitors of other tests.
  const context = await browser.newContext({ locale: "en-GB" });
  await context.request.post(`${porchlight.origin}/console/sign-in`, {
    form: { email: `${agent.toLowerCase()}@example.com`, password: "porchlight-demo" },
    headers: { origin: porchlight.origin },
    maxRedirects: 0,
  });
  const desk = await context.newPage();
  await desk.goto(`${porchlight.origin}/console/meetings`);
  const meeting = desk.locator("li.card").filter({ hasText: guest });
  await expect(meeting).toContainText("A test ride");
  await expect(meeting).toContainText("(Europe/London)");
  await context.close();
});

test("the data layer’s events are listed as events of Google Analytics", async ({ page, porchlight, widget }) => {
  await page.goto(new URL("analytics.html", porchlight.demo).href);
  await widget.open();
  await widget.choice(TOPICS[0]).click();
  const names = page.locator("#layer-rows tr td:first-child");
  await expect(names).toHaveText(["widget_loaded", "widget_shown", "conversation_triggered", "widget_clicked", "conversation_engaged"]);
  const layer = await page.evaluate(() => (window as unknown as { dataLayer: { event?: string }[] }).dataLayer.map(({ event }) => event).filter(Boolean));
  expect(layer).toEqual(["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked", "conversation.engaged"]);
});
