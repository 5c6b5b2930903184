// A folder is checked file by file, a few at a time. What was said stays in this page: rows, and the lines
// that the record is made of. Without this script the same form sends up to a hundred files in one piece.
const form = document.querySelector("[data-many]");
const words = form.dataset;
const token = form.querySelector("[name=csrf]").value;
const plain = form.querySelector("[data-plain]");
const files = plain.querySelector("input");
const folder = form.querySelector("[data-folder-input]");
const going = form.querySelector("[data-going]");
const bar = form.querySelector("progress");
const said = form.querySelector("[data-said]");
const result = document.querySelector("[data-result]");
const body = document.querySelector("[data-rows]");
const sift = document.querySelector("[data-sift]");
const record = document.querySelector("[data-record]");
const beside = document.querySelector("[data-beside]");
const AT_ONCE = 4;
const GOOD = ["genuine", "genuine_offline"];

const queue = [];
const seen = []; // what was said, in the order of its rows
const known = new Set(); // files of this page by name, size and date, so that a second drop goes on
const bySerial = new Map();
const byFile = new Map();
const counts = {};
let total = 0, running = 0, stopped = false, note = "", told = 0;

plain.hidden = true;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const make = (name, text, kind) => { const el = document.createElement(name); if (text) el.textContent = text; if (kind) el.className = kind; return el; };

function take(found) {
  const fresh = found.filter(({ file, path }) => {
    const key = `${path}\n${file.size}\n${file.lastModified}`;
    return /\.pdf$/i.test(path) && !known.has(key) && known.add(key);
  });
  going.hidden = false;
  if (!fresh.length && !queue.length && !total) { said.textContent = words.none; return; }
  queue.push(...fresh);
  total += fresh.length;
  stopped = false;
  for (let more = Math.min(AT_ONCE - running, queue.length); more > 0; more -= 1) { running += 1; work(); }
  tell();
}

async function work() {
  while (queue.length && !stopped) {
    const one = queue.shift();
    try {
      add(one, await judge(one));
    } catch (error) {
      add(one, { name: one.path, verdict: "", word: words.refused, tone: "wait", sentence: error.title || String(error), serials: [], serials_said: [] });
    }
    tell();
  }
  running -= 1;
  if (!running) tell(true);
}

async function send(path, one) {
  const data = new FormData();
  data.append("csrf", token);
  data.append("berkas", one.file, one.path);
  for (let pause = 500; ; pause = Math.min(pause * 2, 8000)) {
    let answer;
    try {
      answer = await fetch(path, { method: "POST", body: data, headers: { accept: "application/json" } });
    } catch {
      note = words.waiting;
      tell(true);
      await sleep(pause);
      continue;
    }
    if (answer.status === 429 || answer.status === 503) {
      note = words.busy;
      tell(true);
      await sleep(1000 * Number(answer.headers.get("retry-after") || 1));
      continue;
    }
    note = "";
    if (answer.ok) return answer;
    throw await answer.json().catch(() => ({}));
  }
}

const judge = async (one) => (await send("/cek/satu", one)).json();

function add(one, found) {
  found.file = one.file;
  found.path = one.path;
  const row = make("tr");
  found.row = row;
  row.dataset.verdict = found.verdict;
  row.dataset.good = GOOD.includes(found.verdict) ? "1" : "";
  const cells = [words.file, words.verdict, "", words.serial].map((label) => { const td = make("td"); td.dataset.label = label; row.append(td); return td; });
  cells[0].textContent = found.name;
  cells[1].append(make("span", found.word, `chip ${found.tone}`));
  cells[2].append(make("p", [found.sentence, found.change].filter(Boolean).join(" "), "why"));
  if (found.true_file) cells[2].append(make("p", `${words.true}: ${found.true_file.pages} ${words.pages}, ${found.true_file.affixed_at}`, "why muted"));
  if (found.last_good_bytes) cells[2].append(rescue(found));
  for (const serial of found.serials_said) cells[3].append(make("code", serial, "serial"));
  seen.push(found);
  counts[found.verdict] = (counts[found.verdict] || 0) + 1;
  body.append(row);
  result.hidden = false;
  link(found);
  show(row);
}

function rescue(found) {
  // The sealed part is whole: it is cut off here, the file need not travel again.
  const button = make("button", words.rescue, "btn small");
  button.type = "button";
  button.addEventListener("click", () => {
    const link = make("a");
    link.href = URL.createObjectURL(found.file.slice(0, found.last_good_bytes, "application/pdf"));
    link.download = found.path.split("/").pop().replace(/(\.pdf)?$/i, "-utuh.pdf");
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  });
  return button;
}

function link(found) {
  // One serial in two documents: both rows say so, whatever the registry knows.
  const same = byFile.get(found.sha256);
  if (same) found.row.children[2].append(make("p", `${words.again}: ${same.path}`, "why muted"));
  else if (found.sha256) byFile.set(found.sha256, found);
  for (const serial of found.signed_sha256 ? found.serials : []) {
    const others = bySerial.get(serial) || [];
    bySerial.set(serial, [...others, found]);
    const twins = others.filter((other) => other.signed_sha256 !== found.signed_sha256);
    if (!twins.length) continue;
    twin(found, twins[0], serial);
    for (const other of twins) if (!other.twinned) twin(other, found, serial);
  }
}

function twin(found, other, serial) {
  if (found.twinned) return;
  found.twinned = true;
  found.row.dataset.good = "";
  const line = make("p", `${words.twins}: ${other.path} `, "twin");
  const button = make("button", words.compare, "btn small");
  button.type = "button";
  button.addEventListener("click", () => compare(serial));
  line.append(button);
  found.row.children[2].append(line);
  show(found.row);
}

function compare(serial) {
  const columns = beside.querySelector("[data-columns]");
  columns.replaceChildren();
  const one = new Map();
  for (const found of bySerial.get(serial)) if (!one.has(found.signed_sha256)) one.set(found.signed_sha256, found);
  for (const found of [...one.values()].slice(0, 4)) {
    const column = make("div");
    const list = make("dl", "", "facts");
    const fact = (name, value) => { const line = make("div"); line.append(make("dt", name), make("dd", value || "–")); list.append(line); };
    fact(words.verdict, found.word);
    fact(words.sealed, found.sealed_at);
    fact("SHA-256", found.sha256.slice(0, 16) + " …");
    const picture = make("p", "…", "muted");
    column.append(make("h3", found.path), list, picture);
    columns.append(column);
    draw(found, picture);
  }
  beside.showModal();
}

async function draw(found, place) {
  try {
    const reader = new FileReader();
    reader.readAsDataURL(await (await send("/cek/halaman", found)).blob());
    await new Promise((done, failed) => { reader.onload = done; reader.onerror = failed; });
    const picture = make("img");
    picture.src = reader.result;
    picture.alt = `${words.picture}: ${found.path}`;
    place.replaceWith(picture);
  } catch {
    place.textContent = "–";
  }
}

function show(row) {
  const only = sift.querySelector(":checked").value;
  row.hidden = only === "bad" ? Boolean(row.dataset.good) : Boolean(only) && row.dataset.verdict !== only;
}

function tell(now) {
  // A screen reader hears of it once a second, not four times a file.
  const moment = Date.now();
  if (!now && moment - told < 1000) return;
  told = moment;
  bar.max = total || 1;
  bar.value = seen.length;
  const text = words.progress.replace("{a}", seen.length).replace("{b}", total);
  said.textContent = stopped ? words.stopped : note ? `${text}. ${note}` : text;
  going.querySelector("[data-stop]").hidden = !running || stopped;
  const bad = seen.filter((found) => !found.row.dataset.good).length;
  for (const label of sift.querySelectorAll("label")) {
    const kind = label.dataset.for;
    const count = kind === "" ? seen.length : kind === "bad" ? bad : counts[kind] || 0;
    label.querySelector("b").textContent = count;
    label.hidden = kind !== "" && !count;
  }
}

for (const [kind, text] of [["", words.all], ["bad", words.bad]]) sift.querySelector(`[data-for="${kind}"] span`).textContent = text;
sift.addEventListener("change", () => { for (const row of body.children) show(row); });
form.querySelector("[data-folder]").addEventListener("click", () => folder.click());
form.querySelector("[data-files]").addEventListener("click", () => files.click());
for (const input of [folder, files]) input.addEventListener("change", () => {
  take([...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
  input.value = "";
});
form.addEventListener("submit", (e) => e.preventDefault());
form.querySelector("[data-stop]").addEventListener("click", () => {
  stopped = true;
  for (const { file, path } of queue) known.delete(`${path}\n${file.size}\n${file.lastModified}`);
  total -= queue.length;
  queue.length = 0;
  tell(true);
});
record.addEventListener("submit", () => { record.querySelector("[name=hasil]").value = seen.map((found) => found.line).filter(Boolean).join("\n"); });
beside.querySelector("[data-close]").addEventListener("click", () => beside.close());
addEventListener("beforeunload", (e) => { if (running) e.preventDefault(); });

async function* entries(entry, path) {
  if (entry.isFile) { yield { file: await new Promise((done, failed) => entry.file(done, failed)), path }; return; }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) yield* entries(one, `${path}/${one.name}`);
  }
}
for (const kind of ["dragenter", "dragover"]) form.addEventListener(kind, (e) => { e.preventDefault(); form.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) form.addEventListener(kind, () => form.classList.remove("over"));
form.addEventListener("drop", async (e) => {
  e.preventDefault();
  const dropped = [...e.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  for (const entry of dropped) for await (const one of entries(entry, entry.name)) found.push(one);
  take(found);
});
