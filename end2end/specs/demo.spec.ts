// The demo customer's five pages, as the README's first command shows them.

import { TOPICS, expect, heard, logOf, test } from "../fixtures";

const PAGES = ["index.html", "offers.html", "quote.html", "workshop.html", "analytics.html"];

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
    const popup = page.frameLocator("#porchlight dialog.popup iframe");
    await popup.locator("#country").selectOption("DE");
    await popup.locator("#value").fill("030 901820");
    await popup.locator(".send").click();
    await expect(popup.locator(".ended")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.locator("#porchlight dialog.popup")).toHaveCount(0);
  }
  const [{ session }] = await heard(page).events();
  const log = await logOf(porchlight, session);
  const ofCallback = log.filter(({ conversation }) => conversation === "callback").map(({ type }) => type);
  const once = ["conversation.triggered", "conversation.engaged", "input.phone", "goal.reached", "conversation.completed"];
  expect(ofCallback).toEqual([...once, "input.phone", "goal.reached"]);
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
