// Matomo, by its queue.

import type { Adapter } from "./index";
import { fields } from "./fields";

/** Category, action and name: the conversation's, or the widget's of an event that belongs to none. */
export const matomo = (): Adapter => (event) => {
  const { name, widget = "" } = fields(event);
  const page = window as unknown as { _paq?: unknown[] };
  (page._paq ||= []).push(["trackEvent", "Porchlight", event.type, name || widget]);
};
