// The server cannot be reached for a while: nothing is lost, nothing is told twice, nobody sees an error that is not theirs.

import type { Route } from "@playwright/test";
import { EMAIL, expect, expectTold, forBrowser, heard, logOf, test } from "../fixtures";

const SHOWN = ["widget.loaded", "widget.shown", "conversation.triggered"];
const ENGAGED = [...SHOWN, "widget.clicked", "conversation.engaged"];
const UNREACHABLE = "We could not be reached. Your answer is still here: please try again.";

const EVENTS = "**/widget/v1/events";
const ANSWERS = "**/widget/v1/answers";
const START = "**/widget/v1/start";

/** The browser itself reports a request that fails. */
const FAILED = [/Failed to load resource: net::ERR_/, /status of 50\d/];

const abort = (route: Route): Promise<void> => route.abort();

test.describe("reports that cannot be delivered", () => {
  test("reach the page at once and the server later, under the same id", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(...FAILED);
    await page.route(EVENTS, abort);
    await page.goto(host.page());
    await widget.launcher.click();
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", "widget.shown", "widget.clicked"]);
    const [loaded, shown, clicked] = await heard(page).events();
    expect(loaded.seq).toBe(1);
    for (const event of [shown, clicked]) {
      expect(event).toMatchObject({ seq: null, site: "demo", visitor: loaded.visitor, session: loaded.session, conversation: null, page: page.url() });
      expect(event.data).toMatchObject({ element: "porchlight", widget: "launcher" });
    }
    expect((await heard(page).ctlive()).map(({ type }) => type)).toEqual(["Loaded", "WidgetShown", "WidgetClicked"]);
    const shut = (await porchlight.serverEvents(loaded.session)).map(({ type }) => type);
    expect(shut).not.toContain("widget.shown");
    expect(shut).not.toContain("widget.clicked");

    await page.unroute(EVENTS, abort);
    await page.reload();
    await expect.poll(async () => (await logOf(porchlight, loaded.session)).filter(({ type }) => type === "widget.shown").length).toBe(2);
    const log = await logOf(porchlight, loaded.session);
    for (const event of [shown, clicked]) {
      const [logged, ...more] = log.filter(({ id }) => id === event.id);
      expect(more).toEqual([]);
      expect({ ...logged, seq: null }).toEqual(event);
    }
    // The page after the reload is told of its own only.
    const ids = (await heard(page).events()).map(({ id }) => id);
    expect(ids).not.toContain(shown.id);
    expect(ids).not.toContain(clicked.id);
  });

  test("are delivered when the browser is online again, and the page is not told twice", async ({ page, context, host, porchlight, widget, quiet }) => {
    quiet.allow(...FAILED);
    await page.goto(host.page());
    await expect.poll(() => heard(page).types()).toEqual(SHOWN);
    await context.setOffline(true);
    await widget.call("hide");
    await widget.call("show");
    const types = [...SHOWN, "widget.hidden", "widget.shown"];
    await expect.poll(() => heard(page).types()).toEqual(types);
    expect((await heard(page).events()).map(({ seq }) => seq)).toEqual([1, 2, 3, null, null]);

    await context.setOffline(false);
    const [{ session }] = await heard(page).events();
    await expect.poll(async () => (await logOf(porchlight, session)).map(({ type }) => type)).toEqual(types);
    await widget.open();
    await expect.poll(() => heard(page).types()).toEqual([...types, "widget.clicked"]);
    const told = await heard(page).events();
    const log = await logOf(porchlight, told[0].session);
    expect(log.map(({ id, type }) => [id, type])).toEqual(told.map(({ id, type }) => [id, type]));
    expect(told.at(-1)?.seq).toBe(6);
  });

  test("are delivered while the page stays, when only the server was away", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(...FAILED);
    await page.goto(host.page());
    await expect.poll(() => heard(page).types()).toEqual(SHOWN);
    await page.route(EVENTS, abort);
    await widget.call("hide");
    await expect.poll(() => heard(page).types()).toEqual([...SHOWN, "widget.hidden"]);
    await page.unroute(EVENTS, abort);
    await widget.call("show");
    await expect.poll(() => heard(page).types()).toEqual([...SHOWN, "widget.hidden", "widget.shown"]);
    const told = await heard(page).events();
    expect(told.map(({ seq }) => seq)).toEqual([1, 2, 3, null, 5]);
    expect((await logOf(porchlight, told[0].session)).map(({ id }) => id)).toEqual(told.map(({ id }) => id));
  });

  test("whose answer was lost count once", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(...FAILED);
    let lost = 0;
    await page.route(EVENTS, async (route) => {
      await route.fetch();
      lost += 1;
      await route.abort();
    });
    await page.goto(host.page());
    await expect.poll(() => heard(page).types()).toEqual(["widget.loaded", "widget.shown"]);
    expect(lost).toBe(1);
    await page.unroute(EVENTS);
    await widget.open();
    // What was lost of the answer comes with the next one.
    await expect.poll(() => heard(page).types()).toEqual([...SHOWN, "widget.clicked"]);
    const told = await heard(page).events();
    const log = await logOf(porchlight, told[0].session);
    expect(log.map(({ id, type }) => [id, type])).toEqual(told.map(({ id, type }) => [id, type]));
  });
});

test.describe("an answer that cannot be sent", () => {
  test("is kept, says so, and counts once when it is sent again", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(...FAILED);
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    await expectTold(page, porchlight, ENGAGED);
    const before = await widget.transcript();

    await page.route(ANSWERS, abort);
    await widget.field.fill(EMAIL);
    await widget.send.click();
    await expect(widget.problem).toHaveText(UNREACHABLE);
    await expect(widget.field).toHaveValue(EMAIL);
    expect(await widget.transcript()).toEqual(before);
    await expect.soft(widget.field, "nothing is wrong with what was typed").toHaveAttribute("aria-invalid", "false");

    await page.unroute(ANSWERS, abort);
    await widget.send.click();
    await expect(widget.field).toHaveAttribute("type", "tel");
    await expect(widget.problem).toBeEmpty();
    await expectTold(page, porchlight, [...ENGAGED, "input.email"]);
  });

  test("is a choice that can be made again", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(...FAILED);
    await page.goto(host.page());
    await widget.open();
    await page.route(ANSWERS, abort);
    await widget.choices.first().click();
    await expect(widget.problem).toHaveText(UNREACHABLE);
    await expect(widget.visitor).toHaveCount(0);
    await page.unroute(ANSWERS, abort);
    await widget.choose();
    await expectTold(page, porchlight, ENGAGED);
  });

  test("or whose answer was lost, counts once and is told once", async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(...FAILED);
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    await page.route(ANSWERS, async (route) => {
      await route.fetch();
      await route.abort();
    });
    await widget.field.fill(EMAIL);
    await widget.send.click();
    await expect(widget.problem).toHaveText(UNREACHABLE);
    await expect(widget.field).toHaveValue(EMAIL);
    await page.unroute(ANSWERS);
    await widget.send.click();
    await expect(widget.field).toHaveAttribute("type", "tel");
    await expect(widget.visitor).toHaveCount(2);
    await expectTold(page, porchlight, [...ENGAGED, "input.email"]);
  });

  test("because a proxy answers in the server’s place, is told as such", async ({ page, host, widget, quiet }) => {
    quiet.allow(...FAILED);
    await page.goto(host.page());
    await widget.open();
    await page.route(ANSWERS, (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }));
    await widget.choices.first().click();
    await expect(widget.problem).toHaveText(UNREACHABLE);
    await page.unroute(ANSWERS);
    await widget.choose();
  });
});

test.describe("a server that cannot be reached when the page loads", () => {
  const failures: { name: string; fail: (route: Route) => Promise<void> }[] = [
    { name: "does not answer", fail: abort },
    { name: "is a proxy without one behind", fail: (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }) },
    {
      name: "cannot take it now",
      fail: (route) =>
        route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          headers: { "access-control-allow-origin": "*" },
          body: JSON.stringify({ type: "about:blank", title: "The server cannot take it now", status: 503, code: "unavailable", detail: "the store is busy" }),
        }),
    },
    {
      name: "asks to wait a moment",
      fail: (route) =>
        route.fulfill({
          status: 429,
          contentType: "application/problem+json",
          headers: { "access-control-allow-origin": "*", "retry-after": "2", "access-control-expose-headers": "Retry-After" },
          body: JSON.stringify({ type: "about:blank", title: "Too many requests", status: 429, code: "too_many_requests", detail: "wait a moment" }),
        }),
    },
  ];
  for (const { name, fail } of failures) {
    test(`and ${name} is asked again until it does`, async ({ page, host, porchlight, widget, quiet }) => {
      quiet.allow(...FAILED, /status of 429/, /blocked by CORS policy/, /Porchlight: (the store is busy|wait a moment)/);
      let asked = 0;
      await page.clock.install();
      await page.route(START, async (route) => {
        asked += 1;
        await fail(route);
      });
      await page.goto(host.page());
      /** Lets time pass until so many requests were made. */
      const until = (times: number): Promise<void> =>
        expect(async () => {
          await page.clock.runFor(1000);
          expect(asked).toBeGreaterThanOrEqual(times);
        }).toPass({ timeout: 10_000 });
      await until(3);
      await expect(widget.host).toHaveCount(0);
      expect(await heard(page).types()).toEqual([]);
      expect(await heard(page).windowEvents()).toEqual([]);

      await page.unroute(START);
      await expect(async () => {
        await page.clock.runFor(1000);
        await expect(widget.launcher).toBeVisible({ timeout: 100 });
      }).toPass({ timeout: 10_000 });
      await expectTold(page, porchlight, SHOWN);
      expect(await heard(page).windowEvents()).toEqual(["ready", "triggered"]);
    });
  }

  test("is asked ever more rarely", async ({ page, host, quiet }) => {
    quiet.allow(...FAILED);
    let asked = 0;
    await page.clock.install();
    await page.route(START, async (route) => {
      asked += 1;
      await route.abort();
    });
    await page.goto(host.page());
    await expect.poll(() => asked).toBe(1);
    for (let second = 0; second < 120; second += 1) await page.clock.runFor(1000);
    // After 1, 2, 4, 8, 16, 32 and 60 seconds, and not every second.
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(9);
  });

  test("but refuses for good is not asked again, and says why to the page’s developer", async ({ page, host, widget, quiet }) => {
    quiet.allow(/status of 404/, /there is no site with the key/);
    let asked = 0;
    page.on("request", (request) => void (request.url().endsWith("/widget/v1/start") && (asked += 1)));
    const told = page.waitForEvent("console", (message) => message.text().includes('there is no site with the key "nobody"'));
    await page.clock.install();
    await page.goto(host.page({ tag: { "data-site": "nobody" } }));
    expect((await told).type()).toBe("error");
    await page.clock.runFor(120_000);
    expect(asked).toBe(1);
    await expect(widget.host).toHaveCount(0);
  });
});

test("a panel that could not be loaded is loaded when it is opened again", async ({ page, host, porchlight, widget, quiet }) => {
  quiet.allow(...FAILED);
  await page.goto(host.page());
  await expect.poll(() => heard(page).types()).toEqual(SHOWN);
  const failed = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/widget/panel"));
  await page.route("**/widget/panel", abort);
  await widget.launcher.click();
  await failed;
  await widget.closeButton.click();
  await expect(widget.panel).toBeHidden();
  await page.unroute("**/widget/panel", abort);
  await widget.launcher.click();
  await widget.connected();
  await widget.choose();
  await expectTold(page, porchlight, [...SHOWN, "widget.clicked", "conversation.closed", "widget.clicked", "conversation.engaged"]);
});

test("a page’s command that cannot be done now throws nothing at the page", async ({ page, context, host, widget, quiet }) => {
  quiet.allow(...FAILED);
  await page.goto(host.page());
  await widget.open();
  await context.setOffline(true);
  const failed = page.waitForEvent("requestfailed");
  await widget.call("setLocale", "de");
  await failed;
  await context.setOffline(false);
  await widget.call("setLocale", "de");
  await expect(widget.launcher).toHaveAccessibleName("Chat schließen");
});

test("a conversation that does not exist is told as such, and leaves the one that does", async ({ page, host, widget, quiet }) => {
  quiet.allow(/status of 404/);
  await page.goto(host.page());
  await expect(widget.launcher).toBeVisible();
  await widget.call("open", { conversation: "nowhere" });
  await expect(widget.frame.getByText("The chat cannot be shown right now.")).toBeVisible();
  await widget.closeButton.click();
  await widget.launcher.click();
  await expect(widget.choices).toHaveCount(3);
});

test("a page that may keep nothing works all the same", async ({ page, host, porchlight, widget }) => {
  await page.addInitScript(() => {
    if (window.top !== window) return;
    for (const storage of ["localStorage", "sessionStorage"])
      Object.defineProperty(window, storage, {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
  });
  await page.goto(host.page());
  await widget.open();
  await widget.complete();
  const log = await expectTold(page, porchlight, [...ENGAGED, "input.email", "input.phone", "conversation.completed"]);
  expect(await heard(page).events()).toEqual(log.map(forBrowser));
});
