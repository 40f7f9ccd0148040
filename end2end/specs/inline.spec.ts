// Conversations that stand in the page: each in its element, as high as what it holds, and there when the visitor comes near.

import type { FrameLocator, Page } from "@playwright/test";
import { expect, expectTold, heard, logOf, test, type Porchlight, Widget } from "../fixtures";
import type { Host, HostPage } from "../support/host";
import { type Authored, type Site, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];

const cards = [
  { id: "ask", card: "question", text: "What kind?", choices: [{ label: "City" }, { label: "Cargo" }] },
  { id: "mail", card: "capture", field: "email", text: "Where to?", optional: true },
  { id: "end", card: "end", text: "Goodbye.\n\nAnd\nsome\nmore\nlines." },
];
const inline = (id: string): Authored => ({ id, name: id, type: "conversationFlow", ui: "inline", typingDelay: 0, cards });

/** The conversation in an element of the page. */
class Inline extends Widget {
  #element = "[data-porchlight]";

  static at(page: Page, element: string): Inline {
    const made = class extends Inline {
      override get frame(): FrameLocator {
        return page.frameLocator(`${element} iframe`);
      }
    };
    const inline = new made(page);
    inline.#element = element;
    return inline;
  }

  /** The box around the iframe. */
  get box() {
    return this.page.locator(`${this.#element} .inline`);
  }

  async complete(): Promise<void> {
    await this.choice("City").click();
    await this.skip.click();
    await expect(this.ended).toBeVisible();
  }

  /** Waits until the box is as high as what it holds, and gives its height. */
  async settled(): Promise<number> {
    let height = 0;
    await expect
      .poll(async () => {
        height = (await this.box.boundingBox())?.height ?? 0;
        const inside = await this.frame.locator(".panel").evaluate((panel) => panel.getBoundingClientRect().height);
        return Math.abs(height - inside);
      }, "the box is as high as the panel")
      .toBeLessThan(1);
    return height;
  }
}

/** Publishes conversations, and goes to a page of their site with this body. */
async function visit(page: Page, porchlight: Porchlight, host: Host, conversations: Authored[], body: string, more: HostPage = {}): Promise<Site> {
  const site = await makeSite(porchlight, conversations);
  await page.goto(host.page({ body: `<main><h1>Bikes</h1>${body}<p id="after">After it.</p></main>`, tag: { "data-site": site.key }, ...more }));
  return site;
}

/** The panels that were asked for, by their conversations. */
function panels(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/widget/panel")) asked.push(new URLSearchParams(request.postData() ?? "").get("conversation") ?? "");
  });
  return asked;
}

test("it is shown in its element, and tells so", async ({ page, porchlight, host, widget }) => {
  await visit(page, porchlight, host, [inline("ride")], `<div data-porchlight="ride" id="here"><p>Write to us.</p></div>`);
  const ride = Inline.at(page, "#here");
  await ride.connected();
  await expect(page.getByText("Write to us.")).toBeHidden();
  await expect(ride.frame.locator("h1"), "the page has a title already").toHaveCount(0);
  await expect(widget.launcher).toBeHidden();
  await ride.complete();
  const log = await expectTold(page, porchlight, [...SHOWN, "conversation.engaged", "conversation.completed"]);
  expect(log[1].data).toEqual({ element: "here", widget: "ride" });
  expect(log[2]).toMatchObject({ conversation: "ride", data: { name: "ride", type: "conversationFlow", uiType: "inline" } });
  const userID = log[0].visitor;
  expect((await heard(page).ctlive())[1]).toEqual({ type: "WidgetShown", object: { elementID: "here", widgetID: "ride", userID } });
  expect((await heard(page).adobe()).map(({ payload }) => [payload.id, payload.uiType])).toEqual(Array(3).fill(["ride", "inline"]));
});

test("elements of pages written for Dynamic Chat work, too", async ({ page, porchlight, host }) => {
  await visit(page, porchlight, host, [inline("ride")], `<div class="mktoConversation" id="ride" mktoName="Ride"></div>`);
  const ride = Inline.at(page, "#ride");
  await ride.connected();
  await expect(ride.choices).toHaveText(["City", "Cargo"]);
  const log = await expectTold(page, porchlight, SHOWN);
  expect(log[1].data).toEqual({ element: "ride", widget: "ride" });
});

test("several on one page, each with its own element and events", async ({ page, porchlight, host }) => {
  await visit(
    page,
    porchlight,
    host,
    ["one", "two", "three"].map(inline),
    `<div data-porchlight="one"></div><div class="mktoConversation" id="two"></div><section data-porchlight="three"></section>`,
    { head: "<style>main > * { min-height: 0 }</style>" },
  );
  await page.setViewportSize({ width: 1280, height: 1600 });
  const [one, two, three] = ["[data-porchlight=one]", "#two", "section"].map((element) => Inline.at(page, element));
  for (const each of [one, two, three]) await expect(each.choices).toHaveText(["City", "Cargo"]);
  await expect.poll(() => heard(page).hellos()).toBe(3);
  const titles = await page.locator("iframe").evaluateAll((frames) => frames.map((frame) => (frame as HTMLIFrameElement).title));
  expect(new Set(titles).size, "who cannot see them tells them apart").toBe(3);
  await expect.poll(async () => (await heard(page).types()).length).toBe(7);
  await two.choice("Cargo").click();
  await expect(two.field).toBeVisible();
  await expect(one.choices).toHaveCount(2);
  await three.choice("City").click();
  await expect(three.field).toBeVisible();
  await expect.poll(async () => (await heard(page).types()).slice(7)).toEqual(["conversation.engaged", "conversation.engaged"]);

  const events = await heard(page).events();
  const of = (type: string) => events.filter((event) => event.type === type);
  expect(of("widget.shown").map(({ data }) => [data.widget, data.element]).sort()).toEqual([
    ["one", "porchlight-inline-1"],
    ["three", "porchlight-inline-2"],
    ["two", "two"],
  ]);
  await expect(page.locator("section")).toHaveId("porchlight-inline-2");
  expect(of("conversation.triggered").map(({ conversation }) => conversation).sort()).toEqual(["one", "three", "two"]);
  expect(of("conversation.engaged").map(({ conversation }) => conversation)).toEqual(["two", "three"]);
  expect(events).toEqual(await logOf(porchlight, events[0].session));
});

test.describe("its height", () => {
  test("is its content’s: it grows and shrinks with it, and nothing scrolls within", async ({ page, porchlight, host }) => {
    await visit(page, porchlight, host, [{ ...inline("ride"), restart: true }], `<div data-porchlight="ride"></div>`);
    const ride = Inline.at(page, "[data-porchlight]");
    await ride.connected();
    const first = await ride.settled();
    const scrolls = () =>
      ride.frame.locator("html").evaluate((root) => {
        const inner = [...document.querySelectorAll("*")].filter(({ scrollHeight, clientHeight }) => clientHeight && scrollHeight > clientHeight + 1);
        return { page: root.scrollHeight > innerHeight, inner: inner.filter((element) => /auto|scroll/.test(getComputedStyle(element).overflowY)).map((element) => element.className) };
      });
    expect(await scrolls()).toEqual({ page: false, inner: [] });
    await ride.complete();
    const last = await ride.settled();
    expect(last).toBeGreaterThan(first);
    expect(await scrolls()).toEqual({ page: false, inner: [] });
    await ride.card.getByRole("button", { name: "Start over" }).click();
    await expect(ride.choices).toHaveCount(2);
    expect(await ride.settled()).toBeLessThan(last);
    await page.setViewportSize({ width: 320, height: 800 });
    await ride.settled();
    expect(await scrolls()).toEqual({ page: false, inner: [] });
  });

  test("is 480 px until it says so, and moves what is below it by its own growth only", async ({ page, porchlight, host }) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/widget/panel", async (route) => {
      await held;
      await route.continue();
    });
    await visit(page, porchlight, host, [inline("ride")], `<p id="before">Before it.</p><div data-porchlight="ride"></div>`, {
      before: `
        window.shifts = [];
        new PerformanceObserver((list) => list.getEntries().forEach(({ sources }) => shifts.push(...sources.map(({ node }) => node?.id || node?.nodeName))))
          .observe({ type: "layout-shift", buffered: true });`,
    });
    const ride = Inline.at(page, "[data-porchlight]");
    await expect(ride.box).toHaveCSS("height", "480px");
    const top = (id: string) => page.locator(`#${id}`).evaluate((element) => element.getBoundingClientRect().top + scrollY);
    const [before, after] = [await top("before"), await top("after")];
    release();
    await ride.connected();
    const first = await ride.settled();
    expect(await top("before")).toBe(before);
    expect((await top("after")) - after).toBeCloseTo(first - 480, 0);
    await ride.complete();
    const last = await ride.settled();
    expect(await top("before")).toBe(before);
    expect((await top("after")) - after).toBeCloseTo(last - 480, 0);
    const shifts = await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts);
    expect(shifts.filter((id) => id !== "after"), "nothing else has moved").toEqual([]);
  });

  test("moves nothing at all where the page has reserved the room", async ({ page, porchlight, host }) => {
    await visit(page, porchlight, host, [inline("ride")], `<div data-porchlight="ride" class="room"></div>`, {
      head: "<style>.room { min-height: 600px }</style>",
      before: `window.shifts = 0; new PerformanceObserver((list) => (shifts += list.getEntries().length)).observe({ type: "layout-shift", buffered: true });`,
    });
    const ride = Inline.at(page, "[data-porchlight]");
    await ride.connected();
    await ride.complete();
    await ride.settled();
    expect(await page.evaluate(() => (window as unknown as { shifts: number }).shifts)).toBe(0);
  });
});

test.describe("further down", () => {
  const gap = (px: number): string => `<div style="height: ${px}px"></div>`;

  test("it is loaded only near the window, and shown once it is seen", async ({ page, porchlight, host }) => {
    const asked = panels(page);
    await page.setViewportSize({ width: 1280, height: 600 });
    await visit(page, porchlight, host, [inline("ride")], `${gap(3000)}<div data-porchlight="ride"></div>${gap(3000)}`);
    const ride = Inline.at(page, "[data-porchlight]");
    await expect(ride.box).toBeAttached();
    await expectTold(page, porchlight, ["widget.loaded"]);
    expect(asked).toEqual([]);
    const y = (await ride.box.boundingBox())?.y ?? 0;

    const scroll = (to: number) => page.evaluate((to) => window.scrollTo({ top: to, behavior: "instant" }), to);
    await scroll(y - 600 - 200);
    await ride.connected();
    expect(asked).toEqual(["ride"]);
    await expect(ride.choices).toHaveCount(2);
    await expectTold(page, porchlight, ["widget.loaded"]);

    await scroll(y - 300);
    await expectTold(page, porchlight, SHOWN);
    await scroll(0);
    await scroll(y);
    await ride.choice("City").click();
    await expect(ride.field).toBeVisible();
    await expectTold(page, porchlight, [...SHOWN, "conversation.engaged"]);
    expect(asked).toEqual(["ride"]);
  });

  test("a start of it takes the visitor there", async ({ page, porchlight, host, widget }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await visit(page, porchlight, host, [inline("ride")], `<button data-porchlight-start="ride">Ride</button>${gap(3000)}<div data-porchlight="ride"></div>`);
    const ride = Inline.at(page, "[data-porchlight]");
    await expect(ride.box).toBeAttached();
    await page.getByRole("button", { name: "Ride" }).click();
    await expect(ride.box).toBeInViewport();
    await expect(ride.choices).toHaveCount(2);
    await expect(page.locator("[data-porchlight] iframe")).toBeFocused();
    await expect(widget.panel).toHaveCount(0);
    await expectTold(page, porchlight, SHOWN);
  });
});

test("what cannot be shown is told on the console, and stays as the page wrote it", async ({ page, porchlight, host }) => {
  const warned: string[] = [];
  page.on("console", (message) => void (message.type() === "warning" && warned.push(message.text())));
  await visit(
    page,
    porchlight,
    host,
    [inline("ride"), { ...inline("chat"), type: "dialogue", ui: "chatbot" }, { ...inline("draft") }],
    `<div data-porchlight="nowhere">Call us.</div><div data-porchlight="chat">Write to us.</div><div data-porchlight="ride"></div>`,
  );
  await Inline.at(page, "[data-porchlight=ride]").connected();
  await expect(page.getByText("Call us.")).toBeVisible();
  await expect(page.getByText("Write to us.")).toBeVisible();
  expect(warned.filter((text) => text.includes("Porchlight"))).toEqual([expect.stringContaining(`"nowhere"`), expect.stringContaining(`"chat"`)]);
});

test("a launcher and two of them at once do not disturb each other", async ({ page, porchlight, host, widget }) => {
  await page.setViewportSize({ width: 1280, height: 1600 });
  const chat: Authored = { ...inline("chat"), type: "dialogue", ui: "chatbot" };
  await visit(page, porchlight, host, [inline("one"), inline("two"), chat], `<div data-porchlight="one" id="a"></div><div data-porchlight="two" id="b"></div>`);
  const [one, two] = [Inline.at(page, "#a"), Inline.at(page, "#b")];
  await expect.poll(() => heard(page).hellos()).toBe(2);
  await widget.launcher.click();
  await expect(widget.card).toBeVisible();
  await expect.poll(() => heard(page).hellos()).toBe(3);
  await widget.choice("City").click();
  await expect(widget.field).toBeVisible();
  await expect(one.choices).toHaveCount(2);
  await one.complete();
  await two.choice("Cargo").click();
  await expect(two.field).toBeVisible();
  await expect(widget.field).toBeVisible();
  await widget.closeButton.click();
  await expect(widget.panel).toBeHidden();
  await expect(one.ended).toBeVisible();
  await expect.poll(async () => (await heard(page).events()).map(({ type, conversation }) => `${type} ${conversation}`)).toHaveLength(13);
  const events = await heard(page).events();
  const told = (id: string) => events.filter(({ conversation }) => conversation === id).map(({ type }) => type.replace("conversation.", ""));
  expect([told("chat"), told("one"), told("two")]).toEqual([["triggered", "engaged", "closed"], ["triggered", "engaged", "completed"], ["triggered", "engaged"]]);
  const elements = events.filter(({ type }) => type === "widget.shown").map(({ data }) => data.element);
  expect(elements.sort()).toEqual(["a", "b", "porchlight"]);
  expect(events).toEqual(await logOf(porchlight, events[0].session));
});

test("the same conversation in two places stays the same in both", async ({ page, porchlight, host }) => {
  await page.setViewportSize({ width: 1280, height: 1600 });
  await visit(page, porchlight, host, [inline("ride")], `<div data-porchlight="ride" id="a"></div><div data-porchlight="ride" id="b"></div>`);
  const [one, two] = [Inline.at(page, "#a"), Inline.at(page, "#b")];
  await expect.poll(() => heard(page).hellos()).toBe(2);
  await one.choice("City").click();
  await expect(one.field).toBeVisible();
  await expect(two.field).toBeVisible();
  expect(await two.transcript()).toEqual(await one.transcript());
  await two.skip.click();
  await expect(one.ended).toBeVisible();
  await expectTold(page, porchlight, ["widget.loaded", "widget.shown", "conversation.triggered", "widget.shown", "conversation.engaged", "conversation.completed"]);
});

test.describe("after a reload", () => {
  test("what was answered goes on, also when it is no longer published", async ({ page, porchlight, host }) => {
    const site = await visit(page, porchlight, host, [inline("ride")], `<div data-porchlight="ride"></div>`);
    const ride = Inline.at(page, "[data-porchlight]");
    await ride.connected();
    await ride.choice("Cargo").click();
    await expect(ride.field).toBeVisible();
    const transcript = await ride.transcript();
    const [{ session }] = await heard(page).events();
    await site.unpublish("ride");
    await page.reload();
    await ride.connected();
    await expect(ride.field).toBeVisible();
    expect(await ride.transcript()).toEqual(transcript);
    await ride.skip.click();
    await expect(ride.ended).toBeVisible();
    const again = ["widget.loaded", "widget.shown", "conversation.completed"];
    await expect.poll(() => heard(page).types()).toEqual(again);
    expect((await logOf(porchlight, session)).map(({ type }) => type)).toEqual([...SHOWN, "conversation.engaged", ...again]);
  });

  test("what has ended stays so in this session, and is anew for another visitor", async ({ page, porchlight, host }) => {
    await visit(page, porchlight, host, [inline("ride")], `<div data-porchlight="ride"></div>`);
    const ride = Inline.at(page, "[data-porchlight]");
    await ride.connected();
    await ride.complete();
    await expectTold(page, porchlight, [...SHOWN, "conversation.engaged", "conversation.completed"]);
    await page.reload();
    await ride.connected();
    await expect(ride.ended).toBeVisible();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", "widget.shown"]);

    // A session of the same visitor ends after half an hour only: server/tests looks at that.
    await widget(page, "reset");
    await expect(ride.choices).toHaveText(["City", "Cargo"]);
    await expect(ride.visitor).toHaveCount(0);
  });
});

test("an element that comes later, and one that goes", async ({ page, porchlight, host }) => {
  await visit(page, porchlight, host, [inline("ride")], `<div id="place"></div>`);
  await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
  await page.evaluate(() => {
    history.pushState({}, "", "?ride");
    document.querySelector("#place")?.setAttribute("data-porchlight", "ride");
  });
  const ride = Inline.at(page, "#place");
  await ride.connected();
  await expect(ride.choices).toHaveCount(2);
  await expectTold(page, porchlight, SHOWN);
  await page.evaluate(() => {
    history.pushState({}, "", "?");
    document.querySelector("#place")?.remove();
  });
  await expectTold(page, porchlight, [...SHOWN, "widget.hidden"]);
});

/** Calls a method of window.Porchlight. */
const widget = (page: Page, method: string): Promise<void> => new Widget(page).call(method);
