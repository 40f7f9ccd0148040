// What a live chat leaves behind: files, transcripts, messages for when nobody is there; and what a visitor hears and sees of it.

import { AxeBuilder } from "@axe-core/playwright";
import { readFileSync } from "node:fs";
import { TALK, asks, expect, heard, test } from "../fixtures";
import { accept, agentOf, close, write } from "../support/agent";
import { makeSite } from "../support/site";

/** A picture of one red dot. */
const DOT = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==", "base64");

test("both sides send files, and what is being written stays", async ({ page, browser, host, porchlight, widget, quiet }) => {
  quiet.allow(/status of 422/);
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  await widget.field.fill("Half a sen");
  await widget.sendFiles({ name: "my bike.png", mimeType: "image/png", buffer: DOT });
  const sent = widget.visitor.last().locator("a.sent-file");
  await expect(sent).toContainText("my bike.png");
  await expect(widget.field).toHaveValue("Half a sen");
  await expect(sent.locator("img")).toHaveJSProperty("naturalWidth", 1);
  await widget.field.press("End");
  await widget.field.pressSequentially("tence");
  await widget.field.press("Enter");
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/Half a sentence/);
  const got = ada.page.locator(".visitor-line a.sent-file");
  await expect(got.locator("img")).toHaveJSProperty("naturalWidth", 1);
  const download = ada.page.waitForEvent("download");
  await got.click();
  expect((await download).suggestedFilename()).toBe("my bike.png");
  expect(readFileSync(await (await download).path())).toEqual(DOT);

  await ada.page.locator(".composer [type=file]").setInputFiles({ name: "offer.txt", mimeType: "text/plain", buffer: Buffer.from("40 euros") });
  const received = widget.frame.locator("[data-author=agent] a.sent-file");
  await expect(received).toContainText("offer.txt");
  await expect(received.locator("img")).toHaveCount(0);

  // One upon the other, while what was sent before is still being told: each is shown once.
  await widget.sendFiles(...["one.txt", "two.txt", "three.txt"].map((name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(name) })));
  await expect(ada.page.locator(".visitor-line a.sent-file")).toHaveText(["my bike.png", "one.txt", "two.txt", "three.txt"]);
  await expect(widget.visitor.locator("a.sent-file")).toHaveText(["my bike.png", "one.txt", "two.txt", "three.txt"]);

  // While the visitor chooses, the chat goes on, and the card may be another.
  const choice = page.waitForEvent("filechooser");
  await widget.card.getByRole("button", { name: "Attach a file" }).click();
  const chooser = await choice;
  await widget.field.fill("Meanwhile");
  await widget.field.press("Enter");
  await expect(widget.visitor.last()).toContainText("Meanwhile");
  await chooser.setFiles({ name: "late.txt", mimeType: "text/plain", buffer: Buffer.from("late") });
  await expect(ada.page.locator(".visitor-line a.sent-file").last()).toHaveText("late.txt");

  // What is not taken is told, on either side, and the chat goes on.
  await widget.sendFiles({ name: "run.exe", mimeType: "image/png", buffer: Buffer.from("MZ") });
  await expect(widget.problem).toHaveText("Only pictures, PDF and text files can be sent.");
  await widget.sendFiles({ name: "big.txt", mimeType: "text/plain", buffer: Buffer.alloc(6_000_000, "x") });
  await expect(widget.problem).toHaveText("This file is larger than 5 MB.");
  await ada.page.locator(".composer [type=file]").setInputFiles({ name: "page.html", mimeType: "text/html", buffer: Buffer.from("<script>") });
  await expect(ada.page.locator(".offline[role=alert]")).toContainText("page.html was not sent: expected a PNG");
  await widget.field.fill("Still here");
  await widget.field.press("Enter");
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/Still here/);
  await expect.poll(async () => (await heard(page).types()).filter((type) => type === "message.sent").length).toBe(8);
  expect(await heard(page).violations()).toEqual([]);
  expect(ada.errors.filter((error) => !error.includes("422"))).toEqual([]);
  await close(ada);
});

test("a visitor has the transcript sent, and an agent, too", async ({ page, browser, host, porchlight, widget, quiet }) => {
  quiet.allow(/status of 422/);
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  await write(ada, "Forty euros");
  await expect(widget.frame.locator("[data-author=agent]")).toContainText("Forty euros");
  await widget.field.fill("being written");
  await widget.card.getByText("E-mail me the transcript").click();
  const address = widget.card.getByLabel("E-mail address");
  await address.fill("ada");
  await address.press("Enter");
  await expect(widget.problem).toContainText("Please enter an e-mail address");
  await expect(address).toHaveValue("ada");
  const to = `visitor-${site.key}@example.com`;
  await address.fill(to);
  await address.press("Enter");
  await expect(widget.card.locator(".said-so")).toHaveText(`The transcript is on its way to ${to}.`);
  await expect(widget.field).toHaveValue("being written");
  const mailsTo = (whom: string) => porchlight.mails().filter((mail) => mail.includes(`To: ${whom}`));
  await expect.poll(() => mailsTo(to).length).toBe(1);
  expect(mailsTo(to)[0]).toContain("Ada: Forty euros");

  await ada.page.getByLabel("E-mail address the transcript goes to").fill(`agent-${site.key}@example.com`);
  await ada.page.getByRole("button", { name: "E-mail", exact: true }).click();
  await expect(ada.page.getByText(`On its way to agent-${site.key}@example.com.`)).toBeVisible();
  await expect.poll(() => mailsTo(`agent-${site.key}@example.com`).length).toBe(1);
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("with nobody there, what the visitor leaves reaches the site and its agents", async ({ page, browser, host, porchlight, widget }) => {
  const offline = {
    ...TALK,
    cards: [
      TALK.cards[0],
      { ...TALK.cards[1], fallback: "mail", next: "end" },
      { id: "mail", card: "capture", field: "email", text: "Where may we write to?" },
      { id: "about", card: "capture", field: "text", attribute: "question", text: "What is it about?" },
      TALK.cards[2],
    ],
  };
  const site = await makeSite(porchlight, [offline], { missed_chats_to: "desk@example.com" });
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await expect(widget.bot.nth(1)).toContainText("Nobody is there right now.");
  const visitor = `left-${site.key}@example.com`;
  await widget.field.fill(visitor);
  await widget.field.press("Enter");
  await expect(widget.card).not.toContainText("E-mail address");
  await widget.field.fill("A bell");
  await widget.send.click();
  await expect(widget.bot.last()).toContainText("Thank you.");
  await expect.poll(() => porchlight.mails().filter((mail) => mail.includes("To: desk@example.com") && mail.includes(visitor)).length).toBe(1);

  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await ada.page.getByRole("button", { name: "Missed" }).click();
  await ada.page.locator(".row").filter({ hasText: visitor }).click();
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/A bell/);
  await close(ada);
});

test("the launcher goes home with the agents, if the site wants that, and who is in mid-conversation keeps it", async ({ page, context, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK], { launcher: { hide_when_away: true } });
  const address = host.page({ tag: { "data-site": site.key } });
  await page.goto(address);
  await expect.poll(() => heard(page).types()).toContain("widget.loaded");
  await expect(widget.launcher).toBeHidden();
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, address);
  await accept(ada);
  await ada.page.getByRole("button", { name: "Available" }).click();
  await expect(ada.page.getByRole("button", { name: "Away" })).toBeVisible();
  await page.goto(address);
  await expect(widget.frame.locator("[data-author=notice]")).toHaveText("Ada has joined the chat");
  const other = await browser.newContext();
  const elsewhere = await other.newPage();
  const begun = elsewhere.waitForResponse("**/widget/v1/start");
  await elsewhere.goto(address);
  await begun;
  await expect(elsewhere.locator("#porchlight .launcher")).toBeHidden();
  await Promise.all([other.close(), close(ada), context.close()]);
});

test("the sound of new messages is switched off and stays off", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  const address = host.page({ tag: { "data-site": site.key } });
  await page.addInitScript(() => {
    const counts = window as unknown as { sounds: number };
    counts.sounds = 0;
    const Real = window.AudioContext;
    window.AudioContext = class extends Real {
      createOscillator(): OscillatorNode {
        counts.sounds += 1;
        return super.createOscillator();
      }
    };
  });
  const sounds = async (): Promise<number> => {
    const frame = page.frames().find((frame) => frame.url().includes("/widget/panel"));
    return frame ? frame.evaluate(() => (window as unknown as { sounds: number }).sounds) : -1;
  };
  await asks(page, widget, address);
  await accept(ada);
  const sound = widget.card.getByRole("button", { name: "Sound" });
  await expect(sound).toHaveAttribute("aria-pressed", "true");
  const hears = async (text: string): Promise<void> => {
    await write(ada, text);
    await expect(widget.frame.locator("[data-author=agent]").last()).toContainText(text);
  };
  // Who writes in it looks at it.
  await widget.field.click();
  await hears("Seen as it comes");
  expect(await sounds()).toBe(0);
  await page.locator("h1").click();
  await hears("Heard");
  await expect.poll(sounds).toBe(1);
  await sound.click();
  await expect(sound).toHaveAttribute("aria-pressed", "false");
  await page.locator("h1").click();
  await hears("Not heard");
  expect(await sounds()).toBe(1);
  await page.goto(address);
  await expect(sound).toHaveAttribute("aria-pressed", "false");
  await close(ada);
});

test("a chat is handed to a team, and one of it takes over", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
  await accept(ada);
  const [grace, boss] = [await agentOf(browser, porchlight, site.key, "Grace"), await agentOf(browser, porchlight, site.key, "Boss", {}, "administrator")];
  await boss.page.goto(`${porchlight.origin}/console/teams`);
  const form = boss.page.locator("form").last();
  await form.getByLabel("Site").selectOption(site.key);
  await form.getByLabel("Key").fill("workshop");
  await form.getByLabel("Name", { exact: true }).fill("Workshop");
  await form.getByLabel("Members").fill(grace.email);
  await form.getByRole("button", { name: "Make it" }).click();
  await expect(boss.page.getByText("workshop").first()).toBeVisible();
  await ada.page.reload();
  await ada.page.getByRole("button", { name: "Transfer" }).click();
  await ada.page.locator(".menu-items").getByRole("button", { name: "Team Workshop" }).click();
  await accept(grace);
  await expect(widget.card).toContainText("Message to Grace");
  await close(ada, grace, boss);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe-core finds nothing in a chat with files and the field for a transcript, ${colorScheme}`, async ({ page, browser, host, porchlight, widget }) => {
    await page.emulateMedia({ colorScheme });
    const site = await makeSite(porchlight, [TALK]);
    const ada = await agentOf(browser, porchlight, site.key, "Ada", { colorScheme });
    await asks(page, widget, host.page({ tag: { "data-site": site.key } }));
    await accept(ada);
    await widget.sendFiles({ name: "my bike.png", mimeType: "image/png", buffer: DOT });
    await expect(ada.page.locator(".visitor-line a.sent-file")).toBeVisible();
    await widget.card.getByText("E-mail me the transcript").click();
    for (const side of [page, ada.page]) {
      const { violations } = await new AxeBuilder({ page: side }).analyze();
      expect(violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${target.join(" ")}`))).toEqual([]);
    }
    await close(ada);
  });
}
