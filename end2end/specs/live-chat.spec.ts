// A visitor is handed to an agent: both sides in a browser each, as they see it.

import { AxeBuilder } from "@axe-core/playwright";
import { TALK, Widget, asks, expect, forBrowser, heard, logOf, test } from "../fixtures";
import { accept, agentOf, close, write } from "../support/agent";
import { recordIn } from "../support/recorder";
import { makeSite } from "../support/site";

test("a visitor and an agent talk, another takes over, and it ends", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await expect(widget.card).toContainText("finding somebody");
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  await expect(widget.frame.locator("[data-author=notice]")).toHaveText("Ada has joined the chat");
  await expect(ada.page.locator(".bot-line").first(), "the agent sees what was said before").toHaveText(/How can we help/);

  await ada.page.locator("#composer").pressSequentially("Hel");
  await expect(widget.frame.locator("#live")).toHaveText("Ada is typing…");
  await write(ada, "Hello!\nSee https://example.com/a.");
  const line = widget.frame.locator("[data-author=agent]");
  await expect(line).toContainText("Hello!");
  await expect(line.getByRole("link")).toHaveAttribute("href", "https://example.com/a");
  await expect(ada.page.locator(".mark")).toHaveText("Seen");

  await widget.field.pressSequentially("Hi");
  await expect(ada.page.locator(".typing-line")).toHaveText("The visitor is typing…");
  await widget.field.press("Enter");
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/Hi/);
  await expect(widget.field).toHaveValue("");
  await expect(widget.visitor.last()).toContainText("Hi");

  const grace = await agentOf(browser, porchlight, site.key, "Grace");
  await ada.page.getByRole("button", { name: "Transfer" }).click();
  await ada.page.locator(".menu-items").getByRole("button", { name: "Grace" }).click();
  await expect(ada.page.locator(".asking")).toHaveText("Asking Grace…");
  await expect(grace.page.locator(".offer")).toContainText("Ada hands you this chat");
  await accept(grace);
  await expect(widget.card).toContainText("Message to Grace");
  await expect(ada.page.locator("#composer")).toHaveCount(0);
  await write(grace, "I am Grace.");
  await expect(line.last()).toContainText("I am Grace.");
  await grace.page.locator("#end").click();
  await grace.page.getByRole("button", { name: "End chat" }).click();
  await expect(widget.bot.last()).toContainText("Thank you.");
  await expect(grace.page.locator(".conversation")).toContainText("This chat has ended.");

  const events = await heard(page).events();
  const log = await logOf(porchlight, events[0].session);
  await expect.poll(async () => (await heard(page).events()).length).toBe(log.length);
  expect(await heard(page).events()).toEqual(log.map(forBrowser));
  expect(log.map(({ type }) => type).filter((type) => /^(livechat|message|conversation\.completed)/.test(type))).toEqual([
    "livechat.requested",
    "livechat.initiated",
    "message.received",
    "message.sent",
    "livechat.transferred",
    "message.received",
    "livechat.ended",
    "conversation.completed",
  ]);
  const ctlive = (await heard(page).ctlive()).filter(({ type }) => type.startsWith("Chat"));
  expect(ctlive.map(({ type }) => type)).toEqual(["ChatStarted", "ChatOnline", "ChatFinished"]);
  const adobe = (await heard(page).adobe()).filter(({ name }) => name.includes("LIVE_CHAT"));
  expect(adobe.map(({ payload }) => payload.agentName)).toEqual(["Ada", "Ada", "Grace"]);
  expect([...ada.errors, ...grace.errors]).toEqual([]);
  await close(ada, grace);
});

test("a chat goes on over a reload, and what was said meanwhile is there", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  const address = host.page({ tag: { "data-site": site.key } });
  await asks(page, widget, address);
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  await page.goto("about:blank");
  await write(ada, "Are you there?");
  await page.goto(address);
  await expect(widget.frame.locator("[data-author=agent]")).toContainText("Are you there?");
  await widget.field.fill("Yes");
  await widget.field.press("Enter");
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/Yes/);
  await write(ada, "Good.");
  await expect(widget.frame.locator("[data-author=agent]").last()).toContainText("Good.");
  await close(ada);
});

test("with the panel closed, the launcher says that something was said", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  await widget.closeButton.click();
  await write(ada, "One");
  await write(ada, "Two");
  await expect(widget.host.locator(".badge")).toHaveText("2");
  await widget.launcher.click();
  await expect(widget.host.locator(".badge")).toHaveCount(0);
  await close(ada);
});

test("with nobody there the visitor is told at once", async ({ page, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await expect(widget.bot.nth(1)).toContainText("Nobody is there right now.");
  const types = await heard(page).types();
  expect(types).toContain("fallback.shown");
  expect(types.filter((type) => type.startsWith("livechat"))).toEqual([]);
});

test("an agent answers by keyboard alone", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await expect(ada.page.locator(".offer")).toBeVisible();
  await ada.page.keyboard.press("a");
  await expect(ada.page.locator("#composer")).toBeFocused();
  await ada.page.keyboard.type("Hello");
  await ada.page.keyboard.press("Enter");
  await expect(widget.frame.locator("[data-author=agent]")).toContainText("Hello");
  // Out of the field: within it, letters are letters.
  await ada.page.keyboard.press("Shift+Tab");
  await expect(ada.page.locator("#composer")).not.toBeFocused();
  await ada.page.keyboard.press("e");
  await expect(ada.page.locator("#end")).toBeFocused();
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByRole("button", { name: "End chat" })).toBeFocused();
  await ada.page.keyboard.press("Enter");
  await expect(widget.bot.last()).toContainText("Thank you.");
  await close(ada);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe-core finds nothing in the console, ${colorScheme}`, async ({ page, browser, host, porchlight, widget }) => {
    test.slow();
    const site = await makeSite(porchlight, [TALK]);
    const address = host.page({ tag: { "data-site": site.key } });
    // Who asks while nobody is there is missed.
    const context = await browser.newContext();
    await recordIn(context, true);
    const missed = new Widget(await context.newPage());
    await asks(missed.page, missed, address);
    await expect(missed.bot.nth(1)).toContainText("Nobody is there right now.");
    await context.close();
    const boss = await agentOf(browser, porchlight, site.key, "Boss", {}, "administrator");
    await boss.page.goto(`${porchlight.origin}/console/responses`);
    const form = boss.page.locator("form").last();
    await form.getByLabel("Site").selectOption(site.key);
    await form.getByLabel("Shortcut").fill("hello");
    await form.getByLabel("Text").fill("Hello {{visitor.firstName|there}}");
    await form.getByRole("button", { name: "Save" }).click();
    await expect(boss.page.locator("li.card").filter({ hasText: site.key })).toBeVisible();
    await close(boss);

    const ada = await agentOf(browser, porchlight, site.key, "Ada", { colorScheme });
    const check = async (where: string): Promise<void> => {
      const { violations } = await new AxeBuilder({ page: ada.page }).analyze();
      const found = violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${where}: ${id} at ${target.join(" ")}`));
      expect(found).toEqual([]);
    };
    const press = (name: string): Promise<void> => ada.page.getByRole("button", { name, exact: true }).click();
    const rows = ada.page.locator(".rows .row");
    await check("inbox, empty");
    await press("Missed");
    await expect(rows).toHaveCount(1);
    await check("missed");
    await press("All");
    await asks(page, widget, address);
    await expect(ada.page.locator(".offer")).toBeVisible();
    await check("offer");
    await accept(ada);
    await write(ada, "Hello");
    await expect(ada.page.locator(".mark")).toBeVisible();
    await check("conversation");
    const composer = ada.page.locator("#composer");
    await composer.fill("/");
    await expect(ada.page.getByRole("option")).toBeVisible();
    await check("canned responses");
    await composer.press("Escape");
    await composer.fill("");
    await press("Emoji");
    await expect(ada.page.locator(".emoji-item").first()).toBeVisible();
    await check("emoji");
    await press("Emoji");
    const grace = await agentOf(browser, porchlight, site.key, "Grace");
    await press("Transfer");
    await expect(ada.page.locator(".menu-items").getByRole("button", { name: "Grace" })).toBeVisible();
    await check("transfer");
    await ada.page.locator(".menu-items").getByRole("button", { name: "Grace" }).click();
    await expect(ada.page.locator(".asking")).toHaveText("Asking Grace…");
    await check("somebody is asked");
    await grace.page.locator(".offer").getByRole("button", { name: "Decline" }).click();
    await expect(ada.page.locator(".asking")).toHaveText("");
    await close(grace);
    await press("End");
    await expect(ada.page.getByRole("button", { name: "End chat" })).toBeVisible();
    await check("end or keep");
    await press("Keep");
    await press("Show the keys");
    await expect(ada.page.getByRole("dialog", { name: "Keys" })).toBeVisible();
    await check("keys");
    await ada.page.keyboard.press("Escape");
    await ada.page.setViewportSize({ width: 375, height: 700 });
    await check("conversation at 375 px");
    await press("About");
    await expect(ada.page.locator(".visitor")).toBeVisible();
    await check("about the visitor at 375 px");
    await press("Close About");
    await press("Back to the list");
    await expect(rows).toBeVisible();
    await check("list at 375 px");
    await rows.click();
    await ada.page.setViewportSize({ width: 1280, height: 800 });
    await press("End");
    await press("End chat");
    await expect(ada.page.locator(".conversation")).toContainText("This chat has ended.");
    await press("Ended");
    await expect(rows).toHaveCount(2);
    await check("ended");
    for (const screen of ["availability", "responses"]) {
      await ada.page.goto(`${porchlight.origin}/console/${screen}`);
      await check(screen);
    }
    await ada.page.getByRole("button", { name: "Sign out" }).click();
    await expect(ada.page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await check("sign in");
    await ada.page.goto(`${porchlight.origin}/console/join#none`);
    await check("join");
    await close(ada);
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe-core finds nothing where agents and teams are managed, ${colorScheme}`, async ({ browser, porchlight }) => {
    const site = await makeSite(porchlight, [TALK]);
    const grace = await agentOf(browser, porchlight, site.key, "Grace", { colorScheme }, "administrator");
    for (const screen of ["agents", "teams", "responses"]) {
      await grace.page.goto(`${porchlight.origin}/console/${screen}`);
      await expect(grace.page.locator("main")).toBeVisible();
      const { violations } = await new AxeBuilder({ page: grace.page }).analyze();
      expect(violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${screen}: ${id} at ${target.join(" ")}`))).toEqual([]);
    }
    expect(grace.errors).toEqual([]);
    await close(grace);
  });
}

test("at 375 px the list and the conversation take turns", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada", { viewport: { width: 375, height: 700 } });
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await expect(ada.page.locator(".lists")).toBeHidden();
  const composer = await ada.page.locator(".composer").boundingBox();
  expect((composer?.y ?? 0) + (composer?.height ?? 1000), "all of it is in sight").toBeLessThanOrEqual(700);
  await ada.page.getByRole("button", { name: "Back to the list" }).click();
  await expect(ada.page.locator(".lists")).toBeVisible();
  expect(await ada.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await close(ada);
});

test("the console's times are those of the agent's clock", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada", { timezoneId: "Asia/Kathmandu" });
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  const time = ada.page.locator(".row time");
  const at = new Date((await time.getAttribute("datetime")) ?? "");
  await expect(time).toHaveText(at.toLocaleString("en-GB", { timeZone: "Asia/Kathmandu", day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit" }));
  const notice = ada.page.locator(".notice-line").filter({ hasText: "joined" });
  await expect(notice).toContainText(at.toLocaleString("en-GB", { timeZone: "Asia/Kathmandu", hour: "2-digit", minute: "2-digit" }).slice(0, 3));
  expect(ada.errors).toEqual([]);
  await close(ada);
});
