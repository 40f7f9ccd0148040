// The chatbot's panel: what the launcher opens.

import { create } from "../dom";
import type { Core } from "../types";
import type { Frame, Frames } from "./frames";
import { PANEL, POPUP, type Session } from "./session";

/** Up to this many px the panel covers the page. */
const PHONE = 480;

export interface Panel {
  /** Opens it with the conversation that is named, else with the one it has or that is offered. */
  open(focus: boolean, wanted?: string): void;
  shut(byVisitor?: boolean): void;
  /** Has what it shows without opening it: what is said in it is heard. */
  bring(): void;
  /** Writes its texts, in the language of now. */
  label(): void;
}

export const panel = (core: Core, frames: Frames, session: Session): Panel => {
  const { shadow, state, visit } = core;
  const launcher = shadow.querySelector("button") as HTMLButtonElement;
  const dialog = create("dialog", {
    oncancel: () => shut(),
    onkeydown: ({ key }) => {
      if (key === "Escape") shut();
    },
  });
  const minimise = create("button", { type: "button", className: "minimise", onclick: () => away() }, dialog);
  const close = create("button", { type: "button", className: "close", onclick: () => shut() }, dialog);
  let frame: Frame | undefined;

  const label = (): void => {
    const { settings } = visit;
    dialog.ariaLabel = settings.title;
    minimise.ariaLabel = settings.minimise;
    close.ariaLabel = settings.close;
  };

  const open = (focus: boolean, wanted?: string): void => {
    // A panel that does not speak may not have come: it is asked for again. (Without script it never speaks.)
    const again = !state.expanded && !frame?.speaks();
    const { conversation: offered } = visit;
    const next = wanted || (again && offered?.uiType !== POPUP && offered?.id) || state.conversation;
    if (!next) {
      console.warn("Porchlight: no conversation");
      return;
    }
    state.conversation = next;
    if (!state.expanded) {
      state.expanded = true;
      label();
      // Before the launcher, so that Tab leads from it to there. Not before it opens: until then it is nothing.
      if (!dialog.isConnected) launcher.before(dialog);
      // Where the panel covers the page, the focus must not go behind it.
      if (innerWidth <= PHONE) dialog.showModal();
      else dialog.open = true;
    }
    core.show(true);
    core.draw();
    if (again || frame?.conversation !== next) {
      frame?.remove();
      frame = frames.make(dialog, next, { close: shut });
    }
    session.remember(PANEL);
    if (focus) frame.focus();
  };

  const bring = (): void => {
    if (frame || !state.conversation) return;
    label();
    if (!dialog.isConnected) launcher.before(dialog);
    frame = frames.make(dialog, state.conversation, { close: shut });
  };

  const shut = (byVisitor = true): void => {
    if (!state.expanded) return;
    state.expanded = false;
    // The focus comes back from within the panel, and is nobody else's to take.
    const focused = shadow.activeElement;
    dialog.close();
    core.draw();
    session.remember();
    if (focused) launcher.focus();
    if (byVisitor) core.report("conversation.closed", {}, state.conversation);
  };

  const away = (): void => {
    shut(false);
    // Not every browser has given the focus to the button that was clicked.
    launcher.focus();
  };

  return { open, shut, bring, label };
};
