// Every kind of card in every UI, with the panel's script and without it: what the visitor sees, and what page and log are told.

import type { FrameLocator } from "@playwright/test";
import { EMAIL, PHONE_E164, type Porchlight, expect, expectTold, test, Widget } from "../fixtures";
import type { Host } from "../support/host";
import { type Authored, makeSite } from "../support/site";

const UIS = ["chatbot", "popup", "inline"] as const;
type Ui = (typeof UIS)[number];

/** What is told before the visitor answers. */
const MET = {
  chatbot: ["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked"],
  popup: ["widget.loaded", "widget.shown", "conversation.triggered"],
  inline: ["widget.loaded", "widget.shown", "conversation.triggered"],
};
const ENGAGED = "conversation.engaged";
const CAPTURED = "input.captured";
const COMPLETED = "conversation.completed";

/** The same in an element of the page. */
class Inline extends Widget {
  override get frame(): FrameLocator {
    return this.page.frameLocator("[data-porchlight] iframe");
  }
}

type Card = Record<string, unknown>;

/** A conversation as it is authored for a UI; lines appear at once, unless the test says otherwise. */
function talk(ui: Ui, cards: Card[], more: Record<string, unknown> = {}): Authored {
  return { id: "talk", type: ui === "inline" ? "conversationFlow" : "dialogue", ui, typingDelay: 0, cards, ...more };
}

const end = { id: "end", card: "end", text: "Goodbye." };

for (const ui of UIS) {
  for (const script of [true, false]) {
    test.describe(`${ui}, ${script ? "with" : "without"} script in the panel`, () => {
      let widget: Widget;

      test.beforeEach(async ({ page, porchlight, quiet }) => {
        widget = ui === "inline" ? new Inline(page) : new Widget(page);
        // An answer that is refused has a status that says so, and browsers write that down.
        quiet.allow(/status of 422/);
        if (script) return;
        quiet.allow(/ERR_FAILED/, /Failed to fetch/);
        await page.route((url) => url.origin === porchlight.origin && /\/assets\/widget[^/]+\.(js|wasm)$/.test(url.pathname), (route) => route.abort());
      });

      /** Publishes a conversation and others that it needs, and meets it on a page. */
      async function meet(porchlight: Porchlight, host: Host, conversation: Authored, ...others: Authored[]): Promise<void> {
        const site = await makeSite(porchlight, [...others, conversation]);
        const body = ui === "inline" ? `<main><h1>Bikes</h1><div data-porchlight="${conversation.id}"></div></main>` : undefined;
        await widget.page.goto(host.page({ tag: { "data-site": site.key }, body }));
        if (ui === "chatbot") await widget.launcher.click();
        await expect(widget.card).toBeVisible();
        if (script) await widget.connected();
      }

      const says = (line: string | RegExp): Promise<void> => expect(widget.bot.last()).toContainText(line);
      const said = (line: string | RegExp): Promise<void> => expect(widget.visitor.last()).toContainText(line);
      const told = (page: Widget["page"], porchlight: Porchlight, ...types: string[]) => expectTold(page, porchlight, [...MET[ui], ...types]);

      test("a message has values and formatting, and keeps its lines", async ({ page, porchlight, host }) => {
        const text =
          "Hello {{visitor.firstName|there}}, you are on {{page.url}}.\nWe say **bold**, *slanted*, `code`, " +
          "[**our** shop](https://shop.example/a?b=1&c=2), [mail](mailto:ada@example.com), \\*stars\\* and {{visitor.topic}}nothing.";
        await meet(
          porchlight,
          host,
          talk(ui, [
            { id: "hello", card: "message", text },
            { id: "name", card: "capture", field: "firstName", text: "Your name?" },
            { id: "nice", card: "message", text: "Nice to meet you, {{visitor.firstName|there}}." },
            { id: "end", card: "end" },
          ]),
        );
        const hello = widget.bot.first();
        await expect(hello.locator(".block")).toHaveText(
          `Hello there, you are on ${page.url()}. We say bold, slanted, code, our shop, mail, *stars* and nothing.`,
          { useInnerText: true },
        );
        expect(await hello.locator(".block").innerText()).toContain(".\nWe say");
        await expect(hello.locator("strong")).toHaveText(["bold", "our"]);
        await expect(hello.locator("em")).toHaveText("slanted");
        await expect(hello.locator("code")).toHaveText("code");
        const link = hello.getByRole("link", { name: "our shop" });
        await expect(link).toHaveAttribute("href", "https://shop.example/a?b=1&c=2");
        // Not in the panel's place, and the address of the panel is nobody's business.
        await expect(link).toHaveAttribute("target", "_blank");
        await expect(link).toHaveAttribute("rel", /noopener.*noreferrer/);
        await expect(hello.getByRole("link", { name: "mail" })).toHaveAttribute("href", "mailto:ada@example.com");

        await widget.field.fill("**Ada**");
        await widget.send.click();
        await expect(widget.ended).toBeVisible();
        await says("Nice to meet you, **Ada**.");
        await expect(widget.bot.last().locator("strong"), "a value is no formatting").toHaveCount(0);
        await told(page, porchlight, ENGAGED, CAPTURED, COMPLETED);
      });

      test("a question is asked with buttons, as a list, and for several answers", async ({ page, porchlight, host }) => {
        const extras = [{ label: "A bell" }, { label: { en: "A light" }, value: "light" }, { label: "A lock", value: "lock" }];
        await meet(
          porchlight,
          host,
          talk(ui, [
            { id: "kind", card: "question", text: "What kind?", choices: [{ label: "City" }, { label: "Cargo", next: "cargo" }] },
            { id: "city", card: "message", text: "Not this way." },
            { id: "cargo", card: "message", text: "Cargo it is." },
            { id: "size", card: "question", style: "list", text: "What size?", attribute: "size", choices: [{ label: "Small", value: "s" }, { label: "Large", value: "l" }] },
            { id: "extras", card: "question", style: "multiple", text: "Which extras?", attribute: "extras", min: 2, max: 2, choices: extras },
            { id: "end", card: "end", text: "Size {{visitor.size}} with {{visitor.extras}}." },
          ]),
        );
        await expect(widget.card.getByRole("group", { name: "Choose an answer" })).toBeVisible();
        await expect(widget.choices).toHaveText(["City", "Cargo"]);
        await told(page, porchlight);
        await widget.choice("Cargo").click();
        await expect(widget.choices).toHaveText(["Small", "Large"]);
        await expect(widget.visitor).toHaveCount(1);
        await said("Cargo");
        expect(await widget.transcript()).toEqual(["We said: What kind?", "You said: Cargo", "We said: Cargo it is.", "We said: What size?"]);
        const [small, large] = [await widget.choice("Small").boundingBox(), await widget.choice("Large").boundingBox()];
        expect(large?.y, "one below the other").toBeGreaterThanOrEqual((small?.y ?? 0) + (small?.height ?? 0));
        expect(large?.width, "as wide as each other").toBe(small?.width);
        await widget.choice("Large").click();

        const group = widget.card.getByRole("group", { name: "Choose one or more answers" });
        const tick = (name: string) => group.getByRole("checkbox", { name });
        const goOn = widget.card.getByRole("button", { name: "Continue" });
        await expect(group.getByRole("checkbox")).toHaveCount(3);
        const WRONG = "You have chosen too few or too many answers.";
        await tick("A lock").check();
        await goOn.click();
        await expect(widget.problem).toHaveText(WRONG);
        await expect(widget.problem).toHaveRole("alert");
        await expect(group).toHaveAccessibleDescription(WRONG);
        await expect(tick("A lock"), "what was ticked stays so").toBeChecked();
        for (const name of ["A bell", "A light"]) await tick(name).check();
        await goOn.click();
        await expect(widget.problem).toHaveText(WRONG);
        for (const name of ["A bell", "A light", "A lock"]) await expect(tick(name)).toBeChecked();
        await tick("A bell").uncheck();
        await goOn.click();
        await expect(widget.ended).toBeVisible();
        await said("A light, A lock");
        await says("Size l with light;lock.");
        await told(page, porchlight, ENGAGED, COMPLETED);
      });

      test("all ten fields take what is right, and say in words what is wrong", async ({ page, porchlight, host }) => {
        test.slow();
        const colours = [{ label: "Red" }, { label: { en: "Blue" }, value: "b" }];
        const REQUIRED = "Please answer here first.";
        /** The field, its name, answers that are refused and why, one that is taken, and how the transcript shows it. */
        const fields: [card: Card, label: string, wrong: [string, string][], right: string, shown: string | RegExp][] = [
          [{ field: "email" }, "E-mail address", [["", "Please enter an e-mail address such as ada@example.com."], ["ada@", "Please enter an e-mail address such as ada@example.com."]], EMAIL, EMAIL],
          [{ field: "phone" }, "Phone number", [["Berlin", "Please enter a phone number, with its country."], ["020", "This phone number is too short."]], PHONE_E164, PHONE_E164],
          [{ field: "name" }, "Full name", [["", REQUIRED]], "Ada Lovelace", "Ada Lovelace"],
          [{ field: "firstName" }, "First name", [[" ", REQUIRED]], "Ada", "Ada"],
          [{ field: "lastName", label: "Family name" }, "Family name", [["", REQUIRED]], "Lovelace", "Lovelace"],
          [{ field: "company" }, "Company", [["", REQUIRED]], "Bücher & Söhne", "Bücher & Söhne"],
          [{ field: "text", attribute: "wish", max: 9 }, "Your answer", [["", REQUIRED], ["ten of it!", "This answer is too long. Please shorten it."]], "one\n& two", /one\n& two/],
          [{ field: "number", attribute: "seats", min: 1, max: 10.5 }, "Number", [["", "Please enter a number."], ["0.99", "This number is too small or too large."], ["11", "This number is too small or too large."]], "10.5", "10.5"],
          [{ field: "date", attribute: "day", min: "2026-02-28", max: "2026-12-31" }, "Date", [["", "Please enter a valid date."], ["2026-02-27", "This date is too early or too late."], ["2027-01-01", "This date is too early or too late."]], "2026-02-28", script ? "28 February 2026" : "2026-02-28"],
          [{ field: "pickList", attribute: "colour", choices: colours }, "Choose an answer", [["", "Please choose one of the answers."]], "b", "b"],
        ];
        await meet(
          porchlight,
          host,
          talk(ui, [...fields.map(([card]) => ({ id: `ask-${card.field}`, card: "capture", text: `And the ${card.field}?`, ...card })), end]),
        );
        for (const [card, label, wrong, right, shown] of fields) {
          await test.step(String(card.field), async () => {
            const { field, problem, send } = widget;
            const enter = (value: string) => (card.field === "pickList" ? field.selectOption(value) : field.fill(value));
            await says(`And the ${card.field}?`);
            await expect(field).toHaveAccessibleName(label);
            await expect(field).toHaveAttribute("aria-invalid", "false");
            await expect(field).toHaveAttribute("aria-required", "true");
            await expect(widget.skip).toHaveCount(0);
            if (card.field === "text") await expect(field).toHaveAttribute("maxlength", String(card.max));
            for (const [value, why] of wrong) {
              // A browser lets nobody type more than it is told; another program may send more.
              await field.evaluate((element) => element.removeAttribute("maxlength"));
              await enter(value);
              // Two wrong answers may be told the same: the page before must not be taken for the one that comes.
              const answered = script ? page.waitForResponse("**/widget/v1/answers") : page.waitForEvent("framenavigated");
              await send.click();
              await answered;
              await expect(problem).toHaveText(why);
              await expect(field).toHaveAttribute("aria-invalid", "true");
              await expect(field).toHaveAccessibleDescription(why);
              await expect(field).toHaveValue(value.trim() ? value : /^\s*$/);
            }
            const before = await widget.visitor.count();
            await enter(right);
            await send.click();
            await expect(widget.visitor).toHaveCount(before + 1);
            const text = widget.visitor.last().locator(".block");
            if (typeof shown === "string") await expect(text).toHaveText(card.field === "pickList" ? "Blue" : shown);
            else expect(await text.innerText()).toMatch(shown);
          });
        }
        await expect(widget.ended).toBeVisible();
        const log = await told(page, porchlight, ENGAGED, "input.email", "input.phone", ...Array<string>(8).fill(CAPTURED), COMPLETED);
        expect(log.filter(({ type }) => type.startsWith("input.")).map(({ data }) => data.value ?? data.field)).toEqual(
          [EMAIL, PHONE_E164, ...["name", "firstName", "lastName", "company", "wish", "seats", "day", "colour"]],
        );
        // Times may look like numbers that were given.
        expect(JSON.stringify(log.map(({ data }) => data)), "of what else was given nobody is told").not.toMatch(/Lovelace|Söhne|10\.5|2026-02-28/);
      });

      test("what is known is filled in, kept, or not asked for; what is optional may be skipped", async ({ page, porchlight, host }) => {
        const company = { card: "capture", field: "company", text: "Company?" };
        await meet(
          porchlight,
          host,
          talk(ui, [
            { id: "skipped", card: "capture", field: "phone", text: "Number?", optional: true },
            { id: "first", ...company },
            { id: "passed", ...company, text: "Not asked.", ifKnown: "skip" },
            { id: "kept", ...company, text: "Still there?", overwrite: false },
            { id: "look", card: "message", text: "We keep {{visitor.company}}." },
            { id: "anew", ...company, text: "And now?" },
            { id: "end", card: "end", text: "We keep {{visitor.company}}, and {{visitor.phone|no number}}." },
          ]),
        );
        await expect(widget.field).toHaveAttribute("aria-required", "false");
        await widget.skip.click();
        await says("Company?");
        await said("Skipped");
        await expect(widget.field).toHaveValue("");
        await widget.field.fill("Lamps");
        await widget.send.click();
        await says("Still there?");
        await expect(widget.field).toHaveValue("Lamps");
        await widget.field.fill("Bulbs");
        await widget.send.click();
        await says("And now?");
        await expect(widget.bot.filter({ hasText: "We keep Lamps." })).toHaveCount(1);
        await expect(widget.field).toHaveValue("Lamps");
        await widget.field.fill("Candles");
        await widget.send.click();
        await expect(widget.ended).toBeVisible();
        await says("We keep Candles, and no number.");
        await expect(widget.bot.filter({ hasText: "Not asked." })).toHaveCount(0);
        await told(page, porchlight, ENGAGED, CAPTURED, CAPTURED, CAPTURED, COMPLETED);
      });

      test("a document is read in the panel, downloaded, and put away", async ({ page, porchlight, host }) => {
        await meet(porchlight, host, talk(ui, [{ id: "guide", card: "document", text: "Have a look.", title: "Size guide", file: "guide.pdf" }, end]));
        const button = (name: string) => widget.card.getByRole("button", { name, exact: true });
        const viewer = widget.card.locator("iframe");
        await expect(widget.card.getByText("Size guide")).toBeVisible();
        await expect(viewer).toHaveCount(0);
        const came = page.waitForResponse((response) => response.url().includes("/guide.pdf"));
        await button("Open document").click();
        await expect(viewer).toBeVisible();
        await expect(viewer).toHaveAttribute("title", "Size guide");
        const response = await came;
        expect([response.status(), response.headers()["content-type"]]).toEqual([200, "application/pdf"]);
        await told(page, porchlight, ENGAGED, "document.opened");
        await button("Close document").click();
        await expect(viewer).toHaveCount(0);
        await button("Open document").click();
        await expect(viewer).toBeVisible();
        await told(page, porchlight, ENGAGED, "document.opened", "document.opened");

        const [download] = await Promise.all([page.waitForEvent("download"), button("Download").click()]);
        expect(download.suggestedFilename()).toBe("guide.pdf");
        await expect(button("Download"), "the panel is as it was").toBeVisible();
        const opened = [ENGAGED, "document.opened", "document.opened", "document.downloaded"];
        // Without script the page is told with the next load of the panel, and a download is none.
        if (script) await told(page, porchlight, ...opened);
        await button("Continue").click();
        await expect(widget.ended).toBeVisible();
        await said("Continue");
        await says("Goodbye.");
        const log = await told(page, porchlight, ...opened, COMPLETED);
        expect(log.at(-2)?.data).toMatchObject({ card: "guide", document: "guide.pdf", uiType: ui });
      });

      test("goals, conditions, settings, jumps and sub-flows lead on by themselves", async ({ page, porchlight, host }) => {
        const sub = {
          id: "sub",
          type: "conversationFlow",
          cards: [
            { id: "in", card: "message", text: "Now for the details." },
            { id: "ask", card: "capture", field: "number", attribute: "seats", text: "How many?" },
            { id: "out", card: "end", text: "That was all of them." },
          ],
        };
        await meet(
          porchlight,
          host,
          talk(ui, [
            { id: "set", card: "set", attribute: "plan", value: "for {{visitor.company|nobody}}" },
            { id: "on", card: "jump", to: "details" },
            { id: "never", card: "message", text: "Never said." },
            { id: "details", card: "subFlow", conversation: "sub" },
            { id: "if", card: "condition", branches: [{ if: { attribute: "seats", above: 10 }, next: "many" }], next: "few" },
            { id: "few", card: "end", text: "Few." },
            { id: "many", card: "message", text: "Many, {{visitor.plan}}." },
            { id: "goal", card: "goal", goal: "Big order" },
            end,
          ]),
          sub,
        );
        expect(await widget.transcript()).toEqual(["We said: Now for the details.", "We said: How many?"]);
        await widget.field.fill("11");
        await widget.send.click();
        await expect(widget.ended).toBeVisible();
        expect((await widget.transcript()).slice(2)).toEqual([
          ...["You said: 11", "We said: That was all of them.", "We said: Many, for nobody.", "We said: Goodbye."],
        ]);
        const log = await told(page, porchlight, ENGAGED, CAPTURED, "goal.reached", COMPLETED);
        expect(log.at(-2)?.data).toMatchObject({ card: "goal", goal: "Big order" });
      });

      test("the visitor goes back, and begins again", async ({ page, porchlight, host }) => {
        const choices = [{ label: "City" }, { label: "Cargo" }];
        await meet(
          porchlight,
          host,
          talk(
            ui,
            [
              { id: "kind", card: "question", text: "What kind?", choices },
              { id: "seats", card: "capture", field: "number", attribute: "seats", text: "How many?" },
              { id: "mail", card: "capture", field: "email", text: "Where to?" },
              end,
            ],
            { back: true, restart: true },
          ),
        );
        const back = widget.card.getByRole("button", { name: "Back", exact: true });
        const restart = widget.card.getByRole("button", { name: "Start over", exact: true });
        await expect(widget.choices).toHaveText(["City", "Cargo"]);
        await expect(back, "there is nothing to go back to").toHaveCount(0);
        await widget.choice("City").click();
        await says("How many?");
        await back.click();
        await expect(widget.choices).toHaveText(["City", "Cargo"]);
        expect(await widget.transcript()).toEqual(["We said: What kind?"]);
        await widget.choice("Cargo").click();
        await says("How many?");
        await widget.field.fill("3");
        await widget.send.click();
        await says("Where to?");
        await back.click();
        await says("How many?");
        await expect(widget.field, "the answer before is there to be changed").toHaveValue("3");
        await restart.click();
        await expect(widget.choices).toHaveText(["City", "Cargo"]);
        expect(await widget.transcript()).toEqual(["We said: What kind?"]);

        await widget.choice("City").click();
        await widget.field.fill("4");
        await widget.send.click();
        await says("Where to?");
        await widget.field.fill(EMAIL);
        await widget.send.click();
        await expect(widget.ended).toBeVisible();
        const all = [ENGAGED, CAPTURED, CAPTURED, "input.email", COMPLETED];
        await told(page, porchlight, ...all);
        await expect(back, "the end is the end").toHaveCount(0);
        await restart.click();
        await expect(widget.choices).toHaveText(["City", "Cargo"]);
        await widget.choice("City").click();
        await says("How many?");
        await expect(widget.visitor).toHaveCount(1);
        // Of what counts once nothing is counted again.
        await told(page, porchlight, ...all);
      });

      test("markup that somebody wrote is text", async ({ page, porchlight, host }) => {
        const bad = (where: string): string => `<img src=x onerror="top.pwned=1;window.pwned=1">"'></textarea><script>pwned=1</script>&lt;b&gt;${where}`;
        await meet(
          porchlight,
          host,
          talk(ui, [
            { id: "hello", card: "message", text: `${bad("hello")} [link](javascript:alert(1))` },
            { id: "ask", card: "question", text: bad("ask"), choices: [{ label: bad("choice"), value: bad("value").replaceAll(";", ",") }, { label: "Other" }] },
            { id: "wish", card: "capture", field: "text", attribute: "wish", text: "Wish?", label: bad("label") },
            { id: "again", card: "capture", field: "text", attribute: "wish", text: "Again?" },
            { id: "guide", card: "document", text: "Read.", title: bad("title"), file: "guide.pdf" },
            { id: "end", card: "end", text: "**{{visitor.wish}}** {{page.url}}" },
          ]),
        );
        const clean = async (): Promise<void> => {
          expect(await widget.frame.locator("main :is(img, script, b)").count()).toBe(0);
          const pwned = [page.mainFrame(), ...page.frames()].map((frame) => frame.evaluate(() => "pwned" in window));
          expect(await Promise.all(pwned)).not.toContain(true);
        };
        await expect(widget.bot.first()).toContainText(bad("hello"));
        await expect(widget.frame.locator("main a")).toHaveCount(0);
        await says(bad("ask"));
        await clean();
        await widget.choices.first().click();
        await said(bad("choice"));
        await expect(widget.field).toHaveAccessibleName(bad("label"));
        await clean();
        const typed = bad("typed **bold** [x](https://x.example) {{visitor.wish}}");
        await widget.field.fill(typed);
        await widget.send.click();
        await said(typed);
        await says("Again?");
        await expect(widget.field).toHaveValue(typed);
        await clean();
        await widget.send.click();
        await expect(widget.card.getByText(bad("title"))).toBeVisible();
        await clean();
        await widget.card.getByRole("button", { name: "Continue" }).click();
        await expect(widget.ended).toBeVisible();
        await says(typed);
        await expect(widget.frame.locator("main a")).toHaveCount(0);
        await expect(widget.bot.last().locator("strong")).toHaveCount(1);
        await clean();
        await told(page, porchlight, ENGAGED, CAPTURED, CAPTURED, COMPLETED);
      });

      test("a line appears after its delay, and is there for screen readers at once", async ({ page, porchlight, host }) => {
        await page.emulateMedia({ reducedMotion: "no-preference" });
        const begun = Date.now();
        await meet(porchlight, host, talk(ui, [{ id: "one", card: "message", text: "One." }, { id: "ask", card: "capture", field: "company", text: "Two?" }, end], { typingDelay: 1500 }));
        const words = widget.bot.locator("[dir=auto]");
        await expect(widget.bot).toHaveText([/One\./, /Two\?/]);
        await expect(words.nth(1)).toHaveCSS("opacity", "0");
        await expect(words.nth(0)).toHaveCSS("opacity", "1");
        expect(Date.now() - begun).toBeGreaterThan(1500);
        await expect(words.nth(1)).toHaveCSS("opacity", "1");
        expect(Date.now() - begun, "one after the other").toBeGreaterThan(3000);
        // What was there is not typed again, and nobody waits for their own words.
        await widget.field.fill("Lamps");
        await widget.send.click();
        await says("Goodbye.");
        expect(await words.nth(1).evaluate((element) => getComputedStyle(element).opacity)).toBe("1");
        await expect(widget.visitor.locator("[dir=auto]")).toHaveCSS("opacity", "1");
        await expect(words.last()).toHaveCSS("opacity", "1");
      });

      test("a line appears at once under reduced motion", async ({ page, porchlight, host }) => {
        await page.emulateMedia({ reducedMotion: "reduce" });
        await meet(porchlight, host, talk(ui, [{ id: "one", card: "message", text: "One." }, { id: "ask", card: "capture", field: "company", text: "Two?" }, end], { typingDelay: 3000 }));
        await expect(widget.bot).toHaveCount(2);
        for (const words of await widget.bot.locator("[dir=auto]").all()) expect(await words.evaluate((element) => getComputedStyle(element).opacity)).toBe("1");
        expect(await widget.log.evaluate(() => document.getAnimations().length)).toBe(0);
      });
    });
  }
}
