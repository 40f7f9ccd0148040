// Written by `make generate` from domain/src/event/catalogue.rs; edit that.

/** The fields of events that hold contact details. */
export const contact: string[] = ["value"];
