// Adobe's Web SDK, by the function that the page has given it: `alloy`, or the name in data-alloy.

import type { Envelope } from "../listeners";
import type { Adapter, Attributes } from "./index";
import { fields } from "./fields";

/** The first wait for a page that has not set up its SDK yet, in ms. Each further one is twice as long. */
const FIRST_WAIT = 500;
/** After this one it is given up: a page has about a minute. */
const LAST_WAIT = 32_000;

type Alloy = (command: string, options: object) => unknown;

export const alloy = (attributes: Attributes): Adapter => {
  const send = (event: Envelope, wait = FIRST_WAIT): void => {
    // Consent that was taken back meanwhile holds for what has not been sent.
    if (attributes.consent === "required") return;
    const later = (): void => {
      if (wait <= LAST_WAIT) setTimeout(send, wait, event, wait * 2);
    };
    const call = (window as unknown as Record<string, Alloy | undefined>)[attributes.alloy || "alloy"];
    if (typeof call !== "function") return later();
    const { id, type, time, session, conversation } = event;
    const options = {
      type: "porchlight." + type,
      xdm: { _id: id, timestamp: time },
      data: { porchlight: { id, type, session, conversation, ...fields(event) } },
    };
    // The SDK refuses all that comes before its own configuration. Anything else it says to the page itself.
    Promise.resolve(call("sendEvent", options)).catch((error: unknown) => /configured first/.test(String(error)) && later());
  };
  return (event) => send(event);
};
