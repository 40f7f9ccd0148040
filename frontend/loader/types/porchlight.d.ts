// Types of the page's side of Porchlight: put this file beside your sources, or reference it from the server.
// The types of the events stand below, written from the server's own catalogue.

/** What every event carries. */
export interface PorchlightEvent<T extends keyof PorchlightEventData = keyof PorchlightEventData> {
  /** The same on the page, in the server's log and in a webhook; a UUIDv7. */
  id: string;
  type: T;
  /** Counts from 1 without gaps inside a session; null if the server could not be reached yet. */
  seq: number | null;
  /** RFC 3339, UTC, with milliseconds. */
  time: string;
  site: string;
  visitor: string;
  session: string;
  conversation: string | null;
  page: string;
  data: PorchlightEventData[T];
}

/** Who the visitor is, as the page's own server knows them. */
export interface PorchlightIdentity {
  id?: string;
  email?: string;
  name?: string;
  /** Proves it: HMAC-SHA256 of the id, or of the e-mail address if there is no id, with the site's secret; in hex. */
  hash: string;
}

/** window.Porchlight, once the script has run. */
export interface PorchlightApi {
  /** Opens what is offered here, or the panel with another conversation by its id. */
  open(options?: { conversation?: string }): void;
  /** Closes what is open, as the visitor would. */
  close(): void;
  toggle(): void;
  /** Shows the launcher. */
  show(): void;
  /** Hides the launcher and closes what is open. */
  hide(): void;
  /** Starts a conversation flow: in its element if the page has one, else as a popup. One that has ended begins again. */
  start(conversation: string): void;
  /** Says who the visitor is. */
  identify(identity: PorchlightIdentity): void;
  /** A language tag such as "de-DE". */
  setLocale(tag: string): void;
  setTheme(theme: "light" | "dark" | "auto"): void;
  /** With data-consent="required" nothing happens before this says true. With false the visitor is forgotten, and the widget goes. */
  consent(granted: boolean): void;
  /** Forgets the visitor and begins anew. */
  reset(): void;
  /** Listens to one type of event, or to all by "*". The function it returns stops that. */
  on<T extends keyof PorchlightEventData>(type: T, listener: (event: PorchlightEvent<T>) => void): () => void;
  on(type: "*", listener: (event: PorchlightEvent) => void): () => void;
  /** Resolves when the widget can be used. */
  ready: Promise<void>;
  /** Runs commands: Porchlight.push(["open"]). */
  push(...commands: PorchlightCommand[]): void;
}

/** A command in the queue that may be made before the script has loaded: its name and what it takes. */
export type PorchlightCommand =
  | ["open", options?: { conversation?: string }]
  | ["close" | "toggle" | "show" | "hide" | "reset"]
  | ["start", conversation: string]
  | ["identify", identity: PorchlightIdentity]
  | ["setLocale", tag: string]
  | ["setTheme", theme: "light" | "dark" | "auto"]
  | ["consent", granted: boolean]
  | { [T in keyof PorchlightEventData]: ["on", type: T, listener: (event: PorchlightEvent<T>) => void] }[keyof PorchlightEventData]
  | ["on", type: "*", listener: (event: PorchlightEvent) => void];

/** What a listener added by AdobeDX.addListener receives. */
export interface AdobeDXEvent {
  type: AdobeEventName;
  data: {
    payload: {
      name: string;
      id: string;
      type: "dialogue" | "conversationFlow";
      uiType: "popup" | "chatbot" | "inline";
      sid: string;
      agentName?: string | null;
      agentID?: string | null;
      meetingInfo?: MeetingInfo;
    };
  };
}

/** window.AdobeDX, as published for Adobe Marketo Dynamic Chat. */
export interface AdobeDXApi {
  Enum: { Events: { readonly [N in AdobeEventName]: N } };
  addListener(name: AdobeEventName, listener: (event: AdobeDXEvent) => void): () => void;
  removeListener(name: AdobeEventName, listener: (event: AdobeDXEvent) => void): void;
  ready: Promise<void>;
}

/** What data-layer on the tag pushes to window.dataLayer: the event without contact details, and without the address of a meeting's file. */
export interface PorchlightLayerEntry<T extends keyof PorchlightEventData = keyof PorchlightEventData> {
  event: T;
  porchlight: PorchlightEvent<T>;
}

/** The data of a message to pages written for Enghouse CTLive. */
export interface CTLiveMessage {
  name: "CTLiveEvent";
  type: CTLiveEventType;
  object: Record<string, unknown>;
}

export interface MeetingInfo {
  id: string;
  /** RFC 3339 with offset. */
  start: string;
  end: string;
  timeZone: string;
  title: string;
  location: string;
  icsUrl: string;
}

declare global {
  interface Window {
    Porchlight: PorchlightApi;
    AdobeDX: AdobeDXApi;
  }
  interface WindowEventMap {
    "adobedx.conversations.ready": CustomEvent;
    "adobedx.conversations.triggered": CustomEvent<AdobeDXEvent>;
  }
}
