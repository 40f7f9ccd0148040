// What becomes of a live chat when somebody does not answer, goes, or the server is killed.

import { TALK, Widget, expect, forBrowser, heard, logOf, test as base } from "../fixtures";
import { type Agent, agentOf } from "../support/agent";
import { type Host, startHost } from "../support/host";
import { type Porchlight, startPorchlight } from "../support/porchlight";
import { makeSite } from "../support/site";

/** The shortest times there are, on a server of the tests' own. */
const TIMES = ["--chat-accept-seconds", "5", "--chat-dropped-seconds", "5", "--presence-grace-seconds", "20"];

const test = base.extend<object, { own: Porchlight; ownHost: Host }>({
  own: [
    async ({}, use) => {
      const own = await startPorchlight(...TIMES);
      await use(own);
      await own.stop();
    },
    { scope: "worker" },
  ],
  ownHost: [
    async ({ own }, use) => {
      const host = await startHost(own.origin);
      await use(host);
      await host.stop();
    },
    { scope: "worker" },
  ],
});

async function accept(agent: Agent): Promise<void> {
  await agent.page.locator(".offer").getByRole("button", { name: "Accept" }).click();
  await expect(agent.page.locator("#composer")).toBeVisible();
}

async function write(agent: Agent, text: string): Promise<void> {
  await agent.page.locator("#composer").fill(text);
  await agent.page.keyboard.press("Enter");
}

async function asks(widget: Widget): Promise<void> {
  await widget.open();
  await widget.choices.first().click();
}

/** The events of live chats on the page, once they are those of the server's log. */
async function eventsOf(page: Parameters<typeof heard>[0], own: Porchlight): Promise<string[]> {
  const [{ session }] = await heard(page).events();
  await expect.poll(async () => (await heard(page).events()).map(({ id }) => id)).toEqual((await logOf(own, session)).map(({ id }) => id));
  const log = await logOf(own, session);
  expect(await heard(page).events()).toEqual(log.map(forBrowser));
  return log.filter(({ type }) => type.startsWith("livechat.")).map(({ type, data }) => (data.reason ? `${type} ${data.reason}` : type));
}

test("who does not answer is passed over, and with nobody left the visitor is told", async ({ page, browser, own, ownHost, widget }) => {
  const site = await makeSite(own, [TALK]);
  const [ada, grace] = [await agentOf(browser, own, site.key, "Ada"), await agentOf(browser, own, site.key, "Grace")];
  await page.goto(ownHost.page({ tag: { "data-site": site.key } }));
  await asks(widget);
  const offers = [ada, grace].map(({ page }) => page.locator(".offer"));
  await expect.poll(async () => (await offers[0].count()) + (await offers[1].count())).toBe(1);
  const [first, second] = (await offers[0].count()) ? offers : [offers[1], offers[0]];
  await expect(second, "when the first lets it pass").toBeVisible({ timeout: 10_000 });
  await expect(first).toHaveCount(0);
  await second.getByRole("button", { name: "Decline" }).click();
  await expect(widget.log).toContainText("Nobody is there right now.");
  await expect(widget.bot.last()).toContainText("Thank you.");
  expect(await eventsOf(page, own)).toEqual(["livechat.requested", "livechat.timeout unanswered"]);
  await Promise.all([ada, grace].map(({ context }) => context.close()));
});

test("a visitor who goes and does not come back in time has left; who comes later sees how it ended", async ({ page, browser, own, ownHost, widget }) => {
  const site = await makeSite(own, [TALK]);
  const ada = await agentOf(browser, own, site.key, "Ada");
  const address = ownHost.page({ tag: { "data-site": site.key } });
  await page.goto(address);
  await asks(widget);
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  const [{ session }] = await heard(page).events();
  await page.goto("about:blank");
  await expect(ada.page.locator(".conversation")).toContainText("This chat has ended.", { timeout: 15_000 });
  const told = (await logOf(own, session)).filter(({ type }) => type.startsWith("livechat."));
  expect(told.map(({ type, data }) => data.reason ?? type)).toEqual(["livechat.requested", "livechat.initiated", "visitor_dropped"]);
  await page.goto(address);
  // It was open, and is again.
  await expect(widget.bot.last()).toContainText("Thank you.");
  expect((await heard(page).events()).filter(({ type }) => type === "livechat.timeout"), "the next page is told").toHaveLength(1);
  await widget.frame.getByRole("button", { name: "Start over" }).click();
  await widget.choices.first().click();
  await expect(ada.page.locator(".offer"), "and may ask again").toBeVisible();
  await ada.context.close();
});

test("the server is killed in the middle of a chat, and both sides go on", async ({ page, browser, own, ownHost, widget, quiet }) => {
  quiet.allow(/ERR_CONNECTION_REFUSED/, /WebSocket/, /ERR_EMPTY_RESPONSE/, /ERR_CONNECTION_RESET/);
  const site = await makeSite(own, [TALK]);
  const ada = await agentOf(browser, own, site.key, "Ada");
  await page.goto(ownHost.page({ tag: { "data-site": site.key } }));
  await asks(widget);
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  await write(ada, "Before");
  const agentsLines = widget.frame.locator("[data-author=agent]");
  await expect(agentsLines).toContainText("Before");
  const back = own.restart();
  await expect(ada.page.locator(".offline[role=status]")).toBeVisible();
  await ada.page.locator("#composer").fill("Meanwhile");
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.locator(".pending"), "kept, and marked").toContainText("Meanwhile");
  await back;
  await expect(agentsLines.last()).toContainText("Meanwhile", { timeout: 20_000 });
  await expect(ada.page.locator(".pending")).toHaveCount(0);
  await widget.field.fill("After");
  await widget.field.press("Enter");
  await expect(ada.page.locator(".visitor-line").last()).toHaveText(/After/);
  await ada.page.locator("#end").click();
  await ada.page.getByRole("button", { name: "End chat" }).click();
  await expect(widget.bot.last()).toContainText("Thank you.");
  expect(await eventsOf(page, own)).toEqual(["livechat.requested", "livechat.initiated", "livechat.ended"]);
  await ada.context.close();
});

test("an agent who goes offline finds what was written meanwhile", async ({ page, browser, own, ownHost, widget }) => {
  const site = await makeSite(own, [TALK]);
  const ada = await agentOf(browser, own, site.key, "Ada");
  await page.goto(ownHost.page({ tag: { "data-site": site.key } }));
  await asks(widget);
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  await ada.context.setOffline(true);
  await ada.page.goto("about:blank");
  await widget.field.fill("Are you there?");
  await widget.field.press("Enter");
  await expect(widget.visitor.last()).toContainText("Are you there?");
  await ada.context.setOffline(false);
  await ada.page.goto(`${own.origin}/console`);
  const row = ada.page.locator(".lists .row").first();
  await expect(row).toContainText("Are you there?");
  await row.click();
  await write(ada, "I am.");
  await expect(widget.frame.locator("[data-author=agent]").last()).toContainText("I am.");
  expect(ada.errors).toEqual([]);
  await ada.context.close();
});

test("a chat in which nobody does anything ends by itself, once", async ({ page, browser }) => {
  const own = await startPorchlight("--chat-idle-seconds", "5");
  const host = await startHost(own.origin);
  const site = await makeSite(own, [TALK]);
  const ada = await agentOf(browser, own, site.key, "Ada");
  const widget = new Widget(page);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await asks(widget);
  await ada.page.locator(".offer").getByRole("button", { name: "Accept" }).click();
  await expect(widget.frame.locator("[data-author=notice]").last(), "after a while").toHaveText("The chat ended after a long silence", { timeout: 15_000 });
  await expect(widget.bot.last()).toContainText("Thank you.");
  await expect(ada.page.locator(".conversation")).toContainText("This chat has ended.");
  expect(await eventsOf(page, own)).toEqual(["livechat.requested", "livechat.initiated", "livechat.timeout visitor_idle"]);
  await ada.context.close();
  await host.stop();
  await own.stop();
});

test("what cannot be sent is kept and marked, over a reload too, and is sent once, in its order", async ({ page, browser, own, ownHost, widget, quiet }) => {
  quiet.allow(/ERR_FAILED/, /status of 503/);
  const site = await makeSite(own, [TALK]);
  const ada = await agentOf(browser, own, site.key, "Ada");
  const address = ownHost.page({ tag: { "data-site": site.key } });
  await page.goto(address);
  await asks(widget);
  await ada.page.locator(".offer").getByRole("button", { name: "Accept" }).click();
  await expect(widget.card).toContainText("Message to Ada");
  const say = async (text: string): Promise<void> => {
    await widget.field.fill(text);
    await widget.field.press("Enter");
    await expect(widget.field).toHaveValue("");
  };
  const unsent = widget.frame.locator(".unsent");
  await page.route("**/widget/v1/answers", (route) => route.abort());
  await say("One <b>1</b>");
  await say("Two");
  await expect(unsent).toHaveText([/One <b>1<\/b>.*Not sent yet/s, /^Two/]);
  await page.unroute("**/widget/v1/answers");
  // A server that is busy is no better than none.
  await page.route("**/widget/v1/answers", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"code":"unavailable"}' }));
  await page.goto(address);
  await expect(unsent).toHaveText([/One.*Not sent yet/s, /^Two/]);
  await say("Three");
  await expect(unsent).toHaveCount(3);
  await page.unroute("**/widget/v1/answers");
  await expect(ada.page.locator(".visitor-line").last(), "tried again by itself").toHaveText(/Three/, { timeout: 20_000 });
  await expect(ada.page.locator(".visitor-line")).toHaveText([/A person, please/, /One <b>1<\/b>/, /Two/, /Three/]);
  await expect(unsent).toHaveCount(0);
  await expect(widget.visitor).toHaveText([/A person, please/, /One <b>1<\/b>/, /Two/, /Three/]);
  await page.goto(address);
  await expect(widget.visitor).toHaveCount(4);
  await ada.context.close();
});
