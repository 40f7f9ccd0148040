// Writes down, on the page itself, what a page hears: by Porchlight's own listeners, Adobe's, CTLive's.

import type { BrowserContext, Page } from "@playwright/test";
import type { PorchlightEvent } from "./porchlight";

export interface AdobeHeard {
  name: string;
  payload: Record<string, unknown>;
}

export interface CtliveHeard {
  type: string;
  object: Record<string, unknown>;
}

interface Recording {
  events: PorchlightEvent[];
  adobe: AdobeHeard[];
  ctlive: CtliveHeard[];
  /** The `adobedx.conversations.*` events of the window. */
  windowEvents: string[];
  /** How often a panel has said that its script runs. */
  hellos: number;
  /** What the page's policy has refused. */
  violations: string[];
}

/** Runs on the page before any script of its own. It keeps what it hears under a symbol, so that the page gets no new name. */
function record({ key, listens }: { key: string; listens: boolean }): void {
  if (window.top !== window) return;
  const recording: Recording = { events: [], adobe: [], ctlive: [], windowEvents: [], hellos: 0, violations: [] };
  (window as unknown as Record<symbol, Recording>)[Symbol.for(key)] = recording;
  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    recording.violations.push(`${violatedDirective}: ${blockedURI}`);
  });
  window.addEventListener("message", ({ data }) => {
    if (data?.porchlight === "hello") recording.hellos += 1;
  });
  if (!listens) return;

  type Listener = (event: { data: { payload: Record<string, unknown> } }) => void;
  const page = window as unknown as {
    Porchlight?: { push(command: unknown[]): void };
    AdobeDX: { addListener(name: string, listener: Listener): void; Enum: { Events: Record<string, string> } };
  };
  page.Porchlight = page.Porchlight || ([] as unknown[]);
  page.Porchlight.push(["on", "*", (event: PorchlightEvent) => recording.events.push(event)]);
  window.addEventListener("adobedx.conversations.ready", () => {
    recording.windowEvents.push("ready");
    const { addListener, Enum } = page.AdobeDX;
    for (const name of Object.values(Enum.Events)) addListener(name, ({ data: { payload } }) => recording.adobe.push({ name, payload }));
  });
  window.addEventListener("adobedx.conversations.triggered", () => recording.windowEvents.push("triggered"));
  window.addEventListener("message", (event) => {
    if (event.source !== window || event.data?.name !== "CTLiveEvent") return;
    const { type, object } = event.data as CtliveHeard;
    recording.ctlive.push({ type, object });
  });
}

const KEY = "porchlight recording";

/** Records on every page of a context; with `listens` by listeners of its own, else only what needs none. */
export async function recordIn(context: BrowserContext, listens: boolean): Promise<void> {
  await context.addInitScript(record, { key: KEY, listens });
}

/** What a page has heard since it was loaded. */
export function heard(page: Page) {
  const read = <K extends keyof Recording>(part: K): Promise<Recording[K]> =>
    page.evaluate(([key, part]) => (window as unknown as Record<symbol, Recording>)[Symbol.for(key)][part as K], [KEY, part]);
  return {
    events: () => read("events"),
    types: async () => (await read("events")).map(({ type }) => type),
    adobe: () => read("adobe"),
    ctlive: () => read("ctlive"),
    windowEvents: () => read("windowEvents"),
    hellos: () => read("hellos"),
    violations: () => read("violations"),
  };
}
