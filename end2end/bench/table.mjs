// Figures as Markdown.

/** The value below which that share of the values lies, between two values in proportion. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export const median = (values) => quantile(values, 0.5);

const grouped = (digits) => new Intl.NumberFormat("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const number = (value, digits = 0) => grouped(digits).format(value);
export const bytes = (value) => `${number(value)} B`;
export const milliseconds = (value, digits = 1) => `${number(value, digits)} ms`;

/** A median with its quartiles. */
export const spread = (values, digits = 1) =>
  `${milliseconds(median(values), digits)} (quartiles ${number(quantile(values, 0.25), digits)} to ${number(quantile(values, 0.75), digits)})`;

/** A figure that has a goal. */
export const goal = (what, measured, wanted, met) => [what, measured, wanted, met ? "yes" : "**no**"];

/** A figure that explains others. */
export const figure = (what, measured) => [what, measured, "", ""];

const line = (cells) => `| ${cells.join(" | ")} |`;

export function print(title, rows, notes = []) {
  const table = [["figure", "measured", "goal", "met"], ["---", "---", "---", "---"], ...rows].map(line);
  return [`## ${title}`, "", ...table, ...notes.flatMap((note) => ["", note]), ""].join("\n");
}
