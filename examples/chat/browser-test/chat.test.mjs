// The chat in a real browser, against the real program.
//
//   CHAT_BIN     the program          (target/debug/chat)
//   CHROMIUM     the browser          (/usr/bin/chromium)
//   SCREENSHOTS  where pictures go    (target/chat-screenshots)

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Network } from "./network.mjs";
import { Server } from "./server.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SCREENSHOTS = process.env.SCREENSHOTS ?? fileURLToPath(new URL("../../../target/chat-screenshots", import.meta.url));

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DESKTOP = { viewport: { width: 1200, height: 800 } };

let browser;
let server;
const contexts = [];
const faults = [];

before(async () => {
  server = await Server.start();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
});

afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
  assert.deepEqual(faults.splice(0), []);
});

after(async () => {
  await browser?.close();
  await server?.kill();
});

test("a message is seen in the other browser, and set apart in one's own", async () => {
  const ann = await enter("pair", "Ann");
  const bob = await enter("pair", "Bob");

  await say(ann, "Is anybody there?");
  await said(bob, "Ann", "Is anybody there?");
  await say(bob, "Only me.");
  await said(ann, "Bob", "Only me.");

  assert.equal(await ann.locator(".message.own").count(), 1);
  assert.equal(await ann.locator(".message").count(), 2);
});

test("who comes and who goes is told to the others", async () => {
  const ann = await enter("door", "Ann");
  const bob = await enter("door", "Bob");
  await ann.getByText("Bob came in").waitFor();

  await bob.context().close();

  await ann.getByText("Bob left").waitFor();
});

test("the others see that somebody is typing, until the message comes", async () => {
  const ann = await enter("typing", "Ann");
  const bob = await enter("typing", "Bob");

  await bob.locator("#body").pressSequentially("Wait");
  await ann.getByText("Bob is typing …").waitFor();
  await bob.locator("#body").press("Enter");

  await said(ann, "Bob", "Wait");
  await ann.waitForFunction(() => document.getElementById("typing").textContent === "");
});

test("a latecomer and a reload get the last 50 messages, in order", async () => {
  const ann = await enter("history", "Ann");
  for (let n = 1; n <= 52; n += 1) await say(ann, `message ${n}`);

  const bob = await enter("history", "Bob");
  await said(bob, "Ann", "message 52");
  const expected = Array.from({ length: 50 }, (_, n) => `message ${n + 3}`);
  assert.deepEqual(await bob.locator(".message .body").allTextContents(), expected);

  await ann.reload();
  await said(ann, "Ann", "message 52");
  assert.deepEqual(await ann.locator(".message .body").allTextContents(), expected);
  assert.equal(await ann.locator(".message.own").count(), 50);
});

test("a refused nickname is explained, and can be put right", async () => {
  const ann = await open("nickname");
  await answerDoor(ann, "n".repeat(25));
  await ann.getByText("a nickname has 1 to 24 visible characters").waitFor();
  assert.equal(await state(ann), "outside");

  await answerDoor(ann, "Ann");

  await ann.locator("[data-state=connected]").waitFor();
  assert.equal(await ann.locator("dialog").isVisible(), false);
});

test("the door cannot be closed without a nickname", async () => {
  const ann = await open("closed-door");

  await ann.keyboard.press("Escape");
  await ann.keyboard.press("Escape");

  await ann.waitForFunction(() => document.getElementById("who").open);
});

test("a nickname can be changed, and the browser keeps it", async () => {
  const ann = await enter("rename", "Ann");
  const bob = await enter("rename", "Bob");

  await ann.locator("#me").click();
  await answerDoor(ann, "Anna");
  await bob.getByText("Anna came in").waitFor();
  await say(ann, "It is still me.");
  await said(bob, "Anna", "It is still me.");

  await ann.reload();
  await ann.getByRole("button", { name: "You are Anna" }).waitFor();
});

test("a refused room is explained, and another one can be entered", async () => {
  const ann = await enter("first", "Ann");
  await say(ann, "left behind");

  await goTo(ann, "no such room!");
  await ann.getByText("a room name has 1 to 32 letters").waitFor();
  assert.equal(await state(ann), "outside");

  await goTo(ann, "second");
  await ann.locator("[data-state=connected]").waitFor();
  assert.equal(new URL(ann.url()).pathname, "/room/second");
  assert.equal(await ann.locator("#trouble").isVisible(), false);
  assert.equal(await ann.locator(".message").count(), 0);

  await say(ann, "elsewhere");
  await ann.goBack();
  await ann.goBack();
  await said(ann, "Ann", "left behind");
  assert.equal(await ann.locator(".message").count(), 1);
});

test("what is said in one room is not heard in another", async () => {
  const ann = await enter("here", "Ann");
  const bob = await enter("there", "Bob");

  await say(ann, "here");
  await say(bob, "there");
  await goTo(bob, "here");

  await said(bob, "Ann", "here");
  assert.equal(await bob.locator(".message").count(), 1);
});

test("HTML in a message or a nickname is text", async () => {
  const html = `<img src="x" onerror="window.reached = true"><b>bold</b>`;
  const ann = await enter("html", "<i>Ann</i>");
  const bob = await enter("html", "Bob");
  await ann.locator("#body").pressSequentially("x");
  await bob.getByText("<i>Ann</i> is typing …").waitFor();

  await say(ann, html);

  await said(bob, "<i>Ann</i>", html);
  for (const page of [ann, bob]) {
    assert.equal(await page.locator(":is(#view, #typing) :is(img, b, i)").count(), 0);
    assert.equal(await page.evaluate(() => window.reached), undefined);
  }
});

test("a message that is refused stays, with the reason, and can be edited", async () => {
  const ann = await enter("refused", "Ann");
  await ann.locator("#body").fill("x".repeat(2001));
  await ann.locator("#body").press("Enter");
  await ann.getByText("Not sent: a message has 1 to 2000 characters").waitFor();

  await ann.getByRole("button", { name: "Edit" }).click();

  assert.equal(await ann.locator("#body").inputValue(), "x".repeat(2001));
  await say(ann, "shorter");
});

test("whoever has scrolled up is left there, and led back by a button", async () => {
  const ann = await enter("scroll", "Ann", PHONE);
  const bob = await enter("scroll", "Bob");
  for (let n = 1; n <= 20; n += 1) await say(bob, `message ${n}`);
  await said(ann, "Bob", "message 20");
  await ann.waitForFunction(isAtEnd);

  await ann.evaluate(() => (document.getElementById("view").scrollTop = 0));
  await ann.waitForFunction(() => document.getElementById("view").scrollTop === 0);
  await ann.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
  await say(bob, "one more");
  await ann.getByRole("button", { name: "1 new message" }).waitFor();
  assert.equal(await ann.evaluate(() => document.getElementById("view").scrollTop), 0);

  await ann.getByRole("button", { name: "1 new message" }).click();
  await ann.waitForFunction(isAtEnd);
  assert.equal(await ann.locator("#more").isVisible(), false);
});

test("after the server was killed and started again, everybody is back without doing anything", async () => {
  const ann = await enter("phoenix", "Ann");
  const bob = await enter("phoenix", "Bob");
  await say(ann, "before");
  await said(bob, "Ann", "before");

  await server.kill();
  for (const page of [ann, bob]) await page.locator("[data-state=reconnecting]").waitFor();
  await ann.locator("#body").fill("meanwhile");
  await ann.locator("#body").press("Enter");
  await ann.locator(".waiting", { hasText: "meanwhile" }).waitFor();
  await picture(ann, "reconnecting");
  server = await Server.start(server.port);

  for (const page of [ann, bob]) await page.locator("[data-state=connected]").waitFor();
  await said(bob, "Ann", "meanwhile");
  await say(bob, "after");
  await said(ann, "Bob", "after");
  assert.deepEqual(await ann.locator(".message .body").allTextContents(), ["before", "meanwhile", "after"]);
});

for (const fate of ["cut", "swallowed"]) {
  test(`where WebSockets are ${fate} on the way, the chat works all the same`, async () => {
    const network = await Network.before(server, fate);
    const polls = [];
    const ann = await open(`network-${fate}`, {}, network);
    ann.on("request", (request) => polls.push(new URL(request.url()).pathname));
    await answerDoor(ann, "Ann");
    await ann.locator("[data-state=connected]").waitFor();
    const bob = await enter(`network-${fate}`, "Bob");

    await say(ann, "Is anybody there?");
    await said(bob, "Ann", "Is anybody there?");
    await bob.locator("#body").pressSequentially("Wait");
    await ann.getByText("Bob is typing …").waitFor();
    await bob.locator("#body").press("Enter");
    await said(ann, "Bob", "Wait");
    for (let n = 1; n <= 5; n += 1) await say(ann, `message ${n}`);
    await said(bob, "Ann", "message 5");

    assert.ok(polls.includes("/socket/longpoll"));
    await ann.reload();
    await said(ann, "Ann", "message 5");
    await ann.context().close();
    await network.end();
  });
}

test("asked to stop, the program does, also with somebody in a room", async () => {
  const other = await Server.start();
  const ann = await enter("stop", "Ann", {}, other);

  assert.equal(await other.stop(), 0);

  await ann.locator("[data-state=reconnecting]").waitFor();
});

for (const colorScheme of ["light", "dark"]) {
  test(`pictures: ${colorScheme}, on a phone and on a desktop`, async () => {
    const room = `sunrise-${colorScheme}`;
    const door = await open(room, { ...PHONE, colorScheme });
    await picture(door, `phone-${colorScheme}-door`);
    const phone = await enter(room, "Imhotep", { ...PHONE, colorScheme });
    await picture(phone, `phone-${colorScheme}-empty`);
    const desktop = await enter(room, "Nefer", { ...DESKTOP, colorScheme });

    await say(desktop, "Good morning! Did anybody see the heron on the east bank?");
    await say(phone, "I did. It stood on the stone until the sun was up.");
    await say(phone, "Then it was gone 🔥");
    await say(desktop, "They say it comes back.");
    await say(desktop, `Written here: https://example.com/${"a-long-way/".repeat(9)}`);
    await phone.locator("#body").pressSequentially("I hear wings");
    await desktop.getByText("Imhotep is typing …").waitFor();
    await picture(desktop, `desktop-${colorScheme}`);
    await phone.locator("#body").press("Enter");
    await said(desktop, "Imhotep", "I hear wings");
    await desktop.locator("#body").pressSequentially("Wings?");
    await phone.getByText("Nefer is typing …").waitFor();
    await picture(phone, `phone-${colorScheme}`);

    for (const page of [phone, desktop]) assert.ok(await page.evaluate(fitsItsWidth), "nothing sticks out sideways");
  });
}

// The person at the page

/** Opens a room in a browser of its own, as nobody yet. */
async function open(room, options = {}, at = server) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  contexts.push(context);
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(error.stack));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) faults.push(message.text());
  });
  await page.goto(new URL(`/room/${room}`, at.url).href);
  return page;
}

async function enter(room, nick, options, at) {
  const page = await open(room, options, at);
  await answerDoor(page, nick);
  await page.locator("[data-state=connected]").waitFor();
  return page;
}

async function answerDoor(page, nick) {
  await page.getByLabel("Nickname", { exact: true }).fill(nick);
  await page.getByRole("button", { name: "Come in" }).click();
}

async function goTo(page, room) {
  await page.getByLabel("Room", { exact: true }).fill(room);
  await page.getByLabel("Room", { exact: true }).press("Enter");
}

/** Says something, and waits until the server has it. */
async function say(page, text) {
  const before = await page.locator("#messages .own").count();
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByLabel("Message", { exact: true }).press("Enter");
  await page.locator("#messages .own").nth(before).waitFor();
  await page.waitForFunction(() => !document.querySelector(".waiting"));
}

/** Waits until a page shows what somebody said. */
async function said(page, nick, text) {
  const body = page.locator(".body", { hasText: text });
  const message = page.locator("#messages .message", { has: body });
  await message.last().waitFor();
  assert.equal(await message.last().locator(".author").textContent(), nick);
  assert.equal(await message.last().locator(".body").textContent(), text);
}

function state(page) {
  return page.locator("#state").getAttribute("data-state");
}

async function picture(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, animations: "disabled" });
}

function isAtEnd() {
  const view = document.getElementById("view");
  return view.scrollHeight - view.scrollTop - view.clientHeight < 2;
}

function fitsItsWidth() {
  return [document.documentElement, document.getElementById("view")].every((box) => box.scrollWidth <= box.clientWidth);
}
