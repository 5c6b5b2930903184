// The counter on this device. Cash sales come from the block that this device alone was given at the opening of the
// shift: they need nobody, are written down here first, and reported as soon as the centre can be reached.
const KEY = "loket";
const box = document.querySelector("[data-counter]");
const read = () => JSON.parse(localStorage.getItem(KEY) ?? "null") ?? { device: crypto.randomUUID(), shift: null, kept: [], sold: [] };
const write = (state) => localStorage.setItem(KEY, JSON.stringify(state));
// One tab at a time changes what is written down, so that no code is sold twice.
const change = (act) => navigator.locks.request(KEY, async () => { const state = read(); const said = await act(state); write(state); return said; });
const unsent = (state) => state.sold.filter((sale) => !sale.outcome);

if (box) {
  const $ = (name) => box.querySelector(`[data-${name}]`);
  const form = $("sell");
  const token = form.querySelector("[name=csrf]").value;
  const shift = box.dataset.shift;
  const light = $("light");
  const post = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { accept: "application/json", "content-type": "application/json", "x-csrf": token }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  const shine = (on) => {
    light.textContent = on ? light.dataset.on : light.dataset.off;
    light.className = `chip ${on ? "good" : "wait"}`;
    const qris = $("qris");
    if (qris) qris.disabled = !on;
  };
  const show = (state) => {
    $("left").textContent = state.shift === shift ? state.kept.length : 0;
    $("unsent").textContent = unsent(state).length;
  };

  const fetchBlock = async () => {
    await change(() => {});
    const given = await post("/loket/blok.json", { device: read().device });
    await change((state) => {
      const sold = new Set(state.sold.map((sale) => sale.id));
      state.shift = given.shift;
      state.kept = given.kept.filter((one) => !sold.has(one.id));
      show(state);
    });
  };

  const report = async () => {
    const waiting = unsent(read());
    for (const of of new Set([shift, ...waiting.map((sale) => sale.shift)])) {
      const sold = waiting.filter((sale) => sale.shift === of).slice(0, 200).map(({ id, at }) => ({ id, at }));
      const said = await post("/loket/setor.json", { shift: of, sold });
      await change((state) => {
        for (const sale of state.sold) if (said[sale.id]) sale.outcome = said[sale.id];
        state.sold = [...unsent(state), ...state.sold.filter((sale) => sale.outcome).slice(-200)];
        show(state);
      });
    }
  };

  let turn;
  const keepUp = async () => {
    clearTimeout(turn);
    try {
      if (read().shift !== shift) await fetchBlock();
      await report();
      shine(true);
    } catch {
      shine(false);
    }
    turn = setTimeout(keepUp, document.hidden ? 30000 : 4000);
  };

  const hand = (sales) => {
    const total = Number(box.dataset.price) * sales.length;
    $("sum").textContent = `Rp${String(total).replace(/\B(?=(\d{3})+$)/g, ".")}`;
    const codes = sales.map((sale) => `${sale.code.slice(0, 5)} ${sale.code.slice(5)}`);
    $("codes").replaceChildren(...codes.map((code) => Object.assign(document.createElement("li"), { className: "big", textContent: code })));
    const send = $("send");
    const links = sales.map((sale) => `${send.dataset.at}#${sale.code}`).join(" ");
    send.href = `https://wa.me/?text=${encodeURIComponent(`${send.dataset.text}: ${links}`)}`;
    $("sold").hidden = false;
    $("stuck").hidden = true;
    $("print").focus();
  };

  form.addEventListener("submit", async (event) => {
    if (event.submitter?.value !== "tunai") return;
    event.preventDefault();
    const units = Number(new FormData(form).get("keping"));
    $("sold").hidden = true;
    const sales = await change((state) => {
      if (state.shift !== shift || state.kept.length < units) return null;
      const at = new Date().toISOString();
      const taken = state.kept.splice(0, units).map((one) => ({ ...one, shift, at, outcome: null }));
      state.sold.push(...taken);
      show(state);
      return taken;
    });
    if (sales) {
      hand(sales);
      keepUp();
    } else if (light.classList.contains("good")) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "cara", value: "tunai" }));
      form.submit();
    } else {
      $("stuck").hidden = false;
    }
  });
  $("print").addEventListener("click", () => print());

  $("close").addEventListener("submit", (event) => {
    if (!unsent(read()).length) return;
    event.preventDefault();
    const said = $("wait-said");
    said.textContent = event.target.dataset.wait;
    said.hidden = false;
    keepUp();
  });

  show(read());
  keepUp();
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/loket/pembantu.js", { scope: "/loket" }).then(() => navigator.serviceWorker.ready).then(() => { box.dataset.ready = "1"; });
  }
} else {
  // The shift is over: what was left of its block is worth nothing any more and leaves the device.
  change((state) => { state.shift = null; state.kept = []; });
  caches.delete("loket");
}
