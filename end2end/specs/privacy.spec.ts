// Privacy as people meet it: an administrator finds, exports and erases a visitor; the panel says what becomes of what is given; some addresses are not taken.

import { readFileSync } from "node:fs";
import { type Porchlight, expect, test } from "../fixtures";
import { agentOf, close } from "../support/agent";
import { expectAccessible, expectFits } from "../support/looks";
import { type Authored, makeSite } from "../support/site";

const ASKS: Authored = {
  id: "asks",
  typingDelay: 0,
  cards: [
    { id: "mail", card: "capture", field: "email", text: { en: "Your address?", ar: "عنوانك؟" } },
    { id: "words", card: "capture", field: "text", attribute: "wish", text: { en: "Your wish?", ar: "أمنيتك؟" }, optional: true },
    { id: "end", card: "end", text: { en: "Goodbye.", ar: "وداعًا." } },
  ],
};

const ABOUT = {
  privacy_url: "https://shop.example/privacy",
  privacy_text: {
    en: "By using this chat you let us keep what you write, to answer you and to learn how we can answer better. We never sell it. Ask us, and we erase it.",
    ar: "باستخدام هذه المحادثة تسمح لنا بالاحتفاظ بما تكتبه لنرد عليك. لا نبيعه أبدًا.",
  },
};

let visitors = 0;
/** An address that no other test has. */
const address = (): string => `erase-${process.pid}-${++visitors}@example.com`;

const eventsOf = async (porchlight: Porchlight, site: string): Promise<Record<string, unknown>[]> => {
  const answer = await fetch(`${porchlight.origin}/api/v1/events?limit=1000&site=${site}`, { headers: { authorization: `Bearer ${porchlight.key}` } });
  return ((await answer.json()) as { events: Record<string, unknown>[] }).events;
};

test("a visitor is found, exported and erased", async ({ page, browser, host, porchlight, widget, quiet }) => {
  // The page that is still open belongs to nobody any more.
  quiet.allow(/status of 401/);
  const site = await makeSite(porchlight, [ASKS]);
  const email = address();
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  await widget.field.fill(email);
  await widget.send.click();
  await expect(widget.bot.last()).toContainText("Your wish?");

  const ada = await agentOf(browser, porchlight, site.key, "Ada", {}, "administrator");
  const office = ada.page;
  await office.getByRole("link", { name: "Visitors" }).click();
  await expectAccessible(office, "nobody is looked for");
  const find = async (): Promise<void> => {
    await office.getByRole("searchbox", { name: /^Who\?/ }).fill(email);
    await office.getByRole("button", { name: "Find" }).click();
  };
  await find();
  await expect(office.locator(".facts")).toContainText(email);
  await expectAccessible(office, "a visitor is found");

  const [download] = await Promise.all([office.waitForEvent("download"), office.getByRole("listitem").getByRole("link", { name: "Export" }).click()]);
  expect(download.suggestedFilename()).toMatch(/^visitor-[0-9a-f-]{36}\.json$/);
  const known = JSON.parse(readFileSync(await download.path(), "utf8")) as Record<string, unknown>;
  expect(known.attributes).toEqual([expect.objectContaining({ name: "email", value: email })]);
  expect(JSON.stringify(known.conversations)).toContain("Your address?");

  await office.getByRole("link", { name: "Erase…" }).click();
  await expect(office.getByRole("heading", { level: 1 })).toHaveText("Erase this visitor?");
  await expectAccessible(office, "before a visitor is erased");
  await office.setViewportSize({ width: 375, height: 700 });
  await expectFits(office, "before a visitor is erased");
  await office.getByRole("link", { name: "Keep" }).click();
  await expect(office.locator(".facts"), "there is a second step, and a way back").toContainText(email);
  await office.getByRole("link", { name: "Erase…" }).click();
  await office.getByRole("button", { name: "Erase for good" }).click();
  await expect(office.getByRole("status")).toContainText("Nothing is left of them in the server’s files.");
  await find();
  await expect(office.locator(".empty")).toHaveText("Nobody of that name is known.");

  // The log says that it was so, and not of whom.
  const events = await eventsOf(porchlight, site.key);
  expect(events.map(({ type }) => type)).toContain("input.email");
  expect(JSON.stringify(events)).not.toContain(email);
  await office.getByRole("link", { name: "Audit log" }).click();
  const entry = office.locator(".log > li").filter({ hasText: "visitor.erased" }).filter({ hasText: String(known.visitor) });
  await expect(entry).toContainText("Ada");
  await expectAccessible(office, "the audit log");
  await expectFits(office, "the audit log");

  // For the visitor all begins anew.
  await page.reload();
  await expect(widget.card).toBeVisible();
  await expect(widget.bot).toHaveText([/Your address\?$/]);
  expect(ada.errors).toEqual([]);
  await close(ada);
});

for (const [locale, colorScheme, says, link] of [
  ["en", "light", "By using this chat", "Privacy"],
  ["ar", "dark", "باستخدام هذه المحادثة", "الخصوصية"],
] as const) {
  test(`the panel's foot says what becomes of what is given, in ${locale} and ${colorScheme}`, async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [ASKS], ABOUT);
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 375, height: 667 });
    await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": locale } }));
    await widget.open();
    const foot = widget.frame.locator(".privacy");
    await expect(foot).toContainText(says);
    const leads = foot.getByRole("link", { name: link });
    await expect(leads).toHaveAttribute("href", ABOUT.privacy_url);
    await expect(leads).toHaveAttribute("target", "_blank");
    await expectAccessible(page, `the panel with its foot, ${locale}`);
    await expectFits(widget.frame, `the panel with its foot, ${locale}`);

    // It stays where it is while the conversation goes on above it.
    const before = await foot.boundingBox();
    await widget.field.fill("ada@example.com");
    await widget.send.click();
    await expect(widget.visitor).toHaveCount(1);
    await widget.skip.click();
    await expect(widget.ended).toBeVisible();
    expect(await foot.boundingBox()).toEqual(before);
    await expectAccessible(page, `the end with its foot, ${locale}`);
  });
}

test("a popup and a conversation in the page have it, too", async ({ page, host, porchlight }) => {
  const popup: Authored = { ...ASKS, id: "popup", type: "conversationFlow", ui: "popup" };
  const inline: Authored = { ...ASKS, id: "inline", type: "conversationFlow", ui: "inline" };
  const site = await makeSite(porchlight, [popup, inline], { privacy_url: ABOUT.privacy_url });
  const body = `<main><h1>Bikes</h1><div data-porchlight="inline"></div><button data-porchlight-start="popup">Ask</button></main>`;
  await page.setViewportSize({ width: 375, height: 667 });
  await page.goto(host.page({ body, tag: { "data-site": site.key } }));
  const foot = page.frameLocator("[data-porchlight] iframe").locator(".privacy");
  await expect(foot, "only the link was to be shown").toHaveText("Privacy");
  const panel = foot.locator("xpath=ancestor::main");
  const height = await panel.evaluate((panel) => panel.getBoundingClientRect().height);
  await expect.poll(async () => (await page.locator("[data-porchlight] .inline").boundingBox())?.height).toBeCloseTo(height, 0);
  await expectAccessible(page, "a conversation in the page with its foot");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.frameLocator("#porchlight iframe").locator(".privacy")).toHaveText("Privacy");
});

test("an address of a blocked provider is not taken, and says so at the field", async ({ page, host, porchlight, widget, quiet }) => {
  quiet.allow(/status of 422/);
  const site = await makeSite(porchlight, [ASKS], { blocked_email_domains: ["mailinator.com"] });
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  await widget.field.fill("ada@eu.mailinator.com");
  await widget.send.click();
  await expect(widget.problem).toHaveText("Please use another address, we do not accept this provider.");
  await expect(widget.field).toHaveValue("ada@eu.mailinator.com");
  await expectAccessible(page, "an address that is not taken");
  await widget.field.fill("ada@example.com");
  await widget.send.click();
  await expect(widget.bot.last()).toContainText("Your wish?");
});
