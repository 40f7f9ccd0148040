// The numbers: what visitors do is seen by who may see it, on screen, on paper and as CSV.

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { EMAIL, Widget, expect, test } from "../fixtures";
import { agentOf, close } from "../support/agent";
import { expectAccessible, expectFits } from "../support/looks";
import { recordIn } from "../support/recorder";
import { type Authored, makeSite } from "../support/site";

const LONG = "A-name-that-nobody-would-give-to-anything-and-that-is-given-all-the-same-because-it-may-be-";

const WELCOME: Authored = {
  id: "welcome",
  name: LONG,
  typingDelay: 0,
  cards: [
    { id: "hello", card: "message", text: "Hello!" },
    { id: "mail", card: "capture", field: "email", text: "Where may we **write** to you?" },
    { id: "end", card: "end", text: "Thank you." },
  ],
};

const tile = (page: Page, label: string) => page.locator(".tile").filter({ has: page.locator("dt", { hasText: new RegExp(`^${label}$`) }) });

test("a conversation is in the figures, the chart, the tables, its funnel and the CSV", async ({ page, browser, host, porchlight, widget }) => {
  test.slow();
  const site = await makeSite(porchlight, [WELCOME]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  await widget.field.fill(EMAIL);
  await widget.send.click();
  await expect(widget.ended).toBeVisible();
  // Another visitor comes and stays where they are asked.
  const context = await browser.newContext({ locale: "en-GB" });
  await recordIn(context, true);
  const other = new Widget(await context.newPage());
  await other.page.goto(host.page({ tag: { "data-site": site.key } }));
  await other.open();
  await expect(other.field).toBeVisible();
  await context.close();

  const author = await agentOf(browser, porchlight, site.key, "Ida", {}, "administrator");
  const desk = author.page;
  await desk.getByRole("link", { name: "Analytics" }).click();
  await expect(desk.getByRole("heading", { level: 1 })).toHaveText("Analytics");
  // An administrator has all sites, those of other tests included.
  await desk.getByLabel("Site").selectOption(site.key);
  await desk.getByRole("button", { name: "Show" }).click();
  for (const [label, value, share] of [
    ["Triggered", "2", ""],
    ["Engaged", "1", "50.0 % of triggered"],
    ["Completed", "1", "100.0 % of engaged"],
    ["People acquired", "1", "100.0 % of engaged"],
    ["New contacts", "1", ""],
  ]) {
    await expect(tile(desk, label).locator(".tile-value"), label).toHaveText(value);
    if (share) await expect(tile(desk, label)).toContainText(share);
  }
  const chart = desk.getByRole("img", { name: "By day" });
  await expect(chart).toBeVisible();
  await expect(chart).toHaveAccessibleDescription(/Triggered: 2, Engaged: 1/);
  await desk.getByText("The chart as a table").click();
  await expect(desk.locator("details.data tbody tr").last().locator("td"), "today").toHaveText(["2", "1", "1", "1"]);
  await expectAccessible(desk, "analytics");

  // A year is by month; what is asked for stays in the address.
  await desk.getByRole("link", { name: "12 months" }).click();
  await expect(desk.getByRole("img", { name: "By month" })).toBeVisible();
  await expect(desk.getByRole("link", { name: "12 months" })).toHaveAttribute("aria-current", "true");
  await desk.locator("section.card").getByRole("link", { name: "Acquired" }).first().click();
  await expect(desk).toHaveURL(/sort=acquired/);
  await expect(desk.getByRole("columnheader", { name: "Acquired" }).first()).toHaveAttribute("aria-sort", "descending");

  const [download] = await Promise.all([desk.waitForEvent("download"), desk.locator("section.card").filter({ hasText: "Conversations" }).getByRole("link", { name: "As CSV" }).click()]);
  expect(download.suggestedFilename()).toBe("analytics-conversation.csv");
  const [head, line] = readFileSync(await download.path(), "utf8").split("\r\n").map((row) => row.split(","));
  const cell = (name: string) => line[head.indexOf(name)];
  expect([cell("conversation"), cell("name"), cell("triggered"), cell("acquired"), cell("engagement_rate")]).toEqual(["welcome", LONG, "2", "1", "0.5000"]);

  await desk.getByRole("link", { name: LONG }).click();
  await expect(desk.getByRole("heading", { level: 1 })).toHaveText(LONG);
  const row = (card: string) => desk.getByRole("row").filter({ hasText: card });
  await expect(row("Message: Hello!").getByRole("cell")).toHaveText(["2", /100 %/, "–", /^0/]);
  await expect(row("Where may we write to you?").getByRole("cell")).toHaveText(["2", /100 %/, "1", /^1.*50\.0 %/]);
  await expect(row("End: Thank you.").getByRole("cell")).toHaveText(["1", /50 %/, "–", /^0/]);
  await expectAccessible(desk, "a funnel");
  expect(author.errors).toEqual([]);
  await close(author);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 375]) {
    test(`axe-core finds nothing and nothing scrolls sideways, ${colorScheme}, ${width} px`, async ({ page, browser, host, porchlight, widget }) => {
      test.slow();
      const site = await makeSite(porchlight, [WELCOME]);
      const options = { colorScheme, reducedMotion: "reduce", viewport: { width: 1280, height: 800 } };
      const author = await agentOf(browser, porchlight, site.key, "Ida", options, "administrator");
      const desk = author.page;
      await desk.setViewportSize({ width, height: 800 });
      await desk.goto(`${porchlight.origin}/console/analytics?site=${site.key}`);
      await expect(desk.locator(".empty")).toHaveText("Nothing was counted in this time.");
      await expectAccessible(desk, "nothing yet");
      await expectFits(desk, "nothing yet");
      await page.goto(host.page({ tag: { "data-site": site.key } }));
      await widget.open();
      await widget.field.fill(EMAIL);
      await widget.send.click();
      await expect(widget.ended).toBeVisible();
      await desk.reload();
      await expect(desk.locator("svg.chart")).toBeVisible();
      await desk.getByText("The chart as a table").click();
      await expectAccessible(desk, "figures");
      await expectFits(desk, "figures");
      await desk.getByRole("link", { name: LONG }).click();
      await expectAccessible(desk, "a funnel");
      await expectFits(desk, "a funnel");
      await close(author);
    });
  }
}

test("on paper there is what is shown, with its table, and nothing to press", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [WELCOME]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  const author = await agentOf(browser, porchlight, site.key, "Ida", {}, "administrator");
  const desk = author.page;
  await desk.goto(`${porchlight.origin}/console/analytics?site=${site.key}`);
  const cell = desk.locator("details.data tbody td").first();
  await expect(cell).not.toBeVisible();
  await desk.emulateMedia({ media: "print" });
  await expect(cell).toBeVisible();
  await expect(desk.locator("svg.chart")).toBeVisible();
  for (const pressed of [desk.locator("nav.nav"), desk.locator("form.card"), desk.locator("a", { hasText: "As CSV" }).first()]) await expect(pressed).not.toBeVisible();
  await close(author);
});
