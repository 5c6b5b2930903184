// The one button that needs script.
document.querySelector("[data-print]")?.addEventListener("click", () => print());
