// Porchlight speaks twelve languages: all of its own texts, in the right direction, with dates and numbers as they are written there;
// and what the author wrote, in the language that fits best.

import type { Page } from "@playwright/test";
import { expect, heard, test, Widget } from "../fixtures";
import { type Authored, makeSite } from "../support/site";

/** Marks what the author wrote. */
const OWN = "¤";

/** Each language, and how its launcher is called. */
const LANGUAGES: Record<string, string> = {
  ar: "فتح المحادثة",
  de: "Chat öffnen",
  en: "Open chat",
  es: "Abrir el chat",
  fr: "Ouvrir le chat",
  it: "Apri la chat",
  ja: "チャットを開く",
  ko: "채팅 열기",
  nl: "Chat openen",
  "pt-BR": "Abrir chat",
  "zh-Hans": "打开聊天",
  "zh-Hant": "開啟聊天",
};

/** All that Porchlight says in English on the way below. */
const ENGLISH = [
  ...["Open chat", "Close chat", "Minimise chat", "Dismiss message", "1 new message", "Conversation", "We said:", "You said:", "Skipped", "Sending…"],
  ...["Choose an answer", "Choose one or more answers", "Continue", "Back", "Start over", "Seen", "Send", "Skip", "This conversation has ended."],
  ...["E-mail address", "Phone number", "Country", "Full name", "First name", "Last name", "Company", "Your answer", "Number", "Date", "Please choose…"],
  ...["Open document", "Close document", "Download"],
  ...["Please enter an e-mail address such as ada@example.com.", "Please enter a phone number, with its country.", "This phone number is too short."],
  ...["This phone number is too long.", "You have chosen too few or too many answers.", "Please enter a number.", "This number is too small or too large."],
  ...["Please enter a valid date.", "This date is too early or too late.", "Please answer here first.", "Please choose one of the answers."],
  ...["We could not be reached. Your answer is still here: please try again."],
];

/** The same word in English. */
const SAME: Record<string, string[]> = { fr: ["Conversation", "Date"] };

const label = (name: string) => ({ label: `${OWN} ${name}` });

/** A conversation with each kind of card. */
const EVERYTHING: Authored = {
  id: "everything",
  typingDelay: 0,
  back: true,
  restart: true,
  poke: `${OWN} Hello`,
  cards: [
    { id: "one", card: "question", text: OWN, choices: [label("a"), label("b")] },
    { id: "several", card: "question", style: "multiple", min: 1, text: OWN, choices: [label("a"), label("b")] },
    { id: "email", card: "capture", field: "email", text: OWN },
    { id: "phone", card: "capture", field: "phone", text: OWN, optional: true },
    ...["name", "firstName", "lastName", "company"].map((field) => ({ id: field.toLowerCase(), card: "capture", field, text: OWN })),
    { id: "text", card: "capture", field: "text", attribute: "wish", text: OWN },
    { id: "number", card: "capture", field: "number", attribute: "price", min: 1, text: OWN },
    { id: "date", card: "capture", field: "date", attribute: "day", min: "2026-01-01", text: OWN },
    { id: "pick", card: "capture", field: "pickList", attribute: "size", text: OWN, choices: [label("a"), label("b")] },
    { id: "guide", card: "document", text: OWN, title: `${OWN} Guide`, file: "guide.pdf" },
    { id: "end", card: "end", text: OWN },
  ],
};

/** What can be read, seen or not, in a document or below a host element: texts, and the names of things. */
function readAll(root: Element): string[] {
  const texts: string[] = [];
  const read = (node: Node): void => {
    if (node instanceof Element) {
      if (node.matches("style, script, template, #country option, input[type=hidden]")) return;
      for (const name of ["aria-label", "title", "alt"]) texts.push(node.getAttribute(name) ?? "");
      if (node.shadowRoot) node.shadowRoot.childNodes.forEach(read);
    }
    if (node instanceof Text) texts.push(node.data);
    node.childNodes.forEach(read);
  };
  read(root);
  return texts;
}

/** Walks through everything in a language, and gives all that Porchlight itself has said. */
async function walk(page: Page, widget: Widget): Promise<Set<string>> {
  const said = new Set<string>();
  const look = async (): Promise<void> => {
    const texts = [...(await widget.host.evaluate(readAll)), ...(await widget.frame.locator("html").evaluate(readAll))];
    for (const text of texts.flatMap((text) => text.split(/^(¤.*?), /)).map((text) => text.trim())) if (text) said.add(text);
  };
  /** Sends what is wrong, and reads what it is answered. */
  const wrong = async (...values: string[]): Promise<void> => {
    for (const value of values) {
      const before = await widget.problem.innerText();
      await widget.field.fill(value);
      await widget.send.click();
      await expect(widget.problem).not.toHaveText(before);
      await look();
    }
  };
  const right = async (value: string, type: string): Promise<void> => {
    await look();
    await widget.field.fill(value);
    await widget.send.click();
    await expect(widget.card.locator(type)).toBeVisible();
  };
  const named = (name: string): string => `input[autocomplete=${name}]`;

  await widget.choices.first().click();
  await expect(widget.card.locator("[type=checkbox]")).toHaveCount(2);
  await look();
  const goOn = widget.card.locator(".go-on");
  await goOn.click();
  await expect(widget.problem).not.toBeEmpty();
  await look();
  await widget.card.locator("[type=checkbox]").first().check();
  await goOn.click();
  await expect(widget.field).toHaveAttribute("type", "email");
  await wrong("ada@");
  await page.route("**/widget/v1/answers", (route) => route.abort());
  await wrong("ada@example.com");
  await page.unroute("**/widget/v1/answers");
  await right("ada@example.com", "[type=tel]");
  await wrong("Berlin", "030", "030 123456789012345");
  await look();
  await widget.skip.click();
  await expect(widget.card.locator(named("name"))).toBeVisible();
  await wrong("");
  await right(OWN, named("given-name"));
  await right(OWN, named("family-name"));
  await right(OWN, named("organization"));
  await right(OWN, "#value:not([autocomplete=organization])");
  await right(OWN, "[type=number]");
  await wrong("", "0");
  await right("1234567.5", "[type=date]");
  await wrong("", "2025-12-31");
  await right("2026-03-05", "select#value");
  await look();
  await widget.send.click();
  await expect(widget.problem).not.toBeEmpty();
  await look();
  await widget.field.selectOption({ index: 1 });
  await widget.send.click();
  const steps = widget.card.locator(".document button");
  await expect(steps).toHaveCount(3);
  await look();
  await steps.first().click();
  await expect(widget.card.locator(".document.open")).toBeVisible();
  await look();
  await goOn.click();
  await expect(widget.ended).toBeVisible();
  await look();
  return said;
}

for (const [tag, launcher] of Object.entries(LANGUAGES)) {
  test(`${tag}: all of its texts, its direction, its dates and numbers`, async ({ page, host, porchlight, widget, quiet }) => {
    quiet.allow(/status of 422/, /ERR_FAILED/);
    const site = await makeSite(porchlight, [EVERYTHING], { title: `${OWN} Shop` });
    await page.clock.install();
    await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": tag } }));
    await expect(widget.launcher).toHaveAccessibleName(launcher);
    const dir = tag === "ar" ? "rtl" : "ltr";
    await expect(widget.host).toHaveAttribute("dir", dir);
    // The line beside the launcher takes its time.
    await expect.poll(() => page.evaluate(() => document.getElementById("porchlight")?.style.getPropertyValue("--scheme"))).toBeTruthy();
    await page.clock.runFor(5000);
    await expect(widget.host.locator(".say")).toBeVisible();
    const beside = await widget.host.evaluate(readAll);
    await expect(widget.launcher).toHaveAccessibleName(new RegExp(`^${launcher}, .`));
    const unread = ((await widget.launcher.getAttribute("aria-label")) ?? "").slice(launcher.length + 2);
    await widget.open();
    await expect(widget.frame.locator("html")).toHaveAttribute("lang", tag);
    await expect(widget.frame.locator("html")).toHaveAttribute("dir", dir);

    const said = await walk(page, widget);
    for (const text of [launcher, unread, ...beside]) said.add(text.trim());
    const own = [...said].filter((text) => text && !text.includes(OWN) && !text.startsWith(`${launcher}, `) && text !== "1");
    const written = await widget.frame.locator("html").evaluate(({ ownerDocument }) => {
      const { lang } = ownerDocument.documentElement;
      // Of those their browser prefers, the reader's own kind of the panel's language.
      const reader = navigator.languages.find((tag) => tag.split("-")[0] === lang.split("-")[0]) ?? lang;
      return [(1234567.5).toLocaleString(reader), new Date("2026-03-05").toLocaleDateString(reader, { dateStyle: "long", timeZone: "UTC" })];
    });
    await expect(widget.visitor.locator("data")).toHaveText(written[0]);
    await expect(widget.visitor.locator("time")).toHaveText(written[1]);
    const texts = own.filter((text) => !written.includes(text) && text !== "ada@example.com");
    if (tag === "en") expect(texts.sort()).toEqual([...ENGLISH].sort());
    expect(texts.filter((text) => ENGLISH.includes(text)).sort(), "English that is left").toEqual(tag === "en" ? [...ENGLISH].sort() : (SAME[tag] ?? []));
    expect(texts.length, texts.join("\n")).toBe(ENGLISH.length);
  });
}

test("the names of countries are those of the language", async ({ page, host, porchlight, widget }) => {
  const cards = [{ id: "phone", card: "capture", field: "phone", text: OWN }, { id: "end", card: "end" }];
  const site = await makeSite(porchlight, [{ id: "talk", cards }]);
  await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": "ja" } }));
  await widget.open();
  await expect(widget.country.locator("option[value=DE]")).toHaveText(/^ドイツ/);
});

test.describe("the browser’s own language", () => {
  for (const [locale, tag] of [["de-AT", "de"], ["pt-PT", "pt-BR"], ["zh-TW", "zh-Hant"], ["zh-SG", "zh-Hans"], ["sv-SE", "en"]]) {
    test(`${locale} gets ${tag}`, async ({ browser, host }) => {
      const context = await browser.newContext({ locale });
      const widget = new Widget(await context.newPage());
      await widget.page.goto(host.page());
      await expect(widget.launcher).toHaveAccessibleName(LANGUAGES[tag]);
      await widget.launcher.click();
      await expect(widget.frame.locator("html")).toHaveAttribute("lang", tag);
      await context.close();
    });
  }
});

test.describe("what the author wrote", () => {
  /** The first line in a language, and one plain choice. */
  const greeting = (text: unknown, more: Record<string, unknown> = {}): Authored => ({
    ...{ id: "talk", typingDelay: 0 },
    cards: [{ id: "hello", card: "question", text, choices: [{ label: { en: "Yes", de: "Ja", "pt-BR": "Sim" }, value: "yes" }] }, { id: "end", card: "end" }],
    ...more,
  });
  const TEXT = { fr: "Bonjour", en: "Hello", "pt-BR": "Olá", de: "Hallo", "zh-Hant": "你好嗎" };

  for (const [what, locale, line, conversation] of [
    ["in the visitor’s own tag, however it is written", "PT-br", "Olá", greeting(TEXT)],
    ["in the language that their tag begins with", "de-AT", "Hallo", greeting(TEXT)],
    ["in the only kind of a language there is", "pt", "Olá", greeting(TEXT)],
    ["else in the conversation’s language", "ja", "Bonjour", greeting(TEXT, { locale: "fr" })],
    ["else in English", "ja", "Hello", greeting({ de: "Hallo", en: "Hello" }, { locale: "fr" })],
    ["else in the first there is", "ja", "Hallo", greeting({ de: "Hallo", "pt-BR": "Olá" }, { locale: "fr" })],
    ["as it is, where there is only one", "ja", "Hello there", greeting("Hello there")],
  ] as const) {
    test(`is shown ${what}`, async ({ page, host, porchlight, widget }) => {
      const site = await makeSite(porchlight, [conversation]);
      await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": locale } }));
      await widget.open();
      await expect(widget.bot.locator("[dir=auto]")).toHaveText([line]);
      // Porchlight’s own texts are in the visitor’s language all the same.
      await expect(widget.frame.locator("html")).toHaveAttribute("lang", { ja: "ja", "de-AT": "de" }[locale as string] ?? "pt-BR");
      await expect(widget.choices).toHaveText([{ "de-AT": "Ja", ja: "Yes" }[locale as string] ?? "Sim"]);
      await widget.choices.first().click();
      await expect(widget.ended).toBeVisible();
    });
  }

  test("on the launcher, in the title and beside the launcher is in the visitor’s language, too", async ({ page, host, porchlight, widget }) => {
    const poke = { en: "May I help?", de: "Darf ich helfen?" };
    const site = await makeSite(porchlight, [greeting("Hello", { poke })], { title: { en: "Shop", de: "Laden" }, launcher: { label: { en: "Help", de: "Hilfe" } } });
    await page.clock.install();
    await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": "de-CH" } }));
    await expect(widget.launcher).toHaveAccessibleName("Hilfe");
    await expect(widget.launcher).toHaveText("Hilfe");
    await expect.poll(() => page.evaluate(() => document.getElementById("porchlight")?.style.getPropertyValue("--scheme"))).toBeTruthy();
    await page.clock.runFor(5000);
    await expect(widget.host.locator(".say")).toHaveText("Darf ich helfen?");
    await widget.open();
    await expect(widget.panel).toHaveAccessibleName("Laden");
    await expect(widget.frame.getByRole("heading")).toHaveText("Laden");
  });

  test("is in the first of the site’s languages for whoever speaks none of them", async ({ page, host, porchlight, widget }) => {
    const site = await makeSite(porchlight, [greeting(TEXT)], { locales: ["de", "fr"] });
    await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": "ja" } }));
    await expect(widget.launcher).toHaveAccessibleName(LANGUAGES.de);
    await widget.open();
    await expect(widget.bot.locator("[dir=auto]")).toHaveText(["Hallo"]);
    await expect(widget.frame.locator("html")).toHaveAttribute("lang", "de");
  });
});

test("setLocale changes the language while the visitor is here; what was said stays said", async ({ page, host, porchlight, widget }) => {
  const text = (name: string) => ({ en: `${name} in English`, ar: `${name} بالعربية`, de: `${name} auf Deutsch` });
  const capture = (id: string, field: string, name: string) => ({ id, card: "capture", field, attribute: id, text: text(name) });
  const site = await makeSite(porchlight, [
    { id: "talk", typingDelay: 0, cards: [capture("price", "number", "First"), capture("day", "date", "Second"), capture("why", "text", "Third"), { id: "end", card: "end" }] },
  ]);
  await page.goto(host.page({ tag: { "data-site": site.key, "data-locale": "en" } }));
  const lines = widget.bot.locator("[dir=auto]");
  await widget.open();
  await widget.field.fill("1234567.5");
  await widget.send.click();
  await expect(widget.field).toHaveAttribute("type", "date");
  await expect(lines).toHaveText(["First in English", "Second in English"]);

  await widget.call("setLocale", "ar");
  await expect(widget.frame.locator("html")).toHaveAttribute("dir", "rtl");
  await widget.connected(2);
  await expect(widget.host).toHaveAttribute("dir", "rtl");
  await expect(widget.launcher).toHaveAccessibleName("إغلاق المحادثة");
  await expect(widget.field).toHaveAccessibleName("التاريخ");
  await expect(lines).toHaveText(["First in English", "Second in English"]);
  const number = await page.evaluate(() => (1234567.5).toLocaleString("ar"));
  await expect(widget.visitor.locator("data")).toHaveText(number);
  await widget.field.fill("2026-03-05");
  await widget.send.click();
  await expect(lines).toHaveText(["First in English", "Second in English", "Third بالعربية"]);

  await widget.call("setLocale", "de");
  await expect(widget.frame.locator("html")).toHaveAttribute("lang", "de");
  await widget.connected(3);
  await expect(widget.host).toHaveAttribute("dir", "ltr");
  await expect(widget.field).toHaveAccessibleName("Ihre Antwort");
  await expect(widget.visitor.locator("time")).toHaveText("5. März 2026");
  await expect(widget.visitor.locator("data")).toHaveText("1.234.567,5");
  await widget.closeButton.click();
  await expect(widget.launcher).toHaveAccessibleName(LANGUAGES.de);
  expect((await heard(page).types()).filter((type) => type === "widget.loaded")).toHaveLength(1);
});
