// The widget as a visitor finds it, and the demo conversation as they walk through it.

import { type Locator, type Page, expect } from "@playwright/test";
import { heard } from "./recorder";

/** The choices of the demo conversation's first question. */
export const TOPICS = ["I’m looking for a bike", "I already ride a Marlow", "We want bikes for work"] as const;
export const EMAIL = "ada@example.com";
/** A number as people in Berlin write it, and as the world dials it. */
export const PHONE = "030 901820";
export const PHONE_E164 = "+4930901820";

export class Widget {
  readonly host: Locator;
  readonly launcher: Locator;
  readonly panel: Locator;
  readonly closeButton: Locator;
  readonly log: Locator;
  /** All lines of the transcript; the bot's; the visitor's. */
  readonly bubbles: Locator;
  readonly bot: Locator;
  readonly visitor: Locator;
  /** What waits for an answer. */
  readonly card: Locator;
  readonly choices: Locator;
  /** The field of an e-mail address or a phone number. */
  readonly field: Locator;
  readonly country: Locator;
  readonly send: Locator;
  readonly skip: Locator;
  readonly problem: Locator;
  readonly ended: Locator;

  constructor(readonly page: Page) {
    this.host = page.locator("#porchlight");
    this.launcher = this.host.locator(".launcher");
    this.panel = this.host.locator("dialog");
    this.closeButton = this.host.locator(".close");
    this.log = this.frame.getByRole("log");
    this.bubbles = this.log.locator("[data-author]");
    this.bot = this.log.locator("[data-author=bot]");
    this.visitor = this.log.locator("[data-author=visitor]");
    this.card = this.frame.locator("#card");
    this.choices = this.card.getByRole("group").getByRole("button");
    this.field = this.card.locator("#value");
    this.country = this.card.locator("#country");
    this.send = this.card.locator(".send:not([value])");
    this.skip = this.card.locator(".skip");
    this.problem = this.card.locator("#problem");
    this.ended = this.card.locator(".ended");
  }

  get frame() {
    return this.page.frameLocator("#porchlight iframe");
  }

  /** Sends files in a live chat, as many as are chosen at once. */
  async sendFiles(...files: { name: string; mimeType: string; buffer: Buffer }[]): Promise<void> {
    const choice = this.page.waitForEvent("filechooser");
    await this.card.getByRole("button", { name: "Attach a file" }).click();
    await (await choice).setFiles(files);
  }

  /** Calls a method of window.Porchlight. */
  async call(method: string, ...parameters: unknown[]): Promise<void> {
    await this.page.evaluate(
      ([method, parameters]) => (window as unknown as { Porchlight: Record<string, (...all: unknown[]) => void> }).Porchlight[method](...parameters),
      [method, parameters] as const,
    );
  }

  /** Waits until the panel's own script has taken over. */
  async connected(documents = 1): Promise<void> {
    await expect.poll(() => heard(this.page).hellos(), "the panel’s script says hello").toBe(documents);
  }

  /** Clicks the launcher, and waits for the panel and its script. */
  async open(): Promise<void> {
    await this.launcher.click();
    await expect(this.card).toBeVisible();
    await this.connected();
  }

  choice(label: string): Locator {
    return this.choices.filter({ hasText: label });
  }

  async choose(label: string = TOPICS[0]): Promise<void> {
    await this.choice(label).click();
    await expect(this.field).toHaveAttribute("type", "email");
  }

  async giveEmail(email = EMAIL): Promise<void> {
    await this.field.fill(email);
    await this.send.click();
    await expect(this.field).toHaveAttribute("type", "tel");
  }

  async givePhone(country = "DE", number = PHONE): Promise<void> {
    await this.country.selectOption(country);
    await this.field.fill(number);
    await this.send.click();
    await expect(this.ended).toBeVisible();
  }

  /** From the first question to the end. */
  async complete(): Promise<void> {
    await this.choose();
    await this.giveEmail();
    await this.givePhone();
  }

  /** The lines of the transcript, as they are read. */
  async transcript(): Promise<string[]> {
    return (await this.bubbles.allInnerTexts()).map((line) => line.replace(/\s+/g, " ").trim());
  }
}

/** A dialogue that asks for a person at once the visitor wants one. */
export const TALK = {
  id: "talk",
  typingDelay: 0,
  cards: [
    { id: "how", card: "question", text: "How can we help?", choices: [{ label: "A person, please" }] },
    { id: "person", card: "liveChat", text: "One moment.", fallbackText: "Nobody is there right now." },
    { id: "end", card: "end", text: "Thank you." },
  ],
};

/** The visitor asks for a person. */
export async function asks(page: Page, widget: Widget, address: string): Promise<void> {
  await page.goto(address);
  await widget.open();
  await widget.choices.first().click();
}
