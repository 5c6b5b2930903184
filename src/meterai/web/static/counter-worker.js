// Keeps the counter's page and its script, style and picture on the device, so that it opens while the centre is away.
const SHELF = "loket";

async function stock(answer) {
  const shelf = await caches.open(SHELF);
  const page = await answer.clone().text();
  const parts = [...page.matchAll(/(?:href|src)="(\/aset\/[^"]+)"/g)].map((found) => found[1]);
  await shelf.addAll(parts);
  await shelf.put("/loket", answer);
}

self.addEventListener("install", (event) => {
  event.waitUntil(fetch("/loket").then(stock).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function counter(request) {
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    return (await caches.match("/loket")) ?? Response.error();
  }
  if (answer.status >= 500) return (await caches.match("/loket")) ?? answer;
  if (answer.ok) await stock(answer.clone()).catch(() => {});
  return answer;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname === "/loket" && event.request.mode === "navigate") event.respondWith(counter(event.request));
  else if (url.pathname.startsWith("/aset/")) event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
});
