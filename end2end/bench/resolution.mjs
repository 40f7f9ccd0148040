// What many conversations cost a page that starts: the same request to a site with 200 of them and to one with a single one, by turns.

import { Agent, request } from "node:http";
import { makeSite, WELCOME } from "./site.mjs";
import { figure, goal, median, milliseconds, number, quantile } from "./table.mjs";

const CONVERSATIONS = 200;
const PAIRS = 400;
const WARM = 50;
const GOAL_MS = 1;
const PAGE = "http://localhost:1/shop/bicycles?utm_source=newsletter";

/** Five rules, of which the last one asked fails: all of them are asked of each conversation. */
const target = (until) => ({
  pages: ["/account*", "/shop/*"],
  params: { utm_source: "news*" },
  locales: ["de", "en"],
  if: { any: [{ attribute: "plan", is: "family" }, { attribute: "plan", known: false }] },
  schedule: { until, timeZone: "Europe/Berlin" },
});

const CLOSED = "2020-12-24T18:00";
const OPEN = "2099-12-24T18:00";

/** One connection that is kept; one request at a time. */
function client(address) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const start = (body) =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body);
      const headers = { "content-type": "text/plain", "content-length": Buffer.byteLength(text) };
      const sent = performance.now();
      const asked = request(`${address}/widget/v1/start`, { method: "POST", agent, headers }, (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (chunk) => (answer += chunk));
        response.once("error", reject).once("end", () => {
          const took = performance.now() - sent;
          if (response.statusCode === 200) resolve({ took, answer: JSON.parse(answer) });
          else reject(new Error(`the server answered ${response.statusCode}: ${answer}`));
        });
      });
      asked.once("error", reject).end(text);
    });
  return { start, close: () => agent.destroy() };
}

export async function resolution({ server, say }) {
  const winner = { ...WELCOME, target: target(OPEN) };
  const others = Array.from({ length: CONVERSATIONS - 1 }, (_, index) => ({ ...WELCOME, id: `other-${index + 1}`, priority: index + 1, target: target(CLOSED) }));
  const sites = { many: "bench-many", one: "bench-one" };
  await makeSite(server, sites.one, [winner]);
  await makeSite(server, sites.many, [...others, winner]);
  say(`${CONVERSATIONS} conversations are published`);

  const { start, close } = client(server.address);
  const tokens = {};
  const visit = async (name) => {
    const { took, answer } = await start({ site: sites[name], page: PAGE, token: tokens[name] ?? null, locale: "en-GB", referrer: "", placed: [] });
    tokens[name] ??= answer.token;
    if (answer.conversation?.id !== winner.id) throw new Error(`${name}: ${answer.conversation?.id} is offered`);
    return took;
  };
  const times = { many: [], one: [] };
  for (let pair = -WARM; pair < PAIRS; pair++) {
    // Each is first as often as the other.
    const order = pair % 2 ? ["many", "one"] : ["one", "many"];
    const took = {};
    for (const name of order) took[name] = await visit(name);
    if (pair < 0) continue;
    for (const name of order) times[name].push(took[name]);
  }
  close();
  const more = median(times.many.map((took, index) => took - times.one[index]));
  const each = (values) => `${milliseconds(median(values), 2)}, 99 of 100 within ${milliseconds(quantile(values, 0.99), 1)}`;
  return {
    title: `Choosing among ${CONVERSATIONS} conversations (${number(PAIRS)} starts of each by turns)`,
    rows: [
      goal(`what ${CONVERSATIONS} with five rules each take longer than one, median of the differences`, milliseconds(more, 2), `≤ ${GOAL_MS} ms`, more <= GOAL_MS),
      figure(`start on a site with ${CONVERSATIONS}`, each(times.many)),
      figure("start on a site with one", each(times.one)),
    ],
  };
}
