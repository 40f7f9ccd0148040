// What of an event may be told to programs that measure a page.

import type { Envelope } from "../listeners";

/**
 * Ids, words of Porchlight's own, and what the author named: nothing that a visitor wrote, nobody's name, and no address. A field that is
 * new in the catalogue is told to nobody until it stands here.
 */
const NAMES = ["name", "uiType", "card", "field", "goal", "document", "kind", "reason", "outcome", "widget"];

/** As Google Analytics takes it; the others have no need of more. */
const LONGEST = 100;

/** The fields of an event's data that may be told. */
export const fields = ({ data }: Envelope): Record<string, string> => {
  const told: Record<string, string> = {};
  for (const name of NAMES) if (typeof data[name] === "string") told[name] = (data[name] as string).slice(0, LONGEST);
  return told;
};
