// Letters as a mail program reads them (RFC 5322, RFC 2045): enough of it for those that Porchlight writes.

import { expect } from "@playwright/test";
import type { Porchlight } from "./porchlight";

/** A letter, or a part of one. */
export interface Part {
  /** The value of a header; empty if there is none. */
  header(name: string): string;
  /** The media type, such as `text/plain`. */
  type: string;
  /** A parameter of the media type. */
  parameter(name: string): string;
  text: string;
  parts: Part[];
}

const decoded = (body: string, encoding: string): string => {
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding !== "quoted-printable") return body;
  const bytes = body.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
};

export function readMail(raw: string): Part {
  const [head, ...rest] = raw.split(/\r?\n\r?\n/);
  const body = raw.slice(raw.indexOf(head) + head.length).replace(/^\r?\n\r?\n/, "");
  const lines = head.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  const header = (name: string): string => {
    const line = lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return line?.slice(name.length + 1).trim() ?? "";
  };
  const [type] = (header("Content-Type") || "text/plain").split(";");
  const parameter = (name: string): string => new RegExp(`;\\s*${name}="?([^";]+)"?`, "i").exec(header("Content-Type"))?.[1] ?? "";
  const boundary = parameter("boundary");
  const between = boundary ? body.split(new RegExp(`(?:^|\\r?\\n)--${boundary.replace(/[^\w]/g, "\\$&")}(?:--)?[ \\t]*(?:\\r?\\n|$)`)).slice(1, -1) : [];
  return {
    header,
    type: type.trim().toLowerCase(),
    parameter,
    text: rest.length && !boundary ? decoded(body, header("Content-Transfer-Encoding").toLowerCase()) : "",
    parts: between.map(readMail),
  };
}

/** All parts of a letter that hold no others, in their order. */
export const leaves = (part: Part): Part[] => (part.parts.length ? part.parts.flatMap(leaves) : [part]);

/** The letters to an address, in the order in which they were written, once there are so many. */
export async function lettersTo(porchlight: Porchlight, address: string, count: number): Promise<Part[]> {
  // One that is being written is not there yet.
  const isWhole = (raw: string): boolean => !/^Content-Type: multipart/im.test(raw) || raw.trimEnd().endsWith("--");
  const letters = (): Part[] => porchlight.mails().filter(isWhole).map(readMail).filter((letter) => letter.header("To").includes(address));
  await expect.poll(() => letters().length, `letters to ${address}`).toBe(count);
  return letters();
}
