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

/** The demo's document. */
const GUIDE = readFileSync(fileURLToPath(new URL("../../demo/files/size-guide.pdf", import.meta.url)));
let made = 0;

/** Makes a site with a key that no other test has, and publishes its conversations; it has the file `guide.pdf`. */
export async function makeSite(porchlight: Porchlight, conversations: Authored[], settings: Record<string, unknown> = {}): Promise<Site> {
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
