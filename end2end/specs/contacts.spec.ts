// The ways of contact that a launcher offers: to chat, to be called now or later, to call. Each from the click to its end, as page, log and agents see it.

import type { Browser, Page } from "@playwright/test";
import { EMAIL, PHONE, PHONE_E164, type Porchlight, Widget, expect, expectTold, forBrowser, heard, logOf, test } from "../fixtures";
import { type Agent, accept, agentOf, close, write } from "../support/agent";
import type { Host } from "../support/host";
import { tabTo } from "../support/keys";
import { expectAccessible, expectFits } from "../support/looks";
import { type Authored, type Contact, type Site, type SiteSettings, everyDay, makeSite, weekdayAhead } from "../support/site";
import { Times, dayIn, later, timeIn, valuesOf } from "../support/times";

const ZONE = "Europe/London";

test.use({ timezoneId: ZONE, locale: "en-GB" });

type Kind = Contact["kind"];

const end = { id: "end", card: "end", text: "Goodbye." };
const NUMBER = "+44 1632 960 123";
const CLOSED = { talk: "Nobody is at the desk.", callback: "Nobody can call now.", "call-us": "Nobody picks up now." };

/** A form before a contact. */
const form = (kind: Kind, ...fields: Record<string, unknown>[]) => ({ id: "who", card: "form", kind, text: "Who is it?", fields, submit: "Go on" });
const name = { name: "name", field: "name", label: "Your name", mandatory: true };
const email = { name: "email", field: "email", label: "Your address" };

const flow = (id: string, ...cards: Record<string, unknown>[]): Authored => ({ id, type: "conversationFlow", ui: "popup", typingDelay: 0, cards: [...cards, end] });

const CONVERSATIONS = [
  flow("talk", form("Chat", name, email), { id: "person", card: "liveChat", text: "One moment.", fallbackText: CLOSED.talk }),
  flow("callback", { id: "number", card: "callback", within: 10, text: "Which number?", fallbackText: CLOSED.callback }),
  flow("callback-later", form("CallbackLater", name), { id: "number", card: "callback", when: "later", notice: 0, horizon: 90, text: "Which number?" }),
  flow("call-us", form("ClickToCall", name), {
    id: "number",
    card: "call",
    text: "Here it is.",
    numbers: [{ number: NUMBER }, { number: "+49 30 23125 042", locale: "de" }],
    fallbackText: CLOSED["call-us"],
  }),
];

const CONTACTS: Contact[] = [
  { kind: "Chat", conversation: "talk" },
  { kind: "CallbackNow", conversation: "callback" },
  { kind: "CallbackLater", conversation: "callback-later" },
  { kind: "ClickToCall", conversation: "call-us", label: "Ring the shop" },
];
const LABELS = ["Chat", "Call me back now", "Call me back later", "Ring the shop"];

const OPEN: SiteSettings = { opening_hours: { time_zone: ZONE, hours: everyDay("00:00-24:00") }, contacts: CONTACTS };

const withContacts = (porchlight: Porchlight, settings: SiteSettings = OPEN): Promise<Site> => makeSite(porchlight, CONVERSATIONS, settings);

const address = (host: Host, site: Site): string => host.page({ tag: { "data-site": site.key } });

/** The menu that the launcher opens. */
const menuOf = (page: Page) => page.locator("#porchlight .menu");
const waysOf = (page: Page) => menuOf(page).getByRole("button");

/** Chooses a way of contact, and waits for the panel that it opens. */
async function contact(widget: Widget, kind: Kind, documents = 1): Promise<void> {
  await widget.launcher.click();
  await menuOf(widget.page).locator(`[data-kind=${kind}]`).click();
  await expect(widget.card).toBeVisible();
  await widget.connected(documents);
}

const answerForm = async (widget: Widget, values: Record<string, string>): Promise<void> => {
  for (const [label, value] of Object.entries(values)) await widget.card.getByLabel(label).fill(value);
  await widget.card.locator(".go-on").click();
};

const givePhone = async (widget: Widget): Promise<void> => {
  await widget.country.selectOption("DE");
  await widget.field.fill(PHONE);
  await widget.send.click();
};

/** What is told until a form or a number is asked for. */
const STARTED = ["widget.loaded", "widget.shown", "widget.clicked", "widget.shown", "conversation.triggered", "datacollection.started"];

interface Journey {
  kind: Kind;
  conversation: string;
  go(widget: Widget, agent: Agent): Promise<void>;
  told: string[];
  adobe: string[];
  /** CTLive's messages about a chat. */
  chat?: string[];
}

const JOURNEYS: Journey[] = [
  {
    kind: "Chat",
    conversation: "talk",
    go: async (widget, agent) => {
      await answerForm(widget, { "Your name": "Grace Hopper", "Your address": EMAIL });
      await accept(agent);
      await expect(agent.page.locator(".visitor"), "what the form said is there").toContainText("Grace Hopper");
      await write(agent, "Hello Grace!");
      await expect(widget.frame.locator("[data-author=agent]")).toContainText("Hello Grace!");
      await agent.page.locator("#end").click();
      await agent.page.getByRole("button", { name: "End chat" }).click();
    },
    told: [
      ...["conversation.engaged", "input.captured", "input.email", "datacollection.submitted"],
      ...["livechat.requested", "livechat.initiated", "message.received", "livechat.ended", "conversation.completed"],
    ],
    adobe: ["ENGAGED", "INPUT_EMAIL", "LIVE_CHAT_REQUESTED", "LIVE_CHAT_INITIATED", "LIVE_CHAT_ENDED", "COMPLETED"],
    chat: ["ChatStarted", "ChatOnline", "ChatFinished"],
  },
  {
    kind: "CallbackNow",
    conversation: "callback",
    go: async (widget) => {
      await givePhone(widget);
      await expect(widget.bot.filter({ hasText: /We will call you by \d\d:\d\d\./ })).toHaveCount(1);
    },
    told: ["conversation.engaged", "input.phone", "datacollection.submitted", "callback.requested", "conversation.completed"],
    adobe: ["ENGAGED", "INPUT_PHONE", "COMPLETED"],
  },
  {
    kind: "CallbackLater",
    conversation: "callback-later",
    go: async (widget) => {
      await answerForm(widget, { "Your name": "Grace Hopper" });
      await givePhone(widget);
      const times = new Times(widget.card);
      await times.turn();
      const day = await times.chooseLastDay();
      const [, start] = await valuesOf(times.times);
      expect(dayIn(ZONE, start)).toBe(day);
      await times.time(start).click();
      await expect(widget.bot.filter({ hasText: timeIn(ZONE, start) })).toContainText("We will call you");
    },
    // The form comes before the number, and each is a data collection of its own.
    told: [
      ...["conversation.engaged", "input.captured", "datacollection.submitted"],
      ...["datacollection.started", "input.phone", "datacollection.submitted", "callback.requested", "conversation.completed"],
    ],
    adobe: ["ENGAGED", "INPUT_PHONE", "COMPLETED"],
  },
  {
    kind: "ClickToCall",
    conversation: "call-us",
    go: async (widget) => {
      await answerForm(widget, { "Your name": "Grace Hopper" });
      const call = widget.card.getByRole("link", { name: `Call ${NUMBER}` });
      await expect(call).toHaveAttribute("href", "tel:+441632960123");
      await expect(call, "the page’s own window dials").toHaveAttribute("target", "_top");
      await widget.card.getByRole("button", { name: "Continue" }).click();
    },
    told: ["conversation.engaged", "input.captured", "datacollection.submitted", "conversation.completed"],
    adobe: ["ENGAGED", "COMPLETED"],
  },
];

for (const { kind, conversation, go, told, adobe, chat = [] } of JOURNEYS) {
  test(`${kind}, from the click to the end`, async ({ page, browser, host, porchlight, widget }) => {
    const site = await withContacts(porchlight);
    const ada = await agentOf(browser, porchlight, site.key, "Ada");
    await page.goto(address(host, site));
    await contact(widget, kind);
    await expectTold(page, porchlight, STARTED);
    await go(widget, ada);
    await expect(widget.ended).toBeVisible();
    const log = await expectTold(page, porchlight, [...STARTED, ...told]);

    const [{ visitor: userID }] = log;
    const clicked = log.find(({ type }) => type === "widget.clicked");
    expect(clicked).toMatchObject({ conversation: null, data: { element: "porchlight", widget: "launcher", kind } });
    for (const { data } of log.filter(({ type }) => type.startsWith("datacollection."))) expect(data).toEqual({ widget: conversation, kind });
    const requested = log.find(({ type }) => type === "callback.requested");
    if (kind.startsWith("Callback")) expect(requested?.data).toMatchObject({ widget: conversation, kind });
    else expect(requested).toBeUndefined();
    const inputs = log.filter(({ type }) => /^input\.(phone|email)/.test(type)).map(({ data }) => data.value);
    expect(inputs).toEqual(kind === "Chat" ? [EMAIL] : kind === "ClickToCall" ? [] : [PHONE_E164]);

    const launcher = { elementID: "porchlight", widgetID: "launcher", userID };
    const collection = { widgetID: conversation, userID, type: kind };
    const collections = told.filter((type) => type.startsWith("datacollection."));
    const ctlive = await heard(page).ctlive();
    const chatID = log.find(({ type }) => type === "livechat.requested")?.data.chat;
    expect(ctlive.slice(0, 4)).toEqual([
      { type: "Loaded", object: launcher },
      { type: "WidgetShown", object: launcher },
      { type: "WidgetClicked", object: { ...launcher, type: kind } },
      { type: "WidgetShown", object: { elementID: "porchlight-popup", widgetID: conversation, userID } },
    ]);
    expect(ctlive.filter(({ type }) => type.startsWith("Datacollection"))).toEqual([
      { type: "DatacollectionStarted", object: collection },
      ...collections.map((type) => ({ type: type.endsWith("started") ? "DatacollectionStarted" : "DatacollectionSubmitted", object: collection })),
    ]);
    const chats = ctlive.filter(({ type }) => type.startsWith("Chat"));
    expect(chats.map(({ type }) => type)).toEqual(chat);
    for (const { object } of chats) expect(object.chatID).toBe(chatID);
    if (chat.length) expect(chats.at(-1)?.object).toEqual({ chatID, userID, isSurveyConfigured: false });
    expect((await heard(page).adobe()).map(({ name }) => name)).toEqual(["TRIGGERED", ...adobe].map((name) => `CONVERSATION_${name}`));
    expect(ada.errors).toEqual([]);
    await close(ada);
  });
}

test.describe("the menu", () => {
  test("is opened and put away by mouse, and tells nothing until something is chosen", async ({ page, host, porchlight, widget }) => {
    const site = await withContacts(porchlight);
    await page.goto(address(host, site));
    await expect(widget.launcher, "there is a launcher, though no dialogue is offered").toBeVisible();
    await widget.launcher.click();
    await expect(menuOf(page)).toHaveAccessibleName("How would you like to reach us?");
    await expect(waysOf(page)).toHaveText(LABELS);
    await page.mouse.click(5, 5);
    await expect(menuOf(page)).toHaveCount(0);
    await widget.launcher.click();
    await expect(menuOf(page)).toBeVisible();
    await widget.launcher.click();
    await expect(menuOf(page), "the launcher that opened it puts it away").toHaveCount(0);
    await expectTold(page, porchlight, ["widget.loaded", "widget.shown"]);
    await widget.launcher.click();
    await widget.call("hide");
    await expect(menuOf(page)).toHaveCount(0);
    await expect(widget.launcher).toBeHidden();
  });

  test("is gone through by keyboard, and gives the focus back", async ({ page, host, porchlight, widget }) => {
    const site = await withContacts(porchlight);
    await page.goto(address(host, site));
    await expect(widget.launcher).toBeVisible();
    const keys = page.keyboard;
    const ways = waysOf(page);
    await tabTo(page, widget.launcher);
    await keys.press("Enter");
    await expect(ways.first()).toBeFocused();
    for (const [key, at] of [["ArrowDown", 1], ["ArrowDown", 2], ["End", 3], ["ArrowDown", 0], ["ArrowUp", 3], ["Home", 0]] as const) {
      await keys.press(key);
      await expect(ways.nth(at), key).toBeFocused();
    }
    await keys.press("Escape");
    await expect(menuOf(page)).toHaveCount(0);
    await expect(widget.launcher).toBeFocused();
    await expectTold(page, porchlight, ["widget.loaded", "widget.shown"]);

    await keys.press("Space");
    await expect(ways.first()).toBeFocused();
    // The ways, and after them the launcher, are in the order of Tab, too.
    await keys.press("Tab");
    await expect(ways.nth(1)).toBeFocused();
    await tabTo(page, widget.launcher);
    await tabTo(page, ways.nth(1), "Shift+Tab");
    await keys.press("Enter");
    await widget.connected();
    await expect(widget.field).toBeFocused();
    await keys.type("+49 30 901820");
    await keys.press("Enter");
    await expect(widget.ended).toBeFocused();
    await keys.press("Escape");
    await expect(widget.panel).toHaveCount(0);
    await expect(widget.launcher, "where the visitor came from").toBeFocused();
    const journey = JOURNEYS.find(({ kind }) => kind === "CallbackNow");
    await expectTold(page, porchlight, [...STARTED, ...(journey?.told ?? []), "widget.hidden"]);
  });

  test("has what the page offers beside what it names", async ({ page, host, porchlight, widget }) => {
    const welcome = { id: "welcome", typingDelay: 0, cards: [{ id: "ask", card: "capture", field: "company", text: "Whom do you work for?" }, end] };
    const site = await makeSite(porchlight, [...CONVERSATIONS, welcome], { ...OPEN, contacts: [{ kind: "Chat" }, CONTACTS[1]] });
    await page.goto(address(host, site));
    await contact(widget, "Chat");
    await expect(widget.bot.first()).toContainText("Whom do you work for?");
    await expect(page.locator("#porchlight dialog.popup")).toHaveCount(0);
    const log = await expectTold(page, porchlight, ["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked"]);
    expect(log.at(-1)?.data).toMatchObject({ kind: "Chat" });
    // Open, the launcher closes it.
    await widget.launcher.click();
    await expect(widget.panel).toBeHidden();
    await widget.launcher.click();
    await menuOf(page).locator("[data-kind=CallbackNow]").click();
    const popup = page.frameLocator("#porchlight dialog.popup iframe");
    await expect(popup.locator("#value")).toHaveAttribute("type", "tel");
  });

  test("is what the site offers by now, when the page changes its address", async ({ page, host, porchlight, widget }) => {
    const site = await withContacts(porchlight);
    await page.goto(address(host, site));
    await widget.launcher.click();
    await expect(waysOf(page)).toHaveText(LABELS);
    await page.keyboard.press("Escape");
    const go = async (contacts: Contact[], to: string): Promise<void> => {
      await site.settings({ ...OPEN, contacts });
      const asked = page.waitForResponse("**/widget/v1/start");
      await page.evaluate((to) => history.pushState({}, "", to), to);
      await asked;
    };
    await go(CONTACTS.slice(0, 2), "?two");
    // The answer is there before the page has taken it: the menu is opened, and put away, until it is that of the answer.
    await expect(async () => {
      await widget.launcher.click();
      await expect(waysOf(page)).toHaveText(LABELS.slice(0, 2), { timeout: 500 });
    }).toPass();
    await page.keyboard.press("Escape");
    await go([], "?none");
    await expect(widget.launcher, "there is nothing that it could do").toBeHidden();
  });

  test("offers one after the other", async ({ page, host, porchlight, widget }) => {
    const site = await withContacts(porchlight);
    await page.goto(address(host, site));
    for (const [number, kind] of (["CallbackNow", "ClickToCall", "CallbackNow"] as const).entries()) {
      await contact(widget, kind, number + 1);
      const journey = JOURNEYS.find((journey) => journey.kind === kind);
      await journey?.go(widget, undefined as unknown as Agent);
      await expect(widget.ended).toBeVisible();
      await page.keyboard.press("Escape");
      await expect(widget.panel).toHaveCount(0);
    }
    const [{ session }] = await heard(page).events();
    const log = await logOf(porchlight, session);
    expect(log.filter(({ type }) => type === "widget.clicked").map(({ data }) => data.kind)).toEqual(["CallbackNow", "ClickToCall", "CallbackNow"]);
    // What counts once counts once; who asks again is called again.
    expect(log.filter(({ type, conversation }) => conversation === "callback" && /completed|requested/.test(type)).map(({ type }) => type)).toEqual([
      ...["callback.requested", "conversation.completed", "callback.requested"],
    ]);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const { locale, html } of [{ locale: "en-GB", html: 'lang="en"' }, { locale: "ar", html: 'lang="ar" dir="rtl"' }]) {
      test.describe(`${colorScheme}, ${locale}`, () => {
        test.use({ colorScheme, locale, viewport: { width: 375, height: 700 }, contextOptions: { reducedMotion: "reduce" } });

        test("axe-core finds nothing, and all of it is in sight", async ({ page, host, porchlight, widget, quiet }) => {
          test.slow();
          quiet.allow(/status of 422/);
          const site = await withContacts(porchlight);
          await page.goto(host.page({ html, tag: { "data-site": site.key } }));
          const check = async (state: string, panel = true): Promise<void> => {
            await expectAccessible(page, state);
            await expectFits(page, `${state}, the page`);
            if (panel) await expectFits(widget.frame, `${state}, the panel`);
          };
          await widget.launcher.click();
          await expect(waysOf(page)).toHaveCount(4);
          for (const way of await waysOf(page).all()) {
            await expect(way).toBeInViewport({ ratio: 1 });
            expect((await way.boundingBox())?.height).toBeGreaterThanOrEqual(44);
          }
          await check("the menu", false);
          await page.keyboard.press("Escape");
          await contact(widget, "ClickToCall");
          await check("a form");
          await widget.card.locator(".go-on").click();
          await expect(widget.card.locator("[aria-invalid=true]")).toHaveCount(1);
          await check("a form with an error");
          await widget.card.locator("input:not([type=hidden])").fill("Grace");
          await widget.card.locator(".go-on").click();
          await expect(widget.card.locator("a[href^='tel:']")).toBeVisible();
          await check("a number to call");
          await page.keyboard.press("Escape");
          await contact(widget, "CallbackLater", 2);
          await widget.card.locator(".go-on").click();
          await givePhone(widget);
          await expect(widget.card.getByRole("grid")).toBeVisible();
          await check("when to be called");
          await widget.card.locator(".time").first().click();
          await expect(widget.ended).toBeVisible();
          await check("a call that was promised");
        });
      });
    }
  }
});

test.describe("outside the opening hours", () => {
  /** Open on a day of the week that is neither today nor next to it, wherever one is. */
  const closedToday = (contacts: Contact[] = CONTACTS): SiteSettings => ({
    opening_hours: { time_zone: "UTC", hours: [`${weekdayAhead(3)} 10:00-16:00`] },
    contacts,
  });

  test("only what is possible is offered, and leads on", async ({ page, browser, host, porchlight, widget }) => {
    const site = await withContacts(porchlight, closedToday());
    const ada = await agentOf(browser, porchlight, site.key, "Ada");
    await page.goto(address(host, site));
    await widget.launcher.click();
    await expect(waysOf(page)).toHaveText(["Chat", "Call me back later"]);
    await page.keyboard.press("Escape");

    // Somebody is there, but the desk is closed.
    await contact(widget, "Chat");
    await answerForm(widget, { "Your name": "Grace" });
    await expect(widget.bot.filter({ hasText: CLOSED.talk })).toHaveCount(1);
    await expect(widget.ended).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(widget.panel).toHaveCount(0);
    // What the page starts itself says so, too.
    for (const [number, id] of (["callback", "call-us"] as const).entries()) {
      await widget.call("start", id);
      await widget.connected(number + 2);
      if (id === "call-us") await answerForm(widget, { "Your name": "Grace" });
      await expect(widget.bot.filter({ hasText: CLOSED[id] })).toHaveCount(1);
      await expect(widget.ended).toBeVisible();
      await page.keyboard.press("Escape");
      await expect(widget.panel).toHaveCount(0);
    }

    await contact(widget, "CallbackLater", 4);
    await answerForm(widget, { "Your name": "Grace" });
    await givePhone(widget);
    const times = new Times(widget.card);
    await expect(times.grid).toBeVisible();
    const days = await valuesOf(times.days);
    const weekday = new Date(Date.now() + 3 * 86_400_000).getUTCDay();
    expect(days.map((day) => new Date(`${day}T12:00:00Z`).getUTCDay()).filter((other) => other !== weekday)).toEqual([]);
    const [start] = await valuesOf(times.times);
    expect(new Date(start).toISOString().slice(11, 16), "when it opens").toBe("10:00");
    await times.time(start).click();
    await expect(widget.ended).toBeVisible();

    const [{ session }] = await heard(page).events();
    const ids = async () => (await heard(page).events()).map(({ id }) => id);
    await expect.poll(ids).toEqual((await logOf(porchlight, session)).map(({ id }) => id));
    const log = await logOf(porchlight, session);
    expect(log.filter(({ type }) => type === "fallback.shown").map(({ conversation }) => conversation)).toEqual(["talk", "callback", "call-us"]);
    expect(log.filter(({ type }) => /^livechat|^callback/.test(type)).map(({ type, data }) => [type, data.kind])).toEqual([["callback.requested", "CallbackLater"]]);
    await close(ada);
  });

  test("with one way left, the launcher takes it at once", async ({ page, host, porchlight, widget }) => {
    const site = await withContacts(porchlight, closedToday([CONTACTS[1], CONTACTS[2], CONTACTS[3]]));
    await page.goto(address(host, site));
    await widget.launcher.click();
    await expect(widget.card).toBeVisible();
    await widget.connected();
    await expect(menuOf(page)).toHaveCount(0);
    const log = await expectTold(page, porchlight, STARTED);
    expect(log.find(({ type }) => type === "widget.clicked")?.data).toMatchObject({ kind: "CallbackLater" });
  });

  test("with none left, there is no launcher", async ({ page, host, porchlight, widget }) => {
    const site = await withContacts(porchlight, closedToday([CONTACTS[1], CONTACTS[3]]));
    await page.goto(address(host, site));
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await expect(widget.launcher).toBeHidden();
  });

  test("what the site wants offered all the same is", async ({ page, host, porchlight, widget }) => {
    const site = await withContacts(porchlight, closedToday([{ ...CONTACTS[0], when_closed: false }, CONTACTS[2], { ...CONTACTS[3], when_closed: true }]));
    await page.goto(address(host, site));
    await widget.launcher.click();
    await expect(waysOf(page)).toHaveText(["Call me back later", "Ring the shop"]);
  });
});

/** Asks to be called, and puts the panel away. */
async function asksForCall(page: Page, widget: Widget, host: Host, site: Site): Promise<void> {
  await page.goto(address(host, site));
  await contact(widget, "CallbackNow");
  await givePhone(widget);
  await expect(widget.ended).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(widget.panel).toHaveCount(0);
}

async function twoAgents(browser: Browser, porchlight: Porchlight, site: Site): Promise<[Agent, Agent]> {
  const [ada, grace] = [await agentOf(browser, porchlight, site.key, "Ada"), await agentOf(browser, porchlight, site.key, "Grace")];
  for (const { page } of [ada, grace]) {
    await page.goto(`${porchlight.origin}/console/callbacks`);
    await expect(page.locator(".empty")).toHaveText("Nobody waits for a call.");
  }
  return [ada, grace];
}

test.describe("the queue of call backs", () => {
  test("one agent calls, again after a while, and reaches them", async ({ page, browser, host, porchlight, widget }) => {
    test.slow();
    const site = await withContacts(porchlight);
    const [ada, grace] = await twoAgents(browser, porchlight, site);
    await asksForCall(page, widget, host, site);
    const before = await expectTold(page, porchlight, [...STARTED, ...(JOURNEYS.find(({ kind }) => kind === "CallbackNow")?.told ?? []), "widget.hidden"]);
    const row = (agent: Agent) => agent.page.locator("li.card").filter({ hasText: PHONE_E164 });
    // It comes by itself.
    for (const agent of [ada, grace]) await expect(row(agent)).toBeVisible({ timeout: 20_000 });
    // So it does at the desk.
    await grace.page.goto(`${porchlight.origin}/console`);
    const waiting = grace.page.getByRole("link", { name: "Call backs to make" });
    await expect(waiting.locator(".count")).toHaveText("1");
    await waiting.click();
    await expect(row(ada).locator(".chip")).toHaveText(["now"]);
    await expect(row(ada)).toContainText(page.url());
    await expect(row(ada)).toContainText(/asked .*, promised by \d\d:\d\d/);

    await row(ada).getByRole("button", { name: "I call" }).click();
    await expect(row(ada).locator(".chip")).toHaveText(["now", "Ada"]);
    await expect(row(ada).getByRole("link", { name: "Call" })).toHaveAttribute("href", `tel:${PHONE_E164}`);
    await grace.page.goto(`${porchlight.origin}/console`);
    await expect(grace.page.locator(".dot.on").first()).toBeVisible();
    await expect(waiting, "nobody has to make it but Ada").toHaveCount(0);
    await grace.page.goto(`${porchlight.origin}/console/callbacks`);
    await expect(row(grace).locator(".chip")).toHaveText(["now", "Ada"]);
    await expect(row(grace).locator("button"), "it is Ada’s").toHaveCount(0);

    await row(ada).getByLabel("Note").fill("The line was busy.");
    await row(ada).getByLabel("Again in").selectOption("60");
    await row(ada).getByRole("button", { name: "Not reached, call again" }).click();
    await expect(row(ada)).toContainText("again from");
    await expect(row(ada)).toContainText("The line was busy.");
    await grace.page.reload();
    await row(grace).getByRole("button", { name: "I call" }).click();
    await row(grace).getByLabel("Note").fill("They come by on Friday.");
    await row(grace).getByRole("button", { name: "Reached", exact: true }).click();
    await expect(row(grace)).toHaveCount(0);
    await grace.page.getByRole("link", { name: "Done" }).click();
    await expect(row(grace).locator(".chip")).toHaveText(["reached", "Grace"]);
    await expect(row(grace)).toContainText("They come by on Friday.");

    // The visitor’s next page hears of it, and the log holds it where it belongs.
    const events = await heard(page).events();
    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["callback.completed", "widget.loaded", "widget.shown"]);
    const log = await logOf(porchlight, before[0].session);
    expect([...events, ...(await heard(page).events())]).toEqual(log.map(forBrowser));
    const asked = log.find(({ type }) => type === "callback.requested");
    expect(log.find(({ type }) => type === "callback.completed")).toMatchObject({
      conversation: "callback",
      data: { widget: "callback", callback: asked?.data.callback, kind: "CallbackNow", agentName: "Grace", outcome: "reached" },
    });
    expect([...ada.errors, ...grace.errors]).toEqual([]);
    await close(ada, grace);
  });

  test("two agents want the same one: the first has it, the other is told", async ({ page, browser, host, porchlight, widget }) => {
    const site = await withContacts(porchlight);
    const [ada, grace] = await twoAgents(browser, porchlight, site);
    await asksForCall(page, widget, host, site);
    for (const { page } of [ada, grace]) {
      await page.reload();
      await expect(page.getByRole("button", { name: "I call" })).toBeVisible();
    }
    await ada.page.getByRole("button", { name: "I call" }).click();
    await expect(ada.page.getByRole("link", { name: "Call +49" })).toBeVisible();
    await grace.page.getByRole("button", { name: "I call" }).click();
    await expect(grace.page.getByRole("alert")).toContainText("another agent");
    await expect(grace.page.locator("li.card .chip")).toHaveText(["now", "Ada"]);
    await ada.page.getByRole("button", { name: "Leave it to others" }).click();
    await expect(ada.page.locator("li.card .chip")).toHaveText(["now"]);
    await close(ada, grace);
  });

  test("a time that was chosen is kept for it", async ({ page, browser, host, porchlight, widget }) => {
    const site = await withContacts(porchlight);
    const ada = await agentOf(browser, porchlight, site.key, "Ada");
    await page.goto(address(host, site));
    await contact(widget, "CallbackLater");
    await answerForm(widget, { "Your name": "Grace Hopper" });
    await givePhone(widget);
    const times = new Times(widget.card);
    await times.turn();
    await times.chooseLastDay();
    const offered = await valuesOf(times.times);
    const start = offered[20];
    await times.time(start).click();
    await expect(widget.ended).toBeVisible();
    await ada.page.goto(`${porchlight.origin}/console/callbacks`);
    const row = ada.page.locator("li.card");
    await expect(row).toContainText("Grace Hopper");
    await expect(row.locator(".chip")).toHaveText(["later"]);
    await expect(row, "in the agent’s zone").toContainText(`${timeIn("UTC", start)} – ${timeIn("UTC", later(start))}`);

    // One is called at a time: for the next visitor it is gone.
    await page.keyboard.press("Escape");
    await contact(widget, "CallbackLater", 2);
    await widget.card.locator(".go-on").click();
    await givePhone(widget);
    await times.turn();
    await times.chooseLastDay();
    expect(await valuesOf(times.times)).toEqual(offered.filter((other) => other !== start));
    await close(ada);
  });
});
