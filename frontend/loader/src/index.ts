// porchlight.js: all that a host page pays before a visitor shows intent. It reads the site's configuration, draws the launcher
// in a shadow root, and tells the page what happens. What the server can decide, the server decides.

import { AdobeDX, on, ready as tellReady } from "./listeners";
import { mount, type Widget } from "./widget";
import { attributes, forget, refused, start, told } from "./server";

type Command = [name: string, ...args: never[]];

let widget: Widget | undefined;
let resolveReady: () => void;
const newReady = (): Promise<void> => new Promise((resolve) => (resolveReady = resolve));
let ready = newReady();

/** Runs a command once there is something to run it on. */
const later = <A extends unknown[]>(command: (widget: Widget, ...args: A) => void) =>
  (...args: A): void => void ready.then(() => widget && command(widget, ...args));

const Porchlight = {
  on,
  ready,
  open: later((widget, options?: { conversation?: string }) => widget.open(true, options?.conversation)),
  close: later((widget) => widget.close()),
  toggle: later((widget) => widget.toggle()),
  show: later((widget) => widget.show()),
  hide: later((widget) => widget.hide()),
  setTheme: (theme: string): void => {
    attributes.theme = theme;
    widget?.setTheme();
  },
  setLocale: (tag: string): void => {
    attributes.locale = tag;
    widget?.setLocale();
  },
  reset: (): void => {
    forget();
    widget?.remove();
    widget = undefined;
    Porchlight.ready = ready = newReady();
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

/** Asks the server until it answers, ever more patiently: without its configuration there is nothing to show. */
const begin = (delay = 1000): void => {
  const mine = ++run;
  start().then(
    (begun) => {
      if (mine !== run) return;
      tellReady();
      told(begun);
      const draw = (): void => {
        if (mine !== run) return;
        widget = mount(begun.settings, begun.conversation);
        resolveReady();
      };
      if (document.body) draw();
      else addEventListener("DOMContentLoaded", draw);
    },
    (problem) => {
      if (!refused(problem)) setTimeout(() => mine === run && begin(Math.min(delay * 2, 60000)), delay);
    },
  );
};

const page = window as unknown as Record<string, unknown>;
const queued = page.Porchlight as { on?: unknown } | undefined;
if (!queued?.on) {
  page.Porchlight = Porchlight;
  page.AdobeDX = AdobeDX;
  if (attributes.adobeGlobals != null) Object.assign(page, { addListener: AdobeDX.addListener, Enum: AdobeDX.Enum });
  begin();
  Porchlight.push(...((queued || []) as Command[]));
} else console.warn("Porchlight twice");
