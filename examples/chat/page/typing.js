// "is typing …": saying so, and showing who does.

/** How often it is said again while somebody goes on typing. */
const REPEAT_MS = 2_000;
/** A pause this long ends it. */
const PAUSE_MS = 3_000;
/** Others are forgotten after this long, should their word that they stopped be lost. */
const FORGET_MS = 6_000;

/** Tells the room whether one is typing, without telling it at every key. */
export class TypingNotice {
  #tell;
  #told = 0;
  #pause;

  constructor(tell) {
    this.#tell = tell;
  }

  input(draft) {
    if (!draft.trim()) return this.stop();
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.stop(), PAUSE_MS);
    if (Date.now() - this.#told < REPEAT_MS) return;
    this.#told = Date.now();
    this.#tell(true);
  }

  stop() {
    clearTimeout(this.#pause);
    if (this.#told) this.#tell(false);
    this.#told = 0;
  }
}

/** The line that says who else is typing. */
export class Typists {
  #line;
  #timers = new Map();

  constructor(line) {
    this.#line = line;
  }

  typing(nick) {
    clearTimeout(this.#timers.get(nick));
    this.#timers.set(nick, setTimeout(() => this.stopped(nick), FORGET_MS));
    this.#show();
  }

  stopped(nick) {
    clearTimeout(this.#timers.get(nick));
    this.#timers.delete(nick);
    this.#show();
  }

  clear() {
    for (const nick of [...this.#timers.keys()]) this.stopped(nick);
  }

  #show() {
    const [first, second, ...others] = this.#timers.keys();
    this.#line.classList.toggle("active", first !== undefined);
    if (first === undefined) this.#line.textContent = "";
    else if (second === undefined) this.#line.textContent = `${first} is typing …`;
    else if (others.length === 0) this.#line.textContent = `${first} and ${second} are typing …`;
    else this.#line.textContent = "Several people are typing …";
  }
}
