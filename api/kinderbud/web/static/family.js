// Improves the pages. They also work without it.

// Proposes the browser's time zone if none is chosen.
for (const select of document.querySelectorAll("select[data-zone]")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isNew = select.form.action.endsWith("/signup") && select.value === "UTC";
  if (isNew && [...select.options].some((option) => option.value === zone)) select.value = zone;
}

// A second click sends nothing twice. A page restored from the browser's cache can be used again.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// Adds a copy button to secrets that are shown once, if the browser allows it.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// Only one "Later" is open at a time, and Escape closes it.
const later = [...document.querySelectorAll("details.later")];
for (const details of later) {
  details.addEventListener("toggle", () => {
    if (details.open) for (const other of later) if (other !== details) other.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  });
}
