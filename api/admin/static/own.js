// Where FastAdmin asks, and what it leaves to do for those who listen to the page.
window.SERVER_DOMAIN = "";
window.SERVER_URL = "/admin/api";

// A list of tabs holds tabs and nothing else; Ant Design puts the search for widgets into it. A table that scrolls must be
// reachable by keyboard, although there is nothing in it. And a tick says what it is a tick for: its column, which nobody
// changes from a list.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll(".ant-tabs-nav[role=tablist]")) {
    nav.querySelector(".ant-tabs-nav-list")?.setAttribute("role", "tablist");
    nav.removeAttribute("role");
    nav.removeAttribute("aria-orientation");
  }
  for (const body of document.querySelectorAll(".ant-table-body:not([tabindex])")) body.tabIndex = 0;
  for (const tick of document.querySelectorAll("td label > span > input[type=checkbox]:not([aria-label])")) {
    const cell = tick.closest("td");
    // On a phone a row is a list of its own, with each column's name above what stands in it.
    const name = cell.closest(".ant-table")?.querySelectorAll("thead th")[cell.cellIndex] ?? cell.parentElement.previousElementSibling;
    if (!name) continue;
    tick.setAttribute("aria-label", name.textContent);
    tick.setAttribute("aria-readonly", "true");
  }
}).observe(document, { childList: true, subtree: true });
