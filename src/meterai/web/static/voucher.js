// A code that came in the address after "#" (which no server sees) is filled in, also on the payment page later.
const brought = location.hash.slice(1).replace(/[^0-9A-Za-z]/g, "").slice(0, 10);
if (brought.length === 10) {
  sessionStorage.setItem("voucher", brought);
  history.replaceState(null, "", location.pathname);
}
const known = sessionStorage.getItem("voucher");
const field = document.querySelector("#kode");
if (known && field && !field.value) {
  field.value = known;
  field.closest("details")?.setAttribute("open", "");
  field.form.addEventListener("submit", () => sessionStorage.removeItem("voucher"));
}
