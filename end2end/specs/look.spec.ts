// What it looks like: pictures of every state, for people to look at, in results/look/.

import { fileURLToPath } from "node:url";
import type { FrameLocator, Page } from "@playwright/test";
import { expect, test, Widget } from "../fixtures";
import { makeSite } from "../support/site";

const folder = fileURLToPath(new URL("../results/look/", import.meta.url));

const LOOKS = [
  { name: "light", colorScheme: "light", forcedColors: "none", locale: "en-GB" },
  { name: "dark", colorScheme: "dark", forcedColors: "none", locale: "en-GB" },
  { name: "forced", colorScheme: "dark", forcedColors: "active", locale: "en-GB" },
  { name: "arabic", colorScheme: "light", forcedColors: "none", locale: "ar" },
] as const;

const SIZES = [
  { width: 1280, height: 800 },
  { width: 375, height: 720 },
];

/** Nothing sticks out: the panel is within the window, and neither page nor panel scrolls sideways. */
async function fits(page: Page, widget: Widget): Promise<void> {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  // Softly, so that the pictures are taken all the same.
  if (await widget.panel.count()) {
    const box = await widget.panel.boundingBox();
    expect.soft(box?.x).toBeGreaterThanOrEqual(0);
    expect.soft(box?.y).toBeGreaterThanOrEqual(0);
    expect.soft((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    expect.soft((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
    const title = await widget.frame.locator("h1").boundingBox();
    for (const button of await widget.host.locator(".close:visible, .minimise:visible").all()) {
      const over = await button.boundingBox();
      const apart = title && over && (title.x + title.width <= over.x || over.x + over.width <= title.x);
      expect.soft(apart, "the title ends before the buttons").toBe(true);
    }
  }
  const sideways = (): { scrolls: boolean; out: string[] } => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const out = [...document.querySelectorAll<HTMLElement>(".log, .log *, #card, #card *")].filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 1 && (left < -0.5 || right > clientWidth + 0.5);
    });
    return { scrolls: scrollWidth > clientWidth, out: out.map((element) => element.outerHTML.slice(0, 80)) };
  };
  expect.soft(await page.evaluate(sideways), "the page").toEqual({ scrolls: false, out: [] });
  expect.soft(await widget.frame.locator("html").evaluate(sideways), "the panel").toEqual({ scrolls: false, out: [] });
}

for (const { name, colorScheme, forcedColors, locale } of LOOKS) {
  test.describe(name, () => {
    // A panel on its way is not where it will be.
    test.use({ colorScheme, locale, contextOptions: { forcedColors, reducedMotion: "reduce" } });

    for (const viewport of SIZES) {
      test(`${viewport.width} px`, async ({ page, porchlight, widget, quiet }) => {
        quiet.allow(/status of 422/);
        await page.setViewportSize(viewport);
        await page.goto(porchlight.demo);
        const picture = async (state: string): Promise<void> => {
          await page.screenshot({ path: `${folder}${name}-${viewport.width}-${state}.png`, animations: "disabled" });
        };
        await expect(widget.launcher).toBeVisible();
        await expect(widget.launcher).toBeInViewport({ ratio: 1 });
        await picture("1-launcher");
        await widget.open();
        await expect(widget.choices).toHaveCount(3);
        await fits(page, widget);
        await picture("2-choice");
        await widget.choose();
        await widget.field.fill("ada@");
        await widget.send.click();
        await expect(widget.problem).not.toBeEmpty();
        await fits(page, widget);
        await picture("3-error");
        await widget.giveEmail();
        await fits(page, widget);
        await expect(widget.bubbles.last()).toBeInViewport({ ratio: 1 });
        await picture("4-phone");
        await widget.givePhone();
        await fits(page, widget);
        await picture("5-end");
      });
    }
  });
}

/** The same in an element of the page. */
class Inline extends Widget {
  override get frame(): FrameLocator {
    return this.page.frameLocator("[data-porchlight] iframe");
  }
}

const said = (en: string, ar: string): { en: string; ar: string } => ({ en, ar });
const kinds = [
  { label: said("A city bike", "دراجة مدينة"), value: "city" },
  { label: said("A cargo bike, for children, shopping and whatever else has to come along every day", "دراجة شحن للأطفال والتسوق وكل ما يجب نقله كل يوم"), value: "cargo" },
  { label: said("I don’t know yet", "لا أعرف بعد"), value: "open" },
];

/** A conversation with every card that a visitor sees. */
const cards = [
  {
    id: "hello",
    card: "message",
    text: said(
      "**Hello!** I am a *program*, see [our shop](https://shop.example), and I know `WREN-4`.\nThis is a second line.",
      "**مرحبًا!** أنا *برنامج*، انظر [متجرنا](https://shop.example)، وأعرف `WREN-4`.\nهذا سطر ثان.",
    ),
  },
  { id: "buttons", card: "question", text: said("What brings you here?", "ما الذي أتى بك إلى هنا؟"), choices: kinds },
  { id: "list", card: "question", style: "list", text: said("Which one of these?", "أي واحدة من هذه؟"), choices: kinds },
  { id: "several", card: "question", style: "multiple", min: 2, text: said("And which two of these?", "وأي اثنتين من هذه؟"), choices: kinds },
  { id: "email", card: "capture", field: "email", text: said("Where may we write to you?", "إلى أين نكتب إليك؟") },
  { id: "phone", card: "capture", field: "phone", optional: true, text: said("Where may we call you?", "أين نتصل بك؟") },
  { id: "text", card: "capture", field: "text", attribute: "wish", label: said("What you wish for", "ما تتمناه"), text: said("What should it be like?", "كيف يجب أن تكون؟") },
  { id: "number", card: "capture", field: "number", attribute: "seats", text: said("How many?", "كم عددها؟") },
  { id: "date", card: "capture", field: "date", attribute: "day", text: said("When?", "متى؟") },
  { id: "pick", card: "capture", field: "pickList", attribute: "size", text: said("Which size?", "أي مقاس؟"), choices: kinds },
  { id: "document", card: "document", title: said("Size guide", "دليل المقاسات"), text: said("Have a look at this.", "ألق نظرة على هذا."), file: "guide.pdf" },
  { id: "end", card: "end", text: said("Thank you! Ride gently.", "شكرًا لك! قد بلطف.") },
];

/** Text around an element of the page, as somebody may meet it. */
const BODY = {
  en: "<h1>Marlow Bikes</h1><p>We build bicycles for people who ride every day, and mend them for as long as they last.</p>",
  ar: "<h1>دراجات مارلو</h1><p>نصنع دراجات لمن يركبها كل يوم.</p>",
};
const STYLE = "<style>body { margin: 0 auto; max-width: 640px; padding: 16px; font: 16px/1.5 system-ui } @media (prefers-color-scheme: dark) { body { background: #16151a; color: #eee } }</style>";

for (const { name, colorScheme, forcedColors, locale } of LOOKS) {
  for (const ui of ["chatbot", "popup", "inline"] as const) {
    test.describe(`every card, ${name}`, () => {
      test.use({ colorScheme, locale, contextOptions: { forcedColors, reducedMotion: "reduce" } });

      for (const viewport of SIZES) {
        test(`${ui}, ${viewport.width} px`, async ({ page, porchlight, host, quiet }) => {
          quiet.allow(/status of 422/);
          const language = locale === "ar" ? "ar" : "en";
          const poke = ui === "chatbot" ? { poke: said("Hello! Do you need a hand with the size of your bike?", "مرحبًا! هل تحتاج مساعدة في مقاس دراجتك؟") } : {};
          const type = ui === "inline" ? "conversationFlow" : "dialogue";
          const title = said("Marlow Bikes, makers and menders of bicycles since 1974", "دراجات مارلو، نصنع الدراجات ونصلحها منذ عام 1974");
          const site = await makeSite(porchlight, [{ id: "talk", type, ui, back: true, restart: true, cards, ...poke }], { title });
          const place = ui === "inline" ? `<div data-porchlight="talk"></div>` : "";
          await page.setViewportSize(viewport);
          await page.goto(
            host.page({
              tag: { "data-site": site.key },
              html: `lang="${language}" dir="${language === "ar" ? "rtl" : "ltr"}"`,
              head: STYLE,
              body: `<main>${BODY[language]}${place}<p>${language === "ar" ? "وما بعده." : "And what comes after it."}</p></main>`,
            }),
          );
          const widget = ui === "inline" ? new Inline(page) : new Widget(page);
          let number = 0;
          const picture = async (state: string, isOpen = true): Promise<void> => {
            if (isOpen) await fits(page, widget);
            number += 1;
            const path = `${folder}${name}-${viewport.width}-${ui}-${String(number).padStart(2, "0")}-${state}.png`;
            await page.screenshot({ path, animations: "disabled", fullPage: ui === "inline" });
          };
          const answer = async (value: string): Promise<void> => {
            await widget.field.fill(value);
            await widget.send.click();
          };

          if (ui === "chatbot") {
            await expect(page.locator("#porchlight .say")).toBeVisible();
            await picture("poke", false);
            await widget.launcher.click();
          }
          await expect(widget.choices).toHaveCount(3);
          await widget.connected();
          await picture("buttons");
          await widget.choices.first().click();
          await expect(widget.visitor).toHaveCount(1);
          await picture("list");
          await widget.choices.nth(1).click();
          await widget.card.getByRole("checkbox").first().check();
          await widget.card.locator(".go-on").click();
          await expect(widget.problem).not.toBeEmpty();
          await picture("several");
          await widget.card.getByRole("checkbox").last().check();
          await widget.card.locator(".go-on").click();
          await answer("ada@");
          await expect(widget.problem).not.toBeEmpty();
          await picture("email");
          await answer("ada@example.com");
          await expect(widget.country).toBeVisible();
          await picture("phone");
          await widget.skip.click();
          await expect(widget.card.locator("textarea")).toBeVisible();
          await widget.field.fill("Light enough to carry,\nstrong enough for two crates of apples,\nand green.");
          await picture("text");
          await widget.send.click();
          await expect(widget.card.locator("[type=number]")).toBeVisible();
          await picture("number");
          await answer("12.5");
          await expect(widget.card.locator("[type=date]")).toBeVisible();
          await picture("date");
          await answer("2026-11-21");
          await expect(widget.card.locator("select")).toBeVisible();
          await picture("pick-list");
          await widget.field.selectOption("cargo");
          await widget.send.click();
          await expect(widget.card.locator("[value=opened]")).toBeVisible();
          await picture("document");
          await widget.card.locator("[value=opened]").click();
          await expect(widget.card.locator("iframe")).toBeVisible();
          await picture("document-open");
          await widget.card.locator(".go-on").click();
          await expect(widget.ended).toBeVisible();
          await picture("end");
        });
      }
    });
  }
}
