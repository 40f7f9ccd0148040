// When a conversation that is offered shows itself.

import { attempt } from "../dom";
import type { Core, Trigger } from "../types";

/** So many paths have their time kept. */
const PATHS = 50;

/** Says that the moment is there; `clicked` if the visitor asked for it. */
type Fire = (clicked?: boolean) => void;
/** Ends with `signal`, whose reason is FORGET if nothing may be kept. */
type Kind = (trigger: Trigger, fire: Fire, signal: AbortSignal, core: Core) => void;

const FORGET = "forget";

const kinds: Record<string, Kind> = {
  /** So long has the visitor looked at this path, on all visits. */
  timeOnPage: ({ seconds = 0 }, fire, signal, { keep }) => {
    const path = location.pathname;
    let spent = keep().time?.[path] || 0;
    let since = 0;
    let timer: number;
    const stop = (): void => {
      clearTimeout(timer);
      if (!since || signal.reason === FORGET) return;
      spent += (Date.now() - since) / 1000;
      since = 0;
      const { [path]: _, ...others } = keep().time || {};
      // The latest is the last, and the first goes.
      keep({ time: Object.fromEntries([...Object.entries(others), [path, spent]].slice(-PATHS)) });
    };
    const look = (): void => {
      stop();
      if (document.hidden) return;
      since = Date.now();
      timer = setTimeout(fire, (seconds - spent) * 1000);
    };
    document.addEventListener("visibilitychange", look, { signal });
    addEventListener("pageshow", look, { signal });
    addEventListener("pagehide", stop, { signal });
    signal.addEventListener("abort", stop);
    look();
  },

  /** So old is the session. */
  timeOnSite: ({ seconds = 0 }, fire, signal, { visit }) => {
    const timer = setTimeout(fire, (seconds - visit.onSite) * 1000);
    signal.addEventListener("abort", () => clearTimeout(timer));
  },

  /** So much of the page has been scrolled through; a page that cannot scroll has been at once. */
  scroll: ({ percent = 0 }, fire, signal) => {
    const look = (): void => {
      const { scrollHeight, clientHeight, scrollTop } = document.scrollingElement || document.documentElement;
      const all = scrollHeight - clientHeight;
      // Browsers scroll by fractions of a px, and may stop one short of the end.
      if (all < 1 || ((scrollTop + 1) / all) * 100 >= percent) fire();
    };
    addEventListener("scroll", look, { signal, passive: true });
    // Before, it may only not be long enough yet.
    if (document.readyState === "complete") look();
    else addEventListener("load", look, { signal });
  },

  /** The pointer leaves the window at the top, where tabs and addresses are. A finger does not. */
  exitIntent: (_, fire, signal) => {
    if (!matchMedia("(pointer: fine)").matches) return;
    const look = ({ relatedTarget, clientY }: MouseEvent): void => {
      if (!relatedTarget && clientY <= 0) fire();
    };
    document.addEventListener("mouseout", look, { signal });
  },

  click: ({ selector = "" }, fire, signal) => {
    if (!attempt(() => [document.querySelector(selector)])) return console.warn("Porchlight: no valid selector:", selector);
    // Before the page's own listeners, one of which may keep the click to itself.
    addEventListener("click", ({ target }) => (target as Element).closest?.(selector) && fire(true), { signal, capture: true });
  },
};

/** Waits for a trigger; the function it gives ends that, and with `forget` keeps nothing of it. */
export const arm = (core: Core, trigger: Trigger | null, fire: Fire): ((forget?: boolean) => void) => {
  const waiting = new AbortController();
  const kind = trigger && kinds[trigger.on];
  if (!kind) {
    fire();
    return () => {};
  }
  const once: Fire = (clicked) => {
    waiting.abort();
    fire(clicked === true);
  };
  kind(trigger, once, waiting.signal, core);
  return (forget) => waiting.abort(forget && FORGET);
};
