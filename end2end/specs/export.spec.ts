// The log taken along in the console: with script, which shows how far it is, and without.

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { type Porchlight, expect, test } from "../fixtures";
import { agentOf, close } from "../support/agent";
import { makeSite } from "../support/site";

/** So many visitors load a page of a site. */
async function visit(porchlight: Porchlight, site: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const body = JSON.stringify({ site, page: "http://127.0.0.1/", locale: "en-GB" });
    const answer = await fetch(`${porchlight.origin}/widget/v1/start`, { method: "POST", body });
    expect(answer.status).toBe(200);
  }
}

/** Chooses the site and the format. */
async function choose(page: Page, porchlight: Porchlight, site: string, format: string): Promise<void> {
  await page.goto(`${porchlight.origin}/console/export`);
  await page.getByLabel("Site").selectOption(site);
  await page.getByLabel("Format").selectOption(format);
}

/** Exports, and gives what is saved. */
async function save(page: Page): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export" }).click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}

/** The log of a site, as the API exports it. */
async function exported(porchlight: Porchlight, site: string, format: string): Promise<string> {
  const answer = await fetch(`${porchlight.origin}/api/v1/events/export?site=${site}&format=${format}`, { headers: { authorization: `Bearer ${porchlight.key}` } });
  return answer.text();
}

for (const javaScriptEnabled of [true, false]) {
  test(`the log is saved as a file, ${javaScriptEnabled ? "with" : "without"} script`, async ({ browser, porchlight }) => {
    const site = (await makeSite(porchlight, [])).key;
    await visit(porchlight, site, 3);
    const boss = await agentOf(browser, porchlight, site, "Boss", {}, "administrator");
    const context = await browser.newContext({ javaScriptEnabled, storageState: await boss.context.storageState() });
    const page = await context.newPage();
    for (const format of ["ndjson", "csv"]) {
      await choose(page, porchlight, site, format);
      if (javaScriptEnabled) await page.waitForLoadState("networkidle");
      const { name, text } = await save(page);
      expect(name).toMatch(new RegExp(`^porchlight-events-\\d{4}-\\d\\d-\\d\\d\\.${format}$`));
      expect(text).toBe(await exported(porchlight, site, format));
      if (javaScriptEnabled) await expect(page.getByRole("status")).toHaveText("3 events were saved.");
    }
    await context.close();
    expect(boss.errors).toEqual([]);
    await close(boss);
  });
}

test("an export shows how far it is, and can be cancelled", async ({ browser, porchlight }) => {
  const site = (await makeSite(porchlight, [])).key;
  await visit(porchlight, site, 1);
  const boss = await agentOf(browser, porchlight, site, "Boss", {}, "administrator");
  const { page } = boss;
  await choose(page, porchlight, site, "ndjson");
  await page.waitForLoadState("networkidle");
  // A file that never ends: the browser has the first of two events, and waits.
  await page.evaluate(() => {
    window.fetch = (_, init) => {
      const headers = { "porchlight-total": "2", "content-type": "application/x-ndjson" };
      const body = new ReadableStream({
        start(file) {
          file.enqueue(new TextEncoder().encode("{}\n"));
          init?.signal?.addEventListener("abort", () => file.error(new Error("cancelled")));
        },
      });
      return Promise.resolve(new Response(body, { headers }));
    };
  });
  await page.getByRole("button", { name: "Export" }).click();
  await expect(page.getByText("1 of 2 events")).toBeVisible();
  await expect(page.getByRole("progressbar")).toHaveAttribute("value", "1");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("status")).toHaveText("The export was cancelled; nothing was saved.");
  await expect(page.getByRole("progressbar")).toBeHidden();
  await expect(page.getByRole("button", { name: "Export" })).toBeEnabled();
  await close(boss);
});
