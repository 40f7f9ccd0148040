// What it looks like: pictures of every state, for people to look at, in results/look/.

import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { expect, test, type Widget } from "../fixtures";

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
  const box = await widget.panel.boundingBox();
  expect.soft(box?.x).toBeGreaterThanOrEqual(0);
  expect.soft(box?.y).toBeGreaterThanOrEqual(0);
  expect.soft((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
  expect.soft((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
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
