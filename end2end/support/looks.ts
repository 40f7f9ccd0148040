// What every screen must be, whatever is on it: good to axe-core, and no wider than the window.

import { AxeBuilder } from "@axe-core/playwright";
import { type FrameLocator, type Locator, type Page, expect } from "@playwright/test";

/** axe-core finds nothing on the page, nor in the iframes that are on it. */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${JSON.stringify(target)} ${failureSummary}`));
  // Softly, so that one run tells all there is to mend.
  expect.soft(found, `axe-core: ${state}`).toEqual([]);
}

/** What a document has that is wider than its window. What scrolls within its own frame may be as wide as it likes. */
function tooWide(): { scrolls: boolean; out: string[] } {
  const { scrollWidth, clientWidth } = document.documentElement;
  const isWithinScroller = (element: Element): boolean => {
    for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(around).overflowX) && around.scrollWidth > around.clientWidth) return true;
    }
    return false;
  };
  const out = [...document.querySelectorAll<HTMLElement>("main, main *")].filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    return width > 1 && (left < -0.5 || right > clientWidth + 0.5) && !isWithinScroller(element);
  });
  return { scrolls: scrollWidth > clientWidth, out: out.map((element) => element.outerHTML.slice(0, 100)) };
}

/** Nothing scrolls sideways, and nothing sticks out. */
export async function expectFits(where: Page | FrameLocator, state: string): Promise<void> {
  const html: Locator = where.locator("html");
  expect.soft(await html.evaluate(tooWide), `as wide as the window: ${state}`).toEqual({ scrolls: false, out: [] });
}
