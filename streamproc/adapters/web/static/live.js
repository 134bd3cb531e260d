// Keeps the page up to date: a line of the feed says that something changed, the page is asked for again, and its
// live parts take the place of the old ones. What did not change stays as it is, with its focus and its open tables.
"use strict";

const LEAST_MS = 1000;  // between two renewals, however fast the feed grows
const AT_MOST_MS = 20000;  // time goes on without a line of the feed, too

const live = document.getElementById("live");
let stream;
let due = 0;
let renewed = 0;
let busy = false;

function replace(now, next) {
  if (now.isEqualNode(next)) return;
  const known = new Map([...now.children].filter(child => child.id).map(child => [child.id, child]));
  if (now.dataset.live !== "list") {
    const open = [...now.querySelectorAll("details")].map(details => details.open);
    now.replaceChildren(...next.childNodes);
    now.querySelectorAll("details").forEach((details, i) => { details.open = Boolean(open[i]); });
    return;
  }
  arrange(now, [...next.children].map(item => {
    const old = known.get(item.id);
    if (old && old.firstElementChild.isEqualNode(item.firstElementChild)) return old;
    item.classList.add("fresh");
    return item;
  }));
}

// What is taken out of the page loses its focus, even if it is put back at once: what stays is not touched.
function arrange(list, items) {
  const focused = document.activeElement;
  const staying = new Set(items);
  for (const child of [...list.children]) if (!staying.has(child)) child.remove();
  let at = list.firstElementChild;
  for (const item of items) {
    if (item === at) at = at.nextElementSibling;
    else list.insertBefore(item, at);
  }
  if (list.contains(focused) && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

async function renew() {
  if (busy) return;
  busy = true;
  due = 0;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const other = next.querySelector(`[data-live="${part.dataset.live}"]`);
        if (other) replace(part, document.importNode(other, true));
      }
      renewed = performance.now();
    }
  } catch {
    live.classList.add("offline");
  } finally {
    busy = false;
  }
}

function soon() {
  if (!due) due = performance.now();
}

function connect(after) {
  stream = new EventSource(`/stream?after=${after}`);
  let last = after;
  stream.addEventListener("open", () => live.classList.replace("offline", "online") || live.classList.add("online"));
  stream.addEventListener("entry", event => {
    last = event.lastEventId;
    const whose = live.dataset.customer;
    if (whose === undefined || JSON.parse(event.data).customer_id === whose) soon();
  });
  stream.addEventListener("error", () => {
    live.classList.remove("online");
    live.classList.add("offline");
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => connect(last), 5000);
  });
}

setInterval(() => {
  const now = performance.now();
  if (document.hidden || now - renewed < LEAST_MS) return;
  if (due || now - renewed > AT_MOST_MS) renew();
}, 250);
renewed = performance.now();
connect(live.dataset.after);
addEventListener("pagehide", () => stream.close());
