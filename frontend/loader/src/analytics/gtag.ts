// Google Analytics 4, by gtag().

import type { Adapter } from "./index";
import { fields } from "./fields";

/** A way to reach the visitor is known by these: Google Analytics recommends `generate_lead` for that. */
const LEADS = ["input.email", "input.phone", "meeting.booked", "callback.requested"];

/** A parameter's name where the field's would not say what it is, or is not as they are written there. */
const RENAMED = new Map([
  ["name", "conversation_name"],
  ["uiType", "ui_type"],
]);

type Gtag = (...command: unknown[]) => void;

export const gtag = (): Adapter => {
  const page = window as unknown as { gtag?: Gtag; dataLayer?: unknown[] };
  /** Google's own way to leave a command for a tag that has not loaded yet: it takes nothing but the object of a function's arguments. */
  const leave: Gtag = function () {
    (page.dataLayer ||= []).push(arguments);
  };
  const leads = new Set<string>();

  return (event) => {
    const { id, type, session, conversation } = event;
    const send = page.gtag || leave;
    const parameters: Record<string, string> = { event_id: id };
    if (conversation) parameters.conversation = conversation;
    for (const [name, value] of Object.entries(fields(event))) parameters[RENAMED.get(name) || name] = value;
    send("event", "porchlight_" + type.replace(".", "_"), parameters);
    const lead = session + conversation;
    if (!LEADS.includes(type) || leads.has(lead)) return;
    leads.add(lead);
    send("event", "generate_lead", parameters);
  };
};
