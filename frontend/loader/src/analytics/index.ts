// What tells a page's analytics of the events, each in its own way: see docs/adapters.md. Loaded only where the tag names any; what
// happens before it has come, the core keeps.

import type { Envelope } from "../listeners";
import { alloy } from "./alloy";
import { gtag } from "./gtag";
import { layer } from "./layer";
import { matomo } from "./matomo";

/** The tag's attributes, as they are now: the page may take consent back. */
export type Attributes = Record<string, string | undefined>;

/** Tells an event. What it calls is the page's own, so it may throw. */
export type Adapter = (event: Envelope) => void;

const kinds = new Map<string, (attributes: Attributes) => Adapter>([
  ["alloy", alloy],
  ["gtag", gtag],
  ["matomo", matomo],
]);

/** Tells what has happened, and from then on what is pushed. */
export default (events: Envelope[], attributes: Attributes): void => {
  const adapters: Adapter[] = attributes.layer == null ? [] : [layer];
  for (const name of new Set((attributes.analytics || "").split(/[\s,]+/))) {
    const kind = kinds.get(name);
    if (kind) adapters.push(kind(attributes));
    else if (name) console.warn("Porchlight: no analytics", name);
  }
  const tell = (event: Envelope): void => {
    for (const adapter of adapters) {
      try {
        adapter(event);
      } catch (error) {
        // It reaches the page's error handler, and neither the widget nor the next one.
        reportError(error);
      }
    }
  };
  events.push = (...more) => {
    more.forEach(tell);
    return 0;
  };
  events.splice(0).forEach(tell);
};
