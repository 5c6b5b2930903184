// Placing the mark: tap the page, drag the mark, or use the arrow keys. All in millimetres of the page as seen.
const form = document.querySelector("[data-place]");
const page = form.querySelector(".page");
const mark = page.querySelector(".mark");
const side = Number(page.dataset.mark);
const { width, height } = page.viewBox.baseVal;
const left = form.elements.kiri;
const top_ = form.elements.atas;
const now = form.querySelector("[data-now]");
const own = form.querySelector("[value=sendiri]");
const english = document.documentElement.lang === "en";
let at = { x: Number(left.value), y: Number(top_.value) };

const clamp = (v, most) => Math.round(Math.min(Math.max(v, 0), Math.max(0, most)) * 100) / 100;

function move(x, y) {
  at = { x: clamp(x, width - side), y: clamp(y, height - side) };
  mark.setAttribute("transform", `translate(${at.x} ${at.y})`);
  left.value = at.x;
  top_.value = at.y;
  own.checked = true;
  now.textContent = english ? `Left ${Math.round(at.x)} mm, top ${Math.round(at.y)} mm` : `Kiri ${Math.round(at.x)} mm, atas ${Math.round(at.y)} mm`;
}

function point(event) {
  const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(page.getScreenCTM().inverse());
  return { x: p.x, y: p.y };
}

let grip = null;
mark.addEventListener("pointerdown", (e) => {
  const p = point(e);
  grip = { x: p.x - at.x, y: p.y - at.y };
  mark.setPointerCapture(e.pointerId);
  e.stopPropagation();
});
mark.addEventListener("pointermove", (e) => {
  if (!grip) return;
  const p = point(e);
  move(p.x - grip.x, p.y - grip.y);
});
for (const kind of ["pointerup", "pointercancel"]) mark.addEventListener(kind, () => { grip = null; });
page.addEventListener("click", (e) => {
  if (mark.contains(e.target)) return;
  const p = point(e);
  move(p.x - side / 2, p.y - side / 2);
});

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
mark.addEventListener("keydown", (e) => {
  const step = STEPS[e.key];
  if (!step) return;
  e.preventDefault();
  const size = e.shiftKey ? 10 : 1;
  move(at.x + step[0] * size, at.y + step[1] * size);
});

// A quick place is shown at once; the server works it out again from the name.
const MARGIN = 15;
const first = { ...at };
const quick = {
  saran: () => [first.x, first.y],
  "bottom-right": () => [width - side - MARGIN, height - side - MARGIN],
  "bottom-left": () => [MARGIN, height - side - MARGIN],
  "top-right": () => [width - side - MARGIN, MARGIN],
  "top-left": () => [MARGIN, MARGIN],
};
for (const radio of form.querySelectorAll("[name=letak]")) {
  radio.addEventListener("change", () => {
    if (!quick[radio.value]) return;
    move(...quick[radio.value]());
    radio.checked = true;
  });
}
