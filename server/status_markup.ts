/**
 * The document of a status page. It loads nothing, and everything that it shows is
 * set as text: what a client chose can be no markup.
 *
 * @module
 */

const STYLE = `
  :root {
    color-scheme: light dark;
    font: 15px/1.5 system-ui, sans-serif;
    --ground: light-dark(#fbfaf8, #14181b);
    --ink: light-dark(#22282c, #dfe5e8);
    --soft: light-dark(#667077, #8d989f);
    --line: light-dark(#dedad3, #2b3238);
    --card: light-dark(#ffffff, #1b2024);
    --mark: light-dark(#b5482a, #f08a68);
    --good: light-dark(#2b7a4b, #6cc48f);
  }
  body { margin: 0; background: var(--ground); color: var(--ink); }
  main { max-width: 84rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
  header { display: flex; align-items: baseline; gap: 1rem; flex-wrap: wrap; }
  h1 { font-size: 1.4rem; font-weight: 650; margin: 0; }
  h2 { font-size: 1rem; font-weight: 600; margin: 2.2rem 0 .6rem; }
  #state { color: var(--soft); }
  #state::before { content: ""; display: inline-block; width: .6em;
    height: .6em; border-radius: 50%; margin-right: .45em;
    background: var(--mark); }
  #state.live::before { background: var(--good); }
  .cards { display: grid; gap: .75rem; margin-top: 1.2rem;
    grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }
  .card { background: var(--card); border: 1px solid var(--line);
    border-radius: .5rem; padding: .6rem .8rem; }
  .card dt { color: var(--soft); font-size: .85rem; }
  .card dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
  dl { margin: 0; }
  .scroll { overflow-x: auto; border: 1px solid var(--line);
    border-radius: .5rem; background: var(--card); }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .35rem .8rem; white-space: nowrap; }
  th { font-weight: 600; color: var(--soft); font-size: .85rem; }
  tbody tr { border-top: 1px solid var(--line); }
  td { font-variant-numeric: tabular-nums; }
  .number { text-align: right; }
  .code { font-family: ui-monospace, monospace; font-size: .9em; }
  .path { max-width: 24rem; overflow: hidden; text-overflow: ellipsis; }
  ul { margin: 0; padding: 0; list-style: none; display: flex;
    flex-wrap: wrap; gap: .5rem; }
  li { background: var(--card); border: 1px solid var(--line);
    border-radius: .5rem; padding: .15rem .6rem; }
  .none { color: var(--soft); }
`;

const SCRIPT = `
  const find = (id) => document.getElementById(id);
  const make = (name, text, kind) => {
    const element = document.createElement(name);
    element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const count = (value) => value.toLocaleString("en");
  const bytes = (value) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let at = 0;
    while (value >= 1024 && at < units.length - 1) { value /= 1024; at++; }
    return (at ? value.toFixed(1) : value) + " " + units[at];
  };
  const age = (ms) => {
    if (ms === null) return "–";
    const s = Math.floor(ms / 1000);
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + " min " + s % 60 + " s";
    return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
  };
  const CARDS = [
    ["Open", (s) => count(s.open)],
    ["Closing", (s) => count(s.closing)],
    ["Opened", (s) => count(s.opened)],
    ["Refused", (s) => count(s.refused)],
    ["Errors", (s) => count(s.errors)],
    ["Messages in", (s) => count(s.messagesReceived)],
    ["Messages out", (s) => count(s.messagesSent)],
    ["Dropped", (s) => count(s.messagesDropped)],
    ["Bytes in", (s) => bytes(s.bytesReceived)],
    ["Bytes out", (s) => bytes(s.bytesSent)],
    ["To the root", (s) => count(s.passed)],
  ];
  const COLUMNS = [
    ["code", (c) => c.id],
    ["code path", (c) => c.path],
    ["code", (c) => c.address],
    ["number", (c) => age(c.ageMs)],
    ["number", (c) => c.latencyMs === null ? "–" : c.latencyMs.toFixed(1) + " ms"],
    ["number", (c) => count(c.messagesReceived)],
    ["number", (c) => count(c.messagesSent)],
    ["number", (c) => bytes(c.bytesReceived)],
    ["number", (c) => bytes(c.bytesSent)],
    ["number", (c) => bytes(c.bufferedBytes)],
  ];
  const cards = CARDS.map(([name]) => {
    const card = document.createElement("dl");
    card.className = "card";
    const value = make("dd", "–");
    card.append(make("dt", name), value);
    find("cards").append(card);
    return value;
  });
  const rows = new Map();
  const row = (connection) => {
    let cells = rows.get(connection.id);
    if (!cells) {
      const line = document.createElement("tr");
      line.dataset.id = connection.id;
      cells = COLUMNS.map(([kind]) => make("td", "", kind));
      line.append(...cells);
      find("rows").append(line);
      rows.set(connection.id, cells);
    }
    COLUMNS.forEach(([, show], at) => {
      const text = show(connection);
      if (cells[at].textContent !== text) cells[at].textContent = text;
    });
  };
  const tally = (id, counts) => {
    const entries = Object.entries(counts);
    find(id).replaceChildren(...entries.length === 0
      ? [make("li", "none", "none")]
      : entries.map(([name, value]) => make("li", name + " " + count(value))));
  };
  const show = ({ stats, paths, connections }) => {
    CARDS.forEach(([, value], at) => cards[at].textContent = value(stats));
    find("paths").replaceChildren(
      ...paths.map((path) => make("li", path, "code")));
    tally("closed", stats.closedFor);
    tally("refused", stats.refusedFor);
    const seen = new Set(connections.map(({ id }) => id));
    for (const [id, cells] of rows) {
      if (seen.has(id)) continue;
      cells[0].parentNode.remove();
      rows.delete(id);
    }
    connections.forEach(row);
    const more = stats.open - connections.length;
    find("more").textContent = more > 0 ? "and " + count(more) + " more" : "";
  };
  let waitMs = 500;
  const connect = () => {
    const url = location.origin.replace(/^http/, "ws") + location.pathname;
    const socket = new WebSocket(url);
    socket.onopen = () => {
      waitMs = 500;
      find("state").className = "live";
      find("state").textContent = "live";
    };
    socket.onmessage = ({ data }) => show(JSON.parse(data));
    socket.onclose = () => {
      find("state").className = "";
      find("state").textContent = "not connected";
      window.setTimeout(connect, waitMs);
      waitMs = Math.min(waitMs * 2, 10000);
    };
  };
  connect();
`;

/** Column heads, with the class of their cells. */
const HEADS: readonly (readonly [string, string])[] = [
  ["Connection", ""],
  ["Path", ""],
  ["Address", ""],
  ["Open for", "number"],
  ["Round trip", "number"],
  ["Messages in", "number"],
  ["Messages out", "number"],
  ["Bytes in", "number"],
  ["Bytes out", "number"],
  ["Waiting", "number"],
];

/**
 * Makes the document.
 *
 * @param nonce What the policy of its response allows scripts and styles by.
 */
export function statusMarkup(nonce: string): string {
  const heads = HEADS.map(([name, kind]) =>
    `<th scope="col"${kind && ` class="${kind}"`}>${name}</th>`
  ).join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Status</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${STYLE}</style>
<main>
  <header><h1>Status</h1><span id="state" role="status">connecting</span></header>
  <section id="cards" class="cards" aria-label="Counters"></section>
  <h2>Connections</h2>
  <div class="scroll" tabindex="0" role="region" aria-label="Connections"><table>
    <thead><tr>${heads}</tr></thead>
    <tbody id="rows"></tbody>
  </table></div>
  <p id="more" class="none"></p>
  <h2>Paths</h2>
  <ul id="paths"></ul>
  <h2>Closed for</h2>
  <ul id="closed"></ul>
  <h2>Refused for</h2>
  <ul id="refused"></ul>
</main>
<script nonce="${nonce}">${SCRIPT}</script>
`;
}
