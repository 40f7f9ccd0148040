// The keyboard, as those who have nothing else use it.

import { type Locator, type Page, expect } from "@playwright/test";

/** How often it is pressed before what is looked for counts as out of reach. */
const PRESSES = 20;

/** Presses Tab, or another key, until something has the focus. */
export async function tabTo(page: Page, target: Locator, key = "Tab"): Promise<void> {
  for (let press = 0; press < PRESSES; press += 1) {
    await page.keyboard.press(key);
    if (await target.evaluate((element) => element.ownerDocument.hasFocus() && (element.getRootNode() as Document | ShadowRoot).activeElement === element)) return;
  }
  await expect(target, `reached by ${key}`).toBeFocused();
}
