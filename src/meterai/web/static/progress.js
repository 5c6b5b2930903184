// Asks how far it is, ever more slowly, and goes on by itself. Without this script the page reloads itself.
const box = document.querySelector("[data-poll]");
if (box) {
  let pause = 700;
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.poll, { headers: { accept: "application/json" } });
      const now = await answer.json();
      if (now.final || (box.dataset.state && now.state !== box.dataset.state)) {
        location.replace(box.dataset.next);
        return;
      }
    } catch {
      // The network is away; the page says so, and we ask again.
    }
    pause = Math.min(pause * 1.15, 5000);
    setTimeout(ask, pause * (0.85 + Math.random() * 0.3));
  };
  setTimeout(ask, pause);
}
