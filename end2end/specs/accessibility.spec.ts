// Everybody can use it: checked by axe-core in every state and look, by keyboard alone, and by what a screen reader is told.

import { AxeBuilder } from "@axe-core/playwright";
import type { FrameLocator, Locator, Page } from "@playwright/test";
import { EMAIL, PHONE, PHONE_E164, TOPICS, expect, expectTold, heard, test, type Porchlight, Widget } from "../fixtures";
import type { Host } from "../support/host";
import { makeSite } from "../support/site";

const WIDTHS = [1280, 375, 320];

const LOOKS: { name: string; media: Parameters<Page["emulateMedia"]>[0] }[] = [
  { name: "light", media: { colorScheme: "light" } },
  { name: "dark", media: { colorScheme: "dark" } },
  { name: "forced colours", media: { forcedColors: "active" } },
];

/** What axe-core finds in the page and in the panel, as lines that say where. */
async function violations(page: Page, panel: boolean): Promise<string[]> {
  const builder = new AxeBuilder({ page });
  // With forced colours the reader's own palette is painted, but the page's is what axe-core is told.
  const forced = await page.evaluate(() => matchMedia("(forced-colors: active)").matches);
  if (forced) builder.disableRules(["color-contrast"]);
  const results = await builder.analyze();
  // It has looked into the iframe, if there is one.
  const inside = results.passes.some(({ nodes }) => nodes.some(({ target }) => target.length > 1 && JSON.stringify(target).includes("iframe")));
  expect(inside, "axe-core reaches the panel").toBe(panel);
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${JSON.stringify(target)} ${failureSummary}`));
}

/** Walks through the conversation, and looks in each state. */
async function checkAll(page: Page, widget: Widget): Promise<void> {
  const check = async (state: string, panel = true): Promise<void> => {
    await test.step(state, async () => expect.soft(await violations(page, panel), state).toEqual([]));
  };
  await expect(widget.launcher).toBeVisible();
  await check("launcher", false);
  await widget.open();
  await check("choice");
  await widget.choose();
  await widget.field.fill("ada@");
  await widget.send.click();
  await expect(widget.problem).not.toBeEmpty();
  await check("e-mail address with an error");
  await widget.giveEmail();
  await check("phone number");
  await widget.givePhone();
  await check("end");
}

test.describe("axe-core finds nothing", () => {
  // A colour halfway through its change is nobody's contrast.
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  for (const width of WIDTHS) {
    for (const { name, media } of LOOKS) {
      test(`on the demo page, ${name}, ${width} px`, async ({ page, porchlight, widget, quiet }) => {
        quiet.allow(/status of 422/);
        await page.emulateMedia(media);
        await page.setViewportSize({ width, height: 800 });
        await page.goto(porchlight.demo);
        await checkAll(page, widget);
      });
    }

    test.describe("in Arabic", () => {
      test.use({ locale: "ar" });

      test(`on a page from right to left, ${width} px`, async ({ page, host, widget, quiet }) => {
        quiet.allow(/status of 422/);
        await page.setViewportSize({ width, height: 800 });
        await page.goto(host.page({ html: 'lang="ar" dir="rtl"', body: "<main><h1>صفحة عميل</h1><p>مرحبًا.</p></main>" }));
        await checkAll(page, widget);
        await expect(widget.frame.locator("html")).toHaveAttribute("lang", "ar");
        await expect(widget.frame.locator("html")).toHaveAttribute("dir", "rtl");
        const side = await widget.closeButton.boundingBox();
        expect(side?.x, "what stands at the end stands left").toBeLessThan(width / 2);
      });
    });
  }
});

/** Presses Tab, or Shift+Tab, until something has the focus. */
async function tabTo(page: Page, target: Locator, key = "Tab"): Promise<void> {
  for (let press = 0; press < 12; press += 1) {
    await page.keyboard.press(key);
    if (await target.evaluate((element) => element.ownerDocument.hasFocus() && (element.getRootNode() as Document | ShadowRoot).activeElement === element)) return;
  }
  await expect(target, `reached by ${key}`).toBeFocused();
}

test.describe("by keyboard alone", () => {
  for (const width of [1280, 375]) {
    test(`the whole journey, ${width} px`, async ({ page, host, porchlight, widget, quiet }) => {
      quiet.allow(/status of 422/);
      await page.setViewportSize({ width, height: 800 });
      await page.goto(host.page());
      await expect(widget.launcher).toBeVisible();
      const keys = page.keyboard;

      await tabTo(page, widget.launcher);
      await keys.press("Enter");
      await widget.connected();
      await expect(widget.host.locator("iframe"), "the focus goes into the panel").toBeFocused();
      await tabTo(page, widget.choice(TOPICS[1]));
      await keys.press("Enter");

      await expect(widget.field).toBeFocused();
      await keys.type("ada@");
      await keys.press("Enter");
      await expect(widget.problem).not.toBeEmpty();
      await expect(widget.field).toBeFocused();
      await keys.press("ControlOrMeta+A");
      await keys.type(EMAIL);
      await keys.press("Enter");

      await expect(widget.field).toHaveAttribute("type", "tel");
      await expect(widget.field).toBeFocused();
      await tabTo(page, widget.country, "Shift+Tab");
      await keys.type("Germany");
      await expect(widget.country).toHaveValue("DE");
      await tabTo(page, widget.field);
      await keys.type(PHONE);
      await keys.press("Enter");
      await expect(widget.visitor.last()).toContainText(PHONE_E164);
      await expect(widget.ended).toBeFocused();

      await keys.press("Escape");
      await expect(widget.panel).toBeHidden();
      await expect(widget.launcher).toBeFocused();
      await expectTold(page, porchlight, [
        ...["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked"],
        ...["conversation.engaged", "input.email", "input.phone", "conversation.completed"],
      ]);
    });

    test(`Escape closes from anywhere in the panel, and Enter opens it again, ${width} px`, async ({ page, host, widget }) => {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(host.page());
      await widget.open();
      await widget.choose();
      await page.keyboard.type("ada@exam");
      await page.keyboard.press("Escape");
      await expect(widget.panel).toBeHidden();
      await expect(widget.launcher).toBeFocused();
      await page.keyboard.press("Enter");
      await expect(widget.panel).toBeVisible();
      await expect(widget.field).toBeFocused();
      await expect(widget.field).toHaveValue("ada@exam");
      await tabTo(page, widget.closeButton, "Shift+Tab");
      await page.keyboard.press("Escape");
      await expect(widget.panel).toBeHidden();
      await expect(widget.launcher).toBeFocused();
    });

    test(`the close button gives the focus back to the launcher, ${width} px`, async ({ page, host, widget }) => {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(host.page());
      await widget.open();
      await tabTo(page, widget.closeButton, "Shift+Tab");
      await page.keyboard.press("Space");
      await expect(widget.panel).toBeHidden();
      await expect(widget.launcher).toBeFocused();
    });
  }

  test("the focus is not caught in the panel", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await tabTo(page, widget.choices.last());
    await tabTo(page, widget.launcher);
    await tabTo(page, widget.choices.last(), "Shift+Tab");
  });

  // As wide as a phone is also a window on a desk, zoomed in.
  test("the focus does not go behind a panel that covers the page", async ({ page, host, widget }) => {
    await page.setViewportSize({ width: 375, height: 700 });
    await page.goto(host.page());
    await widget.open();
    const behind: string[] = [];
    for (let press = 0; press < 15; press += 1) {
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

  for (const forcedColors of ["none", "active"] as const) {
    test(`what has the focus shows it, forced colours: ${forcedColors}`, async ({ page, host, widget }) => {
      await page.emulateMedia({ forcedColors, reducedMotion: "reduce" });
      await page.goto(host.page());
      await expect(widget.launcher).toBeVisible();
      /** What is painted around a control; around a field stands its frame. */
      const ring = (control: Locator): Promise<string> =>
        control.evaluate((element) => {
          const parts = element.matches("input, select") ? [element, element.closest(".field") ?? element] : [element];
          const painted = ({ outline, outlineStyle, boxShadow, border, borderTopWidth }: CSSStyleDeclaration): string =>
            [outlineStyle === "none" ? "" : outline, boxShadow, borderTopWidth === "0px" ? "" : border].join("; ");
          return parts.map((part) => painted(getComputedStyle(part))).join(" | ");
        });
      const unfocused = await ring(widget.launcher);
      await tabTo(page, widget.launcher);
      expect.soft(await ring(widget.launcher), "the launcher").not.toBe(unfocused);
      await page.keyboard.press("Enter");
      await widget.connected();

      /** Goes through controls one by one, each with the focus and without it. */
      const check = async (controls: Locator[]): Promise<void> => {
        const rings: string[] = [];
        await widget.log.focus();
        for (const control of controls) rings.push(await ring(control));
        for (const [index, control] of controls.entries()) {
          await tabTo(page, control, index ? "Tab" : "Shift+Tab");
          if (!index) await tabTo(page, control);
          expect.soft(await ring(control), await control.evaluate((element) => element.outerHTML.slice(0, 60))).not.toBe(rings[index]);
        }
      };
      await check([widget.choices.first(), widget.choices.last()]);
      await widget.choose();
      await check([widget.field, widget.send]);
      await widget.giveEmail();
      await check([widget.country, widget.field, widget.send, widget.skip]);
    });
  }

  test("a field with an error differs from one without, also with forced colours", async ({ page, host, widget, quiet }) => {
    quiet.allow(/status of 422/);
    await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    const frame = (): Promise<string> =>
      widget.field.evaluate((field) => {
        const { border, outline, outlineStyle } = getComputedStyle(field.closest(".field") ?? field);
        return `${border}; ${outlineStyle === "none" ? "" : outline}`;
      });
    await expect(widget.field).toBeFocused();
    const right = await frame();
    await widget.field.fill("ada@");
    await widget.send.click();
    await expect(widget.problem).not.toBeEmpty();
    await expect(widget.field).toBeFocused();
    expect(await frame()).not.toBe(right);
  });
});

test.describe("the transcript", () => {
  test("is a log with a name, and says who speaks", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await widget.choose();
    await expect(widget.frame.getByRole("log", { name: "Conversation", exact: true })).toBeVisible();
    await expect(widget.frame.getByRole("log")).toHaveCount(1);
    expect(await widget.transcript()).toEqual([
      expect.stringMatching(/^We said: Hello!/),
      "We said: What brings you here?",
      `You said: ${TOPICS[0]}`,
      expect.stringMatching(/^We said: Lovely\./),
      expect.stringMatching(/^We said: Where may we write to you\?/),
    ]);
  });

  test("announces what is new, and nothing that was there", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    await expect(widget.bubbles).toHaveCount(2);
    await widget.log.evaluate((log) => {
      const all = window as unknown as { added: string[]; removed: string[]; changed: number };
      Object.assign(all, { added: [], removed: [], changed: 0 });
      for (const bubble of log.querySelectorAll("[data-author]")) Object.assign(bubble, { wasHere: true });
      const author = (node: Node): string[] => (node instanceof HTMLElement && node.dataset.author ? [node.dataset.author] : []);
      new MutationObserver((records) => {
        for (const { type, target, addedNodes, removedNodes } of records) {
          all.added.push(...[...addedNodes].flatMap(author));
          all.removed.push(...[...removedNodes].flatMap(author));
          if (type === "characterData" || (target instanceof Element && target.closest("[data-author]"))) all.changed += 1;
        }
      }).observe(log, { childList: true, characterData: true, attributes: true, subtree: true });
    });
    await widget.choose();
    await expect(widget.bubbles).toHaveCount(5);
    const seen = await widget.log.evaluate((log) => {
      const { added, removed, changed } = window as unknown as { added: string[]; removed: string[]; changed: number };
      const kept = [...log.querySelectorAll("[data-author]")].map((bubble) => "wasHere" in bubble);
      return { added, removed, changed, kept };
    });
    expect(seen).toEqual({ added: ["visitor", "bot", "bot"], removed: [], changed: 0, kept: [true, true, false, false, false] });
    for (const attribute of ["aria-live", "aria-relevant", "aria-atomic"]) {
      expect(["polite", "additions", "false", null], `${attribute} says no other than the role`).toContain(await widget.log.getAttribute(attribute));
    }
  });

  test("says that an answer is on its way", async ({ page, host, widget }) => {
    await page.goto(host.page());
    await widget.open();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/widget/v1/answers", async (route) => {
      await held;
      await route.continue();
    });
    await widget.choices.first().click();
    await expect(widget.log.getByText("Sending…")).toBeVisible();
    await expect(widget.frame.locator("[aria-busy=true]")).toHaveCount(1);
    release();
    await expect(widget.field).toBeVisible();
    await expect(widget.log.getByText("Sending…")).toBeHidden();
  });
});

test.describe("touch targets are at least 44 px", () => {
  for (const width of [1280, 320]) {
    test(`${width} px`, async ({ page, host, widget }) => {
      await page.setViewportSize({ width, height: 700 });
      await page.goto(host.page());
      await expect(widget.launcher).toBeVisible();
      const check = async (targets: Locator): Promise<void> => {
        for (const target of await targets.all()) {
          const box = await target.boundingBox();
          const name = await target.evaluate((element) => element.outerHTML.slice(0, 90));
          // Boxes come as 32-bit fractions: 43.999998 is 44.
          expect.soft(Math.round(Math.min(box?.width ?? 0, box?.height ?? 0) * 1000) / 1000, name).toBeGreaterThanOrEqual(44);
        }
      };
      const controls = widget.frame.locator("button:visible, select:visible, input:not([type=hidden]):visible, a:visible");
      await check(widget.launcher);
      await widget.open();
      await check(widget.closeButton);
      // The link about privacy is one of them.
      await expect(controls).toHaveCount(4);
      await check(controls);
      await widget.choose();
      await expect(controls).toHaveCount(3);
      await check(controls);
      await widget.giveEmail();
      await expect(controls).toHaveCount(5);
      await check(controls);
    });
  }
});

test.describe("motion", () => {
  /** The animations under way in the launcher, around the panel and in it. */
  const animations = async (page: Page, widget: Widget): Promise<string[]> => {
    const around = await page.evaluate(() => [
      ...document.getAnimations().map(String),
      ...(document.querySelector("#porchlight")?.shadowRoot?.getAnimations() ?? []).map(String),
    ]);
    return [...around, ...(await widget.frame.locator("html").evaluate(() => document.getAnimations().map(String)))];
  };

  for (const reducedMotion of ["reduce", "no-preference"] as const) {
    test(`${reducedMotion === "reduce" ? "is none" : "is little"} with prefers-reduced-motion: ${reducedMotion}`, async ({ page, host, widget }) => {
      await page.emulateMedia({ reducedMotion });
      await page.goto(host.page());
      await widget.open();
      await page.route("**/widget/v1/answers", () => {});
      await widget.choices.first().click();
      await expect(widget.log.getByText("Sending…")).toBeVisible();
      // The dots that say so are the only thing that moves for longer than a moment.
      await expect.poll(async () => (await animations(page, widget)).length).toBe(reducedMotion === "reduce" ? 0 : 3);
      const names = await page.evaluate(() =>
        [...(document.querySelector("#porchlight")?.shadowRoot?.querySelectorAll("*") ?? [])].map((element) => getComputedStyle(element).animationName),
      );
      expect(names.some((name) => name !== "none")).toBe(reducedMotion !== "reduce");
    });
  }
});

test("what the page hears does not depend on how the visitor answers", async ({ page, host, widget }) => {
  await page.goto(host.page());
  await expect(widget.launcher).toBeVisible();
  await widget.launcher.focus();
  await page.keyboard.press("Space");
  await widget.connected();
  await tabTo(page, widget.choices.first());
  await page.keyboard.press("Space");
  await expect(widget.field).toBeFocused();
  await expect.poll(() => heard(page).types()).toEqual([
    ...["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked", "conversation.engaged"],
  ]);
});

const UIS = ["chatbot", "popup", "inline"] as const;
type Ui = (typeof UIS)[number];

/** The same in an element of the page. */
class Inline extends Widget {
  override get frame(): FrameLocator {
    return this.page.frameLocator("[data-porchlight] iframe");
  }
}

const choices = [{ label: { en: "City", ar: "مدينة" }, value: "city" }, { label: { en: "Cargo", ar: "شحن" }, value: "cargo" }];
const said = (en: string, ar: string): { en: string; ar: string } => ({ en, ar });
/** A conversation with every card that has controls of its own. */
const cards = [
  { id: "hello", card: "message", text: said("**Hello**, see [our shop](https://shop.example) and `code`.", "**مرحبًا**، انظر [متجرنا](https://shop.example).") },
  { id: "kind", card: "question", style: "list", text: said("What kind?", "أي نوع؟"), choices },
  { id: "several", card: "question", style: "multiple", text: said("Which ones?", "أي منها؟"), choices },
  { id: "wish", card: "capture", field: "text", attribute: "wish", text: said("A wish?", "أمنية؟") },
  { id: "guide", card: "document", text: said("Have a look.", "ألق نظرة."), title: said("Size guide", "دليل المقاسات"), file: "guide.pdf" },
  { id: "end", card: "end", text: said("Goodbye.", "إلى اللقاء.") },
];

/** Publishes a conversation for a UI, and goes to a page of its site, on which it is to be opened; waits for nothing. */
async function visit(page: Page, porchlight: Porchlight, host: Host, ui: Ui, all: Record<string, unknown>[] = cards): Promise<Widget> {
  const type = ui === "chatbot" ? "dialogue" : "conversationFlow";
  const poke = ui === "chatbot" ? { poke: said("Need a hand?", "هل تحتاج مساعدة؟") } : {};
  const site = await makeSite(porchlight, [{ id: "talk", type, ui, typingDelay: 0, back: true, restart: true, cards: all, ...poke }]);
  const rtl = await page.evaluate(() => navigator.language === "ar");
  const body = {
    chatbot: `<main><h1>Bikes</h1></main>`,
    popup: `<main><h1>Bikes</h1><button type="button" data-porchlight-start="talk">Ride</button></main>`,
    inline: `<main><h1>Bikes</h1><button type="button">Before</button><div data-porchlight="talk"></div><button type="button">After</button></main>`,
  };
  await page.goto(host.page({ tag: { "data-site": site.key }, body: body[ui], html: rtl ? 'lang="ar" dir="rtl"' : undefined }));
  return ui === "inline" ? new Inline(page) : new Widget(page);
}

test.describe("axe-core finds nothing in any card", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" }, viewport: { width: 320, height: 640 } });

  for (const ui of UIS) {
    for (const [locale, direction] of [["en-GB", "from left to right"], ["ar", "from right to left"]]) {
      test.describe(direction, () => {
        test.use({ locale });

        test(`${ui}, ${direction}, in each look`, async ({ page, porchlight, host, quiet }) => {
          test.slow();
          quiet.allow(/status of 422/);
          const widget = await visit(page, porchlight, host, ui);
          const check = async (state: string, panel = true): Promise<void> => {
            for (const { name, media } of LOOKS) {
              await page.emulateMedia({ colorScheme: "light", forcedColors: "none", ...media });
              await test.step(`${state}, ${name}`, async () => expect.soft(await violations(page, panel), `${state}, ${name}`).toEqual([]));
            }
          };
          if (ui === "chatbot") {
            await expect(page.locator("#porchlight .say")).toBeVisible();
            await check("a line beside the launcher", false);
            await widget.launcher.click();
          }
          if (ui === "popup") await page.locator("[data-porchlight-start]").click();
          await expect(widget.choices).toHaveCount(2);
          await widget.connected();
          await check("list");
          await widget.choices.first().click();
          const ticks = widget.card.getByRole("checkbox");
          await expect(ticks).toHaveCount(2);
          await widget.card.locator(".go-on").click();
          await expect(widget.problem).not.toBeEmpty();
          await check("several, with an error");
          await ticks.first().check();
          await widget.card.locator(".go-on").click();
          await widget.send.click();
          await expect(widget.problem).not.toBeEmpty();
          await check("text, with an error");
          await widget.field.fill("A bell");
          await widget.send.click();
          await widget.card.locator("[value=opened]").click();
          await expect(widget.card.locator("iframe")).toBeVisible();
          await check("document");
          await widget.card.locator(".go-on").click();
          await expect(widget.ended).toBeVisible();
          await check("end");
        });
      });
    }
  }
});

test.describe("by keyboard alone, every card", () => {
  const all = [
    ...cards.slice(1, 4),
    { id: "seats", card: "capture", field: "number", attribute: "seats", text: "How many?" },
    { id: "day", card: "capture", field: "date", attribute: "day", text: "When?" },
    { id: "size", card: "capture", field: "pickList", attribute: "size", text: "Which size?", choices: [{ label: "Small" }, { label: "Large" }] },
    ...cards.slice(4),
  ];

  for (const ui of UIS) {
    test(ui, async ({ page, porchlight, host, quiet }) => {
      quiet.allow(/status of 422/);
      const widget = await visit(page, porchlight, host, ui, all);
      const keys = page.keyboard;
      const press = async (target: Locator, key: string, by = "Tab"): Promise<void> => {
        await tabTo(page, target, by);
        await keys.press(key);
      };
      if (ui === "chatbot") {
        await expect(widget.launcher).toBeVisible();
        await press(widget.launcher, "Enter");
      } else if (ui === "popup") {
        await expect.poll(() => heard(page).types()).toEqual(["widget.loaded"]);
        await press(page.getByRole("button", { name: "Ride" }), "Enter");
      }
      await expect(widget.choices).toHaveCount(2);
      await widget.connected();
      if (ui === "inline") {
        await page.getByRole("button", { name: "Before" }).focus();
      }
      await press(widget.choice("Cargo"), "Enter");
      const back = widget.card.getByRole("button", { name: "Back" });
      const ticks = widget.card.getByRole("checkbox");
      await expect(ticks.first(), "the focus goes to the next card").toBeFocused();
      await press(back, "Enter");
      await expect(widget.choices).toHaveCount(2);
      await expect(widget.choices.first()).toBeFocused();
      await keys.press("Enter");
      await expect(ticks.first()).toBeFocused();
      await keys.press("Tab");
      await keys.press("Space");
      await expect(ticks.last()).toBeChecked();
      await keys.press("Tab");
      await expect(widget.card.getByRole("button", { name: "Continue" })).toBeFocused();
      await keys.press("Enter");

      await expect(widget.field).toBeFocused();
      await press(widget.send, "Enter");
      await expect(widget.problem).not.toBeEmpty();
      await expect(widget.field).toBeFocused();
      await keys.type("A bell");
      // Enter begins a new line there.
      await keys.press("Enter");
      await keys.type("and whistles");
      await press(widget.send, "Enter");
      await expect(widget.visitor.last()).toContainText("A bell and whistles");

      await expect(widget.field).toHaveAttribute("type", "number");
      await expect(widget.field).toBeFocused();
      await keys.type("12.5");
      await keys.press("Enter");
      await expect(widget.field).toHaveAttribute("type", "date");
      await expect(widget.field).toBeFocused();
      // In which order its parts stand depends on the browser’s language.
      for (const part of ["ArrowUp", "ArrowRight", "ArrowUp", "ArrowRight", "ArrowUp"]) await keys.press(part);
      await expect(widget.field).toHaveValue(/^\d{4}-\d\d-\d\d$/);
      await keys.press("Enter");
      await expect(widget.card.locator("select")).toBeFocused();
      await keys.type("La");
      await press(widget.send, "Enter");

      const button = (name: string): Locator => widget.card.getByRole("button", { name, exact: true });
      await expect(button("Open document")).toBeFocused();
      await keys.press("Enter");
      await expect(widget.card.locator("iframe")).toBeVisible();
      await expect(button("Close document")).toBeFocused();
      await keys.press("Enter");
      await expect(widget.card.locator("iframe")).toHaveCount(0);
      await press(button("Continue"), "Enter");
      await expect(widget.ended).toBeFocused();
      expect(await widget.visitor.allInnerTexts()).toHaveLength(7);
      if (ui === "inline") {
        await tabTo(page, page.getByRole("button", { name: "After" }));
        return;
      }
      await keys.press("Escape");
      await expect(widget.host.locator("dialog:visible")).toHaveCount(0);
      await expect(ui === "popup" ? page.getByRole("button", { name: "Ride" }) : widget.launcher).toBeFocused();
    });
  }

  test("the line beside the launcher is read and put away", async ({ page, porchlight, host }) => {
    const widget = await visit(page, porchlight, host, "chatbot");
    await expect(page.locator("#porchlight .say")).toBeVisible();
    await tabTo(page, widget.launcher);
    await tabTo(page, page.locator("#porchlight .say"));
    await tabTo(page, page.getByRole("button", { name: "Dismiss message" }));
    await page.keyboard.press("Enter");
    await expect(widget.launcher).toBeFocused();
    await page.keyboard.press("Enter");
    await widget.connected();
    await tabTo(page, page.getByRole("button", { name: "Minimise chat" }), "Shift+Tab");
    await page.keyboard.press("Enter");
    await expect(widget.launcher).toBeFocused();
  });
});

test.describe("touch targets of every card are at least 44 px", () => {
  for (const ui of UIS) {
    test(ui, async ({ page, porchlight, host, quiet }) => {
      quiet.allow(/status of 422/);
      await page.emulateMedia({ reducedMotion: "reduce" });
      await page.setViewportSize({ width: 320, height: 640 });
      const more = [{ id: "size", card: "capture", field: "pickList", attribute: "size", text: "Which?", optional: true, choices: [{ label: "S" }, { label: "L" }] }];
      const widget = await visit(page, porchlight, host, ui, [...cards.slice(0, 5), ...more, cards[5]]);
      // A box to tick is as large as its label; a link in a sentence is as high as the sentence.
      const inPanel = widget.frame.locator("button:visible, select:visible, textarea:visible, input:not([type=hidden], [type=checkbox]):visible, .tick:visible");
      const check = async (state: string, around: string, least: number): Promise<void> => {
        const all = [...(await page.locator(`#porchlight :is(${around})`).all()), ...(await inPanel.all())];
        expect(all.length, state).toBeGreaterThanOrEqual(least);
        for (const target of all) {
          const box = await target.boundingBox();
          const name = `${state}: ${await target.evaluate((element) => element.outerHTML.slice(0, 90))}`;
          expect.soft(Math.round(Math.min(box?.width ?? 0, box?.height ?? 0) * 1000) / 1000, name).toBeGreaterThanOrEqual(44);
        }
      };
      if (ui === "chatbot") {
        await expect(page.locator("#porchlight .say")).toBeVisible();
        for (const target of await page.locator("#porchlight :is(.say, .dismiss, .launcher)").all()) {
          const box = await target.boundingBox();
          expect.soft(Math.min(box?.width ?? 0, box?.height ?? 0), await target.evaluate((element) => element.className)).toBeGreaterThanOrEqual(44);
        }
        await widget.launcher.click();
      }
      if (ui === "popup") await page.locator("[data-porchlight-start]").click();
      await expect(widget.choices).toHaveCount(2);
      await widget.connected();
      const around = { chatbot: ".close, .minimise", popup: ".close", inline: ".none" }[ui];
      const own = { chatbot: 2, popup: 1, inline: 0 }[ui];
      await check("list", around, own + 2);
      await widget.choices.first().click();
      await expect(widget.card.getByRole("checkbox")).toHaveCount(2);
      await check("several", around, own + 5);
      await widget.card.locator(".tick").first().click();
      await widget.card.locator(".go-on").click();
      await expect(widget.field).toBeVisible();
      await check("text", around, own + 4);
      await widget.field.fill("A bell");
      await widget.send.click();
      await widget.card.locator("[value=opened]").click();
      await expect(widget.card.locator("iframe")).toBeVisible();
      await check("document", around, own + 5);
      await widget.card.locator(".go-on").click();
      await expect(widget.field).toBeVisible();
      await check("pick list", around, own + 5);
      await widget.skip.click();
      await expect(widget.ended).toBeVisible();
      await check("end", around, own + 1);
    });
  }
});
