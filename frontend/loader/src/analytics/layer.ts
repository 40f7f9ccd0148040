// window.dataLayer, as tag managers read it.

import type { Envelope } from "../listeners";
import { contact } from "./contact";

/** Pushes the whole event but what reaches a person: contact details, and the address of a meeting's file, which is a secret. */
export const layer = (event: Envelope): void => {
  const data = { ...event.data };
  for (const field of contact) delete data[field];
  if (data.meetingInfo) {
    const { icsUrl: _, ...meetingInfo } = data.meetingInfo as Record<string, unknown>;
    data.meetingInfo = meetingInfo;
  }
  const page = window as unknown as { dataLayer?: unknown[] };
  (page.dataLayer ||= []).push({ event: event.type, porchlight: { ...event, data } });
};
