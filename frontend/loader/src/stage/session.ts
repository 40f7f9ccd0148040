// What a tab of the browser remembers of the widget until it is closed: what is open, so that it is after a reload, and what the
// visitor has put away, so that it does not come back by itself.

import { attempt } from "../dom";
import type { Core } from "../types";

/** What may be open: the chatbot's panel, or a popup, whose conversation follows the word. */
export const PANEL = "1";
export const POPUP = "popup";

export interface Session {
  /** What is open, and its conversation if it is a popup. */
  open(): string[];
  remember(...open: string[]): void;
  has(word: string): boolean;
  add(word: string): void;
}

export const session = ({ attributes, keep }: Core): Session => {
  const key = "porchlight:" + attributes.site;
  let [now, words] = ["", [] as string[]];

  const all = (): string[] => (words = attempt(() => JSON.parse(sessionStorage.getItem(key + ":seen") || "[]")) || words);

  return {
    open: () => (attempt(() => sessionStorage.getItem(key + ":open") || "") ?? now).split(" "),
    remember: (...open) => {
      now = open.join(" ");
      keep({ opened: true });
      attempt(() => sessionStorage.setItem(key + ":open", now));
    },
    has: (word) => all().includes(word),
    add: (word) => {
      words = [...new Set(all()).add(word)];
      attempt(() => sessionStorage.setItem(key + ":seen", JSON.stringify(words)));
    },
  };
};
