// A customer's page listens: before the script has loaded or after, in Adobe's way, in CTLive's, or by the data layer.

import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";

// These pages bring their own listeners.
test.use({ listens: false });

/** What the scripts of these pages write down. */
const heardBy = (page: Page, name: string): Promise<unknown[]> => page.evaluate((name) => (window as unknown as Record<string, unknown[]>)[name], name);

const PAYLOAD = { name: "Welcome", id: "welcome", type: "dialogue", uiType: "chatbot" };

test.describe("window.Porchlight", () => {
  test("listeners in the queue hear everything from the first event", async ({ page, host, widget }) => {
    await page.goto(
      host.page({
        before: `
          window.Porchlight = window.Porchlight || [];
          window.heard = []; window.loaded = [];
          Porchlight.push(["on", "*", (event) => heard.push(event.type)]);
          Porchlight.push(["on", "widget.loaded", (event) => loaded.push(event.type)], ["on", "widget.hidden", (event) => loaded.push(event.type)]);`,
      }),
    );
    await widget.open();
    await widget.choose();
    await expect
      .poll(() => heardBy(page, "heard"))
      .toEqual(["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked", "conversation.engaged"]);
    expect(await heardBy(page, "loaded")).toEqual(["widget.loaded"]);
  });

  test("a command in the queue runs once the widget is there", async ({ page, host, widget }) => {
    await page.goto(host.page({ before: `window.Porchlight = window.Porchlight || []; Porchlight.push(["open"]);` }));
    await expect(widget.choices).toHaveCount(3);
  });

  test("a command that does not exist is told, and the next one runs", async ({ page, host, widget }) => {
    const warned = page.waitForEvent("console", (message) => message.type() === "warning" && message.text().includes("opne"));
    await page.goto(host.page({ before: `window.Porchlight = [["opne"], ["open"]];` }));
    await warned;
    await expect(widget.choices).toHaveCount(3);
  });

  test("listeners added later hear what comes later, until they unsubscribe", async ({ page, host, widget }) => {
    // What the launcher causes is over before the late listeners come.
    await page.goto(host.page({ before: `window.triggered = 0; window.Porchlight = [["on", "conversation.triggered", () => triggered++]];` }));
    await expect.poll(() => page.evaluate("triggered")).toBe(1);
    await page.evaluate(async () => {
      const all = window as unknown as { Porchlight: { ready: Promise<void>; on(type: string, listener: (event: { type: string }) => void): () => void } } & Record<string, unknown>;
      await all.Porchlight.ready;
      const heard: string[] = (all.heard = []);
      const once: string[] = (all.once = []);
      all.Porchlight.on("conversation.engaged", ({ type }) => heard.push(type));
      all.Porchlight.on("input.email", ({ type }) => heard.push(type));
      const off = all.Porchlight.on("*", ({ type }) => once.push(type) && type === "conversation.engaged" && off());
    });
    await widget.open();
    await widget.choose();
    await widget.giveEmail();
    await expect.poll(() => heardBy(page, "heard")).toEqual(["conversation.engaged", "input.email"]);
    expect(await heardBy(page, "once")).toEqual(["widget.clicked", "conversation.engaged"]);
  });

  test("a listener that throws reaches the page’s error handler, and stops neither the widget nor the next listener", async ({ page, host, widget, quiet }) => {
    quiet.allow(/uncaught: mine/, /uncaught: adobe’s/);
    await page.goto(
      host.page({
        before: `
          window.heard = []; window.errors = [];
          addEventListener("error", ({ message }) => errors.push(message));
          window.Porchlight = [["on", "*", () => { throw new Error("mine"); }], ["on", "*", (event) => heard.push(event.type)]];
          addEventListener("adobedx.conversations.ready", () => {
            const { addListener, Enum } = AdobeDX;
            addListener(Enum.Events.CONVERSATION_ENGAGED, () => { throw new Error("adobe’s"); });
            addListener(Enum.Events.CONVERSATION_ENGAGED, () => heard.push("adobe"));
          });`,
      }),
    );
    await widget.open();
    await widget.choose();
    const types = ["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked", "conversation.engaged"];
    await expect.poll(() => heardBy(page, "heard")).toEqual([...types, "adobe"]);
    await expect.poll(() => heardBy(page, "errors")).toEqual([...types.map(() => "Uncaught Error: mine"), "Uncaught Error: adobe’s"]);
  });

  test("the script twice on a page is told, and works once", async ({ page, host, porchlight, widget }) => {
    const warned = page.waitForEvent("console", (message) => message.type() === "warning" && message.text().includes("twice"));
    await page.goto(host.page({ body: `<script src="${porchlight.origin}/porchlight.js?again" data-site="demo"></script>` }));
    await warned;
    await expect(widget.launcher).toHaveCount(1);
  });
});

test.describe("window.AdobeDX", () => {
  test("addListener works destructured and without this", async ({ page, host, widget, porchlight }) => {
    await page.goto(
      host.page({
        before: `
          window.heard = [];
          window.addEventListener("adobedx.conversations.ready", () => {
            "use strict";
            const { addListener, Enum } = window.AdobeDX;
            for (const name of ["TRIGGERED", "ENGAGED", "INPUT_EMAIL", "INPUT_PHONE", "COMPLETED", "CLOSED"])
              addListener(Enum.Events["CONVERSATION_" + name], (event) => heard.push([name, event.data.payload]));
          });`,
      }),
    );
    await widget.open();
    await widget.complete();
    const names = ["TRIGGERED", "ENGAGED", "INPUT_EMAIL", "INPUT_PHONE", "COMPLETED"];
    await expect.poll(async () => (await heardBy(page, "heard")).length).toBe(names.length);
    const [[, { sid }]] = (await heardBy(page, "heard")) as [[string, { sid: string }]];
    expect(await heardBy(page, "heard")).toEqual(names.map((name) => [name, { ...PAYLOAD, sid }]));
    expect((await porchlight.serverEvents(sid)).map(({ type }) => type)).toContain("conversation.completed");
  });

  test("Enum.Events has the published names", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await expect(widget.launcher).toBeVisible();
    const names = [
      ...["TRIGGERED", "ENGAGED", "COMPLETED", "CLOSED", "INPUT_PHONE", "INPUT_EMAIL", "MEETING_BOOKED"],
      ...["LIVE_CHAT_REQUESTED", "LIVE_CHAT_INITIATED", "LIVE_CHAT_ENDED", "LIVE_CHAT_REQUEST_TIMEOUT"],
    ];
    const Events = await page.evaluate(() => (window as unknown as { AdobeDX: { Enum: { Events: object } } }).AdobeDX.Enum.Events);
    expect(Object.keys(Events).sort()).toEqual(names.map((name) => `CONVERSATION_${name}`).sort());
  });

  test("a page that is late waits for ready", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await expect(widget.launcher).toBeVisible();
    await page.addScriptTag({
      type: "module",
      content: `
        window.heard = [];
        await AdobeDX.ready;
        const { addListener, Enum } = window.AdobeDX;
        addListener(Enum.Events.CONVERSATION_ENGAGED, (event) => heard.push(event.data.payload.name));`,
    });
    await expect.poll(() => heardBy(page, "heard")).toEqual([]);
    await widget.open();
    await widget.choose();
    await expect.poll(() => heardBy(page, "heard")).toEqual(["Welcome"]);
  });

  test("listeners can be removed: by what adding gave, and by removeListener", async ({ page, host, widget }) => {
    await page.goto(
      host.page({
        before: `
          window.heard = [];
          addEventListener("adobedx.conversations.ready", () => {
            const { addListener, removeListener, Enum: { Events } } = AdobeDX;
            const off = addListener(Events.CONVERSATION_ENGAGED, () => heard.push("removed by its function"));
            off();
            const named = () => heard.push("removed by removeListener");
            addListener(Events.CONVERSATION_ENGAGED, named);
            removeListener(Events.CONVERSATION_ENGAGED, named);
            addListener(Events.CONVERSATION_ENGAGED, () => heard.push("kept"));
          });`,
      }),
    );
    await widget.open();
    await widget.choose();
    await expect.poll(() => heardBy(page, "heard")).toEqual(["kept"]);
  });

  test("the window’s own events: ready once, triggered when a conversation is shown", async ({ page, host, widget }) => {
    await page.goto(
      host.page({
        before: `
          window.heard = []; window.details = [];
          addEventListener("adobedx.conversations.ready", () => heard.push("ready " + typeof window.AdobeDX.addListener));
          addEventListener("adobedx.conversations.triggered", (event) => { heard.push("triggered"); details.push(event.detail.data.payload); });`,
      }),
    );
    await expect.poll(() => heardBy(page, "heard")).toEqual(["ready function", "triggered"]);
    expect(await heardBy(page, "details")).toEqual([{ ...PAYLOAD, sid: expect.any(String) }]);
    // A new visitor is shown the conversation anew; the scripts were ready all the while.
    await widget.call("reset");
    await expect.poll(() => heardBy(page, "heard")).toEqual(["ready function", "triggered", "triggered"]);
  });

  test("data-adobe-globals makes addListener and Enum bare names", async ({ page, host, widget }) => {
    await page.goto(
      host.page({
        tag: { "data-adobe-globals": "" },
        before: `
          window.heard = [];
          window.addEventListener("adobedx.conversations.ready", function () {
            addListener(Enum.Events.CONVERSATION_TRIGGERED, function (event) { heard.push(event.data.payload.name); });
          });`,
      }),
    );
    await expect(widget.launcher).toBeVisible();
    await expect.poll(() => heardBy(page, "heard")).toEqual(["Welcome"]);
  });

  test("without data-adobe-globals there are no such names", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await expect(widget.launcher).toBeVisible();
    expect(await page.evaluate(() => ["addListener" in window, "Enum" in window, "AdobeDX" in window])).toEqual([false, false, true]);
  });

  test("the demo customer’s page in the style of older samples hears all of it", async ({ page, porchlight, widget }) => {
    await page.goto(new URL("globals.html", porchlight.demo).href);
    const lines = page.locator("#heard li");
    await expect(lines).toHaveText(["CONVERSATION_TRIGGERED: Welcome (dialogue, chatbot)"]);
    await widget.open();
    await widget.choose();
    await expect(lines).toHaveCount(2);
    await expect(lines.last()).toHaveText("CONVERSATION_ENGAGED: Welcome (dialogue, chatbot)");
  });
});

test.describe("CTLive’s messages", () => {
  test("reach the published sample listener, through its check of the origin", async ({ page, host, widget }) => {
    await page.goto(
      host.page({
        before: `
          window.heard = []; window.origins = [];
          window.addEventListener("message", function (event) {
            if (event.target.location.origin !== document.location.origin) return;
            if (event.data.name === "CTLiveEvent") {
              heard.push([event.data.type, event.data.object]);
              origins.push(event.origin);
            }
          });`,
      }),
    );
    await widget.open();
    await widget.choose();
    await widget.call("hide");
    await expect.poll(async () => (await heardBy(page, "heard")).length).toBe(4);
    const [[, { userID }]] = (await heardBy(page, "heard")) as [[string, { userID: string }]];
    expect(userID).toMatch(/^[0-9a-f-]{36}$/);
    const object = { elementID: "porchlight", widgetID: "launcher", userID };
    expect(await heardBy(page, "heard")).toEqual([
      ["Loaded", object],
      ["WidgetShown", object],
      ["WidgetClicked", { ...object, type: "Chat" }],
      ["WidgetHidden", object],
    ]);
    expect(new Set(await heardBy(page, "origins"))).toEqual(new Set([host.origin]));
    expect(await page.evaluate((id) => document.getElementById(id) !== null, object.elementID), "elementID names an element of the page").toBe(true);
  });
});

test.describe("the data layer", () => {
  test("gets each event with data-layer, after what the page has put there", async ({ page, host, widget }) => {
    await page.goto(host.page({ tag: { "data-layer": "" }, before: `window.dataLayer = [{ event: "gtm.js" }];` }));
    await widget.open();
    await widget.choose();
    const layer = async () => (await heardBy(page, "dataLayer")) as { event: string; porchlight?: { type: string; id: string } }[];
    await expect
      .poll(async () => (await layer()).map(({ event }) => event))
      .toEqual(["gtm.js", "widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked", "conversation.engaged"]);
    for (const { event, porchlight } of (await layer()).slice(1)) expect(porchlight).toMatchObject({ type: event, site: "demo", id: expect.any(String) });
  });

  test("is left alone without data-layer", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    expect(await page.evaluate(() => "dataLayer" in window)).toBe(false);
  });
});
