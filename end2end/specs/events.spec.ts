// Every event there is so far, in each way a conversation can be shown: what the page hears by each interface, and what the server keeps.

import type { FrameLocator, Page } from "@playwright/test";
import { EMAIL, expect, expectTold, heard, logOf, PHONE, PHONE_E164, type Porchlight, type PorchlightEvent, test } from "../fixtures";
import { type Authored, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
/** What answering tells, from the first answer to the end. */
const ANSWERED = [
  ...["conversation.engaged", "input.email", "input.phone", "input.captured", "document.opened", "document.downloaded"],
  ...["goal.reached", "conversation.completed"],
];

/** A conversation in which everything happens. */
function all(id: string, more: Record<string, unknown> = {}): Authored {
  const cards = [
    { id: "colour", card: "question", text: "Which colour?", choices: [{ label: "Red" }, { label: "Blue" }] },
    { id: "mail", card: "capture", field: "email", text: "Where may we write to you?" },
    { id: "call", card: "capture", field: "phone", text: "Where may we call you?" },
    { id: "firm", card: "capture", field: "company", text: "For whom do you work?" },
    { id: "guide", card: "document", text: "Here is our guide.", title: "Our guide", file: "guide.pdf" },
    { id: "won", card: "goal", goal: "Has got the guide" },
    { id: "end", card: "end", text: "Thank you." },
  ];
  return { id, name: `All of ${id}`, typingDelay: 0, cards, ...more };
}

/** Answers everything, to the end. */
async function walk(page: Page, frame: FrameLocator): Promise<void> {
  const [field, send] = [frame.locator("#value"), frame.locator(".send")];
  await frame.getByRole("button", { name: "Red" }).click();
  await field.fill(EMAIL);
  await send.click();
  await frame.locator("#country").selectOption("DE");
  await field.fill(PHONE);
  await send.click();
  await expect(field).toHaveAttribute("autocomplete", "organization");
  await field.fill("Marlow & Sons");
  await send.click();
  await frame.getByRole("button", { name: "Open document" }).click();
  await expect(frame.getByRole("button", { name: "Close document" })).toBeVisible();
  const download = page.waitForEvent("download");
  await frame.getByRole("button", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toBe("guide.pdf");
  await frame.getByRole("button", { name: "Continue" }).click();
  await expect(frame.locator(".ended")).toBeVisible();
}

/** What the catalogue says of each event's data, beyond the conversation's own three fields. */
const DATA: Record<string, Record<string, unknown>> = {
  "input.email": { card: "mail", value: EMAIL },
  "input.phone": { card: "call", value: PHONE_E164 },
  "input.captured": { card: "firm", field: "company" },
  "document.opened": { card: "guide", document: "guide.pdf" },
  "document.downloaded": { card: "guide", document: "guide.pdf" },
  "goal.reached": { card: "won", goal: "Has got the guide" },
};

const ADOBE: Record<string, string> = {
  "conversation.triggered": "CONVERSATION_TRIGGERED",
  "conversation.engaged": "CONVERSATION_ENGAGED",
  "conversation.completed": "CONVERSATION_COMPLETED",
  "conversation.closed": "CONVERSATION_CLOSED",
  "input.phone": "CONVERSATION_INPUT_PHONE",
  "input.email": "CONVERSATION_INPUT_EMAIL",
};

const CTLIVE: Record<string, string> = { "widget.loaded": "Loaded", "widget.shown": "WidgetShown", "widget.hidden": "WidgetHidden", "widget.clicked": "WidgetClicked" };

/** The log's events hold what they ought to, and the page has heard the same by every interface. */
async function expectAll(page: Page, log: PorchlightEvent[], about: { id: string; type: string; uiType: string; widget: string; element: string }): Promise<void> {
  const { id, type, uiType, widget, element } = about;
  const [{ visitor, session, site }] = log;
  const usual = { name: `All of ${id}`, type, uiType };
  for (const event of log) {
    expect(event).toEqual({ ...event, visitor, session, site, page: page.url() });
    if (event.type === "widget.loaded") expect(event.data).toEqual({ widget: "launcher", element: "porchlight" });
    else if (event.type === "widget.clicked") expect(event.data).toEqual({ widget, element, kind: "Chat" });
    else if (event.type.startsWith("widget.")) expect(event.data).toEqual({ widget, element });
    else expect(event.data).toEqual({ ...usual, ...DATA[event.type] });
    expect(event.conversation).toBe(event.type.startsWith("widget.") ? null : id);
  }

  const payload = { name: usual.name, id, type, uiType, sid: session };
  const toAdobe = log.filter((event) => event.type in ADOBE);
  expect(await heard(page).adobe()).toEqual(toAdobe.map((event) => ({ name: ADOBE[event.type], payload })));

  const toCtlive = log.filter((event) => event.type in CTLIVE);
  expect(await heard(page).ctlive()).toEqual(
    toCtlive.map((event) => ({
      type: CTLIVE[event.type],
      object: { elementID: event.data.element, widgetID: event.data.widget, userID: visitor, ...(event.type === "widget.clicked" ? { type: "Chat" } : {}) },
    })),
  );
  expect(await heard(page).windowEvents()).toEqual(["ready", "triggered"]);
  const told = JSON.stringify([await heard(page).events(), await heard(page).adobe(), await heard(page).ctlive()]);
  for (const secret of [EMAIL, PHONE_E164, "Marlow & Sons"]) expect(told).not.toContain(secret);
}

test.describe("from the first to the last", () => {
  test("by the chatbot", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [all("chat")]);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await widget.open();
    await walk(page, widget.frame);
    await widget.closeButton.click();
    await widget.call("hide");
    const log = await expectTold(page, porchlight, [...SHOWN, "widget.clicked", ...ANSWERED, "widget.hidden"]);
    await expectAll(page, log, { id: "chat", type: "dialogue", uiType: "chatbot", widget: "launcher", element: "porchlight" });
  });

  for (const [type, what] of [["dialogue", "a dialogue"], ["conversationFlow", "a conversation flow"]] as const) {
    test(`by ${what} in a popup`, async ({ page, host, porchlight, widget }) => {
      const site = await makeSite(porchlight, [all("pop", { type, ui: "popup" })]);
      const body = `<main><h1>Shop</h1><button data-porchlight-start="pop">Start</button></main>`;
      await page.goto(host.page({ tag: { "data-site": site.key }, body }));
      if (type === "conversationFlow") await page.getByRole("button", { name: "Start" }).click();
      await widget.connected();
      await walk(page, widget.frame);
      await widget.closeButton.click();
      const log = await expectTold(page, porchlight, [...SHOWN, ...ANSWERED, "widget.hidden"]);
      await expectAll(page, log, { id: "pop", type, uiType: "popup", widget: "pop", element: "porchlight-popup" });
    });
  }

  test("in the page", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [all("here", { type: "conversationFlow", ui: "inline" })]);
    await page.goto(host.page({ tag: { "data-site": site.key }, body: `<main><h1>Shop</h1><div id="there" data-porchlight="here"></div></main>` }));
    await widget.connected();
    await walk(page, page.frameLocator("#there iframe"));
    await expectTold(page, porchlight, [...SHOWN, ...ANSWERED]);
    // The page takes it away, as a router would.
    await page.evaluate(() => {
      document.getElementById("there")?.remove();
      history.replaceState(null, "", location.pathname);
      history.pushState(null, "", "?gone");
    });
    const log = await expectTold(page, porchlight, [...SHOWN, ...ANSWERED, "widget.hidden"]);
    expect(log.at(-1)?.page).toBe(page.url());
    const address = page.url().replace("?gone", "");
    const moved = log.map((event) => (event.page === address ? { ...event, page: page.url() } : event));
    await expectAll(page, moved, { id: "here", type: "conversationFlow", uiType: "inline", widget: "here", element: "there" });
  });
});

test.describe("closing before the end", () => {
  for (const ui of ["chatbot", "popup"]) {
    test(`is told of a ${ui}, once`, async ({ page, host, porchlight, widget }) => {
      const site = await makeSite(porchlight, [all("talk", { ui })]);
      await page.goto(host.page({ tag: { "data-site": site.key } }));
      const open = ui === "chatbot" ? ["widget.clicked"] : [];
      const shut = ui === "chatbot" ? [] : ["widget.hidden"];
      if (ui === "chatbot") await widget.launcher.click();
      await widget.connected();
      await widget.choice("Blue").click();
      await expect(widget.field).toBeVisible();
      await widget.closeButton.click();
      const closed = [...SHOWN, ...open, "conversation.engaged", "conversation.closed", ...shut];
      const log = await expectTold(page, porchlight, closed);
      expect(log.find(({ type }) => type === "conversation.closed")).toMatchObject({ conversation: "talk", data: { name: "All of talk", type: "dialogue", uiType: ui } });
      expect((await heard(page).adobe()).map(({ name }) => name)).toEqual(["TRIGGERED", "ENGAGED", "CLOSED"].map((name) => `CONVERSATION_${name}`));

      await widget.call("open");
      await expect(widget.field).toBeVisible();
      await widget.closeButton.click();
      await expect(widget.panel).toBeHidden();
      await widget.call("hide");
      const again = ui === "chatbot" ? ["widget.hidden"] : ["widget.shown", "widget.hidden"];
      await expectTold(page, porchlight, [...closed, ...again]);
    });
  }

  test("by Escape is told, too, and putting the panel away is not", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [all("talk")]);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await widget.open();
    await widget.host.locator(".minimise").click();
    await expect(widget.panel).toBeHidden();
    await widget.launcher.click();
    await expect(widget.choices.first()).toBeVisible();
    await expectTold(page, porchlight, [...SHOWN, "widget.clicked", "widget.clicked"]);
    await widget.choices.first().focus();
    await page.keyboard.press("Escape");
    await expect(widget.panel).toBeHidden();
    await expectTold(page, porchlight, [...SHOWN, "widget.clicked", "widget.clicked", "conversation.closed"]);
  });
});

test("what may repeat does, and what counts once does not", async ({ page, host, porchlight, widget }) => {
  const cards = [
    { id: "won", card: "goal", goal: "Has looked" },
    { id: "mail", card: "capture", field: "email", text: "Where may we write to you?" },
    { id: "seats", card: "capture", field: "number", attribute: "seats", text: "How many?" },
    { id: "end", card: "end" },
  ];
  const site = await makeSite(porchlight, [{ id: "talk", typingDelay: 0, back: true, restart: true, cards }]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  const answer = async (value: string, next: string): Promise<void> => {
    await widget.field.fill(value);
    await widget.send.click();
    await expect(widget.card.locator(next)).toBeVisible();
  };
  await answer(EMAIL, "[type=number]");
  await widget.card.getByRole("button", { name: "Back" }).click();
  await expect(widget.field).toHaveAttribute("type", "email");
  await answer(EMAIL, "[type=number]");
  await answer("3", ".ended");
  await widget.card.getByRole("button", { name: "Start over" }).click();
  await expect(widget.field).toHaveAttribute("type", "email");
  await answer(EMAIL, "[type=number]");
  await answer("4", ".ended");
  const log = await expectTold(page, porchlight, [
    ...[...SHOWN, "widget.clicked", "goal.reached", "conversation.engaged", "input.email", "input.email", "input.captured", "conversation.completed"],
    ...["goal.reached", "input.email", "input.captured"],
  ]);
  expect(log.filter(({ type }) => type === "input.captured").map(({ data }) => [data.field, data.value])).toEqual([["seats", undefined], ["seats", undefined]]);
});

test("contact details are on the page where the site wants them there", async ({ page, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [all("chat")], { contact_details_in_browser: true });
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  await walk(page, widget.frame);
  await expect.poll(async () => (await heard(page).types()).at(-1)).toBe("conversation.completed");
  const events = await heard(page).events();
  expect(events).toEqual(await logOf(porchlight, events[0].session));
  expect(events.filter(({ data }) => "value" in data).map(({ type, data }) => [type, data.value])).toEqual([["input.email", EMAIL], ["input.phone", PHONE_E164]]);
  expect(JSON.stringify(await heard(page).adobe()), "Adobe’s payload has no such field").not.toContain(EMAIL);
});

test.describe("several widgets on a page", () => {
  const short = (id: string, more: Record<string, unknown>): Authored => ({
    ...{ id, name: `All of ${id}`, typingDelay: 0 },
    cards: [{ id: "ok", card: "question", text: `${id}?`, choices: [{ label: `Yes, ${id}` }] }, { id: "end", card: "end" }],
    ...more,
  });
  const flow = (id: string, ui: string): Authored => short(id, { type: "conversationFlow", ui });

  /** A page with a launcher, two conversations in it, and one that is started. */
  async function goto(page: Page, porchlight: Porchlight, host: { page(page: object): string }): Promise<void> {
    const site = await makeSite(porchlight, [short("chat", {}), flow("one", "inline"), flow("two", "inline"), flow("pop", "popup")]);
    const body = `
      <main style="max-width: 600px">
        <h1>Shop</h1>
        <div data-porchlight="one"></div>
        <div style="height: 3000px"></div>
        <div class="mktoConversation" id="two" mktoName="Two"></div>
        <button data-porchlight-start="pop">Start</button>
      </main>`;
    await page.goto(host.page({ tag: { "data-site": site.key }, body }));
  }

  test("each tell their own, when they come into view", async ({ page, host, porchlight, widget }) => {
    await goto(page, porchlight, host);
    const triggered = async (): Promise<(string | null)[]> =>
      (await heard(page).events()).filter(({ type }) => type === "conversation.triggered").map(({ conversation }) => conversation);
    await expect.poll(async () => (await triggered()).sort()).toEqual(["chat", "one"]);
    await expect(page.frameLocator("[data-porchlight] iframe").getByRole("button")).toBeVisible();
    await expect(page.locator("#two iframe"), "far away, it is not loaded").toHaveCount(0);
    await page.locator("#two").scrollIntoViewIfNeeded();
    await page.frameLocator("#two iframe").getByRole("button", { name: "Yes, two" }).click();
    await expect(page.frameLocator("#two iframe").locator(".ended")).toBeVisible();
    await page.getByRole("button", { name: "Start" }).click();
    await widget.choice("Yes, pop").click();
    await expect(widget.ended).toBeVisible();
    await expect.poll(async () => (await heard(page).types()).filter((type) => type === "conversation.completed").length).toBe(2);

    const events = await heard(page).events();
    expect(events).toEqual(await logOf(porchlight, events[0].session));
    const of = (conversation: string): string[] => events.filter((event) => event.conversation === conversation).map(({ type }) => type);
    const done = ["conversation.triggered", "conversation.engaged", "conversation.completed"];
    expect({ chat: of("chat"), one: of("one"), two: of("two"), pop: of("pop") }).toEqual({ chat: done.slice(0, 1), one: done.slice(0, 1), two: done, pop: done });
    const shown = (await heard(page).ctlive()).filter(({ type }) => type === "WidgetShown").map(({ object }) => [object.elementID, object.widgetID]);
    expect(shown.sort()).toEqual([["porchlight", "launcher"], ["porchlight-inline-1", "one"], ["porchlight-popup", "pop"], ["two", "two"]]);
    for (const [element] of shown) {
      const there = await page.evaluate((id) => !!(document.getElementById(id) ?? document.getElementById("porchlight")?.shadowRoot?.getElementById(id)), String(element));
      expect(there, `${element} is an element of the page`).toBe(true);
    }
    const payloads = (await heard(page).adobe()).map(({ payload }) => [payload.id, payload.type, payload.uiType]);
    expect(new Set(payloads.map((payload) => payload.join()))).toEqual(
      new Set(["chat,dialogue,chatbot", "one,conversationFlow,inline", "two,conversationFlow,inline", "pop,conversationFlow,popup"]),
    );
  });

  test("one in the page that is loaded, but not in view yet, is not told of", async ({ page, host, porchlight }) => {
    const site = await makeSite(porchlight, [flow("one", "inline")]);
    const { height } = page.viewportSize() ?? { height: 0 };
    const body = `<main style="margin: 0"><div style="height: ${height + 50}px"></div><div id="one" data-porchlight="one"></div><div style="height: 2000px"></div></main>`;
    await page.goto(host.page({ tag: { "data-site": site.key }, body }));
    const frame = page.frameLocator("#one iframe");
    await expect(frame.getByRole("button", { name: "Yes, one" })).toBeAttached();
    await expect.poll(() => heard(page).hellos()).toBe(1);
    const [{ session }] = await heard(page).events();
    expect((await logOf(porchlight, session)).map(({ type }) => type)).toEqual(["widget.loaded"]);
    await page.mouse.wheel(0, 400);
    await expectTold(page, porchlight, SHOWN);
  });
});
