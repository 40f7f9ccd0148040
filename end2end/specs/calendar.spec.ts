// The agent's side of meetings: when they can be met, what their day and week look like, and every new page of the console for everybody's eyes.

import type { Browser, Page } from "@playwright/test";
import { type Porchlight, Widget, expect, test } from "../fixtures";
import { type Agent, accept, agentOf, canBeMet, close } from "../support/agent";
import type { Host } from "../support/host";
import { readCalendar } from "../support/invitation";
import { expectAccessible, expectFits } from "../support/looks";
import { type Site, WEEK, everyDay, makeSite } from "../support/site";
import { Times, dayIn, later, timeIn, valuesOf } from "../support/times";

const BERLIN = "Europe/Berlin";
const DAY_MS = 86_400_000;

test.use({ timezoneId: BERLIN, locale: "en-GB" });

const end = { id: "end", card: "end", text: "Until then." };
const flow = (id: string, ...cards: Record<string, unknown>[]) => ({ id, type: "conversationFlow", ui: "popup", typingDelay: 0, cards: [...cards, end] });
const meeting = (agent: string) => flow("book", { id: "when", card: "meeting", text: "When?", title: "A test ride", notice: 0, horizon: 90, routing: { agent } });

/** The day so many days from today in Berlin, and its day of the week. */
const ahead = (days: number): { date: string; weekday: string } => {
  const date = dayIn(BERLIN, new Date(Date.parse(`${dayIn(BERLIN, new Date().toISOString())}T12:00:00Z`) + days * DAY_MS).toISOString());
  return { date, weekday: WEEK[(new Date(`${date}T12:00:00Z`).getUTCDay() + 6) % 7] };
};

/** A day as the console writes it. */
const inWords = (date: string): RegExp => {
  const part = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }).format(new Date(`${date}T12:00:00Z`));
  return new RegExp(`^${part({ weekday: "long" })},? ${part({ day: "numeric" })} ${part({ month: "long" })}$`);
};

/** The editor of the hours for meetings, with what results from them. */
function editor(page: Page) {
  const form = page.locator("form[action='/console/availability/meetings']");
  const preview = page.locator("section", { hasText: "What visitors can choose" });
  return {
    form,
    hours: form.getByLabel("Hours for meetings"),
    save: () => form.getByRole("button", { name: "Save" }).click(),
    preview,
    days: preview.locator("dt"),
    /** The times of a day, as they are listed. */
    timesOf: async (date: string): Promise<string[]> => {
      const all = await preview.locator("dl > *").evaluateAll((parts) => parts.map(({ tagName, textContent }) => [tagName, textContent ?? ""]));
      const at = all.findIndex(([tag, text]) => tag === "DT" && inWords(date).test(text));
      return at < 0 ? [] : all[at + 1][1].split(/\s+/);
    },
  };
}

/** A visitor books half an hour on the last day of the next month, at a time of that day, and gives it. */
async function book(widget: Widget, host: Host, site: Site, name: string, index: number): Promise<string> {
  const { page } = widget;
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.call("start", "book");
  await widget.connected();
  const times = new Times(widget.card);
  await times.turn();
  await times.chooseLastDay();
  const start = (await valuesOf(times.times))[index];
  await times.hold(start);
  await times.fillIn(name, `${name.toLowerCase()}-${site.key}@example.com`);
  await expect(widget.ended).toBeVisible();
  return start;
}

async function withAda(browser: Browser, porchlight: Porchlight, options: object = {}): Promise<{ site: Site; ada: Agent }> {
  const site = await makeSite(porchlight, []);
  const ada = await agentOf(browser, porchlight, site.key, "Ada", options);
  await site.publish(meeting(ada.email));
  return { site, ada };
}

test("the hours are written as they are said, and what results is shown", async ({ browser, porchlight }) => {
  const { ada } = await withAda(browser, porchlight);
  const { page } = ada;
  await page.goto(`${porchlight.origin}/console/availability`);
  const { form, hours, save, preview, days, timesOf } = editor(page);
  await expect(preview.locator(".hint"), "without hours nobody can be booked").toHaveText("Nothing.");
  const [first, second, third] = [ahead(2), ahead(9), ahead(3)];
  await form.getByLabel("Time zone").fill(BERLIN);
  await hours.fill(`${first.weekday} 09:00-11:00`);
  await save();
  await expect(form.getByRole("status").first()).toHaveText("Saved.");
  await expect(days, "the days that come within two weeks").toHaveText([inWords(first.date), inWords(second.date)]);
  for (const { date } of [first, second]) expect(await timesOf(date)).toEqual(["09:00", "09:30", "10:00", "10:30"]);

  // Other days have other hours, and some have none.
  await hours.fill(`${first.weekday} 09:00-11:00\n${second.date} closed\n${third.date} 14:00-15:00`);
  await save();
  await expect(days).toHaveText([inWords(first.date), inWords(third.date)]);
  expect(await timesOf(third.date)).toEqual(["14:00", "14:30"]);
  await expect(hours).toHaveValue(new RegExp(`${second.date} closed`));

  // Buffers stand between the hours and a meeting only where something else is.
  await form.getByLabel("Minutes before").fill("15");
  await form.getByLabel("Minutes after").fill("15");
  await save();
  await expect(form.getByLabel("Minutes before")).toHaveValue("15");
  expect(await timesOf(third.date)).toEqual(["14:00", "14:30"]);

  for (const [field, value, problem] of [
    ["Hours for meetings", `${first.weekday} 9-11`, /line 1: expected a day and hours/],
    ["Hours for meetings", `${second.date}..${first.date} closed`, /line 1: expected a first and a last day/],
    ["Time zone", "Mars/Olympus", /expected the name of a time zone/],
    ["A day at most", "0", /expected a whole number from 1 to/],
    ["Address of a calendar (ICS)", "ftp://calendar.example", /expected an address such as/],
  ] as const) {
    await page.goto(`${porchlight.origin}/console/availability`);
    await form.getByLabel(field).fill(value);
    await save();
    await expect(form.getByRole("alert"), field).toHaveText(problem);
    await expect(form.getByLabel(field), "what was typed is there to be mended").toHaveValue(value);
    await expect(days, "nothing has changed").toHaveText([inWords(first.date), inWords(third.date)]);
  }
  await close(ada);
});

test("what is booked is offered to nobody else, with what is kept free around it", async ({ browser, host, porchlight, widget }) => {
  test.slow();
  const { site, ada } = await withAda(browser, porchlight);
  await canBeMet(ada, porchlight, BERLIN, everyDay("09:00-12:00"), { "Minutes before": "30", "A day at most": "2" });
  const start = await book(widget, host, site, "Grace", 2);
  expect(timeIn(BERLIN, start)).toBe("10:00");
  await widget.page.keyboard.press("Escape");
  await expect(widget.panel).toHaveCount(0);
  await widget.call("start", "book");
  await widget.connected(2);
  const times = new Times(widget.card);
  await times.turn();
  const day = await times.chooseLastDay();
  expect(day).toBe(dayIn(BERLIN, start));
  const left = await valuesOf(times.times);
  // Half an hour is kept free before a meeting: the one at ten, and those that would begin right after another.
  expect(left.map((other) => timeIn(BERLIN, other))).toEqual(["09:00", "11:00", "11:30"]);
  await times.hold(left[0]);
  await times.fillIn("Alan", `alan-${site.key}@example.com`);
  await expect(widget.ended).toBeVisible();
  await widget.page.keyboard.press("Escape");
  await expect(widget.panel).toHaveCount(0);
  await widget.call("start", "book");
  await widget.connected(3);
  await times.turn();
  await expect(times.days.last(), "two a day are enough").not.toHaveAttribute("value", day);
  await expect(times.day(day)).toHaveCount(0);
  await close(ada);
});

test("the week and the day show what is when, and whose", async ({ browser, host, porchlight, widget }) => {
  test.slow();
  const { site, ada } = await withAda(browser, porchlight, { timezoneId: BERLIN });
  const grace = await agentOf(browser, porchlight, site.key, "Grace");
  await canBeMet(ada, porchlight, BERLIN, everyDay("07:00-12:00"));
  const start = await book(widget, host, site, "Alan", 3);
  const date = dayIn(BERLIN, start);
  const { page } = ada;
  const columns = page.locator(".day-column");
  const day = (date: string) => page.locator(`.day-column[data-date="${date}"]`);

  await page.goto(`${porchlight.origin}/console/calendar`);
  const today = dayIn(BERLIN, new Date().toISOString());
  await expect(columns).toHaveCount(7);
  await expect(page.locator(".day-column.today")).toHaveAttribute("data-date", today);
  await expect(page.locator("main"), "the zone the times are in").toContainText(BERLIN);
  const monday = await columns.first().getAttribute("data-date");
  expect(new Date(`${monday}T12:00:00Z`).getUTCDay()).toBe(1);
  for (const column of await columns.all()) await expect(column.locator(".block-open"), "the hours").toHaveAttribute("title", "Can be met 07:00–12:00");
  await expect(page.locator(".hours .hour").first(), "from the first hour of the week").toHaveText("07:00");
  await page.getByRole("link", { name: "The week after" }).click();
  await expect(columns.first()).not.toHaveAttribute("data-date", monday ?? "");
  await page.getByRole("link", { name: "The week before" }).click();
  await expect(columns.first()).toHaveAttribute("data-date", monday ?? "");

  await page.goto(`${porchlight.origin}/console/calendar?on=${date}`);
  const block = day(date).locator(".block-meeting");
  await expect(block).toHaveText(`${timeIn(BERLIN, start)}–${timeIn(BERLIN, later(start))} A test ride, Alan`);
  await expect(page.locator(".block-meeting")).toHaveCount(1);
  // It stands where its time is: an hour and a half after the hours begin, and as high as half an hour.
  const [opens, meets] = [await day(date).locator(".block-open").boundingBox(), await block.boundingBox()];
  const quarter = (opens?.height ?? 0) / 20;
  expect(Math.abs((meets?.y ?? 0) - (opens?.y ?? 0) - 6 * quarter)).toBeLessThan(quarter / 2);
  expect(Math.abs((meets?.height ?? 0) - 2 * quarter)).toBeLessThan(quarter / 2);

  await page.getByRole("link", { name: "Day", exact: true }).click();
  await expect(columns).toHaveCount(1);
  await expect(day(date).locator(".block-meeting")).toHaveCount(1);
  await page.getByRole("link", { name: "The day before" }).click();
  await expect(columns).toHaveCount(1);
  await expect(page.locator(".block-meeting")).toHaveCount(0);
  await expect(page.getByText("No meetings.")).toHaveCount(1);
  await page.getByRole("link", { name: "The day after" }).click();
  await day(date).locator(".block-meeting").click();
  await expect(page).toHaveURL(/\/console\/meetings\?whose=mine#/);
  await expect(page.locator("li.card:target")).toContainText("Alan");

  // A colleague sees it, too, in their own zone.
  await grace.page.goto(`${porchlight.origin}/console/calendar?on=${date}`);
  await expect(grace.page.locator(".block-meeting")).toHaveCount(0);
  await page.goto(`${porchlight.origin}/console/calendar`);
  await grace.page.locator("select[name=agent]").selectOption(await page.locator("select[name=agent]").inputValue());
  await grace.page.getByRole("button", { name: "Show" }).click();
  await expect(grace.page.locator(".block-meeting")).toContainText(`${timeIn("UTC", start)}–`);
  await grace.page.locator(".block-meeting").click();
  await expect(grace.page.locator("li.card:target")).toContainText("With Ada");
  await expect(grace.page.locator("li.card:target").locator("button"), "but it is not theirs to change").toHaveCount(0);
  expect([...ada.errors, ...grace.errors]).toEqual([]);
  await close(ada, grace);
});

test("a calendar program subscribes to the meetings, by an address that is told once", async ({ browser, host, porchlight, widget }) => {
  test.slow();
  const { site, ada } = await withAda(browser, porchlight);
  await canBeMet(ada, porchlight, BERLIN, everyDay("09:00-17:00"));
  const { page } = ada;
  await page.getByRole("button", { name: "Make an address" }).click();
  const address = await page.locator(".link-once").innerText();
  const feed = async (): Promise<{ status: number; text: string }> => {
    const answer = await page.request.get(address);
    return { status: answer.status(), text: await answer.text() };
  };
  expect(readCalendar((await feed()).text)).toEqual([]);
  const start = await book(widget, host, site, "Grace", 5);
  expect(readCalendar((await feed()).text)).toMatchObject([{ method: "PUBLISH", title: "A test ride", start, attendees: [] }]);
  await page.goto(`${porchlight.origin}/console/availability`);
  await expect(page.locator(".link-once"), "it is not shown again").toHaveCount(0);
  await page.getByRole("button", { name: "Make a new address; the old one ends" }).click();
  await expect(page.locator(".link-once")).not.toHaveText(address);
  expect((await feed()).status).toBe(404);
  await close(ada);
});

/** A site on which something of everything has happened: a meeting, a call back that is claimed and one that is not, and a survey. */
async function lively(browser: Browser, host: Host, porchlight: Porchlight, widget: Widget, options: object): Promise<{ site: Site; ada: Agent; start: string }> {
  const site = await makeSite(porchlight, []);
  const ada = await agentOf(browser, porchlight, site.key, "Ada", options);
  const { page } = widget;
  const rated = [
    { name: "answer", field: "stars", label: "How good was the answer?" },
    { name: "friend", field: "score", label: "Would you tell a friend?" },
    { name: "more", field: "textArea", label: "Anything else?" },
  ];
  await site.publish(
    meeting(ada.email),
    flow("callback", { id: "number", card: "callback", text: "Which number?" }),
    flow("talk", { id: "person", card: "liveChat", text: "One moment." }, { id: "survey", card: "form", purpose: "survey", text: "How was it?", fields: rated }),
  );
  const shut = async (): Promise<void> => {
    await expect(widget.ended).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(widget.panel).toHaveCount(0);
  };
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.call("start", "talk");
  await widget.connected();
  await accept(ada);
  await ada.page.locator("#end").click();
  await ada.page.getByRole("button", { name: "End chat" }).click();
  await widget.card.locator(".stars .rate").nth(4).click();
  await widget.card.locator(".score .rate").nth(8).click();
  await widget.card.locator("textarea").fill("A word with a very-long-part-that-nobody-would-write-without-a-break-in-it-somewhere-but-some-do.");
  await widget.card.locator(".go-on").click();
  await shut();
  for (const time of [2, 3]) {
    await widget.call("start", "callback");
    await widget.connected(time);
    await widget.field.fill("+49 30 901820");
    await widget.send.click();
    await shut();
  }
  await canBeMet(ada, porchlight, BERLIN, everyDay("08:00-18:00"));
  const start = await book(widget, host, site, "Grace", 4);
  await ada.page.goto(`${porchlight.origin}/console/callbacks`);
  await ada.page.getByRole("button", { name: "I call" }).first().click();
  await expect(ada.page.getByRole("button", { name: "Reached", exact: true })).toBeVisible();
  return { site, ada, start };
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe-core finds nothing in the new pages of the console, ${colorScheme}, wide and narrow`, async ({ browser, host, porchlight, widget }) => {
    test.setTimeout(240_000);
    const { site, ada, start } = await lively(browser, host, porchlight, widget, { colorScheme, reducedMotion: "reduce" });
    const look = async (page: Page, path: string, state = path, act?: () => Promise<void>): Promise<void> => {
      for (const width of [1280, 375]) {
        await page.setViewportSize({ width, height: 800 });
        await page.goto(`${porchlight.origin}/console/${path}`);
        await act?.();
        await expectAccessible(page, `${state}, ${width} px`);
        await expectFits(page, `${state}, ${width} px`);
      }
    };
    const { page } = ada;
    await look(page, "callbacks");
    await look(page, "callbacks?done=true");
    await look(page, "meetings", "meetings, with what can be done", async () => {
      await expect(page.locator("li.card")).toHaveCount(1);
      for (const summary of await page.locator("li.card summary").all()) await summary.click();
    });
    await look(page, "meetings?when=past&whose=all");
    await look(page, "calendar");
    for (const view of ["week", "day"]) {
      await look(page, `calendar?view=${view}&on=${dayIn(BERLIN, start)}`, `calendar, a ${view} with a meeting`, async () => {
        await expect(page.locator(".block-meeting")).toHaveCount(1);
      });
    }
    await look(page, "surveys", "surveys", async () => expect(page.locator("section.card")).toHaveCount(3));
    await look(page, "surveys?from=2020-01-01&to=2020-01-02", "surveys, none");
    await look(page, "availability");
    await look(page, "availability", "availability, with an address to subscribe to", async () => {
      await page.getByRole("button", { name: /^Make an? (new )?address/ }).click();
      await expect(page.locator(".link-once")).toBeVisible();
    });
    await look(page, "availability", "availability, with a problem", async () => {
      await page.getByLabel("Hours for meetings").fill("whenever");
      await page.locator("form[action='/console/availability/meetings']").getByRole("button", { name: "Save" }).click();
      await expect(page.locator("form[action='/console/availability/meetings']").getByRole("alert")).not.toBeEmpty();
    });

    const boss = await agentOf(browser, porchlight, site.key, "Boss", { colorScheme, reducedMotion: "reduce" }, "administrator");
    await look(boss.page, `accounts?site=${site.key}`, "accounts", async () => {
      await boss.page.getByLabel("Or here").fill(`acme.example,${ada.email}`);
      await boss.page.getByRole("button", { name: "Save" }).click();
      await expect(boss.page.getByRole("status")).toHaveText("Saved: 1 accounts.");
    });
    await look(boss.page, `accounts?site=${site.key}`, "accounts, with problems", async () => {
      await boss.page.getByLabel("Or here").fill("acme.example,nobody@example.com\nacme.example");
      await boss.page.getByRole("button", { name: "Save" }).click();
      await expect(boss.page.getByRole("alert").getByRole("listitem")).toHaveCount(2);
    });
    await look(boss.page, "teams", "teams, with opening hours", async () => {
      await boss.page.locator("main details").evaluateAll((all) => all.forEach((details) => details.setAttribute("open", "")));
    });
    await close(ada, boss);
  });
}
