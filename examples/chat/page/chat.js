// A chat room on Phoenix Channels: one socket, and one channel for the room one is in.
// Reconnecting and rejoining are the client's work; this page only shows them.

import { Socket } from "/vendor/phoenix.mjs";
import { Transcript, bubble, hue } from "/transcript.js";
import { Typists, TypingNotice } from "/typing.js";

const NICK_KEY = "bennu-chat:nick";
const $ = (id) => document.getElementById(id);

// Where a network lets no WebSocket through, the client polls.
const socket = new Socket("/socket", { longPollFallbackMs: 2500 });
const transcript = new Transcript($("view"), $("messages"), $("more"));
const typists = new Typists($("typing"));
const typing = new TypingNotice((isTyping) => {
  if (channel?.state === "joined") channel.push("typing", { typing: isTyping });
});

let channel = null;
let nick = localStorage.getItem(NICK_KEY) ?? "";
let hasBeenIn = false;
/** Who was seen in this room: nobody arrives twice because the server was restarted. */
const present = new Set();

socket.onOpen(showState);
socket.onClose(showState);
socket.connect();
addEventListener("popstate", changeRoom);

if (nick) enter();
else askNick();

// The room

function enter() {
  leave();
  const room = roomOfAddress();
  document.title = `#${room} · Bennu chat`;
  $("room").value = room;
  $("go").hidden = true;

  channel = socket.channel(`room:${room}`, () => ({ nick }));
  channel.on("new_msg", (message) => {
    present.add(message.nick);
    typists.stopped(message.nick);
    show(message);
  });
  channel.on("typing", (who) => (who.typing ? typists.typing(who.nick) : typists.stopped(who.nick)));
  channel.on("joined", (who) => arrived(who.nick));
  channel.on("left", (who) => departed(who.nick));
  channel.onError(showState);
  channel.join().receive("ok", welcomed).receive("error", refused).receive("timeout", showState);
  showState();
}

/** Also after every reconnect: then the answer brings what was missed. */
function welcomed(answer) {
  nick = answer.nick;
  localStorage.setItem(NICK_KEY, nick);
  hasBeenIn = true;
  showMe();
  trouble("");
  answer.messages.forEach(show);
  showState();
}

/** What the person can put right is asked for again; the rest the client tries again by itself. */
function refused({ reason, field }) {
  if (field) leave();
  if (field === "nick") return askNick(`That will not do: ${reason}.`);
  trouble(field === "room" ? `You cannot come in: ${reason}. Try another room.` : `You cannot come in yet: ${reason}.`);
  if (field === "room") {
    $("room").setAttribute("aria-invalid", "true");
    $("room").select();
  }
  showState();
}

function leave() {
  channel?.leave();
  channel = null;
  typists.clear();
}

function goTo(room) {
  if (room === roomOfAddress() && channel) return;
  history.pushState(null, "", `/room/${encodeURIComponent(room)}`);
  changeRoom();
}

function changeRoom() {
  transcript.clear();
  $("outbox").replaceChildren();
  present.clear();
  trouble("");
  enter();
}

function arrived(who) {
  if (!present.has(who) && who !== nick) transcript.notice(`${who} came in`);
  present.add(who);
}

function departed(who) {
  typists.stopped(who);
  present.delete(who);
  if (who !== nick) transcript.notice(`${who} left`);
}

function roomOfAddress() {
  const name = location.pathname.replace(/^\/room\//, "");
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

$("room-form").addEventListener("submit", (event) => {
  event.preventDefault();
  goTo($("room").value.trim());
  $("body").focus();
});
$("room").addEventListener("input", () => {
  $("room").removeAttribute("aria-invalid");
  $("go").hidden = $("room").value.trim() === roomOfAddress();
});

// Messages

/** A message waits in the outbox, in sight, until the server has it. While disconnected the client holds it back. */
function send(body) {
  const item = bubble({ nick, body, at: Date.now() }, true);
  item.classList.add("waiting");
  $("outbox").append(item);
  transcript.toEnd();

  const push = channel.push("new_msg", { body });
  push.receive("ok", () => item.remove());
  push.receive("error", ({ reason }) => failed(item, body, reason));
  push.receive("timeout", () => failed(item, body, "no answer"));
}

/** One's own message comes as a broadcast ahead of the reply, or after a rejoin without one: it takes its place. */
function show(message) {
  const isOwn = message.nick === nick;
  if (!transcript.add(message, isOwn) || !isOwn) return;
  const isIt = (item) => item.querySelector(".body").textContent === message.body;
  [...$("outbox").querySelectorAll(".waiting")].find(isIt)?.remove();
}

function failed(item, body, reason) {
  item.classList.replace("waiting", "failed");
  const line = document.createElement("p");
  line.className = "reason";
  line.setAttribute("role", "alert");
  line.append(`Not sent: ${reason}. `, action("Try again", () => send(body)), " ", action("Edit", () => edit(body)));
  item.append(line);
  transcript.toEnd();

  function action(label, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      item.remove();
      act();
    });
    return button;
  }
}

function edit(body) {
  $("body").value = [body, $("body").value].filter(Boolean).join("\n");
  $("body").focus();
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const body = $("body").value.trim();
  if (!body || !channel) return;
  $("body").value = "";
  typing.stop();
  send(body);
  $("body").focus();
});
$("body").addEventListener("input", () => typing.input($("body").value));
$("body").addEventListener("keydown", (event) => {
  // While an input method composes, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});

// The nickname

function askNick(problem = "") {
  $("nick").value = nick;
  $("nick-error").textContent = problem;
  $("nick").setAttribute("aria-invalid", Boolean(problem));
  if (!$("who").open) $("who").showModal();
  $("nick").select();
  showState();
}

$("me").addEventListener("click", () => askNick());
$("who").addEventListener("close", () => {
  // Closed without an answer that will do: there is nothing to go back to.
  if (!nick || $("nick-error").textContent) askNick($("nick-error").textContent);
});
$("who-form").addEventListener("submit", (event) => {
  event.preventDefault();
  nick = $("nick").value.trim();
  $("nick-error").textContent = "";
  $("who").close();
  enter();
  $("body").focus();
});

// What is shown

function showState() {
  const isIn = socket.isConnected() && channel?.state === "joined";
  const state = isIn ? "connected" : !channel ? "outside" : hasBeenIn ? "reconnecting" : "connecting";
  $("state").dataset.state = state;
  $("state").textContent = state;
  if (!isIn) typists.clear();
}

function showMe() {
  $("me").hidden = !nick;
  $("me").textContent = [...nick][0]?.toUpperCase() ?? "";
  $("me").style.setProperty("--hue", hue(nick));
  $("me").title = `You are ${nick}: change the nickname`;
  $("me").setAttribute("aria-label", $("me").title);
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}
