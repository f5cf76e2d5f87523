const { root, room, roomId: knownId, user, query } = document.querySelector("main").dataset;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

const part = (role) => document.querySelector(`[data-role="${role}"]`);
const lines = part("lines");
const path = `${root}/chat/api/rooms/${encodeURIComponent(room)}/messages${query}`;
let pause = FIRST_PAUSE;
let socket;
/** A guest's page may be there before its room, and learns the id of the room from the history. */
let roomId = knownId;

function element(tag, text, data = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.dir = "auto";
  Object.assign(made.dataset, data);
  return made;
}

/** Draws a message once: one's own is drawn before it has an id, and the history may bring any again. */
function draw({ id, client, sender, text }) {
  const known = [...lines.children].find(
    ({ dataset }) => (id && dataset.id === String(id)) || (client && dataset.client === client),
  );
  if (known) {
    if (id) known.dataset.id = id;
    return;
  }
  const line = element("p", "", { role: "message", mine: sender === user });
  if (id) line.dataset.id = id;
  if (client) line.dataset.client = client;
  line.append(element("b", sender), " ", element("span", text, { role: "text" }));
  const later = id && [...lines.children].find(({ dataset }) => Number(dataset.id) > id);
  lines.insertBefore(line, later || null);
}

function note(role, text) {
  lines.append(element("p", text, { role }));
}

function notified({ id, message, from_user }) {
  if (document.getElementById(`notification_${id}`)) return;
  const seen = Object.assign(document.createElement("input"), { type: "checkbox", name: "seen_id[]", value: id, checked: true });
  const label = document.createElement("label");
  label.append(seen, element("b", from_user), " ", element("span", message));
  const item = document.createElement("li");
  item.id = `notification_${id}`;
  item.append(label);
  part("notifications").append(item);
}

function received(frame) {
  if (frame.type === "notification") return notified(frame);
  if (frame.type === "error") return note("error", frame.message);
  if (frame.type !== "chat") return;
  const { group_name, message_id: id, client_id: client, from_user: sender, message: text } = frame;
  if ([room, roomId].includes(String(group_name))) return draw({ id, client, sender, text });
  const other = document.getElementById(`room_${group_name}`);
  if (other) other.dataset.fresh = true;
}

/** Draws what was written between the page and the socket, or while there was none. */
async function catchUp() {
  const answer = await fetch(path);
  if (!answer.ok) return;
  const { room_id, messages } = await answer.json();
  roomId = String(room_id);
  for (const { message_id: id, client_id: client, username: sender, message: text } of messages.reverse()) {
    draw({ id, client, sender, text });
  }
}

function show(state, text) {
  part("state").dataset.state = state;
  part("state").textContent = text;
  part("send").disabled = state !== "open";
}

function connect() {
  const url = new URL(`${root}/ws/chat/${encodeURIComponent(room)}/${query}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("dialect", "group");
  show("connecting", "connecting…");
  socket = new WebSocket(url);
  socket.onopen = () => {
    pause = FIRST_PAUSE;
    show("open", "connected");
    catchUp();
  };
  socket.onmessage = ({ data }) => received(JSON.parse(data));
  socket.onclose = () => {
    show("closed", "not connected");
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  };
}

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  const text = part("input").value;
  const client = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  socket.send(JSON.stringify({ type: "chat", message: text, groupname: roomId || room, client_id: client }));
  draw({ client, sender: user || "Anonymous", text });
  part("input").value = "";
});

connect();
