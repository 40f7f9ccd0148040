// The conversation goes on: over a reload, after closing, in a second tab; and it begins anew when the page wants it to.

import { EMAIL, TOPICS, expect, expectTold, forBrowser, heard, logOf, test, Widget } from "../fixtures";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const OPENED = [...SHOWN, "widget.clicked"];
const ENGAGED = [...OPENED, "conversation.engaged"];
const COMPLETED = [...ENGAGED, "input.email", "input.phone", "conversation.completed"];

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
  test("a question that was answered in the other tab is not answered again", async ({ page, context, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 409/);
    const address = host.page();
    await page.goto(address);
    await widget.open();
    const other = new Widget(await context.newPage());
    await other.page.goto(address);
    await other.open();
    await page.bringToFront();
    await widget.choose(TOPICS[0]);
    await other.page.bringToFront();

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
    // Each tab is told what happened in it, under the log's ids.
    expect(await heard(page).types()).toEqual(ENGAGED);
    expect(await heard(other.page).types()).toEqual(["widget.loaded", "widget.shown", "widget.clicked", "input.email"]);
    const both = [...(await heard(page).events()), ...(await heard(other.page).events())];
    expect(both.sort((a, b) => Number(a.seq) - Number(b.seq))).toEqual(log.map(forBrowser));
  });

  test("a question is not answered any more when the other tab has reached the end", async ({ page, context, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 409/);
    const address = host.page();
    await page.goto(address);
    await widget.open();
    const other = new Widget(await context.newPage());
    await other.page.goto(address);
    await other.open();
    await page.bringToFront();
    await widget.complete();
    await other.page.bringToFront();
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
