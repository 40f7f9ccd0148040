// What visitors fill in: a form before a contact, a survey after a chat; and what becomes of the answers.

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { EMAIL, PHONE_E164, type Porchlight, Widget, expect, expectTold, heard, test } from "../fixtures";
import { accept, agentOf, close, write } from "../support/agent";
import type { Host } from "../support/host";
import { tabTo } from "../support/keys";
import { expectAccessible, expectFits } from "../support/looks";
import { type Authored, makeSite } from "../support/site";

const OPENED = ["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked", "datacollection.started"];
const CAPTURED = "input.captured";
const REQUIRED = "Please answer here first.";

const said = (en: string, ar: string): { en: string; ar: string } => ({ en, ar });

/** A form before a chat, the chat, and a survey after it. */
const TALK: Authored = {
  id: "talk",
  typingDelay: 0,
  cards: [
    {
      id: "you",
      card: "form",
      kind: "Chat",
      text: "Who is it?",
      submit: "Talk to us",
      fields: [
        { name: "name", field: "name", label: "Your name", mandatory: true },
        { name: "order", field: "text", label: "Your order", pattern: "[A-Z]{2}-\\d+", patternMessage: "Two capitals, a dash and a number." },
      ],
    },
    { id: "person", card: "liveChat", text: "One moment.", fallbackText: "Nobody is there.", next: "survey" },
    {
      id: "survey",
      card: "form",
      purpose: "survey",
      text: "How was it?",
      fields: [
        { name: "answer", field: "stars", label: "How good was the answer?", mandatory: true },
        { name: "friend", field: "score", label: "Would you tell a friend?" },
        { name: "mood", field: "smileys", label: "And your mood?" },
        { name: "more", field: "textArea", label: "Anything else?" },
      ],
    },
    { id: "end", card: "end", text: "Thank you." },
  ],
};

/** Chooses a number of a rating, as it is pointed at. */
const rate = (widget: Widget, rating: "stars" | "score" | "smileys", at: number): Promise<void> => widget.card.locator(`.${rating} .rate`).nth(at).click();

/** Comma-separated values as RFC 4180 has them. */
function cellsOf(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, ended] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (ended === "\r\n") rows.push([]);
    else if (!ended) break;
  }
  return rows.filter((row) => row.length > 1);
}

test("a form, a chat and a survey, from the first field to the results", async ({ page, browser, host, porchlight, widget }) => {
  test.slow();
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  await expectTold(page, porchlight, OPENED);
  await widget.card.getByLabel("Your name").fill("Grace Hopper");
  await widget.card.getByLabel("Your order").fill("AB-12");
  await widget.card.getByRole("button", { name: "Talk to us" }).click();
  await accept(ada);
  for (const known of ["Grace Hopper", "AB-12"]) await expect(ada.page.locator(".visitor"), "the agent knows what was filled in").toContainText(known);
  await write(ada, "It is on its way.");
  await expect(widget.frame.locator("[data-author=agent]")).toContainText("It is on its way.");
  await ada.page.locator("#end").click();
  await ada.page.getByRole("button", { name: "End chat" }).click();

  await expect(widget.bot.last()).toContainText("How was it?");
  await expect(widget.card.getByRole("radio")).toHaveCount(5 + 11 + 5);
  await rate(widget, "stars", 3);
  await expect(widget.card.getByRole("radio", { name: "4 of 5 stars" })).toBeChecked();
  await rate(widget, "score", 9);
  await expect(widget.card.getByRole("radio", { name: "9", exact: true })).toBeChecked();
  await rate(widget, "smileys", 4);
  await expect(widget.card.getByRole("radio", { name: "Very good" })).toBeChecked();
  const words = '=1+1, "thank you",\nand goodbye';
  await widget.card.getByLabel("Anything else?").fill(words);
  await widget.card.locator(".go-on").click();
  await expect(widget.ended).toBeVisible();
  expect(await widget.visitor.last().locator(".block").innerText()).toBe(
    `How good was the answer?: ★★★★☆\nWould you tell a friend?: 9 / 10\nAnd your mood?: 😀\nAnything else?: ${words}`,
  );

  const log = await expectTold(page, porchlight, [
    ...OPENED,
    ...["conversation.engaged", CAPTURED, CAPTURED, "datacollection.submitted"],
    ...["livechat.requested", "livechat.initiated", "message.received", "livechat.ended"],
    ...["survey.started", "survey.submitted", "conversation.completed"],
  ]);
  const of = (type: string) => log.find((event) => event.type === type);
  const { visitor: userID } = log[0];
  const chatID = of("livechat.requested")?.data.chat;
  expect(of("livechat.ended")?.data).toMatchObject({ chat: chatID, surveyConfigured: true });
  for (const type of ["survey.started", "survey.submitted"]) expect(of(type)).toMatchObject({ conversation: "talk", data: { widget: "launcher", chat: chatID } });
  expect(JSON.stringify(log.map(({ data }) => data)), "what was answered is nobody’s event").not.toMatch(/thank you|Hopper|AB-12/);
  const ctlive = (await heard(page).ctlive()).slice(3);
  const collection = { widgetID: "launcher", userID, type: "Chat" };
  expect(ctlive.filter(({ type }) => type !== "ChatOnline")).toEqual([
    { type: "DatacollectionStarted", object: collection },
    { type: "DatacollectionSubmitted", object: collection },
    { type: "ChatStarted", object: { chatID, userID } },
    { type: "ChatFinished", object: { chatID, userID, isSurveyConfigured: true } },
    { type: "SurveyStarted", object: { widgetID: "launcher", chatID, userID } },
    { type: "SurveySubmitted", object: { widgetID: "launcher", chatID, userID } },
  ]);
  expect((await heard(page).adobe()).map(({ name }) => name)).toEqual(
    ["TRIGGERED", "ENGAGED", "LIVE_CHAT_REQUESTED", "LIVE_CHAT_INITIATED", "LIVE_CHAT_ENDED", "COMPLETED"].map((name) => `CONVERSATION_${name}`),
  );

  const desk = ada.page;
  await desk.goto(`${porchlight.origin}/console/surveys`);
  await expect(desk.locator("main")).toContainText("1 survey");
  const result = (label: string) => desk.locator("section.card").filter({ hasText: label });
  const share = (label: string, answer: string) => result(label).getByRole("row").filter({ has: desk.getByRole("rowheader", { name: answer, exact: true }) });
  await expect(result("How good was the answer?")).toContainText("1 answer, 4.00 on average");
  await expect(share("How good was the answer?", "4")).toContainText("100 %");
  await expect(share("How good was the answer?", "5"), "also what nobody gave").toContainText("0 %");
  await expect(result("Would you tell a friend?")).toContainText("9.00 on average");
  await expect(result("Would you tell a friend?").getByRole("rowheader")).toHaveCount(11);
  await expect(result("And your mood?")).toContainText("5.00 on average");
  const latest = desk.locator("li.card");
  await expect(latest).toHaveCount(1);
  await expect(latest).toContainText("Ada");
  await expect(latest).toContainText("and goodbye");

  const [download] = await Promise.all([desk.waitForEvent("download"), desk.getByRole("link", { name: "As CSV" }).click()]);
  expect(download.suggestedFilename()).toBe("surveys.csv");
  const [head, ...lines] = cellsOf(readFileSync(await download.path(), "utf8"));
  expect(head).toEqual(["time", "site", "conversation", "version", "card", "chat", "agent", "visitor", "field", "value"]);
  const each = [site.key, "talk", expect.stringMatching(/^\d+$/), "survey", chatID, "Ada", userID];
  expect(lines.map((line) => line.slice(1))).toEqual([
    [...each, "answer", "4"],
    [...each, "friend", "9"],
    [...each, "mood", "5"],
    // A spreadsheet would take it for a formula.
    [...each, "more", `'${words}`],
  ]);

  const agentID = String(of("livechat.initiated")?.data.agentID);
  const agents = desk.locator("select[name=agent]");
  const show = async (choice: { agent?: string; from?: string; to?: string }): Promise<void> => {
    if (choice.agent !== undefined) await agents.selectOption(choice.agent);
    if (choice.from) await desk.getByLabel("From", { exact: true }).fill(choice.from);
    if (choice.to) await desk.getByLabel("To", { exact: true }).fill(choice.to);
    await desk.getByRole("button", { name: "Show" }).click();
  };
  await show({ agent: agentID });
  await expect(desk.locator("main")).toContainText("1 survey");
  const others = await agents.locator("option").evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
  await show({ agent: others.find((other) => other && other !== agentID) });
  await expect(desk.locator(".empty")).toHaveText("No surveys in this time.");
  await show({ agent: "", from: "2020-01-01", to: "2020-01-31" });
  await expect(desk.locator(".empty")).toHaveText("No surveys in this time.");
  await expect(desk.getByRole("link", { name: "As CSV" })).toHaveAttribute("href", /from=2020-01-01&to=2020-01-31/);
  expect(ada.errors).toEqual([]);
  await show({ from: "2020-02-01", to: "2020-01-31" });
  await expect(desk.getByRole("alert")).toContainText("expected a day that is not before the first");
  await close(ada);
});

test("who had no chat is not asked how it was", async ({ page, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  await widget.card.getByLabel("Your name").fill("Grace Hopper");
  await widget.card.locator(".go-on").click();
  await expect(widget.ended).toBeVisible();
  await expect(widget.bot.last()).toContainText("Thank you.");
  await expectTold(page, porchlight, [
    ...OPENED,
    ...["conversation.engaged", CAPTURED, "datacollection.submitted", "fallback.shown", "conversation.completed"],
  ]);
});

test("the survey is there after a reload, and may come in another tab", async ({ page, context, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, [TALK]);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  const address = host.page({ tag: { "data-site": site.key } });
  await page.goto(address);
  await widget.open();
  await widget.card.getByLabel("Your name").fill("Grace Hopper");
  await widget.card.locator(".go-on").click();
  await accept(ada);
  await expect(widget.card).toContainText("Message to Ada");
  await ada.page.locator("#end").click();
  await ada.page.getByRole("button", { name: "End chat" }).click();
  await expect(widget.card.locator(".stars")).toBeVisible();
  await page.reload();
  await widget.connected();
  await expect(widget.card.locator(".stars")).toBeVisible();
  const other = new Widget(await context.newPage());
  await other.page.goto(address);
  await other.open();
  await rate(other, "stars", 4);
  await other.card.locator(".go-on").click();
  await expect(other.ended).toBeVisible();
  await expect(widget.ended, "given once").toBeVisible();
  await ada.page.goto(`${porchlight.origin}/console/surveys`);
  await expect(ada.page.locator("main")).toContainText("1 survey");
  await close(ada);
});

/** Every kind of field there is. */
const FIELDS = [
  { name: "name", field: "name", label: said("Your name", "اسمك"), mandatory: true },
  { name: "code", field: "text", label: said("Your code", "رمزك"), pattern: "[A-Z]{2}-\\d+", patternMessage: said("Two capitals, a dash and a number.", "حرفان وشرطة ورقم.") },
  { name: "email", field: "email", label: said("Your address", "عنوانك"), mandatory: true },
  { name: "phone", field: "phone", label: said("Your number", "رقمك") },
  { name: "company", field: "company", label: said("Your company", "شركتك") },
  { name: "day", field: "date", label: said("The day", "اليوم") },
  {
    name: "bike",
    field: "choice",
    label: said("The bike", "الدراجة"),
    mandatory: true,
    choices: [{ label: said("Wren, for town", "رِن، للمدينة"), value: "wren" }, { label: said("Heron, for loads", "هِرون، للأحمال"), value: "heron" }],
  },
  { name: "wish", field: "textArea", label: said("A wish", "أمنية") },
  { name: "news", field: "checkBox", label: said("Send me news", "أرسلوا لي الأخبار") },
  { name: "consent", field: "consent", label: said("I agree", "أوافق"), mandatory: true, consent: said("We keep what you write for a year.", "نحتفظ بما تكتبه لمدة عام.") },
  { name: "first", field: "stars", label: said("Your first impression", "انطباعك الأول"), mandatory: true },
  { name: "friend", field: "score", label: said("Would you tell a friend?", "هل تخبر صديقًا؟") },
  { name: "mood", field: "smileys", label: said("And your mood?", "ومزاجك؟") },
];

const ASKS: Authored = {
  id: "asks",
  typingDelay: 0,
  cards: [
    { id: "all", card: "form", text: said("Tell us all.", "أخبرنا بكل شيء."), fields: FIELDS },
    { id: "end", card: "end", text: said("Thank you, {{visitor.firstName}} of {{visitor.company}}.", "شكرًا.") },
  ],
};

/** Opens the form; without script there is nothing to wait for. */
async function openForm(page: Page, widget: Widget, host: Host, porchlight: Porchlight, script = true, conversation = ASKS): Promise<void> {
  const site = await makeSite(porchlight, [conversation]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  if (script) return widget.open();
  await widget.launcher.click();
  await expect(widget.card).toBeVisible();
}

for (const script of [true, false]) {
  test(`every kind of field, ${script ? "with" : "without"} script: what is wrong is told of each, and the rest stays`, async ({ page, host, porchlight, widget, quiet }) => {
    test.slow();
    quiet.allow(/status of 422/);
    if (!script) {
      quiet.allow(/ERR_FAILED/, /Failed to fetch/);
      await page.route((url) => url.origin === porchlight.origin && /\/assets\/widget[^/]+\.(js|wasm)$/.test(url.pathname), (route) => route.abort());
    }
    await openForm(page, widget, host, porchlight, script);
    await expectTold(page, porchlight, OPENED);
    const { card } = widget;
    const field = (label: string) => card.getByLabel(label);
    const send = card.getByRole("button", { name: "Send" });
    await expect(card.getByRole("group", { name: "Your first impression (required)" })).toBeVisible();
    await field("Your code").fill("ab12");
    await field("Your address").fill("ada@");
    await card.getByLabel("Country").selectOption("DE");
    await field("Your number").fill("Berlin");
    await field("Your company").fill("Lamps");
    await field("Send me news").check();
    await rate(widget, "score", 0);
    await send.click();
    await expect(widget.problem).toHaveText("Please check the marked fields.");
    const wrong: [label: string, why: string][] = [
      ["Your name", REQUIRED],
      ["Your code", "Two capitals, a dash and a number."],
      ["Your address", "Please enter an e-mail address such as ada@example.com."],
      ["Your number", "Please enter a phone number, with its country."],
      ["The bike", REQUIRED],
      ["I agree", "Please agree to go on."],
    ];
    for (const [label, why] of wrong) {
      await expect(field(label), label).toHaveAttribute("aria-invalid", "true");
      await expect(field(label), label).toHaveAccessibleDescription(why);
    }
    await expect(card.locator("#wrong-first")).toHaveText(REQUIRED);
    for (const label of ["Your company", "A wish", "The day"]) await expect(field(label), label).toHaveAttribute("aria-invalid", "false");
    const kept: [string, string][] = [["Your code", "ab12"], ["Your address", "ada@"], ["Your number", "Berlin"], ["Your company", "Lamps"], ["Country", "DE"]];
    for (const [label, value] of kept) await expect(field(label), label).toHaveValue(value);
    await expect(field("Send me news")).toBeChecked();
    await expect(card.getByRole("radio", { name: "0", exact: true })).toBeChecked();
    if (script) await expect(field("Your name"), "where the visitor goes on").toBeFocused();
    await expectTold(page, porchlight, OPENED);

    await field("Your name").fill("Ada Lovelace");
    await field("Your code").fill("AB-12");
    await field("Your address").fill(EMAIL);
    await field("Your number").fill("030 901820");
    await field("The day").fill("2026-12-01");
    await field("The bike").selectOption("heron");
    await field("A wish").fill("Light,\nand green");
    await field("I agree").check();
    await rate(widget, "stars", 3);
    await rate(widget, "score", 10);
    await rate(widget, "smileys", 3);
    await send.click();
    await expect(widget.ended).toBeVisible();
    await expect(widget.bot.last()).toContainText("Thank you, Ada of Lamps.");
    const lines = [
      ...["Your name: Ada Lovelace", "Your code: AB-12", `Your address: ${EMAIL}`, `Your number: ${PHONE_E164}`, "Your company: Lamps", "The day: 2026-12-01"],
      ...["The bike: Heron, for loads", "A wish: Light,", "and green", "Send me news: ✓", "I agree: ✓", "Your first impression: ★★★★☆"],
      ...["Would you tell a friend?: 10 / 10", "And your mood?: 🙂"],
    ];
    expect((await widget.visitor.last().locator(".block").innerText()).split("\n")).toEqual(lines);
    const inputs = FIELDS.map(({ field }) => (field === "email" || field === "phone" ? `input.${field}` : CAPTURED));
    const log = await expectTold(page, porchlight, [...OPENED, "conversation.engaged", ...inputs, "datacollection.submitted", "conversation.completed"]);
    expect(log.filter(({ type }) => type === CAPTURED).map(({ data }) => data.field)).toEqual(FIELDS.map(({ name }) => name).filter((name) => !/email|phone/.test(name)));
    expect(log.filter(({ data }) => data.value).map(({ data }) => data.value)).toEqual([EMAIL, PHONE_E164]);
    expect(JSON.stringify(await heard(page).events()), "a page learns no address and no number").not.toMatch(/ada@example|901820|Lovelace|Lamps/);
  });
}

test("by keyboard alone", async ({ page, host, porchlight, widget, quiet }) => {
  quiet.allow(/status of 422/);
  const [name, first, friend, mood] = [FIELDS[0], FIELDS[10], FIELDS[11], FIELDS[12]];
  const conversation = { ...ASKS, cards: [{ ...ASKS.cards[0], fields: [first, friend, mood, name] }, ASKS.cards[1]] };
  const site = await makeSite(porchlight, [conversation]);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await expect(widget.launcher).toBeVisible();
  const keys = page.keyboard;
  await tabTo(page, widget.launcher);
  await keys.press("Enter");
  await widget.connected();
  const radio = (rating: string, at: number) => widget.card.locator(`.${rating} input`).nth(at);
  await tabTo(page, widget.card.locator(".go-on"));
  await keys.press("Enter");
  await expect(widget.problem).not.toBeEmpty();
  await expect(radio("stars", 0), "the first of what is wrong").toBeFocused();
  await keys.press("Space");
  for (let step = 0; step < 3; step += 1) await keys.press("ArrowRight");
  await expect(radio("stars", 3)).toBeChecked();
  await keys.press("Tab");
  await expect(radio("score", 0), "a rating is one stop").toBeFocused();
  await keys.press("Space");
  await keys.press("ArrowRight");
  await expect(radio("score", 1)).toBeChecked();
  await keys.press("Tab");
  await keys.press("Space");
  await keys.press("ArrowRight");
  await expect(radio("smileys", 1)).toBeChecked();
  await keys.press("Tab");
  await expect(widget.card.getByLabel("Your name")).toBeFocused();
  await keys.type("Ada");
  await keys.press("Enter");
  await expect(widget.ended).toBeFocused();
  await expect(widget.visitor.last()).toContainText("★★★★☆");
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const locale of ["en-GB", "ar"]) {
    for (const width of [1280, 320]) {
      test.describe(`${colorScheme}, ${locale}, ${width} px`, () => {
        test.use({ colorScheme, locale, viewport: { width, height: 720 }, contextOptions: { reducedMotion: "reduce" } });

        test("axe-core finds nothing in a form, and nothing scrolls sideways", async ({ page, host, porchlight, widget, quiet }) => {
          test.slow();
          quiet.allow(/status of 422/);
          await openForm(page, widget, host, porchlight);
          const check = async (state: string): Promise<void> => {
            await expectAccessible(page, state);
            await expectFits(page, `${state}, the page`);
            await expectFits(widget.frame, `${state}, the panel`);
          };
          await check("every kind of field");
          await rate(widget, "score", 10);
          await rate(widget, "smileys", 2);
          await widget.card.locator(".go-on").click();
          await expect(widget.problem).not.toBeEmpty();
          await check("with errors");
          await rate(widget, "stars", 2);
          await check("rated");
          for (const target of await widget.card.locator(".rate, .go-on, .input:visible").all()) {
            const box = await target.boundingBox();
            const name = await target.evaluate((element) => element.outerHTML.slice(0, 90));
            // Eleven numbers in a row are narrower than a finger; they are as high as one.
            expect.soft(Math.round((box?.height ?? 0) * 1000) / 1000, name).toBeGreaterThanOrEqual(44);
            expect.soft(box?.width ?? 0, name).toBeGreaterThanOrEqual(24);
          }
        });
      });
    }
  }
}
