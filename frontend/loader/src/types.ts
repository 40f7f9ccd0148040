// What server, core and stage say to each other. Types only: neither bundle holds a part of the other.

import type { Envelope } from "./listeners";

/** How the widget looks, and its texts in the visitor's language. */
export interface Settings {
  title: string;
  label: string;
  close: string;
  minimise: string;
  dismiss: string;
  /** Stands after the label while there is something unread. */
  unread: string;
  /** Names the ways of contact. */
  menu?: string;
  dir: string;
  /** The theme, if the page names none. */
  mode: string;
  corner: string;
  /** How far the launcher is from its corner, in px. */
  x: number;
  y: number;
  accent: string;
  onAccent: string;
  /** Of the panel's corners, in px. */
  radius: number;
  font: string;
  /** What is written on the launcher. */
  text?: string | null;
  /** A clip-path in a box of 28 px. */
  icon: string;
}

/** A way of contact that the launcher offers. */
export interface Contact {
  kind: string;
  /** What it starts; nothing: what the launcher opens. */
  conversation?: string;
  label: string;
}

export interface Trigger {
  on: string;
  seconds?: number;
  percent?: number;
  selector?: string;
}

export interface Conversation {
  id: string;
  name: string;
  type: string;
  uiType: string;
  /** When it is shown; at once without one. */
  trigger: Trigger | null;
  /** A line beside the launcher. */
  poke: string | null;
  /** The visitor has answered in it: it is shown, whatever its trigger says. */
  goesOn: boolean;
}

/** What every answer of the server carries. */
export interface Told {
  session: string;
  cursor: number;
  events: Envelope[];
}

export interface Begun extends Told {
  visitor: string;
  token?: string;
  view: string;
  settings: Settings;
  conversation: Conversation | null;
  /** Which of the inline conversations that were asked for there are. */
  placed: Record<string, string>;
  /** How long the session has lasted, in seconds. */
  onSite: number;
  /** The visitor is in a live chat. */
  live?: boolean;
  /** The ways of contact that the launcher offers now; none: what it opens is the only one. */
  contacts?: Contact[];
}

export type Visit = Begun & { token: string };

/** What happened on a page, and on which: it may be sent by another. */
export interface Report {
  id: string;
  time: string;
  type: string;
  view: string;
  session: string;
  page: string;
  conversation: string | null;
  [field: string]: unknown;
}

/** What is kept on the visitor's device. */
export interface Kept {
  token?: string;
  /** Whether a panel was ever opened here. */
  opened?: boolean;
  /** How long the visitor has looked at a path, in seconds; the latest paths only. */
  time?: Record<string, number>;
}

/** The launcher as it stands. */
export interface State {
  /** The conversation it opens. */
  conversation: string | null;
  expanded: boolean;
  unread: boolean;
}

/** What the core lends to the stage. */
export interface Core {
  on(type: string, listener: (event: Envelope) => void): () => void;
  attributes: Record<string, string | undefined>;
  visit: Visit;
  state: State;
  /** Of the host element, with the launcher in it. */
  shadow: ShadowRoot;
  /** Draws the launcher as it stands. */
  draw(): void;
  /** The launcher appears, unless the page has hidden it; `anyway` even then. */
  show(anyway?: boolean): void;
  keep(change?: Kept): Kept;
  report(type: string, fields: Record<string, unknown>, conversation: string | null): void;
  /** Resolved when the reports under way are delivered, or cannot be. */
  reported(): Promise<void> | undefined;
  told(answer: Told): void;
  sync(): Promise<void>;
}

/** What the core asks of the stage. */
export interface Stage {
  /** The server has said, for the first time or anew, what is offered here. */
  begun(): void;
  /** The launcher has appeared. */
  shown(): void;
  open(options?: { conversation?: string }): void;
  /** Lets the visitor choose a way of contact. */
  menu(): void;
  close(): void;
  toggle(): void;
  hide(): void;
  start(conversation: string): void;
  setTheme(): void;
  remove(): void;
}
