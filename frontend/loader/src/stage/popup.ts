// A conversation in the middle of the page, which waits behind it.

import { create } from "../dom";
import type { Core } from "../types";
import type { Frame, Frames } from "./frames";
import { PANEL, POPUP, type Session } from "./session";

const ELEMENT = "porchlight-popup";

export interface Popup {
  isOpen(): boolean;
  /** `focus` takes the focus into the conversation; with `anew`, one that has ended begins again. */
  open(conversation: string, focus?: boolean, anew?: boolean): void;
  shut(byVisitor?: boolean): void;
  /** Whether the visitor has put it away in this tab. */
  wasShut(conversation: string): boolean;
  /** Writes its texts, in the language of now. */
  label(): void;
}

export const popup = (core: Core, frames: Frames, session: Session): Popup => {
  let dialog: HTMLDialogElement | undefined;
  let close: HTMLButtonElement;
  let frame: Frame;

  const happened = (type: string, widget = frame.conversation): void => core.report(type, { element: ELEMENT, widget }, widget);

  const label = (): void => {
    if (!dialog) return;
    const { settings } = core.visit;
    dialog.ariaLabel = settings.title;
    close.ariaLabel = settings.close;
  };

  const open = (conversation: string, focus?: boolean, anew?: boolean): void => {
    if (frame?.conversation !== conversation) shut(false);
    if (!dialog) {
      // It takes the focus itself, unless the conversation does: a popup that comes unasked must not end under somebody's fingers.
      dialog = create("dialog", { id: ELEMENT, className: "popup", tabIndex: -1, oncancel: () => shut() }, core.shadow);
      close = create("button", { type: "button", className: "close", onclick: () => shut() }, dialog);
      label();
      dialog.showModal();
      // Left to itself it would give the focus to the button that closes it.
      dialog.focus();
      session.remember(POPUP, conversation);
      happened("widget.shown", conversation);
      frame = frames.make(dialog, conversation, { close: shut }, anew);
    }
    if (focus) frame.focus();
  };

  const shut = (byVisitor = true): void => {
    if (!dialog) return;
    // Closing gives the focus back to what had it.
    dialog.close();
    dialog.remove();
    dialog = undefined;
    frame.remove();
    session.remember(...(core.state.expanded ? [PANEL] : []));
    session.add("shut " + frame.conversation);
    if (byVisitor) core.report("conversation.closed", {}, frame.conversation);
    happened("widget.hidden");
  };

  return { isOpen: () => !!dialog, open, shut, wasShut: (conversation) => session.has("shut " + conversation), label };
};
