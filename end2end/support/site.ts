// A site of a test's own, made and published by the API as a customer's tools would do it.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Porchlight } from "./porchlight";

export interface Authored {
  id: string;
  cards: Record<string, unknown>[];
  [field: string]: unknown;
}

export interface Site {
  /** Its key, for `data-site`. */
  key: string;
  /** Puts settings in the place of those before. */
  settings(settings: Record<string, unknown>): Promise<void>;
  /** Publishes conversations, new or anew. */
  publish(...conversations: Authored[]): Promise<void>;
  unpublish(id: string): Promise<void>;
}

/** Hours as a site writes them: lines such as `monday 09:00-17:00` or `2026-12-25 closed`. */
export interface Hours {
  time_zone: string;
  hours: string[];
}

/** A way of contact that the launcher offers. */
export interface Contact {
  kind: "Chat" | "CallbackNow" | "CallbackLater" | "ClickToCall";
  conversation?: string;
  label?: string | Record<string, string>;
  when_closed?: boolean;
}

/** What a site may say of itself besides what every test's site says. */
export interface SiteSettings extends Record<string, unknown> {
  opening_hours?: Hours;
  contacts?: Contact[];
}

export const WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** The same hours on each day of the week. */
export const everyDay = (hours: string): string[] => WEEK.map((day) => `${day} ${hours}`);

/** A day of the week, some days from today by the clock of UTC. */
export const weekdayAhead = (days: number): string => WEEK[(new Date(Date.now() + days * 86_400_000).getUTCDay() + 6) % 7];

/** The demo's document. */
const GUIDE = readFileSync(fileURLToPath(new URL("../../demo/files/size-guide.pdf", import.meta.url)));
let made = 0;

/** Makes a site with a key that no other test has, and publishes its conversations; it has the file `guide.pdf`. */
export async function makeSite(porchlight: Porchlight, conversations: Authored[], settings: SiteSettings = {}): Promise<Site> {
  const key = `site-${process.pid}-${++made}`;
  const call = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`${porchlight.origin}/api/v1/sites/${key}${path}`, {
      method,
      headers: { authorization: `Bearer ${porchlight.key}` },
      body: body === undefined ? undefined : Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  const site: Site = {
    key,
    settings: (more) => call("PUT", "", { key, title: "Marlow Bikes", origins: ["loopback"], accent: "#1d6b4f", country: "GB", ...more }),
    publish: async (...conversations) => {
      for (const conversation of conversations) await call("PUT", `/conversations/${conversation.id}`, { name: conversation.id, ...conversation });
      for (const { id } of conversations) await call("POST", `/conversations/${id}/publish`);
    },
    unpublish: (id) => call("POST", `/conversations/${id}/unpublish`),
  };
  await site.settings(settings);
  await call("PUT", "/files/guide.pdf", GUIDE);
  await site.publish(...conversations);
  return site;
}
