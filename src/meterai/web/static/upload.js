// A document goes up piece by piece; after a cut it goes on from the last byte that came.
// Without this script the same form sends the file in one piece.
const form = document.querySelector("[data-upload]");
const input = form.querySelector("input[type=file]");
const going = form.querySelector("[data-going]");
const bar = form.querySelector("progress");
const said = form.querySelector("[data-said]");
const problem = form.querySelector("[data-problem]");
const target = form.querySelector(".target");
const token = form.querySelector("[name=csrf]").value;
const PIECE = 256 * 1024;
form.classList.add("live");

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

class Refusal extends Error {}

async function ask(path, options) {
  // Only the network may fail here and be tried again; a refusal is final.
  for (let pause = 500; ; pause = Math.min(pause * 2, 8000)) {
    try {
      const answer = await fetch(path, options);
      if (answer.status === 503) throw new TypeError("busy");
      if (answer.ok) return answer;
      const body = await answer.json().catch(() => ({}));
      if (answer.status === 409 && options.method === "PATCH") return answer;
      throw Object.assign(new Refusal(), { title: body.title, advice: body.next_step });
    } catch (error) {
      if (error instanceof Refusal) throw error;
      said.textContent = form.dataset.waiting;
      await sleep(pause);
    }
  }
}

async function send(file) {
  problem.hidden = true;
  going.hidden = false;
  target.hidden = true;
  said.textContent = form.dataset.sending;
  const json = { accept: "application/json", "content-type": "application/json", "x-csrf": token };
  const begun = await ask("/unggah/mulai", { method: "POST", headers: json, body: JSON.stringify({ name: file.name, size: file.size, event: form.querySelector("[name=acara]")?.value ?? "" }) });
  const { link } = await begun.json();
  let offset = 0;
  while (offset < file.size) {
    const headers = { accept: "application/json", "upload-offset": String(offset), "content-type": "application/partial-upload" };
    const answer = await ask(`/unggah/${link}`, { method: "PATCH", headers, body: file.slice(offset, offset + PIECE) });
    if (answer.status === 409) {
      const where = await ask(`/unggah/${link}`, { method: "HEAD" });
      offset = Number(where.headers.get("upload-offset"));
    } else {
      offset = Number(answer.headers.get("upload-offset"));
    }
    bar.value = (100 * offset) / file.size;
    said.textContent = `${form.dataset.sending} ${Math.round(bar.value)} %`;
  }
  bar.removeAttribute("value");
  said.textContent = form.dataset.opening;
  const done = await ask(`/unggah/${link}/selesai`, { method: "POST", headers: { accept: "application/json" } });
  location.assign((await done.json()).next);
}

async function begin(file) {
  if (!file) return;
  try {
    await send(file);
  } catch (error) {
    going.hidden = true;
    target.hidden = false;
    problem.hidden = false;
    problem.querySelector("[data-title]").textContent = error.title || String(error);
    problem.querySelector("[data-advice]").textContent = error.advice || "";
    input.value = "";
    bar.value = 0;
  }
}

input.addEventListener("change", () => begin(input.files[0]));
form.addEventListener("submit", (e) => { e.preventDefault(); begin(input.files[0]); });
for (const kind of ["dragenter", "dragover"]) form.addEventListener(kind, (e) => { e.preventDefault(); form.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) form.addEventListener(kind, () => form.classList.remove("over"));
form.addEventListener("drop", (e) => { e.preventDefault(); begin(e.dataTransfer.files[0]); });
