// A conversation that is offered shows itself when its trigger says so, and not before. The time is the test's own: nobody waits for it.

import type { Page } from "@playwright/test";
import { expect, expectTold, heard, logOf, type Porchlight, test, type Widget } from "../fixtures";
import { type Authored, makeSite } from "../support/site";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const UIS = ["chatbot", "popup"] as const;
type Ui = (typeof UIS)[number];

/** A conversation of two questions. */
function talk(id: string, trigger?: Record<string, unknown>, more: Record<string, unknown> = {}): Authored {
  const question = (id: string, text: string, labels: string[]) => ({ id, card: "question", text, choices: labels.map((label) => ({ label })) });
  const cards = [question("ask", `${id}: shall we?`, ["Yes", "No"]), question("sure", "Are you sure?", ["Sure"]), { id: "end", card: "end" }];
  return { id, trigger, typingDelay: 0, cards, ...more };
}

const TALL = `<main><h1>A long page</h1><div style="height: 4000px"></div></main>`;

/** Where the conversation appears: the launcher of a chatbot, the popup itself. */
const shownIn = (page: Page, ui: Ui) => page.locator(ui === "chatbot" ? "#porchlight .launcher" : "#porchlight-popup");

/** Waits until what is offered waits for its trigger: the stage has come, and has dressed the widget. */
async function armed(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => document.getElementById("porchlight")?.style.getPropertyValue("--scheme"))).toBeTruthy();
}

/** Nothing shows itself, and neither page nor server is told that anything did. */
async function expectWaiting(page: Page, porchlight: Porchlight, ui: Ui): Promise<void> {
  await expect(shownIn(page, ui)).toBeHidden();
  expect(await heard(page).types()).toEqual(["widget.loaded"]);
  const [{ session }] = await heard(page).events();
  expect((await logOf(porchlight, session)).map(({ type }) => type).filter((type) => type !== "widget.loaded")).toEqual([]);
}

/** It shows itself, once, and page and server are told so. */
async function expectShown(page: Page, porchlight: Porchlight, ui: Ui, widget: Widget, id = "offer"): Promise<void> {
  await expect(shownIn(page, ui)).toBeVisible();
  await expect.poll(() => heard(page).types()).toEqual(SHOWN);
  const [, shown, triggered] = await heard(page).events();
  expect(shown.data).toEqual(ui === "chatbot" ? { element: "porchlight", widget: "launcher" } : { element: "porchlight-popup", widget: id });
  expect(triggered).toMatchObject({ conversation: id, data: { uiType: ui } });
  expect((await logOf(porchlight, shown.session)).slice(-2).map(({ id }) => id)).toEqual([shown.id, triggered.id]);
  if (ui === "chatbot") await expect(widget.panel).toBeHidden();
  else await expect(widget.choices).toHaveText(["Yes", "No"]);
}

for (const ui of UIS) {
  test.describe(`a ${ui}`, () => {
    /** Makes a site that offers a conversation with this trigger, and a page for it. */
    async function offer(porchlight: Porchlight, host: { page(page: object): string }, trigger?: Record<string, unknown>, body?: string): Promise<string> {
      const site = await makeSite(porchlight, [talk("offer", trigger, { ui })]);
      return host.page({ tag: { "data-site": site.key }, body });
    }

    test("is there when the page is, without a trigger or with load", async ({ page, host, porchlight, widget }) => {
      for (const trigger of [undefined, { on: "load" }]) {
        await page.goto(await offer(porchlight, host, trigger));
        await expectShown(page, porchlight, ui, widget);
        await expectTold(page, porchlight, SHOWN);
      }
    });

    test("waits for its time on the page, which adds up over loads and visits", async ({ page, host, porchlight, widget }) => {
      await page.clock.install();
      const address = await offer(porchlight, host, { on: "timeOnPage", seconds: 3000 });
      await page.goto(address);
      await armed(page);
      await page.clock.fastForward(1_200_000);
      await expectWaiting(page, porchlight, ui);
      await page.reload();
      await armed(page);
      await page.clock.fastForward(1_200_000);
      await expectWaiting(page, porchlight, ui);
      // Time on another page of the site is none on this one.
      await page.goto(host.page({ tag: { "data-site": await siteOf(page) } }));
      await armed(page);
      await page.clock.fastForward(1_200_000);
      await expectWaiting(page, porchlight, ui);
      await page.goto(address);
      await armed(page);
      await page.clock.fastForward(300_000);
      await expectWaiting(page, porchlight, ui);
      await page.clock.fastForward(300_000);
      await expectShown(page, porchlight, ui, widget);
    });

    test("does not count the time in which its tab is hidden", async ({ page, host, porchlight, widget }) => {
      await page.clock.install();
      await page.goto(await offer(porchlight, host, { on: "timeOnPage", seconds: 3000 }));
      await armed(page);
      const hide = (hidden: boolean): Promise<void> =>
        page.evaluate((hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
          Object.defineProperty(document, "visibilityState", { configurable: true, value: hidden ? "hidden" : "visible" });
          document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);
      await page.clock.fastForward(2_000_000);
      await hide(true);
      await page.clock.fastForward(9_000_000);
      await expectWaiting(page, porchlight, ui);
      await hide(false);
      await page.clock.fastForward(900_000);
      await expectWaiting(page, porchlight, ui);
      await page.clock.fastForward(100_000);
      await expectShown(page, porchlight, ui, widget);
    });

    test("waits for its time on the site", async ({ page, host, porchlight, widget }) => {
      await page.clock.install();
      await page.goto(await offer(porchlight, host, { on: "timeOnSite", seconds: 3000 }));
      await armed(page);
      await page.clock.fastForward(2_900_000);
      await expectWaiting(page, porchlight, ui);
      await page.clock.fastForward(100_000);
      await expectShown(page, porchlight, ui, widget);
    });

    test("waits until so much of the page has been scrolled through", async ({ page, host, porchlight, widget }) => {
      await page.goto(await offer(porchlight, host, { on: "scroll", percent: 50 }, TALL));
      await armed(page);
      /** Scrolls to a share of what there is to scroll, and waits until the page has heard of it. */
      const scroll = (share: number): Promise<void> =>
        page.evaluate(
          (share) =>
            new Promise<void>((resolve) => {
              addEventListener("scroll", () => setTimeout(resolve), { once: true });
              const { scrollHeight, clientHeight } = document.documentElement;
              scrollTo({ top: (scrollHeight - clientHeight) * share, behavior: "instant" });
            }),
          share,
        );
      await scroll(0.2);
      await scroll(0.48);
      await expectWaiting(page, porchlight, ui);
      await scroll(0.5);
      await expectShown(page, porchlight, ui, widget);
      await expectTold(page, porchlight, SHOWN);
    });

    test("is shown by its scroll trigger at once where there is nothing to scroll", async ({ page, host, porchlight, widget }) => {
      await page.goto(await offer(porchlight, host, { on: "scroll", percent: 100 }));
      await expectShown(page, porchlight, ui, widget);
    });

    test("waits until the mouse leaves at the top", async ({ page, host, porchlight, widget }) => {
      await page.goto(await offer(porchlight, host, { on: "exitIntent" }));
      await armed(page);
      /** What a browser tells the page when the mouse leaves its window there. */
      const leave = (clientX: number, clientY: number): Promise<void> =>
        page.evaluate((at) => void document.documentElement.dispatchEvent(new MouseEvent("mouseout", { bubbles: true, ...at })), { clientX, clientY });
      await page.mouse.move(300, 300);
      await page.mouse.move(300, 1);
      await leave(-1, 300);
      await leave(300, 801);
      await expectWaiting(page, porchlight, ui);
      await leave(300, -1);
      await expectShown(page, porchlight, ui, widget);
    });

    test("opens at once when its element is clicked, with the focus in it", async ({ page, host, porchlight, widget }) => {
      const body = `<main><h1>Help</h1><button id="help"><b>Help</b></button> <button id="other">Other</button></main>`;
      await page.goto(await offer(porchlight, host, { on: "click", selector: "#help" }, body));
      await armed(page);
      await page.locator("#other").click();
      await expectWaiting(page, porchlight, ui);
      await page.locator("#help b").click();
      await expect(widget.choices).toHaveText(["Yes", "No"]);
      await expect(widget.panel).toBeVisible();
      await expect(widget.host).toBeFocused();
      await expectTold(page, porchlight, SHOWN);
      // What it has opened it does not open again.
      await widget.closeButton.click();
      await expect(widget.panel).toBeHidden();
      await page.locator("#help").click();
      await expect(widget.panel).toBeHidden();
    });

    test("opens when its element is clicked, also one that comes later and keeps the click to itself", async ({ page, host, porchlight, widget }) => {
      await page.goto(await offer(porchlight, host, { on: "click", selector: ".later" }));
      await armed(page);
      await page.evaluate(() => {
        const button = Object.assign(document.createElement("button"), { className: "later", textContent: "Later" });
        button.addEventListener("click", (event) => event.stopImmediatePropagation());
        document.body.append(button);
      });
      await page.locator(".later").click();
      await expect(widget.choices).toHaveText(["Yes", "No"]);
    });

    test("with a selector that is none says so, and nothing else happens", async ({ page, host, porchlight }) => {
      const warned = page.waitForEvent("console", (message) => message.type() === "warning" && message.text().includes("li:nth("));
      await page.goto(await offer(porchlight, host, { on: "click", selector: "li:nth(" }));
      await warned;
      await page.locator("h1").click();
      await expectWaiting(page, porchlight, ui);
    });

    test("may be opened by the page before its trigger, which is over then", async ({ page, host, porchlight, widget }) => {
      await page.clock.install();
      await page.goto(await offer(porchlight, host, { on: "timeOnPage", seconds: 3000 }));
      await armed(page);
      await widget.call("open");
      await expect(widget.choices).toHaveText(["Yes", "No"]);
      await widget.closeButton.click();
      await expect(widget.panel).toBeHidden();
      await page.clock.fastForward(4_000_000);
      await expect(widget.panel).toBeHidden();
      const closed = [...SHOWN, "conversation.closed"];
      await expectTold(page, porchlight, ui === "chatbot" ? closed : [...closed, "widget.hidden"]);
    });

    test("that the visitor has answered is shown whatever its trigger says", async ({ page, host, porchlight, widget }) => {
      await page.goto(await offer(porchlight, host, { on: "timeOnPage", seconds: 3000 }));
      await armed(page);
      await widget.call("open");
      await widget.choice("Yes").click();
      await expect(widget.choices).toHaveText(["Sure"]);
      // In another tab nothing is open or was put away.
      const other = await page.context().newPage();
      await other.goto(page.url());
      await expect(shownIn(other, ui)).toBeVisible();
      await expect.poll(() => heard(other).types()).toEqual(["widget.loaded", "widget.shown"]);
    });

    test("that waits is not passed by one of lower priority that could be shown", async ({ page, host, porchlight, widget }) => {
      await page.clock.install();
      const site = await makeSite(porchlight, [
        talk("offer", { on: "timeOnPage", seconds: 3000 }, { ui, priority: 2 }),
        talk("chat", { on: "load" }, { priority: 1 }),
        talk("pop", { on: "load" }, { ui: "popup" }),
      ]);
      await page.goto(host.page({ tag: { "data-site": site.key } }));
      await armed(page);
      await page.clock.fastForward(2_900_000);
      await expect(widget.launcher).toBeHidden();
      await expect(widget.panel).toBeHidden();
      await expectWaiting(page, porchlight, ui);
      await page.clock.fastForward(100_000);
      await expectShown(page, porchlight, ui, widget);
    });
  });
}

/** The site that a page's tag names. */
const siteOf = (page: Page): Promise<string> => page.evaluate(() => document.querySelector<HTMLElement>("[data-site]")?.dataset.site ?? "");

test("the time on the site is counted from the first page of the session", async ({ page, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [talk("offer", { on: "timeOnSite", seconds: 1 })]);
  const address = host.page({ tag: { "data-site": site.key } });
  // On the page itself the time stands still: only the server's counts.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.goto(address);
  await armed(page);
  await page.clock.runFor(1);
  await expectWaiting(page, porchlight, "chatbot");
  await expect(async () => {
    await page.goto(address);
    await armed(page);
    await page.clock.runFor(1);
    await expect(widget.launcher).toBeVisible({ timeout: 100 });
  }).toPass();
});

test("a popup that was put away does not come back in this tab, and does in the next", async ({ page, context, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [talk("offer", { on: "load" }, { ui: "popup" })]);
  const address = host.page({ tag: { "data-site": site.key } });
  await page.goto(address);
  await expect(widget.choices).toHaveText(["Yes", "No"]);
  await widget.closeButton.click();
  await expectTold(page, porchlight, [...SHOWN, "conversation.closed", "widget.hidden"]);
  await page.reload();
  await armed(page);
  await expect(widget.panel).toHaveCount(0);
  expect(await heard(page).types()).toEqual(["widget.loaded"]);
  const other = await context.newPage();
  await other.goto(address);
  await expect(shownIn(other, "popup")).toBeVisible();
});

test.describe("on a touch screen", () => {
  test.use({ hasTouch: true, isMobile: true });

  test("nothing is taken for leaving at the top", async ({ page, host, porchlight }) => {
    const site = await makeSite(porchlight, [talk("offer", { on: "exitIntent" })]);
    await page.goto(host.page({ tag: { "data-site": site.key } }));
    await armed(page);
    await page.touchscreen.tap(300, 1);
    await page.evaluate(() => void document.documentElement.dispatchEvent(new MouseEvent("mouseout", { bubbles: true, clientX: 300, clientY: -1 })));
    await expectWaiting(page, porchlight, "chatbot");
  });
});
