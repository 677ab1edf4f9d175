/**
 * The page of the chat. What people write reaches the document only as text
 * (`textContent`), never as markup.
 */

const $ = (id) => document.getElementById(id);
const room = roomOf(location.pathname);
let socket;
let myName = "";
let lastSaid;
let unread = 0;

function roomOf(path) {
  try {
    return decodeURIComponent(/^\/rooms\/([^/]+)$/.exec(path)?.[1] ?? "");
  } catch {
    return "";
  }
}

/** Makes an element with classes, text and children. */
function make(tag, className, text = "", ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  element.append(...children);
  return element;
}

// Who: a name has a colour of its own.

function avatar(name) {
  let hash = 0;
  for (const letter of name) hash = hash * 31 + letter.codePointAt(0) | 0;
  const element = make("span", "avatar", [...name][0].toUpperCase());
  element.style.setProperty("--hue", `${Math.abs(hash) % 360}`);
  element.ariaHidden = "true";
  return element;
}

function showPeople(names) {
  $("count").textContent = names.length;
  $("people").replaceChildren(...names.map((name) => {
    const label = name === myName ? `${name} (you)` : name;
    const text = make("span", "name", label);
    text.dir = "auto";
    return make("li", "", "", avatar(name), text);
  }));
}

// What: messages, the ones of one person in a row under one name.

function isAtEnd() {
  const { scrollHeight, scrollTop, clientHeight } = $("scroller");
  return scrollHeight - scrollTop - clientHeight < 80;
}

function scrollToEnd(behavior = "auto") {
  $("latest").hidden = true;
  $("scroller").scrollTo({ top: $("scroller").scrollHeight, behavior });
}

/** Appends a line, and stays at the end where the reader is there. */
function append(line, isOwn = false) {
  const stays = isOwn || isAtEnd();
  $("messages").append(line);
  if (stays) scrollToEnd();
  else $("latest").hidden = false;
}

function showNote(text) {
  lastSaid = undefined;
  append(make("li", "note", text));
}

function meta(name, atMs) {
  const at = new Date(atMs);
  const time = make(
    "time",
    "",
    at.toLocaleTimeString([], {
      hour: "2-digit",
      minute: "2-digit",
    }),
  );
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString();
  return make("span", "meta", "", make("span", "name", name), time);
}

function showSaid({ name, text, atMs }, isFresh) {
  const isFirst = lastSaid?.name !== name || atMs - lastSaid.atMs > 300_000;
  lastSaid = { name, atMs };
  const isOwn = name === myName;
  const bubble = make("span", "bubble", text);
  bubble.dir = "auto";
  const line = make("li", "said", "");
  if (isFirst) line.append(avatar(name), meta(name, atMs));
  line.append(bubble);
  line.classList.toggle("first", isFirst);
  line.classList.toggle("own", isOwn);
  line.classList.toggle("fresh", isFresh);
  append(line, isOwn);
}

function countUnread() {
  unread = document.hidden ? unread + 1 : 0;
  document.title = `${unread > 0 ? `(${unread}) ` : ""}${room} · Sockeye chat`;
}

const events = {
  welcome({ name, here, history }) {
    myName = name;
    // The server knows best what was said while we were away.
    $("scroller").ariaBusy = "true";
    $("messages").replaceChildren();
    lastSaid = undefined;
    for (const said of history) showSaid(said, false);
    $("scroller").ariaBusy = "false";
    showPeople(here);
    scrollToEnd();
  },
  joined({ name, here }) {
    showPeople(here);
    showNote(`${name} joined`);
  },
  left({ name, here }) {
    showPeople(here);
    showNote(`${name} left`);
  },
  said(said) {
    showSaid(said, true);
    countUnread();
  },
};

// How: a connection that comes back by itself.

function showState(state, text) {
  $("status").dataset.state = state;
  $("status").textContent = text;
  $("composer").querySelector("button").disabled = state !== "open";
}

function connect(name, failures = 0) {
  const base = location.origin.replace(/^http/, "ws");
  const query = new URLSearchParams({ name });
  socket = new WebSocket(`${base}/rooms/${encodeURIComponent(room)}?${query}`);
  showState("connecting", failures === 0 ? "Connecting…" : "Reconnecting…");
  socket.onopen = () => {
    failures = 0;
    showState("open", "Connected");
  };
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    events[event.type]?.(event);
  };
  socket.onclose = ({ code, reason }) => {
    if (code === 4000) return openLobby(reason);
    // Longer and longer, and not all at the same moment.
    const delayMs = Math.min(15_000, 500 * 1.6 ** failures) *
      (0.75 + Math.random() / 2);
    const seconds = Math.ceil(delayMs / 1_000);
    showState("closed", `Offline, trying again in ${seconds} s`);
    const again = () => {
      clearTimeout(timer);
      removeEventListener("online", again);
      connect(name, failures + 1);
    };
    const timer = setTimeout(again, delayMs);
    addEventListener("online", again);
  };
}

function say() {
  const text = $("text").value.trim();
  if (text === "" || socket.readyState !== WebSocket.OPEN) return;
  socket.send(text);
  $("text").value = "";
}

function openChat(name) {
  $("lobby").hidden = true;
  $("chat").hidden = false;
  $("title").textContent = room;
  countUnread();
  $("text").focus();
  connect(name);
}

function openLobby(refusal = "") {
  $("chat").hidden = true;
  $("lobby").hidden = false;
  $("refusal").textContent = refusal;
  $("room").value = room || "lobby";
  $("name").value = localStorage.getItem("name") ?? "";
  ($("name").value === "" && room !== "" ? $("name") : $("room")).focus();
}

$("enter").onsubmit = (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (name === "") return;
  localStorage.setItem("name", name);
  sessionStorage.setItem("joined", $("room").value);
  const path = `/rooms/${encodeURIComponent($("room").value)}`;
  if (path === location.pathname) openChat(name);
  else location.assign(path);
};

$("composer").onsubmit = (event) => {
  event.preventDefault();
  say();
};

$("text").onkeydown = (event) => {
  // Enter also ends a word that an input method composes.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
};

$("share").onclick = async () => {
  const button = $("share");
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    prompt("The link to this room:", location.href);
  }
  setTimeout(() => button.textContent = "Copy link", 2_000);
};

$("latest").onclick = () => scrollToEnd("smooth");

$("scroller").onscroll = () => {
  if (isAtEnd()) $("latest").hidden = true;
};

document.onvisibilitychange = () => {
  if (document.hidden) return;
  unread = 0;
  document.title = `${room} · Sockeye chat`;
};

// Who has a name and has pressed "Join" for this room is not asked again.
const savedName = localStorage.getItem("name");
if (savedName !== null && sessionStorage.getItem("joined") === room) {
  openChat(savedName);
} else {
  openLobby();
}
