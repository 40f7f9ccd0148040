// The tabs of one visitor, kept in step: what was answered in one of them is asked for in the others.

import { attempt } from "../dom";

export interface Tabs {
  /** Tells the other tabs that a conversation went on in this one. */
  tell(conversation: string): void;
  remove(): void;
}

export const tabs = (name: string, wentOn: (conversation: string) => void): Tabs => {
  const channel = attempt(() => new BroadcastChannel(name));
  channel?.addEventListener("message", ({ data }) => wentOn(data.conversation));
  return {
    tell: (conversation) => channel?.postMessage({ conversation }),
    remove: () => channel?.close(),
  };
};
