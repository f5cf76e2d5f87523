const ROOM = new URLSearchParams(location.search).get("room") || "lobby";
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
const TYPING_LASTS = 2_000;
const LINES_KEPT = 500;

/** A front end: its lines, its input, the socket that it keeps open. What it says and hears is up to the dialect. */
class Pane {
  /** What follows the room's name in the path. */
  slash = "/";
  lastId;
  #pause = FIRST_PAUSE;
  #retry;
  #socket;

  constructor(section, dialect, name) {
    this.section = section;
    this.dialect = dialect;
    this.name = name;
    this.lines = this.part("lines");
    this.part("log").setAttribute("aria-label", `Messages, ${dialect}`);
    this.part("about").textContent = this.constructor.about;
    this.part("name").value = name;
    this.part("name").addEventListener("change", ({ target }) => target.reportValidity() && this.rename(target.value));
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.post(this.take("input"));
    });
  }

  /** The parameters by which this dialect says who one is. */
  identity() {
    return { user: this.name };
  }

  /** The parameters that ask for what was missed since the last connection. */
  resumption() {
    return this.lastId ? { since: this.lastId } : {};
  }

  opened() {}

  connect() {
    const url = new URL(`ws/chat/${encodeURIComponent(ROOM)}${this.slash}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = new URLSearchParams({ ...this.identity(), ...this.resumption(), dialect: this.dialect });
    this.#show("connecting", "connecting…");
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => {
      this.#pause = FIRST_PAUSE;
      this.#show("open", "connected");
      this.opened();
    };
    this.#socket.onmessage = ({ data }) => {
      this.part("frame").textContent = data;
      this.received(JSON.parse(data));
    };
    this.#socket.onclose = ({ code }) => {
      this.#show("closed", `closed (${code}), again in ${Math.ceil(this.#pause / 1000)} s`);
      this.#retry = setTimeout(() => this.connect(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    };
  }

  rename(name) {
    this.name = name;
    clearTimeout(this.#retry);
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.connect();
  }

  send(frame) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** Draws a message once, in its place: a resumed connection or the history may bring it again, or late. */
  draw({ id, sender, text, room, clientId }) {
    if (id && this.drawn("id", id)) return;
    const line = this.#line("message", text, id);
    const author = document.createElement("b");
    author.textContent = room ? `${sender} in ${room}` : sender;
    line.prepend(author, " ");
    line.dataset.mine = sender === this.name;
    if (clientId) line.dataset.clientId = clientId;
    if (id > (this.lastId ?? 0)) this.lastId = id;
  }

  /** Draws something that is no message: `event`, `notification` or `error`. */
  note(role, text) {
    this.#line(role, text);
  }

  drawn(key, value) {
    return [...this.lines.children].find((line) => line.dataset[key] === String(value));
  }

  part(role) {
    return this.section.querySelector(`[data-role="${role}"]`);
  }

  take(role) {
    const { value } = this.part(role);
    this.part(role).value = "";
    return value;
  }

  #line(role, text, id) {
    const line = document.createElement("p");
    line.dataset.role = role;
    const words = document.createElement("span");
    words.dataset.role = "text";
    words.dir = "auto";
    words.textContent = text;
    line.append(words);
    if (id) line.dataset.id = id;
    const later = [...this.lines.children].find((other) => Number(other.dataset.id) > id);
    this.lines.insertBefore(line, later ?? null);
    if (this.lines.children.length > LINES_KEPT) this.lines.firstElementChild.remove();
    return line;
  }

  #show(state, text) {
    this.part("state").dataset.state = state;
    this.part("state").textContent = text;
    for (const button of this.section.querySelectorAll("button")) button.disabled = state !== "open";
  }
}

class Command extends Pane {
  static about = "Frames told apart by “command”. Fetches the history on connecting.";

  // The history brings what was missed.
  resumption() {
    return {};
  }

  opened() {
    this.send({ command: "fetch_message", roomName: ROOM });
  }

  post(text) {
    this.send({ command: "new_message", content: text, username: this.name, roomName: ROOM });
  }

  received({ command, message }) {
    if (command === "fetch_message") message.reverse().forEach((line) => this.#drawLine(line));
    else if (command === "new_message") this.#drawLine(message);
    else if (command === "error") this.note("error", message);
  }

  #drawLine({ message_id: id, __str__: sender, content: text }) {
    this.draw({ id, sender, text });
  }
}

class Plain extends Pane {
  static about = "Nothing but “message”, and a “username” beside it.";

  // Here every message says who sends it.
  identity() {
    return {};
  }

  post(text) {
    this.send({ message: text, username: this.name });
  }

  received({ message: text, username: sender, message_id: id, error }) {
    if (error) this.note("error", text);
    else this.draw({ id, sender, text });
  }
}

class Group extends Pane {
  static about = "One socket for every room of its user, and notifications to people.";

  constructor(...args) {
    super(...args);
    this.part("notify").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send({ type: "notification", message: this.take("notice"), user_name: this.part("recipient").value });
    });
  }

  resumption() {
    return this.lastId ? { since: `${ROOM}:${this.lastId}` } : {};
  }

  // One's own message does not come back, so it is drawn now; should a resumed connection bring it after all, it is
  // known by its client_id.
  post(text) {
    const clientId = `${Date.now()}-${Math.random()}`;
    this.send({ type: "chat", message: text, groupname: ROOM, client_id: clientId });
    this.draw({ sender: this.name, text, clientId });
  }

  received(frame) {
    const { type, message: text, from_user: sender, client_id: clientId } = frame;
    if (type === "chat") {
      if (clientId && this.drawn("clientId", clientId)) return;
      const isHere = [frame.group_name, frame.display_name].includes(ROOM);
      this.draw({ sender, text, ...(isHere ? { id: frame.message_id } : { room: frame.display_name }) });
    } else if (type === "notification") {
      this.note("notification", `Notification${sender ? ` from ${sender}` : ""}: ${text}`);
    } else if (type === "error") {
      this.note("error", text);
    }
  }
}

class Remetente extends Pane {
  static about = "No slash at the end of the path; the sender comes as “remetente”.";
  slash = "";

  post(text) {
    this.send({ message: text });
  }

  received({ message: text, remetente: sender, message_id: id, error }) {
    if (error) this.note("error", text);
    else this.draw({ id, sender, text });
  }
}

class Typed extends Pane {
  static about = "Frames told apart by “type”: receipts, presence, typing.";
  #stored = new Set();
  #typists = new Set();
  #typingEnds;

  constructor(...args) {
    super(...args);
    this.part("input").addEventListener("input", () => this.#type());
    this.part("input").addEventListener("focus", () => this.#markRead());
  }

  opened() {
    this.#typists.clear();
    this.#showTypists();
  }

  post(text) {
    this.#stopTyping();
    this.send({ type: "chat_message", message: text });
  }

  received(frame) {
    const { type, message, message_id: id, username } = frame;
    switch (type) {
      case "chat_message":
        this.draw({ id, sender: username, text: message });
        this.#check(id);
        break;
      case "message_sent":
        this.#stored.add(id);
        this.#check(id);
        break;
      case "user_status":
        this.note("event", message);
        break;
      case "typing_indicator":
        if (frame.is_typing) this.#typists.add(username);
        else this.#typists.delete(username);
        this.#showTypists();
        break;
      case "messages_marked_read":
        if (username !== this.name) this.#checkTwice(id);
        break;
      case "error":
        this.note("error", message);
    }
  }

  // The confirmation may come before or after the message that it is about.
  #check(id) {
    const line = this.drawn("id", id);
    if (line && this.#stored.has(id)) line.dataset.receipt = "stored";
  }

  #checkTwice(upTo) {
    for (const line of this.lines.querySelectorAll("[data-receipt]")) {
      if (Number(line.dataset.id) <= upTo) line.dataset.receipt = "read";
    }
  }

  #type() {
    if (!this.#typingEnds) this.send({ type: "typing", is_typing: true });
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => this.#stopTyping(), TYPING_LASTS);
  }

  #stopTyping() {
    if (this.#typingEnds) this.send({ type: "typing", is_typing: false });
    clearTimeout(this.#typingEnds);
    this.#typingEnds = undefined;
  }

  #markRead() {
    this.send({ type: "mark_read" });
  }

  #showTypists() {
    const names = [...this.#typists];
    const verb = names.length > 1 ? "are" : "is";
    this.part("typing").textContent = names.length ? `${names.join(", ")} ${verb} typing…` : "";
  }
}

const panes = [
  ["command", "amy", Command],
  ["plain", "ben", Plain],
  ["group", "cleo", Group],
  ["remetente", "dora", Remetente],
  ["typed", "eli", Typed],
];

document.title = `${ROOM} · ${document.title}`;
document.querySelector("#room").value = ROOM;
for (const [dialect, name, Dialect] of panes) {
  const section = document.querySelector("#pane").content.cloneNode(true).firstElementChild;
  section.dataset.dialect = dialect;
  section.setAttribute("aria-label", dialect);
  section.querySelector("h2").textContent = dialect;
  for (const part of section.querySelectorAll(`[data-only]:not([data-only="${dialect}"])`)) part.remove();
  document.querySelector("main").append(section);
  new Dialect(section, dialect, name).connect();
}
