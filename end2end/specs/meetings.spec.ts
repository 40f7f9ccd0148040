// A visitor books a meeting with an agent in another zone, moves it and calls it off: by mouse, by keyboard, without script, and against others.

import type { Browser, Page } from "@playwright/test";
import { type Porchlight, Widget, expect, expectTold, forBrowser, heard, logOf, test } from "../fixtures";
import { type Agent, agentOf, canBeMet, close } from "../support/agent";
import type { Host } from "../support/host";
import { invitationIn, readCalendar, wordsOf } from "../support/invitation";
import { tabTo } from "../support/keys";
import { expectAccessible, expectFits } from "../support/looks";
import { lettersTo } from "../support/mail";
import { recordIn } from "../support/recorder";
import { type Authored, type Site, everyDay, makeSite } from "../support/site";
import { Times, dayIn, later, timeIn, valuesOf } from "../support/times";

const NEW_YORK = "America/New_York";
const BERLIN = "Europe/Berlin";

test.use({ timezoneId: NEW_YORK, locale: "en-GB" });

const OPENED = ["widget.loaded", "widget.shown", "conversation.triggered", "widget.clicked"];
const BOOKED = ["conversation.engaged", "input.email", "meeting.booked", "conversation.completed"];
const TAKEN = "This time was just taken. Please choose another.";

/** A dialogue that offers half an hour with an agent, at any of the next ninety days. */
const book = (agent: string, more: Record<string, unknown> = {}): Authored => ({
  id: "book",
  typingDelay: 0,
  cards: [
    {
      id: "when",
      card: "meeting",
      text: { en: "When suits you?", ar: "متى يناسبك؟" },
      title: { en: "A test ride", ar: "جولة تجريبية" },
      location: "4 Weir Lane, Marlow",
      notice: 0,
      horizon: 90,
      routing: { agent },
      ...more,
    },
    { id: "end", card: "end", text: { en: "Until then.", ar: "إلى اللقاء." } },
  ],
});

/** A site on which Ada, who works in Berlin from nine to five on every day, can be met. */
async function withAda(browser: Browser, porchlight: Porchlight, more: Record<string, unknown> = {}): Promise<{ site: Site; ada: Agent }> {
  const site = await makeSite(porchlight, []);
  const ada = await agentOf(browser, porchlight, site.key, "Ada", { timezoneId: BERLIN });
  await canBeMet(ada, porchlight, BERLIN, everyDay("09:00-17:00"));
  await site.publish(book(ada.email, more));
  return { site, ada };
}

/** Goes to a page of the site and opens the panel, in which the times are. */
async function look(page: Page, widget: Widget, host: Host, site: Site): Promise<Times> {
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  const times = new Times(widget.card);
  await expect(times.grid).toBeVisible();
  return times;
}

/** Chooses a time of the last day of the next month, all of which is free, and gives it. */
async function choose(times: Times, index = 0): Promise<string> {
  await times.turn();
  await times.chooseLastDay();
  return (await valuesOf(times.times))[index];
}

/** A visitor in another browser. */
async function elsewhere(browser: Browser): Promise<Widget> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: NEW_YORK });
  await recordIn(context, true);
  return new Widget(await context.newPage());
}

/** What Ada sees of a meeting: in the list, and in the week. */
async function expectInConsole(ada: Agent, porchlight: Porchlight, guest: string, start: string): Promise<void> {
  const span = `${timeIn(BERLIN, start)} – ${timeIn(BERLIN, later(start))}`;
  await ada.page.goto(`${porchlight.origin}/console/meetings`);
  const row = ada.page.locator("li.card").filter({ hasText: guest });
  await expect(row).toContainText(`${span} (Europe/Berlin)`);
  await expect(row).toContainText("Grace Hopper");
  await expect(row, "and where the guest is").toContainText(NEW_YORK.replace("_", " "));
  await ada.page.goto(`${porchlight.origin}/console/calendar?on=${dayIn(BERLIN, start)}`);
  const blocks = ada.page.locator(".block-meeting");
  await expect(blocks).toHaveCount(1);
  const block = ada.page.locator(`.day-column[data-date="${dayIn(BERLIN, start)}"] .block-meeting`);
  await expect(block).toContainText(`${timeIn(BERLIN, start)}–${timeIn(BERLIN, later(start))}`);
  await expect(block).toContainText("A test ride, Grace Hopper");
}

test("it is booked, moved and called off, and everybody is told the same", async ({ page, browser, host, porchlight, widget }) => {
  test.slow();
  const { site, ada } = await withAda(browser, porchlight);
  const guest = `grace-${site.key}@example.com`;
  const times = await look(page, widget, host, site);
  await expect(times.zone.locator("summary")).toContainText(/America\/New[_ ]York/);
  await times.turn();
  const day = await times.chooseLastDay();
  const offered = await valuesOf(times.times);
  expect(offered, "nine to five, in half hours").toHaveLength(16);
  for (const start of offered) {
    expect(dayIn(NEW_YORK, start)).toBe(day);
    await expect(times.time(start)).toHaveText(timeIn(NEW_YORK, start));
  }
  expect(offered.map((start) => timeIn(BERLIN, start)).filter((time) => time < "09:00" || time > "16:30")).toEqual([]);
  await expectTold(page, porchlight, OPENED);

  const start = offered[1];
  await times.hold(start);
  await expect(times.held).toContainText(`${timeIn(NEW_YORK, start)} – ${timeIn(NEW_YORK, later(start))} (America/New York)`);
  await expect(times.held).toContainText(/We keep this time for you until \d\d:\d\d\./);
  await expectTold(page, porchlight, [...OPENED, "conversation.engaged"]);
  await times.fillIn("Grace Hopper", guest);
  await expect(widget.ended).toBeVisible();
  const line = widget.bot.locator(".meeting");
  await expect(line.locator(".meeting-head")).toHaveText("Booked");
  for (const words of ["A test ride", "With Ada", "4 Weir Lane, Marlow", `${timeIn(NEW_YORK, start)} – `]) await expect(line).toContainText(words);
  const links = line.getByRole("group", { name: "Add to calendar" }).getByRole("link");
  await expect(links).toHaveText(["Calendar file (ICS)", "Google", "Outlook.com", "Office 365", "Change or cancel"]);

  const log = await expectTold(page, porchlight, [...OPENED, ...BOOKED]);
  const booked = log.find(({ type }) => type === "meeting.booked");
  const info = booked?.data.meetingInfo as Record<string, string>;
  expect(booked?.data).toMatchObject({ agentName: "Ada", agentID: expect.stringMatching(/^[\da-f-]{36}$/) });
  expect(info).toMatchObject({ title: "A test ride", location: "4 Weir Lane, Marlow", timeZone: NEW_YORK });
  expect([Date.parse(info.start), Date.parse(info.end)]).toEqual([Date.parse(start), later(start)]);
  expect(info.start, "with the offset of New York").toMatch(/T\d\d:\d\d:\d\d-0[45]:00$/);
  const { agentName, agentID } = booked?.data ?? {};
  const told = (await heard(page).adobe()).filter(({ name }) => name === "CONVERSATION_MEETING_BOOKED");
  expect(told).toMatchObject([{ payload: { agentName, agentID, meetingInfo: info, uiType: "chatbot", sid: booked?.session } }]);

  const file = await (await page.request.get(info.icsUrl)).text();
  const [kept] = readCalendar(file);
  expect(kept).toMatchObject({ start, title: "A test ride", location: "4 Weir Lane, Marlow", sequence: 0 });
  expect(file, "the page’s scripts know its address, and must not learn how the meeting is changed").not.toContain("/meetings/");
  const readOnly = info.icsUrl.replace(/\/meeting\.ics$/, "");
  expect((await page.request.get(readOnly)).status()).toBe(404);
  expect((await page.request.post(readOnly, { form: { do: "cancel" } })).status()).toBe(404);
  const [first] = await lettersTo(porchlight, guest, 1);
  expect(first.header("Subject")).toBe("Booked: A test ride");
  const invitation = invitationIn(first);
  const people = { organizer: `mailto:${ada.email}`, attendees: [`mailto:${guest}`] };
  const end = new Date(later(start)).toISOString().replace(".000Z", "Z");
  expect(invitation).toMatchObject({ method: "REQUEST", status: "CONFIRMED", uid: kept.uid, sequence: 0, start, end, title: "A test ride", ...people });
  const [agents] = await lettersTo(porchlight, ada.email, 1);
  expect(invitationIn(agents)).toEqual(invitation);
  expect(wordsOf(agents).text, "in the agent’s zone").toContain(`${timeIn(BERLIN, start)} – ${timeIn(BERLIN, later(start))} (Europe/Berlin)`);
  await expectInConsole(ada, porchlight, guest, start);
  const { text, link } = wordsOf(first);
  expect(text).toContain(`${timeIn(NEW_YORK, start)} – ${timeIn(NEW_YORK, later(start))} (America/New York)`);

  // The letter is opened anywhere: there is no loader, and no script at all.
  const context = await browser.newContext({ javaScriptEnabled: false, locale: "de-DE", timezoneId: "Asia/Tokyo" });
  const asked: string[] = [];
  context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const letter = await context.newPage();
  const heading = letter.locator(".meeting-head");
  await letter.goto(link);
  await expect(heading).toHaveText("Booked");
  await expect(letter.locator("main")).toContainText(`${timeIn(NEW_YORK, start)} – ${timeIn(NEW_YORK, later(start))} (America/New York)`);
  await letter.getByRole("button", { name: "Move the meeting" }).click();
  const others = new Times(letter.locator("main"));
  await others.turn();
  await others.chooseLastDay();
  expect(await valuesOf(others.times), "all but the one it is at").toEqual(offered.filter((other) => other !== start));
  await others.chooseDay((await valuesOf(others.days))[0]);
  const moved = (await valuesOf(others.times)).at(-1) ?? "";
  await others.time(moved).click();
  await expect(letter.getByText("The meeting was moved.")).toBeVisible();
  await expect(letter.locator("main")).toContainText(`${timeIn(NEW_YORK, moved)} – ${timeIn(NEW_YORK, later(moved))} (America/New York)`);
  const [, second] = await lettersTo(porchlight, guest, 2);
  expect(second.header("Subject")).toBe("Moved: A test ride");
  expect(invitationIn(second)).toMatchObject({ method: "REQUEST", status: "CONFIRMED", uid: kept.uid, sequence: 1, start: moved, ...people });
  await expectInConsole(ada, porchlight, guest, moved);

  await letter.locator(".asks summary").click();
  await letter.locator(".asks button").click();
  await expect(letter.getByText("The meeting was called off.")).toBeVisible();
  await expect(heading).toHaveText("Called off");
  await expect(letter.locator("button"), "there is nothing more to change").toHaveCount(0);
  const [, , third] = await lettersTo(porchlight, guest, 3);
  expect(third.header("Subject")).toBe("Called off: A test ride");
  expect(invitationIn(third)).toMatchObject({ method: "CANCEL", status: "CANCELLED", uid: kept.uid, sequence: 2, start: moved, ...people });
  await ada.page.goto(`${porchlight.origin}/console/meetings`);
  await expect(ada.page.locator("li.card").filter({ hasText: guest })).toContainText("called off by the guest");
  await ada.page.goto(`${porchlight.origin}/console/calendar?on=${dayIn(BERLIN, moved)}`);
  await expect(ada.page.locator(".day-column")).toHaveCount(7);
  await expect(ada.page.locator(".block-meeting")).toHaveCount(0);
  expect((await page.request.get(info.icsUrl)).status(), "nothing to put into a calendar any more").toBe(404);
  expect(asked.filter((path) => /porchlight\.js|\/widget\//.test(path))).toEqual([]);
  await context.close();

  // What happened while no page was there is told to the next one, in the log's order.
  const before = await heard(page).events();
  await page.reload();
  const both = async () => [...before, ...(await heard(page).events())].map(({ type }) => type);
  await expect.poll(both).toEqual([...OPENED, ...BOOKED, "meeting.rescheduled", "meeting.cancelled", "widget.loaded"]);
  const whole = await logOf(porchlight, before[0].session);
  expect([...before, ...(await heard(page).events())]).toEqual(whole.map(forBrowser));
  for (const { data } of whole.filter(({ type }) => /rescheduled|cancelled/.test(type))) {
    expect(data).toMatchObject({ agentName, agentID, meetingInfo: { id: info.id, timeZone: NEW_YORK } });
    expect(Date.parse((data.meetingInfo as Record<string, string>).start)).toBe(Date.parse(moved));
  }
  expect(ada.errors).toEqual([]);
  await close(ada);
});

test("a link that was tampered with leads to no meeting", async ({ page, browser, host, porchlight, widget }) => {
  const { site, ada } = await withAda(browser, porchlight);
  const times = await look(page, widget, host, site);
  await times.hold((await valuesOf(times.times))[0]);
  await times.fillIn("", `guest-${site.key}@example.com`);
  await expect(widget.ended).toBeVisible();
  const path = (await widget.bot.locator(".meeting-links a").last().getAttribute("href")) ?? "";
  const [, meetings, id, signature] = path.split("/");
  expect((await page.request.get(porchlight.origin + path)).status()).toBe(200);
  for (const bad of [`${signature}A`, signature.slice(1), signature.split("").reverse().join(""), "x"]) {
    const answer = await page.request.get(`${porchlight.origin}/${meetings}/${id}/${bad}`);
    expect(answer.status(), bad).toBe(404);
    expect(await answer.text()).toContain("This link is not valid any more.");
    const posted = await page.request.post(`${porchlight.origin}/${meetings}/${id}/${bad}`, { form: { do: "cancel" } });
    expect(posted.status(), bad).toBe(404);
  }
  await page.goto(porchlight.origin + path);
  await expect(page.locator(".meeting-head")).toHaveText("Booked");
  await close(ada);
});

test("the agent moves it, also to an hour that is none of theirs, but not onto another, and calls it off", async ({ page, browser, host, porchlight, widget }) => {
  test.slow();
  const { site, ada } = await withAda(browser, porchlight);
  const other = await elsewhere(browser);
  const bookAs = async (widget: Widget, name: string, index: number): Promise<string> => {
    const times = await look(widget.page, widget, host, site);
    const start = await choose(times, index);
    await times.hold(start);
    await times.fillIn(name, `${name.toLowerCase()}-${site.key}@example.com`);
    await expect(widget.ended).toBeVisible();
    return start;
  };
  const start = await bookAs(widget, "Grace", 0);
  await bookAs(other, "Alan", 4);
  const evening = `${dayIn(BERLIN, start)}T20:00`;
  const row = (name: string) => ada.page.locator("li.card").filter({ hasText: `${name.toLowerCase()}-${site.key}` });
  const move = async (name: string, local: string): Promise<void> => {
    await row(name).locator("summary").filter({ hasText: "Move" }).click();
    await row(name).getByLabel("When, in your time zone").fill(local);
    await row(name).getByRole("button", { name: "Move it" }).click();
  };
  await ada.page.goto(`${porchlight.origin}/console/meetings`);
  await expect(ada.page.locator("li.card"), "the next one first").toHaveCount(2);
  await move("Grace", evening);
  await expect(ada.page.getByRole("status")).toHaveText("The meeting was moved, and its guest is told.");
  await expect(row("Grace")).toContainText("20:00 – 20:30 (Europe/Berlin)");
  const [, moved] = await lettersTo(porchlight, `grace-${site.key}@example.com`, 2);
  const invitation = invitationIn(moved);
  expect(invitation).toMatchObject({ method: "REQUEST", sequence: 1 });
  expect(timeIn(BERLIN, invitation.start)).toBe("20:00");
  expect(wordsOf(moved).text, "in the guest’s zone").toContain(`${timeIn(NEW_YORK, invitation.start)} – `);

  await move("Alan", evening);
  await expect(ada.page.getByRole("alert")).toContainText("there is another meeting then");
  await expect(row("Alan")).not.toContainText("20:00");
  await row("Grace").locator("summary").filter({ hasText: "Call off" }).click();
  await row("Grace").getByRole("button", { name: "Call it off, and tell the guest" }).click();
  await expect(ada.page.getByRole("status")).toHaveText("The meeting was called off, and its guest is told.");
  await expect(row("Grace").locator(".chip")).toHaveText("called off");
  await expect(row("Grace").locator("button")).toHaveCount(0);
  const [, , gone] = await lettersTo(porchlight, `grace-${site.key}@example.com`, 3);
  expect(invitationIn(gone)).toMatchObject({ method: "CANCEL", sequence: 2, uid: invitation.uid });
  await move("Alan", evening);
  await expect(row("Alan"), "now that nothing is there").toContainText("20:00 – 20:30");

  const before = await heard(page).events();
  await page.reload();
  await expect.poll(() => heard(page).types()).toEqual(["meeting.rescheduled", "meeting.cancelled", "widget.loaded"]);
  const log = await logOf(porchlight, before[0].session);
  expect([...before, ...(await heard(page).events())]).toEqual(log.map(forBrowser));
  await Promise.all([close(ada), other.page.context().close()]);
});

test("by keyboard alone", async ({ page, browser, host, porchlight, widget }) => {
  const { site, ada } = await withAda(browser, porchlight);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await expect(widget.launcher).toBeVisible();
  const keys = page.keyboard;
  const times = new Times(widget.card);
  const shown = widget.card.locator("[name=shown]");
  await tabTo(page, widget.launcher);
  await keys.press("Enter");
  await widget.connected();
  await expect(times.grid).toBeVisible();

  // All days together are one stop: after it come the times.
  const stop = times.grid.locator("button:not([tabindex='-1'])");
  await expect(stop).toHaveCount(1);
  await tabTo(page, stop);
  await keys.press("Tab");
  await expect(times.times.first()).toBeFocused();
  await keys.press("Shift+Tab");
  await expect(stop).toBeFocused();

  const here = await shown.inputValue();
  const month = (await times.next.getAttribute("value")) ?? "";
  await keys.press("PageDown");
  await expect(shown).toHaveValue(month);
  await expect(times.day(`${month}-01`), "who turns by a key goes on among the days").toBeFocused();
  await keys.press("PageUp");
  await expect(shown).toHaveValue(here);
  await expect(stop).toBeFocused();
  await keys.press("PageDown");
  await expect(shown).toHaveValue(month);
  const weekday = (new Date(`${month}-01T12:00:00Z`).getUTCDay() + 6) % 7;
  const steps: [key: string, day: number][] = [
    ["ArrowRight", 2],
    ["ArrowDown", 9],
    ["ArrowUp", 2],
    ["ArrowLeft", 1],
    // The week ends with Sunday for a British reader.
    ["End", 7 - weekday],
    ["Home", 1],
    ["ArrowDown", 8],
    ["ArrowRight", 9],
  ];
  for (const [key, day] of steps) {
    await keys.press(key);
    await expect(times.day(`${month}-${String(day).padStart(2, "0")}`), key).toBeFocused();
    await expect(stop, "still one stop").toHaveCount(1);
  }
  await keys.press("Enter");
  await expect(shown).toHaveValue(`${month}-09`);
  await expect(times.times.first(), "Enter on a day leads to its times").toBeFocused();
  await keys.press("Tab");
  await expect(times.times.nth(1)).toBeFocused();
  const [, start] = await valuesOf(times.times);
  await keys.press("Enter");
  await expect(times.guestName).toBeFocused();
  await keys.type("Grace Hopper");
  await keys.press("Tab");
  await expect(times.guestEmail).toBeFocused();
  await keys.type(`grace-${site.key}@example.com`);
  await keys.press("Enter");
  await expect(widget.ended).toBeFocused();
  await keys.press("Escape");
  await expect(widget.launcher).toBeFocused();
  const log = await expectTold(page, porchlight, [...OPENED, ...BOOKED]);
  const info = log.at(-2)?.data.meetingInfo as Record<string, string>;
  expect(Date.parse(info.start)).toBe(Date.parse(start));
  await close(ada);
});

test("without script in the panel", async ({ page, browser, host, porchlight, widget, quiet }) => {
  quiet.allow(/ERR_FAILED/, /Failed to fetch/, /status of 422/);
  await page.route((url) => url.origin === porchlight.origin && /\/assets\/widget[^/]+\.(js|wasm)$/.test(url.pathname), (route) => route.abort());
  const { site, ada } = await withAda(browser, porchlight);
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.launcher.click();
  const times = new Times(widget.card);
  await expect(times.grid).toBeVisible();
  await expectTold(page, porchlight, OPENED);
  const [here] = await valuesOf(times.times);
  await expect(times.time(here)).toHaveText(timeIn(NEW_YORK, here));
  await times.readIn(BERLIN);
  await expect(times.time(here)).toHaveText(timeIn(BERLIN, here));

  await times.hold(await choose(times));
  await expectTold(page, porchlight, [...OPENED, "conversation.engaged"]);
  await times.other.click();
  await expect(times.grid).toBeVisible();
  await expect(times.zone.locator("summary"), "the zone stays").toContainText(BERLIN);
  const start = await choose(times, 3);
  await times.hold(start);
  await expect(times.held).toContainText(`${timeIn(BERLIN, start)} – `);
  await times.fillIn("Grace Hopper", "grace@");
  await expect(times.guestEmail).toHaveAttribute("aria-invalid", "true");
  await expect(times.guestEmail).toHaveAccessibleDescription("Please enter an e-mail address such as ada@example.com.");
  await expect(times.guestEmail).toHaveValue("grace@");
  await expect(times.guestName).toHaveValue("Grace Hopper");
  await times.guestEmail.fill(`grace-${site.key}@example.com`);
  await times.book.click();
  await expect(widget.ended).toBeVisible();
  await expect(widget.bot.locator(".meeting")).toContainText(`${timeIn(BERLIN, start)} – `);
  const log = await expectTold(page, porchlight, [...OPENED, ...BOOKED]);
  expect(log.at(-2)?.data.meetingInfo).toMatchObject({ timeZone: BERLIN });
  expect(await heard(page).hellos()).toBe(0);
  await close(ada);
});

test("two want the same time: one has it, the other is told at once and sees what is left", async ({ page, browser, host, porchlight, widget, quiet }) => {
  quiet.allow(/status of 409/);
  const { site, ada } = await withAda(browser, porchlight);
  const other = await elsewhere(browser);
  const visitors = [widget, other];
  const [mine, theirs] = await Promise.all(visitors.map((visitor) => look(visitor.page, visitor, host, site)));
  const [start] = await Promise.all([choose(mine), choose(theirs)]);
  await Promise.all([mine.time(start).click(), theirs.time(start).click()]);
  const holders = async (): Promise<boolean[]> => Promise.all([mine, theirs].map(({ held }) => held.isVisible()));
  const told = async (): Promise<boolean[]> => Promise.all(visitors.map(async ({ problem }) => (await problem.textContent()) === TAKEN));
  await expect.poll(async () => [await holders(), await told()].map((all) => all.filter(Boolean).length)).toEqual([1, 1]);
  const first = (await holders()).indexOf(true);
  const [winner, loser] = first ? [theirs, mine] : [mine, theirs];
  await expect(loser.time(start)).toHaveCount(0);
  await expect(loser.times, "the others of that day").toHaveCount(15);
  const [left] = await valuesOf(loser.times);
  await loser.hold(left);
  await loser.fillIn("Alan", `alan-${site.key}@example.com`);
  await winner.fillIn("Grace", `grace-${site.key}@example.com`);
  for (const { ended } of visitors) await expect(ended).toBeVisible();
  await ada.page.goto(`${porchlight.origin}/console/calendar?view=day&on=${dayIn(BERLIN, start)}`);
  await expect(ada.page.locator(".block-meeting")).toContainText([timeIn(BERLIN, start), timeIn(BERLIN, left)]);
  await expect(ada.page.locator(".block-meeting")).toHaveCount(2);
  await expectTold(page, porchlight, [...OPENED, ...BOOKED]);
  await expectTold(other.page, porchlight, [...OPENED, ...BOOKED]);
  await Promise.all([close(ada), other.page.context().close()]);
});

test("a time is kept over a reload, and is nobody else’s meanwhile", async ({ page, browser, host, porchlight, widget }) => {
  const { site, ada } = await withAda(browser, porchlight);
  const times = await look(page, widget, host, site);
  const start = await choose(times);
  await times.hold(start);
  const other = await elsewhere(browser);
  const theirs = await look(other.page, other, host, site);
  await choose(theirs);
  await expect(theirs.times).toHaveCount(15);
  await expect(theirs.time(start)).toHaveCount(0);
  await page.reload();
  await widget.connected();
  await expect(times.held).toContainText(`${timeIn(NEW_YORK, start)} – `);
  // Given back, it is there for everybody.
  await times.other.click();
  await choose(times);
  await expect(times.time(start)).toBeVisible();
  await theirs.chooseDay(dayIn(NEW_YORK, start));
  await expect(theirs.time(start)).toBeVisible();
  await Promise.all([close(ada), other.page.context().close()]);
});

test("the times are read in the zone that the visitor chooses", async ({ page, browser, host, porchlight, widget }) => {
  const { site, ada } = await withAda(browser, porchlight);
  const times = await look(page, widget, host, site);
  await times.readIn("Asia/Kathmandu");
  const offered = await valuesOf(times.times);
  for (const start of offered) await expect(times.time(start)).toHaveText(timeIn("Asia/Kathmandu", start));
  await times.hold(offered[0]);
  await expect(times.held).toContainText("(Asia/Kathmandu)");
  await times.fillIn("Grace", `grace-${site.key}@example.com`);
  await expect(widget.ended).toBeVisible();
  const log = await expectTold(page, porchlight, [...OPENED, ...BOOKED]);
  const info = log.at(-2)?.data.meetingInfo as Record<string, string>;
  expect([info.timeZone, info.start.slice(-6)]).toEqual(["Asia/Kathmandu", "+05:45"]);
  await close(ada);
});

test("who need not book goes on without", async ({ page, browser, host, porchlight, widget }) => {
  const { site, ada } = await withAda(browser, porchlight, { optional: true });
  await look(page, widget, host, site);
  await widget.skip.click();
  await expect(widget.ended).toBeVisible();
  await expectTold(page, porchlight, [...OPENED, "conversation.engaged", "conversation.completed"]);
  await close(ada);
});

test("with nobody who can be met, the visitor is told at once", async ({ page, browser, host, porchlight, widget }) => {
  const site = await makeSite(porchlight, []);
  const ada = await agentOf(browser, porchlight, site.key, "Ada");
  await site.publish(book(ada.email, { fallbackText: "The diary is full." }));
  await page.goto(host.page({ tag: { "data-site": site.key } }));
  await widget.open();
  await expect(widget.bot.first()).toContainText("The diary is full.");
  await expect(widget.ended).toBeVisible();
  await expectTold(page, porchlight, [...OPENED, "fallback.shown", "conversation.completed"]);
  await close(ada);
});

/** Walks through all that a visitor sees of a meeting, and looks in each state. */
async function walk(page: Page, widget: Widget, times: Times, porchlight: Porchlight, guest: string): Promise<void> {
  const check = async (state: string): Promise<void> => {
    await expectAccessible(page, state);
    await expectFits(page, `${state}, the page`);
    await expectFits(widget.frame, `${state}, the panel`);
  };
  await check("the first day");
  await times.turn();
  await check("another month");
  await times.chooseLastDay();
  await check("a day that was chosen");
  await times.zone.locator("summary").click();
  await expect(times.zone.locator("select")).toBeVisible();
  await check("the time zones");
  await times.hold((await valuesOf(times.times))[0]);
  await check("who comes");
  await times.book.click();
  await expect(times.guestEmail).toHaveAttribute("aria-invalid", "true");
  await expect(times.guestEmail, "where the visitor goes on").toBeFocused();
  await check("who comes, with an error");
  await times.fillIn("Grace Hopper", guest);
  await expect(widget.ended).toBeVisible();
  await check("booked");

  const path = (await widget.bot.locator(".meeting-links a").last().getAttribute("href")) ?? "";
  const letter = await page.context().newPage();
  const checkLetter = async (state: string): Promise<void> => {
    await expectAccessible(letter, state);
    await expectFits(letter, state);
  };
  await letter.goto(porchlight.origin + path);
  await checkLetter("the meeting’s page");
  await letter.locator("[value=look]").click();
  const others = new Times(letter.locator("main"));
  await others.chooseLastDay();
  await checkLetter("where it is moved to");
  await letter.locator("a.skip").click();
  await letter.locator(".asks summary").click();
  await checkLetter("asked twice whether to call it off");
  await letter.locator(".asks button").click();
  await expect(letter.locator(".said-so")).not.toBeEmpty();
  await checkLetter("called off");
  await letter.goto(`${porchlight.origin + path}x`);
  await checkLetter("a link that leads nowhere");
  await letter.close();
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 375]) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: 720 }, contextOptions: { reducedMotion: "reduce" } });

      test("axe-core finds nothing, and nothing scrolls sideways", async ({ page, browser, host, porchlight, widget, quiet }) => {
        test.slow();
        quiet.allow(/status of (422|404)/);
        const { site, ada } = await withAda(browser, porchlight);
        const times = await look(page, widget, host, site);
        await walk(page, widget, times, porchlight, `grace-${site.key}@example.com`);
        await close(ada);
      });
    });
  }
}

test.describe("from right to left", () => {
  test.use({ locale: "ar", viewport: { width: 375, height: 720 }, contextOptions: { reducedMotion: "reduce" } });

  const arabic = { html: 'lang="ar" dir="rtl"', body: "<main><h1>صفحة عميل</h1><p>مرحبًا.</p></main>" };

  test("axe-core finds nothing, and the keys are turned", async ({ page, browser, host, porchlight, widget, quiet }) => {
    test.slow();
    quiet.allow(/status of (422|404)/);
    const { site, ada } = await withAda(browser, porchlight);
    await page.goto(host.page({ ...arabic, tag: { "data-site": site.key } }));
    await widget.open();
    const times = new Times(widget.card);
    await expect(times.grid).toBeVisible();
    await expect(widget.frame.locator("html")).toHaveAttribute("dir", "rtl");
    const month = await times.turn();
    const day = (number: number) => times.day(`${month}-0${number}`);
    const [one, two] = [await day(3).boundingBox(), await day(4).boundingBox()];
    if (one?.y === two?.y) expect(one?.x, "the days go from right to left").toBeGreaterThan(two?.x ?? 0);
    await day(1).focus();
    for (const [key, number] of [["ArrowLeft", 2], ["ArrowLeft", 3], ["ArrowRight", 2], ["ArrowDown", 9], ["ArrowUp", 2], ["ArrowRight", 1]] as const) {
      await page.keyboard.press(key);
      await expect(day(number), key).toBeFocused();
    }
    await times.previous.click();
    await expect(widget.card.locator("[name=shown]")).not.toHaveValue(month);
    await walk(page, widget, times, porchlight, `grace-${site.key}@example.com`);
    await close(ada);
  });
});
