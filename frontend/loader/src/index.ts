// porchlight.js: all that a host page pays before a visitor shows intent. It reads the site's configuration, draws the launcher
// in a shadow root, and tells the page what happens. What the server can decide, the server decides; what a visitor opens is on the stage.

import { REQUIRED, attributes, granted } from "./attributes";
import { places, wanted } from "./dom";
import { type Widget, mount } from "./launcher";
import { AdobeDX, on, ready as tellReady } from "./listeners";
import { forget, refused, start, take, told } from "./server";
import type { Stage } from "./types";

type Command = [name: string, ...args: never[]];

let widget: Widget | undefined;
let identity: unknown;
let resolveReady: () => void;
const newReady = (): Promise<void> => new Promise((resolve) => (resolveReady = resolve));
let ready = newReady();

/** Runs a command once there is something to run it on: the launcher, or the stage, which `bring` makes come. */
const later = (name: keyof Stage | "show", bring?: boolean) =>
  (...args: unknown[]): void =>
    void ready.then(() => widget && (name === "show" || name === "hide" ? widget[name]() : widget.ask(name, bring, ...args)));

const newTheme = later("setTheme");

const stop = (): void => {
  forget();
  widget?.remove();
  widget = identity = undefined;
  Porchlight.ready = ready = newReady();
};

const Porchlight = {
  on,
  ready,
  open: later("open", true),
  close: later("close"),
  toggle: later("toggle", true),
  start: later("start", true),
  show: later("show"),
  hide: later("hide"),
  identify: (who: unknown): void => {
    identity = who;
    check();
  },
  setTheme: (theme: string): void => {
    attributes.theme = theme;
    newTheme();
  },
  setLocale: (tag: string): void => {
    attributes.locale = tag;
    check();
  },
  consent: (given: boolean): void => {
    if (!given !== granted()) return;
    if (!given) stop();
    attributes.consent = given ? "" : REQUIRED;
    begin();
  },
  reset: (): void => {
    stop();
    begin();
  },
  push: (...commands: Command[]): void => {
    for (const [name, ...args] of commands) {
      const method = (Porchlight as unknown as Record<string, unknown>)[name];
      if (typeof method === "function" && name !== "push") method(...args);
      else console.warn("Porchlight: no", name);
    }
  },
};

let run = 0;
let asked: string;

/** What the answer depends on, besides the visitor and the page. */
const question = (): object => ({ locale: attributes.locale || navigator.language, identity, placed: places().map(wanted) });

/** The same in words, to compare. What only a hash tells apart is one page. */
const inWords = (): string => location.href.split("#")[0] + JSON.stringify(question());

/** Asks the server again, within the same view, if it may answer otherwise now. */
const check = (): void => void ready.then(() => asked !== inWords() && begin());

/** Asks the server until it answers, ever more patiently: without its configuration there is nothing to show. */
const begin = (delay = 1000): void => {
  const mine = ++run;
  if (!granted()) return;
  asked = inWords();
  start(question()).then(
    (begun) => {
      if (mine !== run) return;
      take(begun);
      tellReady();
      told(begun);
      const draw = (): void => {
        if (mine !== run) return;
        widget ||= mount();
        widget.begun();
        resolveReady();
      };
      if (document.body) draw();
      else addEventListener("DOMContentLoaded", draw);
    },
    (problem) => {
      if (mine !== run) return;
      if (!refused(problem)) setTimeout(() => mine === run && begin(Math.min(delay * 2, 60000)), delay);
      else if (identity) {
        // It may be what was refused: the widget works without it.
        identity = undefined;
        begin();
      }
    },
  );
};

const page = window as unknown as Record<string, unknown>;
const queued = page.Porchlight as { on?: unknown } | undefined;
if (!queued?.on) {
  page.Porchlight = Porchlight;
  page.AdobeDX = AdobeDX;
  if (attributes.adobeGlobals != null) Object.assign(page, { addListener: AdobeDX.addListener, Enum: AdobeDX.Enum });
  Porchlight.push(...((queued || []) as Command[]));
  // Unless a command has begun already.
  if (!run) begin();

  addEventListener(
    "click",
    (event) => {
      const starter = (event.target as Element).closest?.<HTMLElement>("[data-porchlight-start]");
      if (!starter) return;
      event.preventDefault();
      Porchlight.start(starter.dataset.porchlightStart);
    },
    true,
  );
  // A script that was faster than the page asks again for the elements that have come since.
  addEventListener("DOMContentLoaded", check);
  // A router changes the address first and the page after it.
  const moved = (): void => void setTimeout(check, 50);
  (page.navigation as EventTarget | undefined)?.addEventListener("currententrychange", moved);
  addEventListener("popstate", moved);
} else console.warn("Porchlight twice");
