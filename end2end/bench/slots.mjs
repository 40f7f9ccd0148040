// How long it takes to compute a month of times, for one agent and for a hundred with a thousand busy times each.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { figure, goal, milliseconds, number } from "./table.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const GOALS = { 1: 1, 100: 50 };

export async function slots({ say }) {
  say("building the example");
  const cargo = ["run", "--quiet", "--release", "--package=porchlight-domain", "--example=slots"];
  const figures = JSON.parse(execFileSync("cargo", cargo, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
  return {
    title: "A month of times (30 rounds, half an hour each, 1,000 busy times an agent, buffers of 5 minutes)",
    rows: figures.flatMap(({ agents, slots, median, most }) => [
      goal(agents === 1 ? "1 agent" : `any of ${agents} agents`, `${milliseconds(median, 2)} (at most ${milliseconds(most, 2)})`, `≤ ${GOALS[agents]} ms`, median <= GOALS[agents]),
      figure(`times found, ${agents === 1 ? "1 agent" : `${agents} agents`}`, number(slots)),
    ]),
  };
}
