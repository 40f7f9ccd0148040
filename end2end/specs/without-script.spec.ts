// The panel works by plain forms where its script does not run; the loader on the page still tells everything.

import { EMAIL, PHONE, PHONE_E164, TOPICS, expect, expectTold, heard, test, type Widget } from "../fixtures";

const OPENED = ["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked"];

const variants = [
  { blocked: "all of its script", files: /\/assets\/widget[^/]+\.(js|wasm)$/ },
  { blocked: "its wasm", files: /\/assets\/[^/]+\.wasm$/ },
];

for (const { blocked, files } of variants) {
  test.describe(`a panel without ${blocked}`, () => {
    /** Documents that the panel's iframe loaded, and requests its script made. */
    let documents: string[];
    let byScript: string[];

    test.beforeEach(async ({ page, porchlight, quiet }) => {
      // What is blocked is missing, and the glue says so; what is refused by a plain form is answered with 422.
      quiet.allow(/ERR_FAILED/, /Failed to fetch/, /status of 422/);
      await page.route((url) => url.origin === porchlight.origin && files.test(url.pathname), (route) => route.abort());
      documents = [];
      byScript = [];
      page.on("request", (request) => {
        const { pathname } = new URL(request.url());
        if (pathname === "/widget/panel" || pathname === "/widget/v1/answers") (request.isNavigationRequest() ? documents : byScript).push(pathname);
      });
      await page.goto(porchlight.demo);
    });

    test.afterEach(async ({ page }) => {
      expect(byScript, "the panel’s script does not run").toEqual([]);
      expect(await heard(page).hellos()).toBe(0);
    });

    /** Opens the panel; there is no script to wait for. */
    async function open(widget: Widget): Promise<void> {
      await widget.launcher.click();
      await expect(widget.choices).toHaveText([...TOPICS]);
    }

    test("the conversation is completed, and page and server tell the same", async ({ page, porchlight, widget }) => {
      await open(widget);
      await expectTold(page, porchlight, OPENED);
      await widget.choose();
      // The loader asks after each load of the iframe, so each event comes before the next answer.
      await expectTold(page, porchlight, [...OPENED, "conversation.engaged"]);
      await widget.giveEmail();
      await expectTold(page, porchlight, [...OPENED, "conversation.engaged", "input.email"]);
      await widget.givePhone("DE", PHONE);
      await expect(widget.visitor).toHaveCount(3);
      await expect(widget.visitor.last()).toContainText(PHONE_E164);
      await expect(widget.bot.last()).toContainText("Ride gently");
      const log = await expectTold(page, porchlight, [...OPENED, "conversation.engaged", "input.email", "input.phone", "conversation.completed"]);
      expect(log.map(({ data }) => data.value).filter(Boolean)).toEqual([EMAIL, PHONE_E164]);
      expect(documents).toEqual(["/widget/panel", ...Array<string>(3).fill("/widget/v1/answers")]);
      expect((await heard(page).adobe()).map(({ name }) => name)).toEqual(
        ["TRIGGERED", "ENGAGED", "INPUT_EMAIL", "INPUT_PHONE", "COMPLETED"].map((name) => `CONVERSATION_${name}`),
      );
    });

    test("a bad e-mail address is answered by the page, with the error and what was typed", async ({ page, porchlight, widget }) => {
      await open(widget);
      await widget.choose();
      await widget.field.fill("ada@");
      await widget.send.click();
      await expect(widget.problem).toHaveText("Please enter an e-mail address such as ada@example.com.");
      await expect(widget.field).toHaveValue("ada@");
      await expect(widget.field).toHaveAttribute("aria-invalid", "true");
      await expect(widget.field).toHaveAccessibleDescription("Please enter an e-mail address such as ada@example.com.");
      await expect(widget.visitor).toHaveCount(1);
      await expectTold(page, porchlight, [...OPENED, "conversation.engaged"]);
      await widget.giveEmail();
      await expectTold(page, porchlight, [...OPENED, "conversation.engaged", "input.email"]);
    });

    test("a bad phone number keeps the country that was picked", async ({ page, porchlight, widget }) => {
      await open(widget);
      await widget.choose();
      await widget.giveEmail();
      await widget.country.selectOption("DE");
      await widget.field.fill("Berlin");
      await widget.send.click();
      await expect(widget.problem).toHaveText("Please enter a phone number, with its country.");
      await expect(widget.field).toHaveValue("Berlin");
      await expect.soft(widget.country).toHaveValue("DE");
      await expectTold(page, porchlight, [...OPENED, "conversation.engaged", "input.email"]);
    });

    test("an answer may be skipped", async ({ page, porchlight, widget }) => {
      await open(widget);
      await widget.choose();
      await widget.giveEmail();
      await widget.skip.click();
      await expect(widget.ended).toBeVisible();
      await expectTold(page, porchlight, [...OPENED, "conversation.engaged", "input.email", "conversation.completed"]);
    });

    test("the newest line of a long transcript is in view", async ({ widget }) => {
      await widget.page.setViewportSize({ width: 1280, height: 480 });
      await open(widget);
      await widget.choose();
      await widget.giveEmail();
      await expect(widget.bubbles.last()).toBeInViewport();
      await expect(widget.bubbles.first()).not.toBeInViewport();
    });
  });
}
