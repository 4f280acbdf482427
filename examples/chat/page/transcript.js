// The transcript: what was said, in order, and where the reader is in it.
// Everything that came over the wire is set with `textContent`, never as HTML.

/** Entries kept in the page; older ones are dropped. */
const KEPT = 500;
/** Messages of one author this close together share a heading. */
const GROUP_MS = 5 * 60_000;
/** A reader this close to the end, in pixels, is at the end. */
const AT_END = 48;

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });

export class Transcript {
  #view;
  #list;
  #more;
  #ids = new Set();
  #last = null;
  #day = new Date().toDateString();
  #following = true;
  #unread = 0;

  /** `view` scrolls, `list` is the list in it, `more` the button that leads to what is new. */
  constructor(view, list, more) {
    this.#view = view;
    this.#list = list;
    this.#more = more;

    view.addEventListener("scroll", () => {
      this.#following = view.scrollHeight - view.scrollTop - view.clientHeight < AT_END;
      if (this.#following) this.#read();
    });
    more.addEventListener("click", () => this.toEnd());
    // The keyboard of a phone, a composer that grows, a picture of text that wraps anew: stay at the end.
    const resized = new ResizeObserver(() => this.#following && this.toEnd());
    for (const element of [view, ...view.children]) resized.observe(element);
  }

  /** Adds a message, and says whether it is new: after a rejoin, some come again. */
  add(message, isOwn) {
    if (this.#ids.has(message.id)) return false;
    this.#ids.add(message.id);

    const at = new Date(message.at);
    this.#turnTo(at);
    const item = bubble(message, isOwn);
    item.dataset.id = message.id;
    item.classList.toggle("continues", this.#last?.nick === message.nick && at - this.#last.at < GROUP_MS);
    this.#append(item);
    this.#last = { nick: message.nick, at };
    if (!this.#following) this.#count();
    return true;
  }

  /** Adds a line about the room. */
  notice(text) {
    this.#append(note("notice", text));
    this.#last = null;
  }

  clear() {
    this.#list.replaceChildren();
    this.#ids.clear();
    this.#last = null;
    this.#day = new Date().toDateString();
    this.toEnd();
  }

  toEnd() {
    this.#following = true;
    this.#view.scrollTop = this.#view.scrollHeight;
    this.#read();
  }

  /** Today needs no heading, until it is another day. */
  #turnTo(at) {
    if (this.#day === at.toDateString()) return;
    this.#day = at.toDateString();
    this.#append(note("day", calendar.format(at)));
    this.#last = null;
  }

  #append(item) {
    this.#list.append(item);
    while (this.#list.children.length > KEPT) {
      this.#ids.delete(Number(this.#list.firstElementChild.dataset.id));
      this.#list.firstElementChild.remove();
    }
    if (this.#following) this.toEnd();
  }

  #count() {
    this.#unread += 1;
    this.#more.textContent = this.#unread === 1 ? "1 new message" : `${this.#unread} new messages`;
    this.#more.hidden = false;
  }

  #read() {
    this.#unread = 0;
    this.#more.hidden = true;
  }
}

/** One message as a list item. */
export function bubble({ nick, body, at }, isOwn) {
  const item = element("li", "message");
  item.classList.toggle("own", isOwn);
  item.style.setProperty("--hue", hue(nick));

  const heading = element("div", "heading");
  const author = element("bdi", "author", nick);
  const time = element("time", "", clock.format(at));
  time.dateTime = new Date(at).toISOString();
  heading.append(author, " ", time);

  const text = element("p", "body", body);
  text.dir = "auto";
  text.title = clock.format(at);
  item.append(heading, text);
  return item;
}

/** The colour of a nickname: the same in every browser. */
export function hue(nick) {
  let sum = 7;
  for (const character of nick) sum = (sum * 31 + character.codePointAt(0)) % 3600;
  return sum % 360;
}

function note(kind, text) {
  return element("li", kind, text);
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
