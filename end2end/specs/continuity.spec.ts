// The conversation goes on: over a reload, after closing, in a second tab, on the next page; and it begins anew when the page wants it to.

import type { Page } from "@playwright/test";
import { EMAIL, TOPICS, expect, expectTold, forBrowser, heard, logOf, test, Widget } from "../fixtures";
import { type Authored, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const OPENED = [...SHOWN, "widget.clicked"];
const ENGAGED = [...OPENED, "conversation.engaged"];
const COMPLETED = [...ENGAGED, "input.email", "input.phone", "conversation.completed"];

/** A conversation of two questions, which says its name. */
function talk(id: string, more: Record<string, unknown> = {}): Authored {
  const question = (id: string, text: string, labels: string[]) => ({ id, card: "question", text, choices: labels.map((label) => ({ label })) });
  const cards = [question("colour", `${id}: which colour?`, ["Red", "Blue"]), question("size", `${id}: which size?`, ["Small", "Large"])];
  return { id, typingDelay: 0, cards: [...cards, { id: "end", card: "end", text: `${id}: thank you.` }], ...more };
}

const flow = (id: string, ui: "popup" | "inline", more: Record<string, unknown> = {}): Authored => talk(id, { type: "conversationFlow", ui, ...more });

const popupOf = (page: Page) => page.locator("#porchlight-popup");

test.describe("a reload", () => {
  test("in mid-conversation goes on where it was, and counts nothing again", async ({ page, host, porchlight, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    const first = await expectTold(page, porchlight, ENGAGED);
    const transcript = await widget.transcript();
    expect(transcript).toHaveLength(5);

    await page.reload();
    await expect(widget.panel).toBeVisible();
    await widget.connected();
    await expect(widget.field).toHaveAttribute("type", "email");
    expect(await widget.transcript()).toEqual(transcript);
    await expect(page.locator("body"), "the focus stays where a load of the page puts it").toBeFocused();

    await widget.giveEmail();
    const again = ["widget.loaded", "widget.shown", "input.email"];
    await expect.poll(() => heard(page).types()).toEqual(again);
    const log = await logOf(porchlight, first[0].session);
    expect(log.map(({ type }) => type)).toEqual([...ENGAGED, ...again]);
    expect(await heard(page).events()).toEqual(log.slice(ENGAGED.length).map(forBrowser));
  });

  test("before the first answer counts nothing again, either", async ({ page, host, porchlight, widget }) => {
    await page.goto(host.page());
    await widget.open();
    const [{ session }] = await expectTold(page, porchlight, OPENED);
    await page.reload();
    await expect(widget.choices).toHaveText([...TOPICS]);
    await widget.connected();
    await widget.choose();
    const again = ["widget.loaded", "widget.shown", "conversation.engaged"];
    await expect.poll(() => heard(page).types()).toEqual(again);
    expect((await logOf(porchlight, session)).map(({ type }) => type)).toEqual([...OPENED, ...again]);
  });

  test("with the panel closed leaves it closed", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    await widget.closeButton.click();
    await page.reload();
    await expect(widget.launcher).toBeVisible();
    await expect(widget.launcher).toHaveAttribute("aria-expanded", "false");
    await expect(widget.panel).toBeHidden();
    await widget.open();
    await expect(widget.field).toHaveAttribute("type", "email");
  });

  test("after the end shows no launcher", async ({ page, host, porchlight, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.complete();
    const [{ session }] = await expectTold(page, porchlight, COMPLETED);
    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await page.evaluate(() => (window as unknown as { Porchlight: { ready: Promise<void> } }).Porchlight.ready);
    await expect(widget.launcher).toBeHidden();
    await expect(widget.panel).toBeHidden();
    expect((await logOf(porchlight, session)).map(({ type }) => type)).toEqual([...COMPLETED, "widget.loaded"]);
  });
});

test("closing before the end is told once, and the visitor may come back and go on", async ({ page, host, porchlight, widget }) => {
  await page.goto(host.page());
  await widget.open();
  await widget.choose();
  await widget.closeButton.click();
  await expect(widget.panel).toBeHidden();
  await expectTold(page, porchlight, [...ENGAGED, "conversation.closed"]);

  await widget.launcher.click();
  await expect(widget.field).toBeVisible();
  await widget.giveEmail();
  await widget.closeButton.click();
  await expect(widget.panel).toBeHidden();
  await widget.launcher.click();
  await widget.givePhone();
  await expectTold(page, porchlight, [
    ...[...ENGAGED, "conversation.closed", "widget.clicked", "input.email"],
    ...["widget.clicked", "input.phone", "conversation.completed"],
  ]);
});

test("the launcher closes, too", async ({ page, host, porchlight, widget }) => {
  await page.goto(host.page());
  await widget.open();
  await expect(widget.launcher).toHaveAttribute("aria-expanded", "true");
  await widget.launcher.click();
  await expect(widget.panel).toBeHidden();
  await expect(widget.launcher).toHaveAttribute("aria-expanded", "false");
  await expectTold(page, porchlight, [...OPENED, "conversation.closed"]);
});

test.describe("the page’s own commands", () => {
  test("open, close and toggle", async ({ page, host, porchlight, widget }) => {
    await page.goto(host.page());
    await expect(widget.launcher).toBeVisible();
    await widget.call("open");
    await widget.connected();
    await expect(widget.panel).toBeVisible();
    await widget.call("open");
    await expect(widget.panel).toBeVisible();
    await widget.call("close");
    await expect(widget.panel).toBeHidden();
    await widget.call("toggle");
    await expect(widget.panel).toBeVisible();
    await widget.call("toggle");
    await expect(widget.panel).toBeHidden();
    // Nobody has clicked, and closing counts once.
    await widget.call("hide");
    await expectTold(page, porchlight, [...SHOWN, "conversation.closed", "widget.hidden"]);
  });

  test("close leaves the focus where the visitor has it on the page", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    const search = page.getByLabel("Search");
    await search.focus();
    await widget.call("close");
    await expect(widget.panel).toBeHidden();
    await expect(search).toBeFocused();
  });

  test("hide and show", async ({ page, host, porchlight, widget }) => {
    await page.goto(host.page());
    await expect(widget.launcher).toBeVisible();
    await widget.call("hide");
    await expect(widget.launcher).toBeHidden();
    await expectTold(page, porchlight, [...SHOWN, "widget.hidden"]);
    await widget.call("hide");
    await widget.call("show");
    await expect(widget.launcher).toBeVisible();
    await widget.call("show");
    await widget.open();
    await expectTold(page, porchlight, [...SHOWN, "widget.hidden", "widget.shown", "widget.clicked"]);
    const object = { elementID: "porchlight", widgetID: "launcher", userID: expect.any(String) };
    expect((await heard(page).ctlive()).slice(2)).toEqual([
      { type: "WidgetHidden", object },
      { type: "WidgetShown", object },
      { type: "WidgetClicked", object: { ...object, type: "Chat" } },
    ]);
  });

  test("reset gives a new visitor, and a launcher also after the end", async ({ page, host, porchlight, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.complete();
    const [first] = await expectTold(page, porchlight, COMPLETED);
    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);

    await widget.call("reset");
    await expect(widget.launcher).toBeVisible();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", ...SHOWN]);
    const [, ...events] = await heard(page).events();
    expect(new Set(events.map(({ visitor }) => visitor)).size).toBe(1);
    expect(events[0].visitor).not.toBe(first.visitor);
    expect(events[0].session).not.toBe(first.session);
    expect(events).toEqual(await logOf(porchlight, events[0].session));
    await widget.open();
    await expect(widget.visitor).toHaveCount(0);
    await expect(widget.choices).toHaveText([...TOPICS]);
  });

  test("a command right after reset is done for the new visitor", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    await page.evaluate(() => {
      const { Porchlight } = window as unknown as { Porchlight: { push(...commands: unknown[][]): void } };
      Porchlight.push(["reset"], ["open"]);
    });
    await expect(widget.panel).toBeVisible();
    await expect(widget.choices).toHaveText([...TOPICS]);
  });

  test("setTheme and setLocale change the panel that is open", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.call("setTheme", "dark");
    await expect(widget.frame.locator("html")).toHaveAttribute("data-theme", "dark");
    await expect(widget.frame.locator("html")).toHaveCSS("color-scheme", "dark");
    await widget.call("setLocale", "de-DE");
    await expect(widget.frame.locator("html")).toHaveAttribute("lang", "de");
    await expect(widget.launcher).toHaveAccessibleName("Chat schließen");
    await expect(widget.frame.locator("html"), "what was set before stays set").toHaveAttribute("data-theme", "dark");
    await widget.choose();
    await expect(widget.field).toHaveAccessibleName("E-Mail-Adresse");
  });
});

test("a double click on a choice answers once", async ({ page, host, porchlight, widget }) => {
  await page.goto(host.page());
  await widget.open();
  let sent = 0;
  let release = (): void => {};
  const clicked = new Promise<void>((resolve) => (release = resolve));
  // Answered after the second click, or that one would meet the next card.
  await page.route("**/widget/v1/answers", async (route) => {
    sent += 1;
    await clicked;
    await route.continue();
  });
  await widget.choice(TOPICS[0]).dblclick();
  release();
  await expect(widget.field).toBeVisible();
  await expect(widget.visitor).toHaveCount(1);
  expect(sent).toBe(1);
  await widget.giveEmail();
  await expectTold(page, porchlight, [...ENGAGED, "input.email"]);
});

test.describe("two tabs", () => {
  const SCRIPT = /\/assets\/widget[^/]+\.(js|wasm)$/;

  for (const script of [true, false]) {
    test(`are in step, ${script ? "both by the panel’s script" : "without the panel’s script in the other"}`, async ({ page, context, host, widget, quiet }) => {
      const address = host.page();
      await page.goto(address);
      await widget.open();
      const other = new Widget(await context.newPage());
      if (!script) {
        quiet.allow(/ERR_FAILED/, /Failed to fetch/);
        await other.page.route(SCRIPT, (route) => route.abort());
      }
      await other.page.goto(address);
      await other.launcher.click();
      await expect(other.choices).toHaveText([...TOPICS]);
      if (script) await other.connected();

      await widget.choose();
      await expect(other.field).toHaveAttribute("type", "email");
      await expect(other.problem).toBeEmpty();
      expect(await other.transcript()).toEqual(await widget.transcript());

      await other.giveEmail();
      await expect(widget.field).toHaveAttribute("type", "tel");
      await expect(widget.problem).toBeEmpty();
      expect(await widget.transcript()).toEqual(await other.transcript());

      await widget.givePhone();
      await expect(other.ended).toBeVisible();
      expect(await other.transcript()).toEqual(await widget.transcript());
    });
  }

  test("each is told what happened in it, and nothing twice", async ({ page, context, host, porchlight, widget }) => {
    const address = host.page();
    await page.goto(address);
    await widget.open();
    const other = new Widget(await context.newPage());
    await other.page.goto(address);
    await other.open();
    await widget.choose();
    await other.giveEmail();
    await expect(widget.field).toHaveAttribute("type", "tel");
    await widget.givePhone();
    await expect(other.ended).toBeVisible();

    await expect.poll(() => heard(page).types()).toEqual([...ENGAGED, "input.phone", "conversation.completed"]);
    await expect.poll(() => heard(other.page).types()).toEqual(["widget.loaded", "widget.shown", "widget.clicked", "input.email"]);
    const both = [...(await heard(page).events()), ...(await heard(other.page).events())];
    const log = await logOf(porchlight, both[0].session);
    expect(both.sort((a, b) => Number(a.seq) - Number(b.seq))).toEqual(log.map(forBrowser));
  });

  test("what is half typed in the other is not lost while the same question waits", async ({ page, context, host, widget, quiet }) => {
    quiet.allow(/ERR_FAILED/);
    const address = host.page();
    await page.goto(address);
    await widget.open();
    await page.route("**/widget/v1/answers", async (route) => {
      // The server takes the answer, and this tab does not learn of it.
      await route.fetch();
      await route.abort();
    });
    await widget.choice(TOPICS[0]).click();
    await expect(widget.problem).not.toBeEmpty();
    const other = new Widget(await context.newPage());
    await other.page.goto(address);
    await other.open();
    await other.field.fill("ada@exam");

    await page.unroute("**/widget/v1/answers");
    const refreshed = other.page.waitForResponse("**/widget/v1/answers");
    await widget.choose();
    expect((await refreshed).status()).toBe(200);
    await expect(other.field).toHaveValue("ada@exam");
    expect(await other.transcript()).toEqual(await widget.transcript());
    await other.field.pressSequentially("ple.com");
    await other.send.click();
    await expect(other.visitor).toContainText([TOPICS[0], EMAIL]);
    await expect(widget.field).toHaveAttribute("type", "tel");
    expect(await widget.transcript()).toEqual(await other.transcript());
  });

  /** Opens a second tab that does not hear of the first. */
  async function openDeaf(page: Page, address: string): Promise<Widget> {
    const deaf = new Widget(await page.context().newPage());
    await deaf.page.addInitScript(() => Reflect.deleteProperty(window, "BroadcastChannel"));
    await deaf.page.goto(address);
    await deaf.open();
    return deaf;
  }

  test("a question that was answered in the other tab is not answered again", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 409/);
    const address = host.page();
    await page.goto(address);
    await widget.open();
    const other = await openDeaf(page, address);
    await widget.choose(TOPICS[0]);

    const answered = other.page.waitForResponse("**/widget/v1/answers");
    await other.choice(TOPICS[1]).click();
    expect((await answered).status()).toBe(409);
    await expect(other.problem).toHaveText("This question was answered already. Here is where you are now.");
    await expect(other.field).toHaveAttribute("type", "email");
    await expect.soft(other.field, "nothing was typed that could be wrong").toHaveAttribute("aria-invalid", "false");
    await expect(other.field).toHaveValue("");
    expect(await other.transcript()).toEqual(await widget.transcript());

    await other.giveEmail();
    const [{ session }] = await heard(page).events();
    const log = await logOf(porchlight, session);
    expect(log.map(({ type }) => type)).toEqual([...OPENED, "widget.loaded", "widget.shown", "widget.clicked", "conversation.engaged", "input.email"]);
  });

  test("a question is not answered any more when the other tab has reached the end", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 409/);
    const address = host.page();
    await page.goto(address);
    await widget.open();
    const other = await openDeaf(page, address);
    await widget.complete();
    await other.choice(TOPICS[1]).click();
    await expect(other.ended).toBeVisible();
    await expect(other.problem).toHaveText("This question was answered already. Here is where you are now.");
    expect(await other.transcript()).toEqual(await widget.transcript());
    const [{ session }] = await heard(page).events();
    const log = await logOf(porchlight, session);
    expect(log.slice(-4).map(({ type }) => type)).toEqual(["conversation.engaged", "input.email", "input.phone", "conversation.completed"]);
    expect(log.filter(({ type }) => type.startsWith("conversation."))).toHaveLength(3);
  });

  test("a tab that is opened later shows the conversation where it is", async ({ page, context, host, widget }) => {
    const address = host.page();
    await page.goto(address);
    await widget.open();
    await widget.choose();
    const other = new Widget(await context.newPage());
    await other.page.goto(address);
    await other.open();
    expect(await other.transcript()).toEqual(await widget.transcript());
    await expect(other.field).toHaveAttribute("type", "email");
  });
});

test.describe("what is published changes", () => {
  const again = (id: string, more: Record<string, unknown> = {}): Authored => ({ ...talk(`${id} again`, more), id });

  test("who has answered goes on in the version they began with, on pages it does not target, and after it is gone", async ({ page, host, porchlight, widget }) => {
    const target = { params: { offer: "*" } };
    const site = await makeSite(porchlight, [talk("shop", { target })]);
    const address = host.page({ tag: { "data-site": site.key } });
    await page.goto(`${address}?offer=1`);
    await widget.open();
    await site.publish(again("shop", { target }));
    await widget.choice("Red").click();
    await expect(widget.bot.last()).toContainText("shop: which size?");

    await page.goto(address);
    await expect(widget.choices).toHaveText(["Small", "Large"]);
    await expect(widget.bot.last()).toContainText("shop: which size?");
    await widget.closeButton.click();
    await site.unpublish("shop");
    await page.reload();
    await expect(widget.launcher).toBeVisible();
    await widget.open();
    await widget.choice("Large").click();
    await expect(widget.ended).toBeVisible();
    await expect(widget.bot).toContainText(["shop: which colour?", "shop: which size?", "shop: thank you."]);
    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await expect(widget.launcher).toBeHidden();
  });

  test("who has not answered gets the new version", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop")]);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await widget.open();
    await expect(widget.bot).toContainText(["shop: which colour?"]);
    await expectTold(page, porchlight, OPENED);
    await site.publish(again("shop"));
    await page.reload();
    await expect(widget.bot).toContainText(["shop again: which colour?"]);
    await widget.connected();
    await widget.choice("Red").click();
    await expect(widget.bot.last()).toContainText("shop again: which size?");
    await expect.poll(() => heard(page).types(), "it is still the same conversation").toEqual(["widget.loaded", "widget.shown", "conversation.engaged"]);
  });

  test("who has not answered is not shown what is gone", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("shop")]);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await widget.open();
    await expectTold(page, porchlight, OPENED);
    await site.unpublish("shop");
    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await expect(widget.launcher).toBeHidden();
    await expect(widget.panel).toBeHidden();
  });

  test("what was completed is not offered again, and the next by priority is", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [talk("third", { priority: 1 }), talk("first", { priority: 9 }), talk("second", { priority: 5 })]);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    for (const id of ["first", "second", "third"]) {
      await widget.launcher.click();
      await expect(widget.bot).toContainText([`${id}: which colour?`]);
      await widget.choice("Red").click();
      await widget.choice("Large").click();
      await expect(widget.ended).toBeVisible();
      await widget.closeButton.click();
      await page.reload();
      await expect.poll(async () => (await heard(page).types()).includes("widget.loaded")).toBe(true);
    }
    await widget.call("show");
    await expect(widget.launcher).toBeHidden();
    // A new version of what was completed is no new conversation.
    await site.publish(again("first"));
    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await expect(widget.launcher).toBeHidden();
  });
});

test.describe("a conversation flow", () => {
  const BODY = `<main><h1>Order</h1><button data-porchlight-start="order"><b>Order</b> now</button></main>`;

  test("as a popup begins again after its end, and counts once", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [flow("order", "popup")]);
    await page.goto(host.page({ tag: { "data-site": site.key }, body: BODY }));
    const order = page.getByRole("button", { name: "Order now" });
    for (const colour of ["Red", "Blue"]) {
      await order.click();
      await expect(popupOf(page)).toBeVisible();
      await expect(widget.choices).toHaveText(["Red", "Blue"]);
      await expect(widget.bubbles).toHaveCount(1);
      await widget.choice(colour).click();
      await widget.choice("Large").click();
      await expect(widget.ended).toBeVisible();
      await expect(widget.visitor).toContainText([colour, "Large"]);
      await widget.closeButton.click();
      await expect(popupOf(page)).toHaveCount(0);
    }
    const once = ["widget.loaded", "widget.shown", "conversation.triggered", "conversation.engaged", "conversation.completed", "widget.hidden"];
    await expectTold(page, porchlight, [...once, "widget.shown", "widget.hidden"]);
  });

  test("as a popup goes on if it had not ended", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [flow("order", "popup")]);
    await page.goto(host.page({ tag: { "data-site": site.key }, body: BODY }));
    await widget.call("start", "order");
    await widget.choice("Blue").click();
    await widget.closeButton.click();
    await expect(popupOf(page)).toHaveCount(0);
    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await expect(popupOf(page), "what was put away does not come back by itself").toHaveCount(0);
    await widget.call("start", "order");
    await expect(widget.visitor).toContainText(["Blue"]);
    await expect(widget.choices).toHaveText(["Small", "Large"]);
    // Open, it is open after a reload, too.
    await page.reload();
    await expect(widget.choices).toHaveText(["Small", "Large"]);
    await expect(popupOf(page)).toBeVisible();
  });

  test("in the page stays at its end over a reload, and begins again as often as the visitor likes", async ({ page, host, porchlight }) => {
    const site = await makeSite(porchlight, [flow("order", "inline", { restart: true })]);
    await page.goto(host.page({ tag: { "data-site": site.key }, body: `<main><h1>Order</h1><div id="here" data-porchlight="order"></div></main>` }));
    const frame = page.frameLocator("#here iframe");
    const choose = (label: string): Promise<void> => frame.getByRole("button", { name: label }).click();
    await choose("Red");
    await choose("Small");
    await expect(frame.locator(".ended")).toBeVisible();
    await expectTold(page, porchlight, ["widget.loaded", "widget.shown", "conversation.triggered", "conversation.engaged", "conversation.completed"]);

    await page.reload();
    await expect(frame.locator(".ended")).toBeVisible();
    await expect(frame.locator("[data-author=visitor]")).toContainText(["Red", "Small"]);
    for (const colour of ["Blue", "Red"]) {
      await choose("Start over");
      await expect(frame.locator("[data-author]")).toHaveCount(1);
      await choose(colour);
      await choose("Large");
      await expect(frame.locator("[data-author=visitor]")).toContainText([colour, "Large"]);
    }
    await expect.poll(() => heard(page).types(), "nothing counts twice").toEqual(["widget.loaded", "widget.shown"]);
  });
});

test("what was taken back, and a new beginning, are there after a reload", async ({ page, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [talk("shop", { back: true, restart: true })]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  const [back, restart] = ["Back", "Start over"].map((name) => widget.card.getByRole("button", { name, exact: true }));
  await widget.open();
  await expect(back).toHaveCount(0);
  await widget.choice("Red").click();
  await expect(widget.choices).toHaveText(["Small", "Large"]);
  await back.click();
  await expect(widget.choices).toHaveText(["Red", "Blue"]);
  await expect(widget.visitor).toHaveCount(0);

  await page.reload();
  await expect(widget.choices).toHaveText(["Red", "Blue"]);
  await expect(widget.bubbles).toHaveCount(1);
  await widget.connected();
  await widget.choice("Blue").click();
  await expect(widget.visitor).toContainText(["Blue"]);
  await widget.choice("Small").click();
  await expect(widget.ended).toBeVisible();
  await restart.click();
  await expect(widget.choices).toHaveText(["Red", "Blue"]);
  await expect(widget.bubbles).toHaveCount(1);

  await page.reload();
  await widget.launcher.waitFor({ state: "attached" });
  // It was completed before it began again: it is not offered, and whoever opens it by name goes on in it.
  await widget.call("open", { conversation: "shop" });
  await expect(widget.choices).toHaveText(["Red", "Blue"]);
  await expect(widget.bubbles).toHaveCount(1);
});

test.describe("a page that goes to another address without a load", () => {
  /** The site offers one conversation on the pages of this server, and another on /pricing. */
  async function goto(page: Page, porchlight: Parameters<typeof makeSite>[0], host: { page(page: object): string }): Promise<string> {
    const site = await makeSite(porchlight, [talk("shop", { target: { pages: ["/page/*"] } }), talk("prices", { target: { pages: ["/pricing*"] } })]);
    const address = host.page({ tag: { "data-site": site.key } });
    await page.goto(address);
    await expect.poll(() => heard(page).types()).toEqual(SHOWN);
    return address;
  }

  /** Counts what is asked of the server from now on. */
  function starts(page: Page): { count: number } {
    const starts = { count: 0 };
    page.on("request", (request) => void (request.url().endsWith("/widget/v1/start") && (starts.count += 1)));
    return starts;
  }

  const move = (page: Page, method: "pushState" | "replaceState", url: string): Promise<void> =>
    page.evaluate(([method, url]) => history[method as "pushState"](null, "", url), [method, url]);

  test("is offered what is offered there, and back again", async ({ page, host, porchlight, widget }) => {
    const address = await goto(page, porchlight, host);
    const pricing = new URL("/pricing", address).href;
    await move(page, "pushState", "/pricing");
    const hidden = [...SHOWN, "widget.hidden"];
    const there = [...hidden, "widget.shown", "conversation.triggered"];
    await expectTold(page, porchlight, there);
    await move(page, "pushState", "/nothing");
    await expect(widget.launcher).toBeHidden();
    await expectTold(page, porchlight, [...there, "widget.hidden"]);
    await page.goBack();
    await expectTold(page, porchlight, [...there, "widget.hidden", "widget.shown"]);
    await widget.open();
    await expect(widget.bot).toContainText(["prices: which colour?"]);
    await widget.closeButton.click();
    await page.goBack();
    await expect.poll(() => page.url()).toBe(address);
    const log = await expectTold(page, porchlight, [...there, "widget.hidden", "widget.shown", "widget.clicked", "conversation.closed", "widget.hidden", "widget.shown"]);
    expect(log.filter(({ type }) => type === "conversation.triggered").map(({ conversation, page }) => [conversation, page])).toEqual([
      ["shop", address],
      ["prices", pricing],
    ]);
    expect(log.find(({ type }) => type === "widget.clicked")?.page).toBe(pricing);
    expect(log.at(-1)?.page).toBe(address);
    await widget.launcher.click();
    await expect(widget.bot).toContainText(["shop: which colour?"]);
  });

  test("by replaceState is asked about, too, and once if it changes twice", async ({ page, host, porchlight }) => {
    await goto(page, porchlight, host);
    const asked = starts(page);
    await page.evaluate(() => {
      history.replaceState(null, "", "/nothing");
      history.replaceState(null, "", "/pricing?from=menu");
    });
    await expectTold(page, porchlight, [...SHOWN, "widget.hidden", "widget.shown", "conversation.triggered"]);
    expect((await heard(page).events()).at(-1)).toMatchObject({ conversation: "prices", page: new URL("/pricing?from=menu", host.origin).href });
    expect(asked.count).toBe(1);
  });

  test("keeps a panel that is open, and tells where the visitor is by now", async ({ page, host, porchlight, widget }) => {
    await goto(page, porchlight, host);
    await widget.open();
    const answered = page.waitForResponse("**/widget/v1/start");
    await move(page, "pushState", "/pricing");
    await answered;
    await expect(widget.panel).toBeVisible();
    await widget.choice("Red").click();
    await expect(widget.bot).toContainText(["shop: which colour?", "shop: which size?"]);
    expect(await heard(page).hellos(), "the panel was not loaded again").toBe(1);
    await widget.closeButton.click();
    const log = await expectTold(page, porchlight, [...ENGAGED, "conversation.closed"]);
    const pricing = new URL("/pricing", host.origin).href;
    expect.soft(log.find(({ type }) => type === "conversation.engaged")?.page).toBe(pricing);
    expect.soft(log.at(-1)?.page).toBe(pricing);
  });

  test("goes on with what the visitor has answered", async ({ page, host, porchlight, widget }) => {
    await goto(page, porchlight, host);
    await widget.open();
    await widget.choice("Red").click();
    await expect(widget.choices).toHaveText(["Small", "Large"]);
    await widget.closeButton.click();
    const answered = page.waitForResponse("**/widget/v1/start");
    await move(page, "pushState", "/nothing");
    await answered;
    await expect(widget.launcher).toBeVisible();
    await widget.launcher.click();
    await expect(widget.choices).toHaveText(["Small", "Large"]);
    await expectTold(page, porchlight, [...ENGAGED, "conversation.closed", "widget.clicked"]);
  });

  test("asks nothing when only the hash changes", async ({ page, host, porchlight }) => {
    const address = await goto(page, porchlight, host);
    const asked = starts(page);
    await page.evaluate(() => (location.hash = "more"));
    await move(page, "pushState", `${address}#less`);
    await move(page, "replaceState", `${address}#least`);
    await page.goBack();
    await page.goBack();
    // The next real change is the first that is asked about.
    const answered = page.waitForResponse("**/widget/v1/start");
    await move(page, "pushState", "/pricing");
    await answered;
    expect(asked.count).toBe(1);
    await expectTold(page, porchlight, [...SHOWN, "widget.hidden", "widget.shown", "conversation.triggered"]);
  });
});

test("the visitor’s token is kept in localStorage only, and in no address", async ({ page, context, host, porchlight, widget }) => {
  const addresses: string[] = [];
  const headers: string[] = [];
  context.on("request", (request) => {
    addresses.push(request.url());
    headers.push(JSON.stringify(request.headers()));
  });
  await page.goto(host.page());
  await widget.open();
  await widget.complete();
  await expectTold(page, porchlight, COMPLETED);

  const kept = await page.evaluate(() => ({ local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie, name: window.name }));
  expect(Object.keys(kept.local)).toEqual(["porchlight:demo"]);
  const { token } = JSON.parse(kept.local["porchlight:demo"]) as { token: string };
  expect(token).toMatch(/^[\w-]{40,}$/);
  expect(JSON.stringify([kept.session, kept.cookie, kept.name])).not.toContain(token);
  expect(await context.cookies()).toEqual([]);
  expect(addresses.length).toBeGreaterThan(5);
  expect([...addresses, ...headers, ...page.frames().map((frame) => frame.url())].filter((text) => text.includes(token))).toEqual([]);
  const told = JSON.stringify([await heard(page).events(), await heard(page).adobe(), await heard(page).ctlive()]);
  expect(told).not.toContain(token);
  expect(told).not.toContain(EMAIL);
  // It is nowhere in the page either, where another script could read it without looking into the storage.
  expect(await page.evaluate(() => document.documentElement.outerHTML + document.querySelector("#porchlight")?.shadowRoot?.innerHTML)).not.toContain(token);
});
