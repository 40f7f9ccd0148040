// The desk as an agent works at it: what is unread, what is written and filed in each chat, what is found again.

import type { Browser, Locator, Page } from "@playwright/test";
import { type Porchlight, TALK, Widget, asks, expect, test } from "../fixtures";
import type { Host } from "../support/host";
import { type Agent, accept, agentOf, close, write } from "../support/agent";
import { recordIn } from "../support/recorder";
import { makeSite } from "../support/site";

/** A visitor in another browser. */
async function elsewhere(browser: Browser): Promise<Widget> {
  const context = await browser.newContext({ locale: "en-GB" });
  await recordIn(context, true);
  return new Widget(await context.newPage());
}

/** The visitor writes. */
async function say(widget: Widget, text: string): Promise<void> {
  await expect(widget.card).toContainText("Message to");
  await widget.field.fill(text);
  await widget.field.press("Enter");
  await expect(widget.visitor.last()).toContainText(text);
}

const rows = (page: Page, text: string | RegExp): Locator => page.locator(".rows .row").filter({ hasText: text });

/** Waits until the desk's script runs: from then on it says what the browser thinks of notifications, which it does not know before. */
const ready = (page: Page) => expect(page.getByRole("button", { name: /^Notif/ })).toBeVisible();

interface Two {
  ada: Agent;
  site: string;
  /** The second visitor; the first is the test's own. */
  other: Widget;
  /** The addresses of the two chats. */
  first: string;
  second: string;
}

/** Two visitors whom Ada has accepted: "I am one" and "I am two". The second chat is shown. */
async function twoChats(page: Page, browser: Browser, host: Host, porchlight: Porchlight, widget: Widget): Promise<Two> {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  const address = host.page({ tag: { "data-site": site.key } });
  await asks(page, widget, address);
  await accept(ada);
  await say(widget, "I am one");
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/I am one/);
  const first = ada.page.url();
  const other = await elsewhere(browser);
  await asks(other.page, other, address);
  await accept(ada);
  await expect(ada.page).not.toHaveURL(first);
  await say(other, "I am two");
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/I am two/);
  return { ada, site: site.key, other, first, second: ada.page.url() };
}

test("what is said in another chat is unread until it is opened", async ({ page, browser, host, porchlight, widget }) => {
  const { ada, other } = await twoChats(page, browser, host, porchlight, widget);
  await expect(ada.page).toHaveTitle("Inbox · Porchlight");
  await say(widget, "Still there?");
  await say(widget, "Hello?");
  const row = rows(ada.page, "Hello?");
  await expect(row.locator(".count")).toHaveText("2 unread");
  await expect(ada.page).toHaveTitle("(2) Inbox · Porchlight");
  await row.click();
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/Hello\?/);
  await expect(row.locator(".count")).toHaveCount(0);
  await expect(ada.page).toHaveTitle("Inbox · Porchlight");
  expect(ada.errors).toEqual([]);
  await Promise.all([close(ada), other.page.context().close()]);
});

test("what comes while nobody can see the console is not seen until somebody can", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  const numberOf = async (selector: string, attribute: string): Promise<number> => Number(await widget.frame.locator(selector).getAttribute(attribute));
  const seen = (): Promise<number> => numberOf("#said", "data-seen");
  const before = await numberOf("#card [name=have]", "value");
  await say(widget, "Looked at");
  await expect.poll(seen).toBeGreaterThan(before);
  const was = await seen();

  const hide = (hidden: boolean): Promise<void> =>
    ada.page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await say(widget, "Not looked at");
  await expect(ada.page.locator(".visitor-line").last(), "it is there for whoever looks").toHaveText(/Not looked at/);
  const count = rows(ada.page, "Not looked at").locator(".count");
  await expect(count).toHaveText("1 unread");
  await expect(ada.page).toHaveTitle("(1) Inbox · Porchlight");
  expect(await seen()).toBe(was);
  await hide(false);
  await expect(count).toHaveCount(0);
  await expect.poll(seen).toBeGreaterThan(was);
  await close(ada);
});

test("what is read in one window is read in the agent's other", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.locator("#composer")).toHaveCount(0);
  const second = await ada.context.newPage();
  await second.goto(`${porchlight.origin}/console`);
  await ready(second);
  await say(widget, "Hello?");
  const counts = [ada.page, second].map((page) => rows(page, "Hello?").locator(".count"));
  for (const count of counts) await expect(count).toHaveText("1 unread");
  await rows(ada.page, "Hello?").click();
  for (const count of counts) await expect(count).toHaveCount(0);
  await expect(second).toHaveTitle("Inbox · Porchlight");
  await close(ada);
});

test("of several offers the others are counted", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  const address = host.page({ tag: { "data-site": site.key } });
  const other = await elsewhere(browser);
  await asks(page, widget, address);
  await expect(ada.page.locator(".offer")).toBeVisible();
  await expect(ada.page).toHaveTitle("(1) Inbox · Porchlight");
  await asks(other.page, other, address);
  await expect(ada.page.locator(".offer")).toContainText("+1 more");
  await expect(ada.page).toHaveTitle("(2) Inbox · Porchlight");
  await accept(ada);
  await expect(ada.page.locator(".offer")).not.toContainText("more");
  await expect(widget.card, "who came first is first").toContainText("Message to Ada");
  await Promise.all([close(ada), other.page.context().close()]);
});

test("what is being written stays with its chat, and so do notes", async ({ page, browser, host, porchlight, widget }) => {
  const { ada, other, first, second } = await twoChats(page, browser, host, porchlight, widget);
  const composer = ada.page.locator("#composer");
  const note = ada.page.getByLabel("A note, which the visitor does not see");
  const kept = ada.page.locator(".visitor .said");
  await composer.fill("For two");
  await note.fill("About two");
  await rows(ada.page, "I am one").click();
  await expect(ada.page).toHaveURL(first);
  await expect(composer).toHaveValue("");
  await expect(note).toHaveValue("");
  await composer.fill("For one");
  await note.fill("Knows bikes");
  await ada.page.getByRole("button", { name: "Add note" }).click();
  await expect(kept).toHaveText(/Ada: Knows bikes/);
  await expect(note).toHaveValue("");

  await rows(ada.page, "I am two").click();
  await expect(ada.page).toHaveURL(second);
  await expect(composer).toHaveValue("For two");
  await expect(note).toHaveValue("About two");
  await expect(kept).toHaveCount(0);
  await composer.press("Enter");
  await expect(other.frame.locator("[data-author=agent]")).toContainText("For two");
  await expect(composer).toHaveValue("");

  await rows(ada.page, "I am one").click();
  await expect(composer).toHaveValue("For one");
  await expect(kept).toHaveText(/Knows bikes/);
  await expect(widget.frame.locator("[data-author=agent]"), "nothing went astray").toHaveCount(0);
  expect(ada.errors).toEqual([]);
  await Promise.all([close(ada), other.page.context().close()]);
});

test("tags are kept, and every agent of the site sees them", async ({ page, browser, host, porchlight, widget }) => {
  const { ada, site, other, first } = await twoChats(page, browser, host, porchlight, widget);
  const grace = await agentOf(browser, porchlight, site, "Grace");
  const tagsOf = (agent: Agent): Locator => agent.page.getByLabel("Tags, with commas between");
  const file = async (tags: string): Promise<void> => {
    await tagsOf(ada).fill(tags);
    await tagsOf(ada).blur();
  };
  await rows(grace.page, "I am one").click();
  await expect(tagsOf(grace)).toHaveValue("");
  await rows(ada.page, "I am one").click();
  await expect(ada.page).toHaveURL(first);
  await file(" vip,bike ,");
  await expect(tagsOf(ada)).toHaveValue("vip, bike");
  await expect(tagsOf(grace), "at once").toHaveValue("vip, bike");
  await rows(ada.page, "I am two").click();
  await expect(tagsOf(ada)).toHaveValue("");
  await rows(ada.page, "I am one").click();
  await expect(tagsOf(ada)).toHaveValue("vip, bike");

  await file("x".repeat(41));
  await expect(ada.page.locator(".offline[role=alert]")).toContainText("The tags were not kept: expected at most 20 tags");
  await expect(tagsOf(grace)).toHaveValue("vip, bike");
  expect([...ada.errors.filter((error) => !/status of 4\d\d/.test(error)), ...grace.errors]).toEqual([]);
  await Promise.all([close(ada, grace), other.page.context().close()]);
});

test("canned responses are found by /, chosen by the arrow keys, and filled in", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const boss = await agentOf(browser, porchlight, site.key, "Boss", {}, "administrator");
  const responses = { bye: "Goodbye!", hello: "Hello {{visitor.firstName|there}}, {{agent}} here.", help: "How can I help?" };
  for (const [shortcut, text] of Object.entries(responses)) {
    await boss.page.goto(`${porchlight.origin}/console/responses`);
    const form = boss.page.locator("form").last();
    await form.getByLabel("Site").selectOption(site.key);
    await form.getByLabel("Shortcut").fill(shortcut);
    await form.getByLabel("Text").fill(text);
    await form.getByRole("button", { name: "Save" }).click();
    await expect(boss.page.locator("li.card").filter({ hasText: site.key }).filter({ hasText: `/${shortcut}` })).toBeVisible();
  }
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  const composer = ada.page.locator("#composer");
  const found = ada.page.getByRole("option");
  const chosen = ada.page.getByRole("option", { selected: true });
  await composer.fill("/");
  await expect(found).toHaveText([/^\/bye/, /^\/hello/, /^\/help/]);
  await expect(chosen).toHaveText(/^\/bye/);
  await composer.press("ArrowDown");
  await expect(chosen).toHaveText(/^\/hello/);
  await expect(composer).toHaveAttribute("aria-activedescendant", (await chosen.getAttribute("id")) ?? "");
  await composer.press("ArrowUp");
  await composer.press("ArrowUp");
  await expect(chosen, "from the first to the last").toHaveText(/^\/help/);
  await composer.pressSequentially("he");
  await expect(found).toHaveCount(2);
  await expect(chosen).toHaveText(/^\/hello/);
  await composer.press("Enter");
  await expect(composer).toHaveValue("Hello there, Ada here.");
  await expect(found).toHaveCount(0);
  await composer.press("Enter");
  await expect(widget.frame.locator("[data-author=agent]")).toContainText("Hello there, Ada here.");

  await composer.fill("/");
  await expect(found).toHaveCount(3);
  await composer.press("Escape");
  await expect(found).toHaveCount(0);
  await expect(composer, "the chat is still there").toHaveValue("/");
  expect([...ada.errors, ...boss.errors]).toEqual([]);
  await close(ada, boss);
});

test("beside the chat stands where the visitor is, where they came from, and with what", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  const address = host.page({ tag: { "data-site": site.key } });
  // This page has no widget: the session begins on the next.
  const from = host.page({ tag: false, body: `<main><h1>Elsewhere</h1><a id="on" href="${address}">On</a></main>` });
  await page.goto(from);
  await page.locator("#on").click();
  await expect(page).toHaveURL(address);
  await widget.open();
  await widget.choices.first().click();
  await accept(ada);
  const fact = (name: string): Locator =>
    ada.page.locator(".facts dt").filter({ hasText: new RegExp(`^${name}$`) }).locator("xpath=following-sibling::dd[1]");
  await expect(fact("page")).toHaveText(address);
  await expect(fact("came from")).toHaveText(from);
  await expect(fact("device")).toHaveText("desktop");
  await expect(fact("language")).toHaveText(/^en/);
  const pages = ada.page.locator(".visitor .history").first().locator("li");
  await expect(pages).toHaveText([address]);

  // Loaded again it is the same page, and another is another; where they came from stays.
  const next = host.page({ tag: { "data-site": site.key } });
  await page.reload();
  await expect(widget.card).toContainText("Message to Ada");
  await page.goto(next);
  await expect(widget.card).toContainText("Message to Ada");
  await ada.page.reload();
  await expect(pages).toHaveText([address, next]);
  await expect(fact("page")).toHaveText(next);
  await expect(fact("came from")).toHaveText(from);
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("the search finds a chat that has ended, whichever list is shown", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await say(widget, "I ride a penny-farthing");
  await ada.page.locator("#end").click();
  await ada.page.getByRole("button", { name: "End chat" }).click();
  await expect(ada.page.locator(".conversation")).toContainText("This chat has ended.");
  const address = ada.page.url();
  await ada.page.keyboard.press("Escape");
  const all = ada.page.locator(".rows .row");
  await expect(all, "nothing is under way").toHaveCount(0);
  const tab = (name: string): Locator => ada.page.getByRole("button", { name, exact: true });
  await expect(tab("All")).toHaveAttribute("aria-pressed", "true");
  const search = ada.page.getByLabel("Search chats");
  await search.pressSequentially("penny-farthing");
  await expect(all).toHaveCount(1);
  await expect(all).toContainText("ended");
  await search.fill("a unicycle");
  await expect(all).toHaveCount(0);
  await search.fill("penny-farthing");
  await all.click();
  await expect(ada.page).toHaveURL(address);
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/penny-farthing/);
  await tab("Waiting").click();
  await expect(search, "a list is chosen in its place").toHaveValue("");

  // Opened by its address, it stands in its list.
  await ada.page.goto(address);
  await expect(tab("Ended")).toHaveAttribute("aria-pressed", "true");
  await expect(all).toHaveCount(1);
  await expect(all).toHaveAttribute("aria-current", "true");
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("the keys are shown by a key and by a button, and while they are, they do nothing else", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  const address = ada.page.url();
  const sheet = ada.page.getByRole("dialog", { name: "Keys" });
  await ada.page.getByRole("button", { name: "Show the keys" }).click();
  await expect(sheet).toBeVisible();
  await ada.page.keyboard.press("s");
  await ada.page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();
  await expect(ada.page.getByLabel("Search chats")).not.toBeFocused();
  await expect(ada.page).toHaveURL(address);
  await expect(ada.page.locator("#composer")).toBeVisible();

  await ada.page.locator("#log").click();
  await ada.page.keyboard.press("?");
  await expect(sheet).toBeVisible();
  await ada.page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();
  await expect(ada.page).toHaveURL(address);
  await ada.page.keyboard.press("Escape");
  await expect(ada.page, "without it, the chat is left").toHaveURL(`${porchlight.origin}/console`);
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("the browser's Back and Forward go from chat to chat", async ({ page, browser, host, porchlight, widget }) => {
  const { ada, other, first, second } = await twoChats(page, browser, host, porchlight, widget);
  const last = ada.page.locator(".visitor-line").last();
  await ada.page.goBack();
  await expect(ada.page).toHaveURL(first);
  await expect(last).toHaveText(/I am one/);
  await ada.page.goForward();
  await expect(ada.page).toHaveURL(second);
  await expect(last).toHaveText(/I am two/);
  await ada.page.goBack();
  await expect(last).toHaveText(/I am one/);
  await ada.page.goBack();
  await expect(ada.page).toHaveURL(`${porchlight.origin}/console`);
  await expect(ada.page.locator("#composer")).toHaveCount(0);
  expect(ada.errors).toEqual([]);
  await Promise.all([close(ada), other.page.context().close()]);
});

test("at 375 px what is known of the visitor is opened and closed again", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada", { viewport: { width: 375, height: 700 } });
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  const [about, visitor] = [ada.page.locator("#about"), ada.page.locator(".visitor")];
  await expect(visitor).toBeHidden();
  await about.click();
  await expect(visitor).toBeVisible();
  await ada.page.getByRole("button", { name: "Close About" }).click();
  await expect(visitor).toBeHidden();
  await expect(about).toBeFocused();
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByRole("button", { name: "Close About" })).toBeFocused();
  await ada.page.keyboard.press("Escape");
  await expect(visitor).toBeHidden();
  await expect(ada.page.locator("#composer"), "the chat stays").toBeVisible();

  // It does not lie upon what is opened next.
  await about.click();
  await expect(visitor).toBeVisible();
  await ada.page.goBack();
  await expect(ada.page.locator(".lists")).toBeVisible();
  await ada.page.locator(".rows .row").click();
  await expect(ada.page.locator("#composer")).toBeVisible();
  await expect(visitor).toBeHidden();
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("what could not be sent is there after the page is loaded again, and is said once", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  // A socket that is open stays so when the network goes, in some browsers: here it takes nothing any more.
  await ada.page.addInitScript(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (this: WebSocket, data: Parameters<WebSocket["send"]>[0]): void {
      if (sessionStorage.getItem("cut")) throw new DOMException("cut", "NetworkError");
      send.call(this, data);
    };
  });
  const cut = (on: boolean): Promise<void> =>
    ada.page.evaluate((on) => (on ? sessionStorage.setItem("cut", "yes") : sessionStorage.removeItem("cut")), on);
  const address = ada.page.url();
  await ada.page.reload();
  await ready(ada.page);
  await write(ada, "Before");
  const heard = widget.frame.locator("[data-author=agent]");
  await expect(heard).toHaveText([/Before/]);

  await cut(true);
  await ada.context.setOffline(true);
  await write(ada, "Without a network");
  const pending = ada.page.locator(".pending");
  await expect(pending).toHaveText(/Without a network/);
  await ada.page.goto("about:blank");
  await ada.context.setOffline(false);
  await ada.page.goto(address);
  await ready(ada.page);
  await expect(pending, "kept, and marked").toHaveText(/Without a network/);
  await expect(heard).toHaveCount(1);

  await cut(false);
  await ada.page.reload();
  await expect(heard).toHaveText([/Before/, /Without a network/]);
  await expect(pending).toHaveCount(0);
  const kept = (): Promise<string[]> => ada.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("porchlight unsent ")));
  await expect.poll(kept).toEqual([]);
  await ada.page.reload();
  await ready(ada.page);
  await write(ada, "After");
  await expect(heard).toHaveText([/Before/, /Without a network/, /After/]);
  await close(ada);
});

test("emoji are put in where the cursor is", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  const composer = ada.page.locator("#composer");
  const button = ada.page.getByRole("button", { name: "Emoji", exact: true });
  await composer.fill("Hi, Grace");
  await composer.press("Home");
  await composer.press("ArrowRight");
  await composer.press("ArrowRight");
  await button.click();
  await expect(ada.page.locator(".emoji-item")).toHaveCount(24);
  await ada.page.getByRole("button", { name: "wave", exact: true }).click();
  await expect(ada.page.locator(".emoji-item")).toHaveCount(0);
  await expect(composer).toBeFocused();
  await expect(composer).toHaveValue("Hi👋, Grace");
  await ada.page.keyboard.type("!");
  await expect(composer, "the cursor stands behind it").toHaveValue("Hi👋!, Grace");

  await button.click();
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.locator(".emoji-item")).toHaveCount(0);
  await expect(button).toBeFocused();
  await composer.press("Enter");
  await expect(widget.frame.locator("[data-author=agent]")).toContainText("Hi👋!, Grace");
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("who hands a chat on sees who is asked, until they have answered", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  const grace = await agentOf(browser, porchlight, site.key, "Grace");
  await ada.page.getByRole("button", { name: "Transfer" }).click();
  await ada.page.locator(".menu-items").getByRole("button", { name: "Grace" }).click();
  const asking = ada.page.locator(".asking");
  await expect(asking).toHaveText("Asking Grace…");
  await grace.page.locator(".offer").getByRole("button", { name: "Decline" }).click();
  await expect(asking).toHaveText("");
  await expect(ada.page.locator("#composer"), "it is still Ada's").toBeVisible();
  expect([...ada.errors, ...grace.errors]).toEqual([]);
  await close(ada, grace);
});
