// The API as people meet it: the page that describes it, and the console's keys.

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { agentOf, close } from "../support/agent";
import { makeSite } from "../support/site";

/** Nothing that axe-core finds, and nothing that sticks out. */
async function expectGood(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${JSON.stringify(target)}`))).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
}

for (const [width, colorScheme] of [
  [1280, "light"],
  [375, "dark"],
] as const) {
  test(`the API is described by a page without script, ${colorScheme}, ${width} px`, async ({ page, porchlight }) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${porchlight.origin}/api`);
    await page.getByRole("navigation").getByRole("link", { name: "Publishes the draft of a conversation" }).click();
    const operation = page.getByRole("article").filter({ hasText: "/api/v1/sites/{site}/conversations/{id}/publish" });
    await expect(operation).toBeInViewport();
    await expect(operation.getByText("conversations:write")).toBeVisible();
    await expectGood(page);
    expect(asked.filter((path) => path !== "/favicon.ico")).toEqual(["/api"]);
  });
}

test("an administrator makes a key, tries it, and takes it back", async ({ browser, porchlight }) => {
  const site = await makeSite(porchlight, []);
  const boss = await agentOf(browser, porchlight, site.key, "Boss", {}, "administrator");
  const { page } = boss;
  await page.setViewportSize({ width: 375, height: 800 });
  await page.goto(`${porchlight.origin}/console`);
  await page.getByRole("link", { name: "API keys" }).click();
  // The server is that of other tests, too.
  const name = `Shop system ${site.key}`;
  await page.getByLabel("What it is for").fill(name);
  await page.getByLabel(/^sites:read/).check();
  await page.getByLabel(site.key, { exact: true }).check();
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = (await page.getByRole("status").locator("code").textContent()) ?? "";
  expect(key).toMatch(/^plk_/);
  await expectGood(page);
  const ask = async (path: string): Promise<number> => (await fetch(`${porchlight.origin}/api/v1/sites/${path}`, { headers: { authorization: `Bearer ${key}` } })).status;
  expect([await ask(site.key), await ask(`${site.key}/conversations`), await ask("demo")]).toEqual([200, 403, 404]);

  // The form is sent again, and makes no second key.
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("made already");
  const line = page.getByRole("listitem").filter({ hasText: name });
  await expect(line).toContainText(`…${key.slice(-4)}`);
  await expect(line.getByRole("button", { name: `Revoke the key ${name}` })).toBeHidden();
  await line.getByText("Revoke…").click();
  await line.getByRole("button", { name: `Revoke the key ${name}` }).click();
  await expect(line).toHaveCount(0);
  expect(await ask(site.key)).toBe(401);
  await close(boss);
});
