// What every journey needs: the server, a customer's web server, a page that writes down what it hears, and a watch over its console.

import { test as base, expect } from "@playwright/test";
import { type Host, startHost } from "./support/host";
import { type Porchlight, type PorchlightEvent, startPorchlight } from "./support/porchlight";
import { heard, recordIn } from "./support/recorder";
import { Widget } from "./support/widget";

export { expect, heard, Widget };
export type { Porchlight, PorchlightEvent };
export * from "./support/widget";

interface Quiet {
  /** Lets the console hold errors of these kinds in this test. */
  allow(...kinds: RegExp[]): void;
}

interface Test {
  /** Whether each page listens to everything from its very beginning; a test that brings its own listeners turns it off. */
  listens: boolean;
  quiet: Quiet;
  widget: Widget;
}

export const test = base.extend<Test & { recording: void }, { porchlight: Porchlight; host: Host }>({
  porchlight: [
    async ({}, use) => {
      const porchlight = await startPorchlight();
      await use(porchlight);
      await porchlight.stop();
    },
    { scope: "worker" },
  ],

  host: [
    async ({ porchlight }, use) => {
      const host = await startHost(porchlight.origin);
      await use(host);
      await host.stop();
    },
    { scope: "worker" },
  ],

  listens: [true, { option: true }],

  recording: [
    async ({ context, listens }, use) => {
      await recordIn(context, listens);
      await use();
    },
    { auto: true },
  ],

  quiet: [
    async ({ context }, use) => {
      const errors: string[] = [];
      // No page asks for its icon, the browser does; chatbot.spec.ts looks at the demo page's.
      const allowed: RegExp[] = [/status of 404.*\/favicon\.ico\)$/];
      context.on("console", (message) => {
        if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
      });
      context.on("weberror", (error) => errors.push(`uncaught: ${error.error().message}`));
      await use({ allow: (...kinds) => void allowed.push(...kinds) });
      const unexpected = errors.filter((error) => !allowed.some((kind) => kind.test(error)));
      expect(unexpected, "errors in the console that the test did not expect").toEqual([]);
    },
    { auto: true },
  ],

  widget: async ({ page }, use) => use(new Widget(page)),
});

/** What a browser is told of an event: all but the contact details. */
export function forBrowser(event: PorchlightEvent): PorchlightEvent {
  const { value: _, ...data } = event.data;
  return { ...event, data };
}

/** The log's events of a session, checked for what must always hold: numbered from 1 without gaps, each once. */
export async function logOf(porchlight: Porchlight, session: string): Promise<PorchlightEvent[]> {
  const log = await porchlight.serverEvents(session);
  expect(log.map(({ seq }) => seq), "seq counts from 1 without gaps").toEqual(log.map((_, index) => index + 1));
  expect(new Set(log.map(({ id }) => id)).size, "every id is there once").toBe(log.length);
  return log;
}

/** Waits until the page has heard exactly these types, in this order, and the log of the session holds the same events. */
export async function expectTold(page: Widget["page"], porchlight: Porchlight, types: string[]): Promise<PorchlightEvent[]> {
  await expect.poll(() => heard(page).types(), "the page has heard").toEqual(types);
  const events = await heard(page).events();
  const log = await logOf(porchlight, events[0].session);
  expect(events, "page and log tell the same").toEqual(log.map(forBrowser));
  return log;
}
