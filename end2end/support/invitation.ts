// Calendar files, read by a parser that is not ours: ical.js, which Thunderbird reads them with.

import { expect } from "@playwright/test";
import ICAL from "ical.js";
import { type Part, leaves } from "./mail";

export interface Invitation {
  /** What it asks of who gets it, as the whole file says. */
  method: string;
  uid: string;
  sequence: number;
  status: string;
  start: string;
  end: string;
  title: string;
  location: string | null;
  organizer: string | null;
  attendees: string[];
}

const moment = (time: InstanceType<typeof ICAL.Time>): string => time.toJSDate().toISOString().replace(".000Z", "Z");

/** The events of a calendar file. */
export function readCalendar(text: string): Invitation[] {
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown[]);
  const method = String(calendar.getFirstPropertyValue("method") ?? "");
  return calendar.getAllSubcomponents("vevent").map((component) => {
    const event = new ICAL.Event(component);
    const organizer = component.getFirstPropertyValue("organizer");
    return {
      method,
      uid: event.uid,
      sequence: event.sequence,
      status: String(component.getFirstPropertyValue("status") ?? ""),
      start: moment(event.startDate),
      end: moment(event.endDate),
      title: event.summary,
      location: event.location,
      organizer: organizer && String(organizer),
      attendees: event.attendees.map((attendee) => String(attendee.getFirstValue())),
    };
  });
}

/** The invitation in a letter: the entry that calendars take up, which must be what the attached file says, too. */
export function invitationIn(letter: Part): Invitation {
  const [said, file, ...more] = leaves(letter).filter(({ type }) => type === "text/calendar");
  expect(more).toEqual([]);
  expect(file.header("Content-Disposition")).toContain("meeting.ics");
  const [invitation, ...others] = readCalendar(said.text);
  expect(others).toEqual([]);
  expect(readCalendar(file.text)).toEqual([invitation]);
  // RFC 6047 §2.4: the part's own method is that of its content.
  expect(said.parameter("method")).toBe(invitation.method);
  return invitation;
}

/** The text of a letter, and the address in it at which a meeting is moved or called off. */
export function wordsOf(letter: Part): { text: string; link: string } {
  const text = leaves(letter).find(({ type }) => type === "text/plain")?.text ?? "";
  return { text, link: /https?:\/\/\S+\/meetings\/\S+/.exec(text)?.[0] ?? "" };
}
