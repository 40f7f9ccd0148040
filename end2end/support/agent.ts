// An agent: invited by the command line, joined and signed in by the console's own pages.

import { type Browser, type BrowserContext, type Page, expect } from "@playwright/test";
import type { Porchlight } from "./porchlight";

export interface Agent {
  name: string;
  email: string;
  page: Page;
  context: BrowserContext;
  /** What went wrong in the agent's pages: errors, and what the policy refused. */
  errors: string[];
}

let invited = 0;

/** Lets somebody in, and opens their desk. */
export async function agentOf(browser: Browser, porchlight: Porchlight, site: string, name: string, options: object = {}, role = "agent"): Promise<Agent> {
  const email = `${name.toLowerCase()}-${process.pid}-${++invited}@example.com`;
  const [link] = porchlight.command("agent", "invite", email, "--site", site, "--role", role).split("\n");
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("404") && !message.text().includes("WebSocket")) errors.push(message.text());
  });
  await page.goto(porchlight.origin + link);
  // What is secret does not stay in the address.
  await expect(page).toHaveURL(/\/console\/join$/);
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("A new password").fill("correct horse battery");
  await page.getByRole("button", { name: "Begin" }).click();
  await expect(page.getByRole("button", { name: "Available" })).toBeVisible();
  await expect(page.locator(".dot.on").first()).toBeVisible();
  if (role === "administrator") {
    // They work for every site, those of other tests included: here they only manage.
    await page.getByRole("button", { name: "Available" }).click();
    await expect(page.getByRole("button", { name: "Away" })).toBeVisible();
  }
  return { name, email, page, context, errors };
}

/** The agent takes the chat that is offered. */
export async function accept(agent: Agent): Promise<void> {
  await agent.page.locator(".offer").getByRole("button", { name: "Accept" }).click();
  await expect(agent.page.locator("#composer")).toBeVisible();
}

export async function write(agent: Agent, text: string): Promise<void> {
  await agent.page.locator("#composer").fill(text);
  await agent.page.keyboard.press("Enter");
}

export const close = (...agents: Agent[]) => Promise.all(agents.map(({ context }) => context.close()));

/** The agent says in the console when they can be met, a line for each day; for chats they stay available at any time. */
export async function canBeMet(agent: Agent, porchlight: Porchlight, zone: string, hours: string[], more: Record<string, string> = {}): Promise<void> {
  const { page } = agent;
  await page.goto(`${porchlight.origin}/console/availability`);
  // The console writes times in the zone of the hours for chats.
  const chats = page.locator("form[action='/console/availability']");
  await chats.getByLabel("Time zone").fill(zone);
  await chats.getByRole("button", { name: "Save" }).click();
  await expect(chats.getByRole("status")).toHaveText("Saved.");
  const meetings = page.locator("form[action='/console/availability/meetings']");
  await meetings.getByLabel("Time zone").fill(zone);
  await meetings.getByLabel("Hours for meetings").fill(hours.join("\n"));
  for (const [label, value] of Object.entries(more)) await meetings.getByLabel(label).fill(value);
  await meetings.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(/met=true/);
}
