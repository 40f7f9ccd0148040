// Where a day and a time are chosen, and who comes: in the panel, and on the page of a meeting.

import { type Locator, expect } from "@playwright/test";

export class Times {
  readonly month: Locator;
  readonly previous: Locator;
  readonly next: Locator;
  readonly grid: Locator;
  /** The days that have free times. */
  readonly days: Locator;
  /** The free times of the day that is shown. */
  readonly times: Locator;
  readonly zone: Locator;
  /** What is kept while the visitor says who comes. */
  readonly held: Locator;
  readonly guestName: Locator;
  readonly guestEmail: Locator;
  readonly book: Locator;
  readonly other: Locator;

  constructor(readonly card: Locator) {
    this.month = card.locator(".month");
    this.previous = card.locator(".turn").first();
    this.next = card.locator(".turn").last();
    this.grid = card.getByRole("grid");
    this.days = card.locator(".day.free");
    this.times = card.locator(".time");
    this.zone = card.locator(".zone");
    this.held = card.locator(".held");
    this.guestName = card.locator("[name=guest_name]");
    this.guestEmail = card.locator("[name=guest_email]");
    this.book = card.locator(".go-on");
    this.other = card.locator("[value=release]");
  }

  day(date: string): Locator {
    return this.card.locator(`.day.free[value="${date}"]`);
  }

  time(start: string): Locator {
    return this.card.locator(`.time[value="${start}"]`);
  }

  /** Chooses a day, and waits for its times. */
  async chooseDay(date: string): Promise<void> {
    await this.day(date).click();
    await expect(this.card.locator("[name=shown]")).toHaveValue(date);
    await expect(this.day(date)).toHaveAttribute("aria-pressed", "true");
  }

  /** Chooses the last day of the month that has free times, and gives it. */
  async chooseLastDay(): Promise<string> {
    const date = (await valuesOf(this.days)).at(-1) ?? "";
    await this.chooseDay(date);
    return date;
  }

  /** Turns to the next month, and gives it as `YYYY-MM`. */
  async turn(): Promise<string> {
    const month = (await this.next.getAttribute("value")) ?? "";
    await this.next.click();
    await expect(this.card.locator("[name=shown]")).toHaveValue(month);
    return month;
  }

  /** Shows the times in another zone. */
  async readIn(zone: string): Promise<void> {
    await this.zone.locator("summary").click();
    await this.zone.locator("select").selectOption(zone);
    await this.zone.locator("button").click();
    await expect(this.zone.locator("summary")).toContainText(new RegExp(zone.replaceAll("_", "[_ ]")));
  }

  /** Takes a time, and waits until it is held. */
  async hold(start: string): Promise<void> {
    await this.time(start).click();
    await expect(this.held).toBeVisible();
  }

  async fillIn(name: string, email: string): Promise<void> {
    await this.guestName.fill(name);
    await this.guestEmail.fill(email);
    await this.book.click();
  }
}

/** The days or moments that buttons stand for. */
export const valuesOf = (buttons: Locator): Promise<string[]> => buttons.evaluateAll((all) => all.map((button) => (button as HTMLButtonElement).value));

/** The day of a moment in a zone, as `YYYY-MM-DD`. */
export const dayIn = (zone: string, moment: string): string => new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(new Date(moment));

/** The time of a moment in a zone, as a British reader reads it. */
export const timeIn = (zone: string, moment: string | number): string =>
  new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(new Date(moment));

/** Half an hour after a moment. */
export const later = (moment: string, minutes = 30): number => Date.parse(moment) + minutes * 60_000;
