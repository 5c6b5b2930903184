// What every page does with script: show what only works with it, say when the network is gone, copy on tap.
for (const el of document.querySelectorAll(".with-script")) el.hidden = false;
for (const el of document.querySelectorAll(".without-script")) el.hidden = true;

const offline = document.querySelector("[data-offline]");
const say = () => { offline.hidden = navigator.onLine; };
addEventListener("online", say);
addEventListener("offline", say);
say();

for (const el of document.querySelectorAll("[data-copy]")) {
  el.tabIndex = 0;
  el.title = document.documentElement.lang === "en" ? "Copy" : "Salin";
  const copy = () => navigator.clipboard?.writeText(el.dataset.copy).then(() => { el.classList.add("copied"); });
  el.addEventListener("click", copy);
  el.addEventListener("keydown", (e) => { if (e.key === "Enter") copy(); });
}
