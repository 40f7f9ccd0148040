// A conversation in the middle of the page: it comes by itself or is started, the page waits behind it, and it goes when it is told to.

import type { Page } from "@playwright/test";
import { expect, expectTold, heard, logOf, test, type Porchlight } from "../fixtures";
import type { Host, HostPage } from "../support/host";
import { type Authored, type Site, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const ELEMENT = "porchlight-popup";

const cards = [
  { id: "ask", card: "question", text: "What kind?", choices: [{ label: "City" }, { label: "Cargo" }] },
  { id: "mail", card: "capture", field: "email", text: "Where to?", optional: true },
  { id: "end", card: "end", text: "Goodbye." },
];
/** Opens by itself. */
const offer: Authored = { id: "offer", name: "Offer", ui: "popup", typingDelay: 0, cards };
/** Is started. */
const flow: Authored = { id: "flow", name: "Flow", type: "conversationFlow", typingDelay: 0, cards };

const BODY = `
  <main>
    <h1>Bikes</h1>
    <p><a href="#more">More</a> <button type="button" data-porchlight-start="flow"><b>Book</b> a ride</button></p>
    <form><label for="search">Search</label> <input id="search"></form>
  </main>`;

/** Publishes conversations, and goes to a page of their site. */
async function visit(page: Page, porchlight: Porchlight, host: Host, conversations: Authored[], more: HostPage = {}): Promise<Site> {
  const site = await makeSite(porchlight, conversations);
  await page.goto(host.page({ body: BODY, tag: { "data-site": site.key }, ...more }));
  return site;
}

test("it opens by itself, tells so, and is closed once", async ({ page, porchlight, host, widget }) => {
  await visit(page, porchlight, host, [offer]);
  await widget.connected();
  await expect(widget.panel).toBeVisible();
  await expect(widget.panel).toHaveAccessibleName("Marlow Bikes");
  await expect(widget.choices).toHaveText(["City", "Cargo"]);
  await expect(widget.launcher, "a popup has no launcher").toBeHidden();
  await expectTold(page, porchlight, SHOWN);
  await widget.choice("Cargo").click();
  await expect(widget.field).toBeVisible();
  await widget.closeButton.click();
  await expect(widget.panel).toHaveCount(0);
  const log = await expectTold(page, porchlight, [...SHOWN, "conversation.engaged", "conversation.closed", "widget.hidden"]);

  const shape = { element: ELEMENT, widget: "offer" };
  expect(log.filter(({ type }) => /shown|hidden/.test(type)).map(({ data }) => data)).toEqual([shape, shape]);
  for (const { type, conversation, data } of log.filter(({ type }) => type.startsWith("conversation."))) {
    expect([conversation, data], type).toEqual(["offer", { name: "Offer", type: "dialogue", uiType: "popup" }]);
  }
  const userID = log[0].visitor;
  expect(await heard(page).ctlive()).toEqual([
    { type: "Loaded", object: { elementID: "porchlight", widgetID: "launcher", userID } },
    { type: "WidgetShown", object: { elementID: ELEMENT, widgetID: "offer", userID } },
    { type: "WidgetHidden", object: { elementID: ELEMENT, widgetID: "offer", userID } },
  ]);
  expect((await heard(page).adobe()).map(({ name }) => name)).toEqual(["TRIGGERED", "ENGAGED", "CLOSED"].map((name) => `CONVERSATION_${name}`));
  expect(await heard(page).windowEvents()).toEqual(["ready", "triggered"]);
});

test("the end completes, and closing after it is no closing", async ({ page, porchlight, host, widget }) => {
  await visit(page, porchlight, host, [offer]);
  await widget.connected();
  await widget.choice("City").click();
  await widget.skip.click();
  await expect(widget.ended).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(widget.panel).toHaveCount(0);
  await expectTold(page, porchlight, [...SHOWN, "conversation.engaged", "conversation.completed", "widget.hidden"]);
});

test.describe("once it was closed", () => {
  test("it does not come again in this tab, but in another, and when the page opens it", async ({ page, context, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [offer]);
    await widget.connected();
    await widget.closeButton.click();
    await expectTold(page, porchlight, [...SHOWN, "conversation.closed", "widget.hidden"]);
    const [{ session }] = await heard(page).events();

    await page.reload();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await widget.call("open");
    await widget.connected();
    await expect(widget.choices).toHaveText(["City", "Cargo"]);
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", "widget.shown"]);
    await widget.call("close");
    await expect(widget.panel).toHaveCount(0);
    // Closed is closed once in a session; shown and hidden it may be as often as one likes.
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", "widget.shown", "widget.hidden"]);

    const other = await context.newPage();
    await other.goto(page.url());
    await expect(other.locator(`#porchlight #${ELEMENT}`)).toBeVisible();
    await expect.poll(() => heard(other).types()).toEqual(["widget.loaded", "widget.shown"]);
    expect((await logOf(porchlight, session)).filter(({ type }) => type.startsWith("conversation.")).map(({ type }) => type)).toEqual([
      ...["conversation.triggered", "conversation.closed"],
    ]);
  });

  test("it does not come again after a change of the address, either", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [offer]);
    await widget.connected();
    await widget.closeButton.click();
    await expectTold(page, porchlight, [...SHOWN, "conversation.closed", "widget.hidden"]);
    const asked = page.waitForResponse("**/widget/v1/start");
    await page.evaluate(() => history.pushState({}, "", "?else"));
    await asked;
    await widget.call("show");
    await expect(widget.panel).toHaveCount(0);
    await expectTold(page, porchlight, [...SHOWN, "conversation.closed", "widget.hidden"]);
  });

  test("open, it is open after a reload", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [offer]);
    await widget.connected();
    await widget.choice("City").click();
    await expect(widget.field).toBeVisible();
    const [{ session }] = await heard(page).events();
    await page.reload();
    await widget.connected();
    await expect(widget.panel).toBeVisible();
    await expect(widget.field).toBeVisible();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", "widget.shown"]);
    expect((await logOf(porchlight, session)).map(({ type }) => type)).toEqual([...SHOWN, "conversation.engaged", "widget.loaded", "widget.shown"]);
  });
});

test.describe("while it is open", () => {
  test("the page behind cannot be clicked, typed into or reached by Tab", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [offer]);
    await widget.connected();
    await expect(widget.panel).toHaveJSProperty("open", true);
    const link = await page.getByText("More", { exact: true }).boundingBox();
    await page.mouse.click((link?.x ?? 0) + 2, (link?.y ?? 0) + 2);
    expect(new URL(page.url()).hash).toBe("");
    await expect(widget.panel, "a click beside it puts nothing away").toBeVisible();
    const behind: string[] = [];
    for (let press = 0; press < 12; press += 1) {
      await page.keyboard.press("Tab");
      behind.push(
        ...(await page.evaluate(() => {
          const { activeElement } = document;
          return activeElement && activeElement !== document.body && activeElement.id !== "porchlight" ? [activeElement.outerHTML.slice(0, 60)] : [];
        })),
      );
    }
    expect(behind).toEqual([]);
  });

  test("that came by itself, the focus is on it and on none of its answers", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [offer]);
    await widget.connected();
    await expect(widget.panel).toBeFocused();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Space");
    await expect(widget.panel).toBeVisible();
    await expect(widget.visitor).toHaveCount(0);
    await page.keyboard.press("Tab");
    await expect(widget.closeButton).toBeFocused();
  });

  test("Escape closes it, and the focus is where it was", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [flow]);
    const search = page.getByLabel("Search");
    await search.focus();
    await widget.call("start", "flow");
    await widget.connected();
    await expect(widget.host.locator("iframe")).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(widget.panel).toHaveCount(0);
    await expect(search).toBeFocused();

    await widget.call("start", "flow");
    await widget.connected(2);
    await widget.closeButton.focus();
    await page.keyboard.press("Escape");
    await expect(widget.panel).toHaveCount(0);
    await expect(search).toBeFocused();
  });

  test("the close button gives the focus back to what started it", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [flow]);
    const book = page.getByRole("button", { name: "Book a ride" });
    await book.focus();
    await page.keyboard.press("Enter");
    await widget.connected();
    await widget.closeButton.click();
    await expect(widget.panel).toHaveCount(0);
    await expect(book).toBeFocused();
  });

  test("hide closes it, and nobody has", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [offer]);
    await widget.connected();
    await widget.call("hide");
    await expect(widget.panel).toHaveCount(0);
    await expectTold(page, porchlight, [...SHOWN, "widget.hidden"]);
  });
});

test.describe("a conversation flow", () => {
  test("is started by the page’s button, also by what is in it", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [flow], {
      // The page’s own listener hears the click, too.
      after: `window.clicks = 0; addEventListener("click", () => (clicks += 1));`,
    });
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
    await expect(widget.launcher).toBeHidden();
    await page.locator("[data-porchlight-start] b").click();
    await widget.connected();
    await expect(widget.panel).toBeVisible();
    await expect(widget.choices).toHaveText(["City", "Cargo"]);
    expect(await page.evaluate(() => (window as unknown as { clicks: number }).clicks)).toBe(1);
    const log = await expectTold(page, porchlight, SHOWN);
    expect(log[1].data).toEqual({ element: ELEMENT, widget: "flow" });
    expect(log[2]).toMatchObject({ conversation: "flow", data: { name: "Flow", type: "conversationFlow", uiType: "popup" } });
  });

  test("is gone through again and counted once", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [flow]);
    const once = [...SHOWN, "conversation.engaged", "input.email", "conversation.completed", "widget.hidden"];
    for (let time = 1; time <= 2; time += 1) {
      await widget.call("start", "flow");
      await widget.connected(time);
      await expect(widget.visitor, "it begins anew").toHaveCount(0);
      await widget.choice("City").click();
      await widget.field.fill("ada@example.com");
      await widget.send.click();
      await expect(widget.ended).toBeVisible();
      await widget.closeButton.click();
      await expect(widget.panel).toHaveCount(0);
      await expectTold(page, porchlight, time === 1 ? once : [...once, "widget.shown", "input.email", "widget.hidden"]);
    }
  });

  test("that was closed before its end goes on where it was", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [flow]);
    await widget.call("start", "flow");
    await widget.connected();
    await widget.choice("Cargo").click();
    await expect(widget.field).toBeVisible();
    await widget.closeButton.click();
    await expect(widget.panel).toHaveCount(0);
    await widget.call("start", "flow");
    await widget.connected(2);
    await expect(widget.field).toBeVisible();
    await expect(widget.visitor).toHaveCount(1);
    const again = [...SHOWN, "conversation.engaged", "conversation.closed", "widget.hidden", "widget.shown"];
    await expectTold(page, porchlight, again);
  });

  test("takes the place of another, which is hidden", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [offer, flow]);
    await widget.connected();
    await widget.call("start", "flow");
    await widget.connected(2);
    await expect(widget.panel).toHaveCount(1);
    const log = await expectTold(page, porchlight, [...SHOWN, "widget.hidden", "widget.shown", "conversation.triggered"]);
    expect(log.slice(3).map(({ data, conversation }) => data.widget ?? conversation)).toEqual(["offer", "flow", "flow"]);
  });

  test("stands over the chatbot, which is as it was afterwards", async ({ page, porchlight, host, widget }) => {
    await visit(page, porchlight, host, [flow, { ...offer, id: "chat", ui: "chatbot" }]);
    await widget.launcher.click();
    await expect(widget.card).toBeVisible();
    await widget.connected();
    await widget.choice("City").click();
    await expect(widget.field).toBeVisible();
    await widget.call("start", "flow");
    await widget.connected(2);
    const popup = page.locator(`#${ELEMENT}`);
    await expect(popup).toBeVisible();
    await popup.locator(".close").click();
    await expect(popup).toHaveCount(0);
    await expect(widget.panel).toBeVisible();
    await expect(widget.field).toBeVisible();
    const engaged = [...SHOWN, "widget.clicked", "conversation.engaged"];
    await expectTold(page, porchlight, [...engaged, "widget.shown", "conversation.triggered", "conversation.closed", "widget.hidden"]);
  });

  test("that is not there is told on the console, and opens nothing on the page that stays", async ({ page, porchlight, host, widget, quiet }) => {
    quiet.allow(/status of 404/);
    await visit(page, porchlight, host, [flow]);
    await widget.call("start", "nowhere");
    await expect(widget.frame.getByText("The chat cannot be shown right now. Please try again.")).toBeVisible();
    await widget.closeButton.click();
    await expect(widget.panel).toHaveCount(0);
  });
});

test("on a phone it covers the page", async ({ page, porchlight, host, widget }) => {
  await page.setViewportSize({ width: 375, height: 667 });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await visit(page, porchlight, host, [offer]);
  await widget.connected();
  expect(await widget.panel.boundingBox()).toEqual({ x: 0, y: 0, width: 375, height: 667 });
  await expect(widget.closeButton).toBeInViewport({ ratio: 1 });
  await expect(widget.choices.last()).toBeInViewport({ ratio: 1 });
});

test("on a desk it is in the middle, and the page is dimmed", async ({ page, porchlight, host, widget }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await visit(page, porchlight, host, [offer]);
  await widget.connected();
  const { x, y, width, height } = (await widget.panel.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  expect([x + width / 2, y + height / 2]).toEqual([640, 400]);
  expect(height).toBeLessThan(800);
  expect(await widget.panel.evaluate((dialog) => getComputedStyle(dialog, "::backdrop").backgroundColor)).not.toBe("rgba(0, 0, 0, 0)");
});
